//! What does a page look like? Pictures of all of it, light and dark, and as wide as a phone.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::Browser;

/// A look at a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Look {
    Light,
    Dark,
    Phone,
}

impl Look {
    pub(crate) const ALL: [Self; 3] = [Self::Light, Self::Dark, Self::Phone];

    fn name(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Dark => "dark",
            Self::Phone => "phone",
        }
    }
}

/// Where the pictures are: in the target folder.
pub(crate) fn folder() -> PathBuf {
    super::site::target().join("browser")
}

impl Browser {
    /// Looks at pages like this from now on.
    pub(crate) async fn look(&self, look: Look) {
        let scheme = if look == Look::Dark { "dark" } else { "light" };
        let media = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        self.devtools("Emulation.setEmulatedMedia", media).await;
        if look == Look::Phone {
            let phone = json!({ "width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": true });
            self.devtools("Emulation.setDeviceMetricsOverride", phone).await;
        } else {
            self.devtools("Emulation.clearDeviceMetricsOverride", json!({})).await;
        }
    }

    /// Keeps a picture of the whole page as `<name>-<look>.png`.
    pub(crate) async fn picture(&self, name: &str, look: Look) {
        let wanted = json!({ "format": "png", "captureBeyondViewport": true });
        let answer = self.devtools("Page.captureScreenshot", wanted).await;
        let picture = answer.get("data").and_then(Value::as_str).expect("a picture");
        let picture = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, picture).expect("base64");
        std::fs::create_dir_all(folder()).unwrap();
        std::fs::write(folder().join(format!("{name}-{}.png", look.name())), picture).unwrap();
    }

    /// By how many pixels the page is wider than the screen.
    pub(crate) async fn overflow(&self) -> i64 {
        let script = "const page = document.documentElement; return page.scrollWidth - page.clientWidth";
        self.execute(script, Vec::new()).await.as_i64().expect("a number")
    }
}
