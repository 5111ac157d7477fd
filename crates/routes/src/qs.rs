//! Query strings and forms as objects, as the `qs` package of Node reads them, which is what
//! LoopBack's clients write for.
//!
//! 1. `a=1` is a text; `a[b]=1` nests, up to five pairs of brackets, and what is behind them is a
//!    name as it stands. Brackets may be percent-encoded.
//! 2. `a=1&a=2`, `a[]=1` and `a[0]=1` are arrays, without holes. An index of 20 or more is a name.
//! 3. Of more than 1000 parameters the rest is ignored, and so are names that every object of
//!    JavaScript has, such as `__proto__`.
//! 4. What is percent-encoded wrongly is taken as it stands.
//! 5. Each value that meets an object of the same name nests one level deeper (`a[b]=1&a=2`).
//!    Beyond [`MAX_NESTING`] levels the text is refused: a value that nests without end exhausts
//!    the stack of whatever reads it later.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value};

/// Pairs of brackets that nest (`depth` of qs).
const MAX_DEPTH: usize = 5;
/// Indexes below it make an array (`arrayLimit` of qs). Above it, one parameter could ask for a
/// long one.
const MAX_INDEX: usize = 20;
/// Parameters that are read (`parameterLimit` of qs).
const MAX_PARAMETERS: usize = 1000;
/// Levels of objects and arrays that are read, twice as many as brackets alone can make and far
/// fewer than JSON readers allow.
pub(crate) const MAX_NESTING: usize = 16;
/// Names that qs ignores, unless it is told otherwise.
const OF_EVERY_OBJECT: [&str; 12] = [
    "__defineGetter__",
    "__defineSetter__",
    "__lookupGetter__",
    "__lookupSetter__",
    "__proto__",
    "constructor",
    "hasOwnProperty",
    "isPrototypeOf",
    "propertyIsEnumerable",
    "toLocaleString",
    "toString",
    "valueOf",
];

/// The text nests too deep to be read. HTTP status 400.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the parameters are nested too deep: the maximum is {MAX_NESTING} levels")]
pub(crate) struct TooDeep;

pub(crate) fn parse(text: &str) -> Result<Map<String, Value>, TooDeep> {
    let mut object = Node::Object(Vec::new());
    for (key, texts) in parameters(text) {
        if let Some(segments) = segments(&key) {
            let node = segments.iter().rev().fold(Node::of_texts(texts), |inner, segment| Node::nested(segment, inner));
            let mut has_nested = false;
            object = object.merge(node, &mut has_nested);
            // Brackets alone stay below the limit.
            if has_nested && object.is_deeper_than(MAX_NESTING) {
                return Err(TooDeep);
            }
        }
    }
    match object.into_json() {
        Value::Object(object) => Ok(object),
        _ => Ok(Map::new()),
    }
}

/// Keys with their values, each key once and where it stood first.
fn parameters(text: &str) -> Vec<(String, Vec<String>)> {
    let mut parameters: Vec<(String, Vec<String>)> = Vec::new();
    let mut places = HashMap::new();
    for part in text.split('&').take(MAX_PARAMETERS) {
        let part = with_brackets(part);
        // `a[b=c]=d` is the key `a[b=c]`.
        let end = part.find("]=").map(|bracket| bracket + 1).or_else(|| part.find('='));
        let (key, value) = match end {
            Some(end) => part.split_at(end),
            None => (part.as_str(), ""),
        };
        let key = decode(key);
        let value = decode(value.strip_prefix('=').unwrap_or(value));
        let place = *places.entry(key.clone()).or_insert(parameters.len());
        match parameters.get_mut(place) {
            Some((_, values)) => values.push(value),
            None => parameters.push((key, vec![value])),
        }
    }
    parameters
}

fn with_brackets(part: &str) -> String {
    part.replace("%5B", "[").replace("%5b", "[").replace("%5D", "]").replace("%5d", "]")
}

