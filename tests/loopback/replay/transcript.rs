//! What was recorded. `tests/loopback/transcripts/README.md` has the format.

use serde_json::Value;

/// A file, step by step.
#[derive(Debug)]
pub(super) struct Transcript {
    /// The file's name, without its ending.
    pub(super) file: &'static str,
    pub(super) steps: Vec<Step>,
}

#[derive(Debug)]
pub(super) enum Step {
    /// Another server, or another subject.
    Section(String),
    /// What the recorder found in the database, or did to it.
    Note(String),
    /// The server had died, and runs again with an empty database.
    Restart,
    Exchange(Exchange),
}

#[derive(Debug)]
pub(super) struct Exchange {
    pub(super) number: u32,
    pub(super) title: String,
    /// `None` if it was lost.
    pub(super) request: Option<Request>,
    /// `None` if the server died of it.
    pub(super) answer: Option<Recorded>,
}

#[derive(Debug)]
pub(super) struct Request {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Option<String>,
}

#[derive(Debug)]
pub(super) struct Recorded {
    pub(super) status: u16,
    /// The names are in lower case.
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Body,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Body {
    Whole(String),
    /// The rest was cut, or lost.
    BeginsWith(String),
}

impl Recorded {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

const LOST: &str = "…(lost)";

impl Transcript {
    /// Reads a file. What it cannot make sense of is an error that names the line: an exchange that
    /// is overlooked would prove nothing, and nobody would see it.
    pub(super) fn parse(file: &'static str, text: &str) -> Result<Self, String> {
        let mut lines = Lines { rest: text.lines().enumerate().peekable() };
        let mut steps = Vec::new();
        while let Some((at, line)) = lines.rest.next() {
            let at = |message: &str| format!("{file}.txt, line {}: {message}: {line}", at + 1);
            if let Some(title) = line.strip_prefix("===== ") {
                steps.push(Step::Section(title.to_owned()));
            } else if let Some(note) = line.strip_prefix("      # ") {
                steps.push(Step::Note(note.to_owned()));
            } else if let Some(event) = line.strip_prefix("  !! ") {
                if event == "(restarted with an empty database)" {
                    steps.push(Step::Restart);
                } else if event.starts_with("THE SERVER PROCESS DIED") {
                    // The stack, if one follows.
                    lines.take_while(|line| line.starts_with("    at "));
                } else {
                    return Err(at("an event of no known kind"));
                }
            } else if line.starts_with('[') {
                let exchange = lines.exchange(line).map_err(|message| at(&message))?;
                steps.push(Step::Exchange(exchange));
            } else if !line.is_empty() {
                return Err(at("this belongs to nothing"));
            }
        }
        let transcript = Self { file, steps };
        let numbers: Vec<u32> = transcript.exchanges().map(|exchange| exchange.number).collect();
        if numbers.iter().copied().ne((1..).take(numbers.len())) {
            return Err(format!("{file}.txt: the numbers are not 1, 2, 3 and so on: {numbers:?}"));
        }
        Ok(transcript)
    }

    pub(super) fn exchanges(&self) -> impl Iterator<Item = &Exchange> {
        self.steps.iter().filter_map(|step| match step {
            Step::Exchange(exchange) => Some(exchange),
            _ => None,
        })
    }
}

struct Lines<'a> {
    rest: std::iter::Peekable<std::iter::Enumerate<std::str::Lines<'a>>>,
}

impl<'a> Lines<'a> {
    fn take_while(&mut self, wanted: impl Fn(&str) -> bool) -> Vec<&'a str> {
        let mut taken = Vec::new();
        while let Some((_, line)) = self.rest.next_if(|(_, line)| wanted(line)) {
            taken.push(line);
        }
        taken
    }

    fn exchange(&mut self, head: &str) -> Result<Exchange, String> {
        let (number, title) = head[1..].split_once("] ").ok_or("no number and title")?;
        let number = number.parse().map_err(|_| "no number")?;
        let title = title.to_owned();
        let sent = self.take_while(|line| line.starts_with("  > "));
        if sent.is_empty() {
            if title == LOST {
                return Ok(Exchange { number, title, request: None, answer: None });
            }
            return Err("no request".into());
        }
        let request = Some(request(&sent)?);
        let (_, status) = self.rest.next().ok_or("no answer")?;
        let status = status.strip_prefix("  < ").ok_or("no answer")?;
        let (_, first) = self.rest.next().ok_or("no body")?;
        let first = first.strip_prefix("  < ").ok_or("no body")?;
        let mut body = vec![first];
        let ends = |line: &str| {
            ["  !! ", "      # ", "===== ", "  < ", "  > "].iter().any(|begin| line.starts_with(begin))
                || (line.starts_with('[') && line.contains("] "))
        };
        body.extend(self.take_while(|line| !ends(line)));
        // One empty line stands between two exchanges.
        if body.len() > 1 && body.last() == Some(&"") {
            body.pop();
        }
        let answer = answer(status, &body.join("\n"))?;
        Ok(Exchange { number, title, request, answer })
    }
}

fn request(lines: &[&str]) -> Result<Request, String> {
    let mut lines = lines.iter().map(|line| &line["  > ".len()..]);
    let head = lines.next().ok_or("no request")?;
    let (method, rest) = head.split_once(' ').ok_or("no path")?;
    let (path, headers) = rest.split_once("  ").unwrap_or((rest, "{}"));
    let headers: serde_json::Map<String, Value> =
        serde_json::from_str(headers).map_err(|error| format!("headers that are no JSON ({error})"))?;
    let mut all = Vec::new();
    for (name, value) in headers {
        match value {
            Value::String(value) => all.push((name, value)),
            Value::Array(values) => {
                for value in values {
                    all.push((name.clone(), value.as_str().ok_or("a header that is no text")?.to_owned()));
                }
            }
            _ => return Err("a header that is no text".into()),
        }
    }
    let body = lines.next().map(whole_body).transpose()?;
    if lines.next().is_some() {
        return Err("a second body".into());
    }
    Ok(Request { method: method.to_owned(), path: path.to_owned(), headers: all, body })
}

