//! An error as JSON, as a page and as XML.

use std::fmt::Write;

use serde_json::{Map, Value};

/// What the page may do: nothing, also not in a frame.
pub(super) const HTML_POLICY: &str = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// `{"<root>":{…}}`, or the members alone.
pub(super) fn json(root: Option<&str>, members: Map<String, Value>) -> String {
    match root {
        Some(root) => Value::Object(Map::from_iter([(root.to_owned(), Value::Object(members))])).to_string(),
        None => Value::Object(members).to_string(),
    }
}

/// A page with the elements that LoopBack's has. Everything in it is escaped, the stack too, which
/// LoopBack's is not.
pub(super) fn html(members: &Map<String, Value>) -> String {
    let text = |name: &str| members.get(name).map(plain).unwrap_or_default();
    let [name, message, status, stack] = ["name", "message", "statusCode", "stack"].map(text);
    let title = if name.is_empty() { &message } else { &name };
    let mut page = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>{}</title>\n</head>\n<body>\n",
        Escaped(title)
    );
    // Writing into a text does not fail.
    if !name.is_empty() {
        let _ = writeln!(page, "<h1>{}</h1>", Escaped(&name));
    }
    let _ = writeln!(page, "<h2><em>{}</em> {}</h2>", Escaped(&status), Escaped(&message));
    for (name, value) in members {
        if !matches!(&**name, "name" | "message" | "statusCode" | "stack") {
            let _ = writeln!(page, "<div><b>{}</b>: {}</div>", Escaped(name), Escaped(&plain(value)));
        }
    }
    if !stack.is_empty() {
        let _ = writeln!(page, "<pre id=\"stacktrace\">{}</pre>", Escaped(&stack));
    }
    page.push_str("</body>\n</html>\n");
    page
}

/// A text as it is, and anything else as JSON.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        value => value.to_string(),
    }
}

/// Text that can stand in an element or between quotes of HTML.
struct Escaped<'a>(&'a str);

impl std::fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for c in self.0.chars() {
            match c {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&#34;")?,
                '\'' => f.write_str("&#39;")?,
                '\0' => f.write_char(char::REPLACEMENT_CHARACTER)?,
                c => f.write_char(c)?,
            }
        }
        Ok(())
    }
}

/// The document that LoopBack's js2xmlparser makes of the members: an element for each, and for
/// each item of a list.
pub(super) fn xml(root: &str, members: &Map<String, Value>) -> String {
    let mut document = "<?xml version='1.0'?>".to_owned();
    object(&mut document, &element_name(root), members, 0);
    document
}

fn element(document: &mut String, name: &str, value: &Value, depth: usize) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| element(document, name, item, depth)),
        Value::Object(members) => object(document, name, members, depth),
        Value::String(text) if text.is_empty() => line(document, depth, format_args!("<{name}/>")),
        value => line(document, depth, format_args!("<{name}>{}</{name}>", xml_text(&plain(value)))),
    }
}

fn object(document: &mut String, name: &str, members: &Map<String, Value>, depth: usize) {
    let mut inside = String::new();
    for (name, value) in members {
        element(&mut inside, &element_name(name), value, depth + 1);
    }
    if inside.is_empty() {
        return line(document, depth, format_args!("<{name}/>"));
    }
    line(document, depth, format_args!("<{name}>"));
    document.push_str(&inside);
    line(document, depth, format_args!("</{name}>"));
}

fn line(document: &mut String, depth: usize, text: std::fmt::Arguments<'_>) {
    // Writing into a text does not fail.
    let _ = write!(document, "\n{:indent$}{text}", "", indent = 4 * depth);
}

/// A name as it may stand in a tag. js2xmlparser would fail where this puts a `_`.
fn element_name(name: &str) -> String {
    let inner = |c: char| is_name_start(c) || c.is_ascii_digit() || matches!(c, '-' | '.');
    let mut safe: String = name.chars().map(|c| if inner(c) { c } else { '_' }).collect();
    if !safe.starts_with(is_name_start) {
        safe.insert(0, '_');
    }
    safe
}

/// `NameStartChar` of XML 1.0, without the colon, which would begin the name of a namespace.
fn is_name_start(c: char) -> bool {
    matches!(c,
        'A'..='Z' | 'a'..='z' | '_' | '\u{c0}'..='\u{d6}' | '\u{d8}'..='\u{f6}' | '\u{f8}'..='\u{2ff}'
        | '\u{370}'..='\u{37d}' | '\u{37f}'..='\u{1fff}' | '\u{200c}'..='\u{200d}' | '\u{2070}'..='\u{218f}'
        | '\u{2c00}'..='\u{2fef}' | '\u{3001}'..='\u{d7ff}' | '\u{f900}'..='\u{fdcf}' | '\u{fdf0}'..='\u{fffd}'
        | '\u{10000}'..='\u{effff}')
}