/// Plus signs as blanks and `%C3%A9` as é. If there is anything wrong with the latter, all of it
/// stays.
fn decode(text: &str) -> String {
    let text = text.replace('+', " ");
    if !text.contains('%') {
        return text;
    }
    percent_decode(text.as_bytes()).and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or(text)
}

fn percent_decode(mut text: &[u8]) -> Option<Vec<u8>> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let mut bytes = Vec::with_capacity(text.len());
    loop {
        match text {
            [] => return Some(bytes),
            [b'%', rest @ ..] => {
                let [high, low, rest @ ..] = rest else { return None };
                bytes.push(digit(high)? << 4 | digit(low)?);
                text = rest;
            }
            [byte, rest @ ..] => {
                bytes.push(*byte);
                text = rest;
            }
        }
    }
}

/// `a[b][c]` as `a`, `[b]`, `[c]`; `None` if there is nothing in it or a name in it is to be
/// ignored.
fn segments(key: &str) -> Option<Vec<String>> {
    let (parent, mut rest) = key.split_at(key.find('[').unwrap_or(key.len()));
    let mut segments = Vec::new();
    if !parent.is_empty() {
        segments.push(allowed(parent)?.to_owned());
    }
    for _ in 0..MAX_DEPTH {
        // Between groups anything may stand, which is skipped.
        let Some(open) = rest.find('[') else { return (!segments.is_empty()).then_some(segments) };
        rest = rest.get(open..).unwrap_or_default();
        let Some(end) = end_of_group(rest) else { break };
        let (group, behind) = rest.split_at(end);
        allowed(inside(group))?;
        segments.push(group.to_owned());
        rest = behind;
    }
    // Too deep, or a bracket that is never closed.
    if let Some(open) = rest.find('[') {
        segments.push(format!("[{}]", rest.get(open..).unwrap_or_default()));
    }
    (!segments.is_empty()).then_some(segments)
}

/// Where the brackets end with which a text begins, those in between counted.
fn end_of_group(text: &str) -> Option<usize> {
    let mut level = 0_usize;
    for (place, char) in text.char_indices() {
        match char {
            '[' => level += 1,
            ']' if level == 1 => return Some(place + 1),
            ']' => level -= 1,
            _ => {}
        }
    }
    None
}

fn allowed(name: &str) -> Option<&str> {
    (!OF_EVERY_OBJECT.contains(&name)).then_some(name)
}

fn inside(segment: &str) -> &str {
    segment.strip_prefix('[').and_then(|inside| inside.strip_suffix(']')).unwrap_or(segment)
}

/// A value while it is being put together.
enum Node {
    Text(String),
    /// By index: there may be holes until all has been read.
    List(BTreeMap<usize, Node>),
    /// In the order in which they came.
    Object(Vec<(String, Node)>),
}

impl Node {
    fn of_texts(texts: Vec<String>) -> Self {
        let mut texts = texts.into_iter().map(Self::Text);
        match (texts.next(), texts.next()) {
            (Some(only), None) => only,
            (first, second) => Self::of_all(first.into_iter().chain(second).chain(texts)),
        }
    }

    fn of_all(nodes: impl IntoIterator<Item = Self>) -> Self {
        Self::List(nodes.into_iter().enumerate().collect())
    }

    fn nested(segment: &str, inner: Self) -> Self {
        let name = inside(segment);
        let index = name.parse().ok().filter(|index: &usize| *index < MAX_INDEX && index.to_string() == name);
        match (segment, inner, index) {
            ("[]", list @ Self::List(_), _) => list,
            ("[]", inner, _) => Self::of_all([inner]),
            (_, inner, Some(index)) if name != segment => Self::List(BTreeMap::from([(index, inner)])),
            (_, inner, _) => Self::Object(vec![(name.to_owned(), inner)]),
        }
    }

