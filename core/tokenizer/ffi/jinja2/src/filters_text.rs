//! Filters on texts.

use crate::access::{iterate, like};
use crate::args::{int, text, Args};
use crate::error::{type_error, Result};
use crate::limits::check_length;
use crate::markup;
use crate::repr::to_text;
use crate::str_methods::{change_case, justify, replace_text, strip};
use crate::unicode::{is_space, is_word, split_lines};
use crate::value::Value;

pub(crate) fn call(name: &str, input: &Value, args: Args) -> Result<Value> {
    // jinja2's soft_str: a text stays what it is, Markup included.
    let subject = to_text(input);
    let same_kind = |text: &str| Ok(like(input, text));
    match name {
        "capitalize" | "lower" | "upper" => {
            args.bind::<0>(name, [], 0)?;
            same_kind(&change_case(&subject, name))
        }
        "title" => {
            args.bind::<0>(name, [], 0)?;
            same_kind(&title(&subject))
        }
        "string" => {
            args.bind::<0>(name, [], 0)?;
            same_kind(&subject)
        }
        "center" => {
            let [width] = args.bind(name, ["width"], 0)?;
            let width = width.map_or(Ok(80), |width| int(name, &width))?.max(0) as usize;
            check_length(width)?;
            same_kind(&justify(&subject, "center", width, " "))
        }
        "trim" => {
            let [set] = args.bind(name, ["chars"], 0)?;
            let set = match set {
                None | Some(Value::None) => None,
                Some(set) => Some(text("strip", &set)?),
            };
            same_kind(strip(&subject, "strip", set.as_deref()))
        }
        "indent" => indent(input, &subject, args),
        "replace" => replace(input, &subject, args),
        "striptags" => {
            args.bind::<0>(name, [], 0)?;
            Ok(Value::str(strip_tags(&subject)))
        }
        "truncate" => truncate(input, &subject, args),
        "urlencode" => {
            args.bind::<0>(name, [], 0)?;
            url_encode(input)
        }
        _ => {
            args.bind::<0>(name, [], 0)?;
            let num_words = subject.split(|c| !is_word(c)).filter(|word| !word.is_empty()).count();
            Ok(Value::Int(num_words as i128))
        }
    }
}

/// Each word starts in upper case; words begin after white space, "-", "(", "{", "[" and "<".
fn title(subject: &str) -> String {
    let is_break = |c: char| is_space(c) || matches!(c, '-' | '(' | '{' | '[' | '<');
    let mut out = String::new();
    let mut rest = subject;
    while let Some(first) = rest.chars().next() {
        let in_break = is_break(first);
        let end = rest.find(|c| is_break(c) != in_break).unwrap_or(rest.len());
        let (word, tail) = rest.split_at(end);
        if in_break {
            out.push_str(word);
        } else {
            out.extend(first.to_uppercase());
            out.push_str(&word[first.len_utf8()..].to_lowercase());
        }
        rest = tail;
    }
    out
}

fn indent(input: &Value, subject: &str, args: Args) -> Result<Value> {
    let [width, first, blank] = args.bind("indent", ["width", "first", "blank"], 0)?;
    if input.as_str().is_none() {
        return type_error(format!("indent expects a string, not {}", input.type_name()));
    }
    let indentation = match width {
        None => "    ".to_string(),
        Some(Value::Str(text) | Value::Markup(text)) => text.to_string(),
        Some(value) => " ".repeat(int("indent", &value)?.clamp(0, 1 << 16) as usize),
    };
    let is_true = |value: Option<Value>| value.is_some_and(|value| value.truth());
    let blank = is_true(blank);
    let with_end = format!("{subject}\n");
    let lines = split_lines(&with_end, false);
    check_length(with_end.len() + lines.len() * indentation.len())?;
    let mut out = String::new();
    for (index, line) in lines.iter().enumerate() {
        if index > 0 {
            out.push('\n');
            if blank || !line.is_empty() {
                out.push_str(&indentation);
            }
        } else if is_true(first.clone()) {
            out.push_str(&indentation);
        }
        out.push_str(line);
    }
    Ok(like(input, &out))
}

