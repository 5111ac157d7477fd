//! A short name for a device, from its `User-Agent` header. People recognize their sessions by it;
//! no decision depends on it.

/// Browsers in the order in which they are looked for: most claim to be others too.
const BROWSERS: [(&str, &str); 13] = [
    ("Edg/", "Edge"),
    ("EdgA/", "Edge"),
    ("EdgiOS/", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Vivaldi/", "Vivaldi"),
    ("YaBrowser/", "Yandex"),
    ("FxiOS/", "Firefox"),
    ("Firefox/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chromium/", "Chromium"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
];

/// Systems, the more particular first.
const SYSTEMS: [(&str, &str); 9] = [
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Macintosh", "Mac"),
    ("FreeBSD", "FreeBSD"),
    ("OpenBSD", "OpenBSD"),
    ("Linux", "Linux"),
];

/// The browser and the system, as far as they are known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Device {
    pub(crate) browser: Option<&'static str>,
    pub(crate) system: Option<&'static str>,
}

impl Device {
    pub(crate) fn of(user_agent: &str) -> Self {
        let find = |names: &[(&str, &'static str)]| {
            names.iter().find(|(mark, _)| user_agent.contains(mark)).map(|(_, name)| *name)
        };
        // Programs that are no browser call themselves by their own name, first of all.
        let browser = match user_agent.starts_with("Mozilla/") {
            true => find(&BROWSERS),
            false => {
                [("curl/", "curl"), ("Wget/", "Wget"), ("okhttp/", "App"), ("Dalvik/", "App"), ("CFNetwork/", "App")]
                    .iter()
                    .find(|(mark, _)| user_agent.contains(mark))
                    .map(|(_, name)| *name)
            }
        };
        Self { browser, system: find(&SYSTEMS) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_of_common_devices() {
        let webkit = "AppleWebKit/537.36 (KHTML, like Gecko)";
        let table = [
            ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"),
            ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) {} Chrome/140.0.0.0 Safari/537.36", "Chrome on Windows"),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) {} Chrome/140.0.0.0 Safari/537.36 Edg/140.0",
                "Edge on Windows",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) {} Chrome/140.0.0.0 Safari/537.36 OPR/120.0",
                "Opera on Windows",
            ),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15",
                "Safari on Mac",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1",
                "Safari on iPhone",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/140.0 Mobile/15E148 Safari/604.1",
                "Chrome on iPhone",
            ),
            (
                "Mozilla/5.0 (iPad; CPU OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) FxiOS/140.0 Mobile/15E148 Safari/605.1.15",
                "Firefox on iPad",
            ),
            ("Mozilla/5.0 (Linux; Android 15; Pixel 9) {} Chrome/140.0.0.0 Mobile Safari/537.36", "Chrome on Android"),
            (
                "Mozilla/5.0 (Linux; Android 15; SM-S921B) {} SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36",
                "Samsung Internet on Android",
            ),
            ("Mozilla/5.0 (Android 15; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0", "Firefox on Android"),
            ("Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) {} Chrome/140.0.0.0 Safari/537.36", "Chrome on ChromeOS"),
            (
                "Mozilla/5.0 (X11; Linux x86_64) {} Ubuntu Chromium/140.0.0.0 Chrome/140.0.0.0 Safari/537.36",
                "Chromium on Linux",
            ),
            ("curl/8.14.1", "curl"),
            ("okhttp/5.0.0", "App"),
            ("MyApp/1 CFNetwork/3826 Darwin/24.5.0", "App"),
            ("Mozilla/5.0 (X11; Linux x86_64)", "Linux"),
            ("Mozilla/5.0", ""),
            ("", ""),
            ("<script>alert(1)</script>", ""),
        ];
        for (user_agent, expected) in table {
            let device = Device::of(&user_agent.replace("{}", webkit));
            let name = match (device.browser, device.system) {
                (Some(browser), Some(system)) => format!("{browser} on {system}"),
                (browser, system) => browser.or(system).unwrap_or_default().to_owned(),
            };
            assert_eq!(name, expected, "{user_agent}");
        }
    }
}