    /// Both: objects and arrays member by member, anything else one after the other. An empty text
    /// adds nothing. `has_nested` tells whether something is one level deeper than it was.
    fn merge(self, other: Self, has_nested: &mut bool) -> Self {
        match (self, other) {
            (node, Self::Text(text)) if text.is_empty() => node,
            (Self::List(mut list), text @ Self::Text(_)) => {
                push(&mut list, text);
                Self::List(list)
            }
            (Self::Text(text), Self::List(list)) => {
                let behind = list.into_iter().map(|(index, node)| (index + 1, node));
                Self::List(std::iter::once((0, Self::Text(text))).chain(behind).collect())
            }
            (Self::List(mut list), Self::List(others)) => {
                for (index, node) in others {
                    match list.remove(&index) {
                        Some(own) if own.is_container() && node.is_container() => {
                            list.insert(index, own.merge(node, has_nested));
                        }
                        Some(own) => {
                            list.insert(index, own);
                            push(&mut list, node);
                        }
                        None => {
                            list.insert(index, node);
                        }
                    }
                }
                Self::List(list)
            }
            (node @ Self::Text(_), other) | (node @ Self::Object(_), other @ Self::Text(_)) => {
                *has_nested = true;
                Self::of_all([node, other])
            }
            (node, other) => {
                let mut members = node.into_members();
                for (name, value) in other.into_members() {
                    match members.iter().position(|(own, _)| *own == name) {
                        Some(place) => {
                            let (name, own) = members.swap_remove(place);
                            members.push((name, own.merge(value, has_nested)));
                            let last = members.len() - 1;
                            members.swap(place, last);
                        }
                        None => members.push((name, value)),
                    }
                }
                Self::Object(members)
            }
        }
    }

    fn is_deeper_than(&self, levels: usize) -> bool {
        let Some(below) = levels.checked_sub(1) else { return self.is_container() };
        match self {
            Self::Text(_) => false,
            Self::List(list) => list.values().any(|node| node.is_deeper_than(below)),
            Self::Object(members) => members.iter().any(|(_, node)| node.is_deeper_than(below)),
        }
    }

    fn is_container(&self) -> bool {
        !matches!(self, Self::Text(_))
    }

    fn into_members(self) -> Vec<(String, Self)> {
        match self {
            Self::Object(members) => members,
            Self::List(list) => list.into_iter().map(|(index, node)| (index.to_string(), node)).collect(),
            Self::Text(_) => Vec::new(),
        }
    }

    fn into_json(self) -> Value {
        match self {
            Self::Text(text) => Value::String(text),
            Self::List(list) => list.into_values().map(Self::into_json).collect(),
            Self::Object(members) => members.into_iter().map(|(name, node)| (name, node.into_json())).collect(),
        }
    }
}