/// A body that was cut can be put together again if it was `{"…":"xxxx` and so on.
fn whole_body(text: &str) -> Result<String, String> {
    let Some((begin, length)) = cut(text) else { return Ok(text.to_owned()) };
    let last = begin.chars().last().ok_or("nothing is left of a body")?;
    let missing = length.checked_sub(begin.len() + "\"}".len()).ok_or("a body longer than it was")?;
    if last.len_utf8() != 1 || !begin.ends_with(&last.to_string().repeat(100)) {
        return Err("a body that was cut".into());
    }
    Ok(format!("{begin}{}\"}}", last.to_string().repeat(missing)))
}

/// Of a text that was cut: what is left, and the length of all of it in bytes.
fn cut(text: &str) -> Option<(&str, usize)> {
    let (begin, length) = text.rsplit_once("…(")?;
    Some((begin, length.strip_suffix(" bytes)")?.parse().ok()?))
}

fn answer(head: &str, body: &str) -> Result<Option<Recorded>, String> {
    if head.starts_with("CONNECTION ERROR") {
        return Ok(None);
    }
    let (status, headers) = head.split_once(' ').ok_or("no status and headers")?;
    let status = status.parse().map_err(|_| "no status")?;
    let headers: Option<Vec<_>> = headers
        .split(" | ")
        .map(|header| header.split_once(": ").map(|(name, value)| (name.to_owned(), value.to_owned())))
        .collect();
    let headers = headers.ok_or("a header without a value")?;
    let body = if body == "(empty body)" {
        Body::Whole(String::new())
    } else if let Some(begin) = body.strip_suffix(LOST) {
        Body::BeginsWith(begin.to_owned())
    } else if let Some((begin, _)) = cut(body) {
        Body::BeginsWith(begin.to_owned())
    } else {
        Body::Whole(body.to_owned())
    };
    Ok(Some(Recorded { status, headers, body }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &str = r#"
===== a section

[1] first
  > POST /api/users  {"Content-Type":"application/json","X":["a","b"]}
  > {"email":"a@b.c"}
  < 200 etag: W/"1" | content-type: text/html
  < <html>

      <h1>x</h1>
</html>

      # tokens left: A

[2] second
  > GET /x
  < CONNECTION ERROR ECONNRESET
  < (empty body)
  !! THE SERVER PROCESS DIED: TypeError
    at x
  !! (restarted with an empty database)

[3] …(lost)

[4] …(lost)
  > GET /y
  < 400 content-type: application/json
  < {"error":{"code":"X"…(lost)
"#;

    #[test]
    fn every_kind_of_step_is_read() {
        let transcript = Transcript::parse("sample", SAMPLE).unwrap();
        let [
            Step::Section(_),
            Step::Exchange(first),
            Step::Note(note),
            Step::Exchange(second),
            Step::Restart,
            Step::Exchange(third),
            Step::Exchange(fourth),
        ] = &transcript.steps[..]
        else {
            panic!("{transcript:?}")
        };
        let request = first.request.as_ref().unwrap();
        assert_eq!((request.method.as_str(), request.path.as_str()), ("POST", "/api/users"));
        assert_eq!(request.headers.len(), 3);
        assert_eq!(request.body.as_deref(), Some(r#"{"email":"a@b.c"}"#));
        let answer = first.answer.as_ref().unwrap();
        assert_eq!((answer.status, answer.header("etag")), (200, Some("W/\"1\"")));
        assert_eq!(answer.body, Body::Whole("<html>\n\n      <h1>x</h1>\n</html>".into()));
        assert_eq!(note, "tokens left: A");
        assert!(second.answer.is_none() && third.request.is_none());
        assert_eq!(fourth.answer.as_ref().unwrap().body, Body::BeginsWith(r#"{"error":{"code":"X""#.into()));
    }

    #[test]
    fn what_cannot_be_read_is_an_error_and_names_the_line() {
        for (broken, message) in [
            (SAMPLE.replace("[2] second", "[5] second"), "the numbers are not"),
            (SAMPLE.replace("  > GET /x\n", ""), "line 15: no request"),
            (SAMPLE.replace("  < CONNECTION", "  CONNECTION"), "line 15: no answer"),
            (SAMPLE.replace("=====", "===="), "line 2: this belongs to nothing"),
            (SAMPLE.replace("\"X\":[", "\"X\":"), "line 4: headers that are no JSON"),
            (SAMPLE.replace("!! (restarted", "!! (moved"), "an event of no known kind"),
            (SAMPLE.replace("  < 400 ", "  < bad "), "no status"),
        ] {
            let error = Transcript::parse("sample", &broken).unwrap_err();
            assert!(error.contains(message), "{message}: {error}");
        }
    }

    #[test]
    fn a_body_that_was_cut_is_put_together_again_if_that_can_be_done() {
        let begin = format!("{{\"a\":\"{}", "x".repeat(100));
        assert_eq!(whole_body(&format!("{begin}…(110 bytes)")).unwrap(), format!("{begin}xx\"}}"));
        assert!(whole_body("{\"a\":\"xyz…(110 bytes)").is_err());
    }
}
