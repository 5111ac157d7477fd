//! What does a test in the browser stand on?

mod axe;
mod bidi;
mod browser;
mod chromedriver;
mod example;
mod other_site;
mod patience;
mod screenshot;
mod site;
mod visitor;

use std::future::Future;
use std::sync::Arc;

use tokio::sync::{Semaphore, SemaphorePermit};

pub(crate) use self::bidi::Bidi;
pub(crate) use self::browser::{Browser, Scripts};
pub(crate) use self::example::Example;
pub(crate) use self::other_site::OtherSite;
pub(crate) use self::patience::{PATIENCE, eventually};
pub(crate) use self::screenshot::{Look, folder};
pub(crate) use self::site::{Setting, Site};
pub(crate) use self::visitor::{ADA, TOKEN};

/// How many tests run at a time, whatever the number of threads: each has a browser of several
/// processes.
static STAGES: Semaphore = Semaphore::const_new(2);

/// Waits until a browser may be started, for tests that set their own stage.
pub(crate) async fn permit() -> SemaphorePermit<'static> {
    STAGES.acquire().await.expect("nobody closes it")
}

/// A running site and a browser to look at it. Clones are the same.
#[derive(Clone, Debug)]
pub(crate) struct Stage {
    pub(crate) site: Arc<Site>,
    pub(crate) browser: Arc<Browser>,
}

/// Runs a test. If it fails, says what the browser showed.
pub(crate) async fn run<F>(name: &str, scripts: Scripts, settings: &[Setting], test: impl FnOnce(Stage) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let _permit = permit().await;
    let site = Arc::new(Site::start(settings).await);
    let browser = Arc::new(Browser::start(scripts).await);
    let stage = Stage { site, browser };
    let outcome = tokio::spawn(test(stage.clone())).await;
    if let Err(failure) = outcome {
        stage.browser.explain(name).await;
        std::panic::resume_unwind(failure.into_panic());
    }
}

/// Makes each rule two tests: one with JavaScript, one without. After `;` stand settings of the
/// site.
macro_rules! with_and_without_scripts {
    ($($(#[$meta:meta])* async fn $name:ident($stage:ident $(; $setting:expr)*) $body:block)+) => {$(
        $(#[$meta])*
        async fn $name($stage: $crate::stage::Stage) $body

        mod $name {
            use $crate::stage::{Scripts, run};

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn with_scripts() {
                run(concat!(stringify!($name), "-with-scripts"), Scripts::On, &[$($setting)*], super::$name).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn without_scripts() {
                run(concat!(stringify!($name), "-without-scripts"), Scripts::Off, &[$($setting)*], super::$name).await;
            }
        }
    )+};
}

/// Makes each rule one test, with JavaScript.
macro_rules! with_scripts {
    ($($(#[$meta:meta])* async fn $name:ident($stage:ident $(; $setting:expr)*) $body:block)+) => {$(
        $(#[$meta])*
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            async fn rule($stage: $crate::stage::Stage) $body
            $crate::stage::run(stringify!($name), $crate::stage::Scripts::On, &[$($setting)*], rule).await;
        }
    )+};
}

pub(crate) use with_and_without_scripts;
pub(crate) use with_scripts;