fn push(list: &mut BTreeMap<usize, Node>, node: Node) {
    let next = list.last_key_value().map_or(0, |(last, _)| last + 1);
    list.insert(next, node);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Measured: what qs 6.16.2 makes of each.
    const AS_QS: &str = r#"
 -> {}
a -> {"a":""}
a= -> {"a":""}
=1 -> {}
&& -> {}
a=1&b=2 -> {"a":"1","b":"2"}
a=b=c -> {"a":"b=c"}
a+b=c+d -> {"a b":"c d"}
%61=%C3%A9 -> {"a":"é"}
a=%zz+x -> {"a":"%zz x"}
a=%E9 -> {"a":"%E9"}
a=% -> {"a":"%"}
a[b]=1 -> {"a":{"b":"1"}}
a%5Bb%5D=1 -> {"a":{"b":"1"}}
a%5bb%5d=1 -> {"a":{"b":"1"}}
a[b][c]=1&a[b][d]=2 -> {"a":{"b":{"c":"1","d":"2"}}}
a[b=c]=d -> {"a":{"b=c":"d"}}
filter[where][id][inq][0]=2&filter[where][id][inq][1]=1 -> {"filter":{"where":{"id":{"inq":["2","1"]}}}}
filter[order][]=id%20DESC -> {"filter":{"order":["id DESC"]}}
a[b][c][d][e][f]=1 -> {"a":{"b":{"c":{"d":{"e":{"f":"1"}}}}}}
a[b][c][d][e][f][g]=1 -> {"a":{"b":{"c":{"d":{"e":{"f":{"[g]":"1"}}}}}}}
a[b][c][d][e][f][g][h]=1 -> {"a":{"b":{"c":{"d":{"e":{"f":{"[g][h]":"1"}}}}}}}
a=1&a=2 -> {"a":["1","2"]}
a[]=1 -> {"a":["1"]}
a[]=1&a[]=2 -> {"a":["1","2"]}
a[]= -> {"a":[""]}
a[0]=1 -> {"a":["1"]}
a[1]=x&a[0]=y -> {"a":["y","x"]}
a[5]=x&a[2]=y -> {"a":["y","x"]}
a[0]=1&a[]=2 -> {"a":["1","2"]}
a=1&a[]=2 -> {"a":["1","2"]}
a[]=1&a=2 -> {"a":["1","2"]}
a[0][b]=1&a[0][c]=2 -> {"a":[{"b":"1","c":"2"}]}
a[][b]=1&a[][c]=2 -> {"a":[{"b":"1","c":"2"}]}
a[19]=x -> {"a":["x"]}
a[20]=x -> {"a":{"20":"x"}}
a[01]=x -> {"a":{"01":"x"}}
a[-1]=x -> {"a":{"-1":"x"}}
a[0]=1&a[b]=2 -> {"a":{"0":"1","b":"2"}}
a[b]=1&a[0]=2 -> {"a":{"0":"2","b":"1"}}
a[0]=1&a[25]=2 -> {"a":{"0":"1","25":"2"}}
a[b]=1&a=2 -> {"a":[{"b":"1"},"2"]}
a=2&a[b]=1 -> {"a":["2",{"b":"1"}]}
a[b]=1&a= -> {"a":{"b":"1"}}
a=&a[b]=1 -> {"a":["",{"b":"1"}]}
a=&a=1 -> {"a":["","1"]}
a[b]=&a[b]=1 -> {"a":{"b":["","1"]}}
__proto__=1 -> {}
a[__proto__]=1 -> {}
a[__proto__][b]=1&a[c]=2 -> {"a":{"c":"2"}}
constructor=1&toString=2&x=3 -> {"x":"3"}
a[hasOwnProperty]=1 -> {}
__proto__[a]=1 -> {}
[]=1 -> {"0":"1"}
[a]=1 -> {"a":"1"}
[a][b]=1 -> {"a":{"b":"1"}}
[=1 -> {"[":"1"}
]=1 -> {"]":"1"}
a]=1 -> {"a]":"1"}
a[=1 -> {"a":{"[":"1"}}
a[b=1 -> {"a":{"[b":"1"}}
a[b]c=1 -> {"a":{"b":"1"}}
a[b]c[d]=1 -> {"a":{"b":{"d":"1"}}}
a[[b]]=1 -> {"a":{"[b]":"1"}}
a[b[c]]=1 -> {"a":{"b[c]":"1"}}
a[ ]=1 -> {"a":{" ":"1"}}
a.b=1 -> {"a.b":"1"}
a[b.c]=1 -> {"a":{"b.c":"1"}}
a;b=1 -> {"a;b":"1"}
a=1;b=2 -> {"a":"1;b=2"}
a=1?b=2 -> {"a":"1?b=2"}
%26=%3D -> {"&":"="}
a=1&A=2 -> {"a":"1","A":"2"}
"#;

    #[test]
    fn a_query_string_is_read_as_qs_reads_it() {
        for line in AS_QS.trim_start_matches('\n').lines() {
            let (text, expected) = line.split_once(" -> ").unwrap();
            let expected: Value = serde_json::from_str(expected).unwrap();
            assert_eq!(Value::Object(parse(text).unwrap()), expected, "{text}");
        }
    }

    #[test]
    fn members_stay_in_the_order_in_which_they_came() {
        let text = Value::Object(parse("z=1&a[y]=1&2=1&a[b]=2&1=1&z=2").unwrap()).to_string();
        assert_eq!(text, r#"{"z":["1","2"],"a":{"y":"1","b":"2"},"2":"1","1":"1"}"#);
    }

    #[test]
    fn a_long_list_stays_one_and_a_high_index_does_not_make_one() {
        let list =
            |key: fn(usize) -> String| parse(&(0..100).map(|n| format!("{}=x&", key(n))).collect::<String>()).unwrap();
        assert_eq!(list(|_| "a".into())["a"].as_array().unwrap().len(), 100);
        assert_eq!(list(|_| "a[]".into())["a"].as_array().unwrap().len(), 100);
        // What LoopBack takes for a list too.
        let members = list(|n| format!("a[{n}]"));
        let keys: Vec<_> = members["a"].as_object().unwrap().keys().cloned().collect();
        assert_eq!(keys, (0..100).map(|n| n.to_string()).collect::<Vec<_>>());
        assert_eq!(
            Value::Object(parse("a[18446744073709551616]=x").unwrap()).to_string(),
            r#"{"a":{"18446744073709551616":"x"}}"#
        );
    }

    #[test]
    fn of_more_than_a_thousand_parameters_the_rest_is_ignored() {
        let many: String = (0..2000).map(|n| format!("p{n}=x&")).collect();
        assert_eq!(parse(&many).unwrap().len(), 1000);
    }

    #[test]
    fn hostile_keys_are_read_without_harm() {
        for key in [
            format!("a{}", "[b]".repeat(30_000)),
            format!("a{}", "[".repeat(90_000)),
            format!("a{}", "]".repeat(90_000)),
            format!("a{}{}", "[".repeat(45_000), "]".repeat(45_000)),
            format!("a{}", "%5B%5D".repeat(15_000)),
            "%".repeat(90_000),
            "[]".repeat(45_000),
            "\u{1f600}[".repeat(10_000),
        ] {
            assert_eq!(parse(&format!("{key}=x&b=1")).unwrap().get("b"), Some(&Value::from("1")));
        }
        let wide: String = (0..999).map(|n| format!("a[k{n}]=x&")).collect();
        assert_eq!(parse(&wide).unwrap()["a"].as_object().unwrap().len(), 999);
    }

    /// FUZZ-2: whatever the order in which texts and objects meet, what is read stays shallow.
    #[test]
    fn what_nests_deeper_than_the_limit_is_refused() {
        let pairs = |second: fn(usize) -> String| -> String {
            (0..500).map(|n| if n % 2 == 0 { second(n) } else { format!("a[b]c{n}=x&") }).collect()
        };
        let hostile = [
            pairs(|n| format!("a[b]c{n}[k]=x&")),
            pairs(|n| format!("a[b]c{n}[]=x&")),
            pairs(|n| format!("a[b]{n}[{n}][d]=x&")),
            (0..1000).map(|n| format!("a{}=x&", if n % 2 == 0 { "[b]" } else { "" })).collect(),
            (0..1000).map(|n| format!("a{}=x&", ["", "[b]", "[0]", "[]", "[30]"][n % 5])).collect(),
        ];
        for text in hostile {
            if let Ok(read) = parse(&text) {
                assert!(depth(&Value::Object(read)) <= MAX_NESTING, "{text}");
            }
        }
        let measured =
            "a[b]c0=x&".to_owned() + &(0..130).map(|n| format!("a[b]c{n}[k]=x&a[b]d{n}=x&")).collect::<String>();
        assert_eq!(parse(&measured), Err(TooDeep));
        assert_eq!(parse("a[b]=1&a=2").map(|read| depth(&Value::Object(read))), Ok(3));
    }

    fn depth(value: &Value) -> usize {
        match value {
            Value::Array(values) => 1 + values.iter().map(depth).max().unwrap_or(0),
            Value::Object(members) => 1 + members.values().map(depth).max().unwrap_or(0),
            _ => 0,
        }
    }
}