/// Text in an element. What XML 1.0 cannot hold at all is replaced.
fn xml_text(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            // js2xmlparser escapes it only there.
            '>' if safe.ends_with("]]") => safe.push_str("&gt;"),
            '\t' | '\n' | '\r' => safe.push(c),
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => safe.push(char::REPLACEMENT_CHARACTER),
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn members(value: Value) -> Map<String, Value> {
        match value {
            Value::Object(members) => members,
            other => panic!("{other} is no object"),
        }
    }

    /// Recorded of js2xmlparser 4.0.2.
    #[test]
    fn xml_has_an_element_for_each_member_and_each_item() {
        let value = json!({
            "a": null, "t": true, "n": 1.5, "o": {}, "x": [], "s": "", "arr": [[1, 2], {"a": 1}, null, []],
            "amp": "<a>&\"' ]]> ]] >", "uni": "ü€🦀", "e": {"f": []}, "g": [{}],
        });
        let wanted = "<?xml version='1.0'?>
<error>
    <a>null</a>
    <t>true</t>
    <n>1.5</n>
    <o/>
    <s/>
    <arr>1</arr>
    <arr>2</arr>
    <arr>
        <a>1</a>
    </arr>
    <arr>null</arr>
    <amp>&lt;a>&amp;\"' ]]&gt; ]] ></amp>
    <uni>ü€🦀</uni>
    <e/>
    <g/>
</error>";
        assert_eq!(xml("error", &members(value)), wanted);
    }

    #[test]
    fn xml_is_well_formed_whatever_names_and_texts_there_are() {
        let value = json!({"bad key": 1, "1a": 2, "<x>": 3, "": 4, "a:b": 5, "äµ": 6, "@": {"b": 7}, "c": "\u{0}\u{1b}\t\u{fffe}"});
        let wanted = "<?xml version='1.0'?>
<a_b>
    <bad_key>1</bad_key>
    <_1a>2</_1a>
    <_x_>3</_x_>
    <_>4</_>
    <a_b>5</a_b>
    <ä_>6</ä_>
    <_>
        <b>7</b>
    </_>
    <c>\u{fffd}\u{fffd}\t\u{fffd}</c>
</a_b>";
        assert_eq!(xml("a b", &members(value)), wanted);
    }

    /// 1.2.1, 3.2.2
    #[test]
    fn the_page_shows_everything_as_text() {
        let hostile = "</pre></title><script>alert('\"&\0')</script>";
        let value = json!({
            "statusCode": 400, "name": hostile, "message": hostile, hostile: hostile, "details": {hostile: [hostile]},
            "stack": hostile,
        });
        let page = html(&members(value));
        let tags: Vec<&str> = page.split('<').skip(1).map(|tag| tag.split('>').next().unwrap()).collect();
        let known = [
            "!DOCTYPE html",
            "html lang=\"en\"",
            "head",
            "meta charset=\"utf-8\"",
            "title",
            "/title",
            "/head",
            "body",
            "h1",
            "/h1",
            "h2",
            "em",
            "/em",
            "/h2",
            "div",
            "b",
            "/b",
            "/div",
            "div",
            "b",
            "/b",
            "/div",
            "pre id=\"stacktrace\"",
            "/pre",
            "/body",
            "/html",
        ];
        assert_eq!(tags, known);
        assert!(!page.contains('\'') && !page.contains('\0'));
        let escaped = "&lt;/pre&gt;&lt;/title&gt;&lt;script&gt;alert(&#39;&#34;&amp;\u{fffd}&#39;)&lt;/script&gt;";
        assert!(page.contains(&format!("<h2><em>400</em> {escaped}</h2>")), "{page}");
    }

    #[test]
    fn a_page_without_a_name_is_called_by_its_message() {
        let page = html(&members(json!({"statusCode": 500, "message": "Internal Server Error"})));
        assert!(page.contains("<title>Internal Server Error</title>") && !page.contains("<h1>"), "{page}");
    }

    #[test]
    fn the_root_of_json_can_have_another_name_or_none() {
        let value = || members(json!({"statusCode": 400}));
        assert_eq!(json(Some("error"), value()), r#"{"error":{"statusCode":400}}"#);
        assert_eq!(json(Some("fault"), value()), r#"{"fault":{"statusCode":400}}"#);
        assert_eq!(json(None, value()), r#"{"statusCode":400}"#);
    }
}
