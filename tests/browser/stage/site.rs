//! What does the browser look at? `examples/website`, started as an app author would start it, with
//! a real mail server.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::thread;

use gatekit_testkit::{ReceivedMail, SmtpSink};
use gatekit_tests::Folder;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{PATIENCE, eventually};

/// An environment variable of the site.
pub(crate) type Setting = (&'static str, &'static str);

/// A running website. Dropping it ends it.
#[derive(Debug)]
pub(crate) struct Site {
    process: Child,
    url: String,
    mails: SmtpSink,
    folder: Folder,
}

/// What a plain HTTP client gets.
#[derive(Debug)]
pub(crate) struct Plain {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Plain {
    /// A header, by its name in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (found, value) = line.split_once(':')?;
            (found.eq_ignore_ascii_case(name)).then(|| value.trim())
        })
    }
}

impl Site {
    /// Starts it with an empty database.
    pub(crate) async fn start(settings: &[Setting]) -> Self {
        let (folder, mails) = (Folder::new(), SmtpSink::start().await);
        let mut process = Command::new(executable())
            .current_dir(folder.path())
            .env("PORT", "0")
            .env("DATABASE", folder.database())
            .env("SMTP_URL", mails.url())
            .envs(settings.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = process.stdout.take().unwrap();
        // From here on it ends with this value, also when it does not get ready.
        let mut site = Self { process, url: String::new(), mails, folder };
        let mut lines = BufReader::new(output).lines().map_while(Result::ok);
        site.url = lines
            .find_map(|line| line.strip_prefix("READY ").map(|url| url.trim().to_owned()))
            .expect("the website says where it listens");
        // It must not block on a full pipe. What it says is shown with a test that fails.
        thread::spawn(move || lines.for_each(|line| println!("website| {line}")));
        site
    }

    /// The address of a page.
    pub(crate) fn at(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    /// Host and port.
    pub(crate) fn authority(&self) -> &str {
        self.url.trim_start_matches("http://")
    }

    /// The newest mail to this address whose subject has this in it; waits for it.
    pub(crate) async fn mail(&self, to: &str, subject: &str) -> ReceivedMail {
        eventually(&format!("a mail to {to}: {subject}"), || async {
            self.mails.mails().into_iter().rev().find(|mail| {
                mail.to.iter().any(|receiver| receiver == to)
                    && mail.header("subject").is_some_and(|it| it.contains(subject))
            })
        })
        .await
    }

    /// The link in that mail.
    pub(crate) async fn link(&self, to: &str, subject: &str) -> String {
        self.mail(to, subject).await.link().expect("the mail has a link")
    }

    /// Waits until there were this many mails to this address.
    pub(crate) async fn wait_for_mails(&self, to: &str, count: usize) {
        eventually(&format!("{count} mails to {to}"), || async { (self.count_mails(to) >= count).then_some(()) }).await;
    }

    /// How many mails there were to this address.
    pub(crate) fn count_mails(&self, to: &str) -> usize {
        self.mails.mails().iter().filter(|mail| mail.to.iter().any(|receiver| receiver == to)).count()
    }

    /// A GET by a program that is no browser, such as one that looks into mails for bad links: no
    /// cookies, and no redirects followed.
    pub(crate) async fn get(&self, url: &str, headers: &str) -> Plain {
        let path = url.strip_prefix(&self.url).expect("a URL of this site");
        let mut stream = TcpStream::connect(self.authority()).await.unwrap();
        let request =
            format!("GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{headers}\r\n", self.authority());
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").expect("an answer");
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        Plain { status, head: head.to_owned(), body: body.to_owned() }
    }

    /// Makes every verified password an hour old, so that it has to be entered again.
    pub(crate) async fn age_passwords(&self) {
        let options = SqliteConnectOptions::new().filename(self.folder.database()).busy_timeout(PATIENCE);
        let mut database = options.connect().await.unwrap();
        let an_hour_ago = "UPDATE gatekit_access_tokens \
             SET token_proofs = 'password=' || (substr(token_proofs, length('password=') + 1) - 3600000)";
        assert!(sqlx::query(an_hour_ago).execute(&mut database).await.unwrap().rows_affected() > 0);
        database.close().await.unwrap();
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The target folder: this test is an executable in it.
pub(crate) fn target() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    // target/debug/deps/browser-0123456789abcdef
    test.ancestors().nth(3).expect("a target folder").to_owned()
}

/// The website's executable, built if it is not up to date.
fn executable() -> &'static Path {
    static EXECUTABLE: OnceLock<PathBuf> = OnceLock::new();
    EXECUTABLE.get_or_init(|| {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["build", "--quiet", "-p", "website"]).current_dir(env!("CARGO_MANIFEST_DIR"));
        // They describe this package, and build scripts that look at them would run again.
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy().into_owned();
            if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
                cargo.env_remove(name);
            }
        }
        assert!(cargo.status().unwrap().success(), "the website does not build");
        target().join("debug").join("website").with_extension(std::env::consts::EXE_EXTENSION)
    })
}
