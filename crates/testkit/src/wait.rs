//! Waiting that ends, and finding links and secrets in texts.

use std::time::Duration;

use tokio::sync::Notify;

/// Longer than anything a test waits for takes, on a slow machine too.
const LIMIT: Duration = Duration::from_secs(60);

/// Waits until `ready` gives something, looking again whenever `changed` is notified (with
/// `notify_waiters`).
pub(crate) async fn until<T>(changed: &Notify, mut ready: impl FnMut() -> Option<T>) -> Option<T> {
    let wait = async {
        loop {
            // Before looking, so that no change between looking and waiting is missed.
            let next = changed.notified();
            tokio::pin!(next);
            next.as_mut().enable();
            if let Some(value) = ready() {
                return value;
            }
            next.await;
        }
    };
    tokio::time::timeout(LIMIT, wait).await.ok()
}

/// The first link in a text.
pub(crate) fn first_link(text: &str) -> Option<String> {
    let start = [text.find("https://"), text.find("http://")].into_iter().flatten().min()?;
    let link = text.get(start..)?.split(|c: char| c.is_whitespace() || matches!(c, '<' | '>' | '"')).next()?;
    Some(link.to_owned())
}

/// The secret in a link or a text: the first word of 32 letters and digits or more. Ours have 64.
pub(crate) fn first_secret(text: &str) -> Option<String> {
    text.split(|c: char| !c.is_ascii_alphanumeric()).find(|word| word.len() >= 32).map(str::to_owned)
}

/// The code in a text: the first word of exactly six digits.
pub(crate) fn first_code(text: &str) -> Option<String> {
    let is_code = |word: &&str| word.len() == 6 && word.bytes().all(|byte| byte.is_ascii_digit());
    text.split(|c: char| !c.is_alphanumeric()).find(is_code).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_ends_where_text_goes_on() {
        for text in
            ["Open\n\nhttps://a.example/x#t=1\n\nBye", "<https://a.example/x#t=1>", "see https://a.example/x#t=1"]
        {
            assert_eq!(first_link(text).as_deref(), Some("https://a.example/x#t=1"));
        }
        assert_eq!(first_link("http://b.example and https://a.example").as_deref(), Some("http://b.example"));
        assert_eq!(first_link("no link"), None);
    }

    #[test]
    fn a_code_is_a_word_of_six_digits() {
        assert_eq!(first_code("for a1@b.c within 10 minutes:\n\n314159\n\nBye").as_deref(), Some("314159"));
        assert_eq!(first_code("1234567 12345 12345a a12345"), None);
    }

    #[test]
    fn a_secret_is_a_long_word() {
        let secret = "GOkZRwgZ61q0XXVxvxlB8TS1D6lrG7Vb9V8YwRDfy3YGAN7TM7EnxWHqdbIZfheZ";
        assert_eq!(first_secret(&format!("https://a.example/x#access_token={secret}")).as_deref(), Some(secret));
        assert_eq!(first_secret(&format!("Enter\n\n{secret}\n")).as_deref(), Some(secret));
        assert_eq!(first_secret("https://a.example/choose-a-new-password"), None);
    }
}