fn replace(input: &Value, subject: &str, args: Args) -> Result<Value> {
    let [old, new, count] = args.bind("replace", ["old", "new", "count"], 2)?;
    let old_value = old.unwrap_or(Value::None);
    let new_value = new.unwrap_or(Value::None);
    let limit = match count {
        None | Some(Value::None) => usize::MAX,
        Some(count) => usize::try_from(int("replace", &count)?).unwrap_or(usize::MAX),
    };
    let old = text("replace", &old_value)?;
    let new = text("replace", &new_value)?;
    let new = if matches!(input, Value::Markup(_)) { markup::escape(&new_value) } else { new.to_string() };
    Ok(like(input, &replace_text(subject, &old, &new, limit)?))
}

/// Without tags and comments, white space collapsed, entities of escape() read back.
fn strip_tags(subject: &str) -> String {
    let mut text = subject.to_string();
    while let Some(start) = text.find("<!--") {
        let Some(end) = text[start..].find("-->") else { break };
        text.replace_range(start..start + end + 3, "");
    }
    while let Some(start) = text.find('<') {
        let Some(end) = text[start..].find('>') else { break };
        text.replace_range(start..=start + end, "");
    }
    let collapsed = text.split(is_space).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    collapsed
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&#34;", "\"")
        .replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&amp;", "&")
}

fn truncate(input: &Value, subject: &str, args: Args) -> Result<Value> {
    let [length, kill_words, end, leeway] =
        args.bind("truncate", ["length", "killwords", "end", "leeway"], 0)?;
    let length = length.map_or(Ok(255), |length| int("truncate", &length))?;
    let end = end.map_or(Ok("...".into()), |end| text("truncate", &end))?;
    let leeway = match leeway {
        None | Some(Value::None) => 5,
        Some(leeway) => int("truncate", &leeway)?,
    };
    let end_length = end.chars().count() as i64;
    if length < end_length {
        return type_error(format!("expected length >= {end_length}, got {length}"));
    }
    if leeway < 0 {
        return type_error(format!("expected leeway >= 0, got {leeway}"));
    }
    let Some(input_length) = crate::access::length(input) else {
        return type_error(format!("object of type '{}' has no len()", input.type_name()));
    };
    if input_length as i64 <= length.saturating_add(leeway) {
        return Ok(input.clone());
    }
    if input.as_str().is_none() {
        return type_error(format!("truncate expects a string, not {}", input.type_name()));
    }
    let kept: String = subject.chars().take((length - end_length) as usize).collect();
    if kill_words.is_some_and(|kill| kill.truth()) {
        return Ok(like(input, &format!("{kept}{end}")));
    }
    let whole_words = kept.rsplit_once(' ').map_or(&*kept, |(head, _)| head);
    Ok(like(input, &format!("{whole_words}{end}")))
}

fn url_encode(input: &Value) -> Result<Value> {
    let quote = |text: &str, keep: &str, plus: bool| -> String {
        let mut out = String::new();
        for byte in text.bytes() {
            let c = char::from(byte);
            if c.is_ascii_alphanumeric() || "_.-~".contains(c) || keep.contains(c) {
                out.push(c);
            } else if plus && c == ' ' {
                out.push('+');
            } else {
                out.push_str(&format!("%{byte:02X}"));
            }
        }
        out
    };
    if input.as_str().is_some() || !crate::access::is_iterable(input) {
        return Ok(Value::str(quote(&to_text(input), "/", false)));
    }
    let pairs = match input {
        Value::Dict(dict) => dict.iter().map(|(key, value)| (key.clone(), value.clone())).collect(),
        other => {
            let mut pairs = Vec::new();
            for pair in iterate(other)? {
                let pair = iterate(&pair)?;
                let [key, value] = &pair[..] else {
                    return type_error("urlencode expects pairs");
                };
                pairs.push((key.clone(), value.clone()));
            }
            pairs
        }
    };
    let parts: Vec<String> = pairs
        .iter()
        .map(|(key, value)| {
            format!("{}={}", quote(&to_text(key), "", true), quote(&to_text(value), "", true))
        })
        .collect();
    Ok(Value::str(parts.join("&")))
}
