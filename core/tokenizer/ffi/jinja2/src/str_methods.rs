//! Methods of str.

use std::sync::Arc;

use crate::access::{iterate, like};
use crate::args::{int, text, Args};
use crate::error::{limit_error, type_error, Result};
use crate::limits::{check_length, MAX_LENGTH};
use crate::markup;
use crate::strformat;
use crate::unicode as chars;
use crate::value::Value;

pub(crate) fn call(receiver: &Value, name: &'static str, args: Args) -> Result<Value> {
    let Some(subject) = receiver.as_str() else {
        return type_error("str method called on something else");
    };
    let same_kind = |text: &str| Ok(like(receiver, text));
    match name {
        "lower" | "upper" | "capitalize" | "title" | "swapcase" | "casefold" => {
            args.bind_positional::<0>(name, 0)?;
            same_kind(&change_case(subject, name))
        }
        "strip" | "lstrip" | "rstrip" => {
            let [set] = args.bind_positional::<1>(name, 0)?;
            let set = optional_text(name, set)?;
            same_kind(strip(subject, name, set.as_deref()))
        }
        "split" | "rsplit" => {
            let [separator, limit] = args.bind(name, ["sep", "maxsplit"], 0)?;
            let separator = optional_text(name, separator)?;
            let limit = optional_int(name, limit, -1)?;
            let parts = split(subject, separator.as_deref(), limit, name == "rsplit")?;
            Value::list(parts.into_iter().map(|part| like(receiver, part)).collect())
        }
        "splitlines" => {
            let [keep] = args.bind(name, ["keepends"], 0)?;
            let keep = keep.is_some_and(|keep| keep.truth());
            Value::list(
                chars::split_lines(subject, keep).into_iter().map(|line| like(receiver, line)).collect(),
            )
        }
        "partition" | "rpartition" => partition(receiver, subject, name, args),
        "replace" => replace(receiver, subject, args),
        "join" => join(receiver, subject, args),
        "startswith" | "endswith" => starts_or_ends(subject, name, args),
        "removeprefix" | "removesuffix" => {
            let [affix] = args.bind_positional::<1>(name, 1)?;
            let affix = text(name, &affix.unwrap_or(Value::None))?;
            let rest = if name == "removeprefix" {
                subject.strip_prefix(&*affix)
            } else {
                subject.strip_suffix(&*affix)
            };
            same_kind(rest.unwrap_or(subject))
        }
        "find" | "rfind" | "index" | "rindex" | "count" => search(subject, name, args),
        "center" | "ljust" | "rjust" => {
            let [width, fill] = args.bind_positional::<2>(name, 1)?;
            let width = int(name, &width.unwrap_or(Value::None))?;
            let fill = optional_text(name, fill)?;
            let fill = fill.as_deref().unwrap_or(" ");
            if fill.chars().count() != 1 {
                return type_error("The fill character must be exactly one character long");
            }
            same_kind(&justify(subject, name, checked_width(width)?, fill))
        }
        "zfill" => {
            let [width] = args.bind_positional::<1>(name, 1)?;
            let width = checked_width(int(name, &width.unwrap_or(Value::None))?)?;
            let missing = "0".repeat(width.saturating_sub(subject.chars().count()));
            let sign = if subject.starts_with(['+', '-']) { 1 } else { 0 };
            same_kind(&format!("{}{missing}{}", &subject[..sign], &subject[sign..]))
        }
        "expandtabs" => {
            let [size] = args.bind(name, ["tabsize"], 0)?;
            same_kind(&expand_tabs(subject, checked_width(optional_int(name, size, 8)?)?)?)
        }
        "format" => strformat::format(receiver, &args),
        "format_map" => {
            let [mapping] = args.bind_positional::<1>(name, 1)?;
            let Some(Value::Dict(dict)) = mapping else {
                return type_error("format_map() expects a mapping");
            };
            let named =
                dict.iter().filter_map(|(key, value)| Some((key.as_str()?.clone(), value.clone()))).collect();
            strformat::format(receiver, &Args { positional: Vec::new(), named })
        }
        "encode" | "maketrans" => type_error(format!("str.{name} is not supported in chat templates")),
        _ => {
            args.bind_positional::<0>(name, 0)?;
            Ok(Value::Bool(is_kind(subject, name)))
        }
    }
}

fn optional_text(function: &str, value: Option<Value>) -> Result<Option<Arc<str>>> {
    match value {
        None | Some(Value::None) => Ok(None),
        Some(value) => text(function, &value).map(Some),
    }
}

fn optional_int(function: &str, value: Option<Value>, default: i64) -> Result<i64> {
    value.map_or(Ok(default), |value| int(function, &value))
}

/// A width as a size; negative ones are 0.
fn checked_width(width: i64) -> Result<usize> {
    match usize::try_from(width.max(0)) {
        Ok(width) if width <= MAX_LENGTH => Ok(width),
        _ => limit_error("a value became too long"),
    }
}

pub(crate) fn change_case(subject: &str, name: &str) -> String {
    match name {
        "lower" => subject.to_lowercase(),
        "upper" => subject.to_uppercase(),
        "casefold" => subject.to_lowercase().replace('ß', "ss").replace('ς', "σ"),
        "capitalize" => chars::capitalize(subject),
        "swapcase" => subject
            .chars()
            .flat_map(|c| -> Vec<char> {
                if c.is_uppercase() {
                    c.to_lowercase().collect()
                } else {
                    c.to_uppercase().collect()
                }
            })
            .collect(),
        _ => {
            let mut out = String::new();
            let mut in_word = false;
            for c in subject.chars() {
                if in_word {
                    out.extend(c.to_lowercase());
                } else {
                    out.push_str(&chars::to_title(c));
                }
                in_word = is_cased(c);
            }
            out
        }
    }
}

fn is_cased(c: char) -> bool {
    c.is_uppercase() || c.is_lowercase() || chars::is_title_case(c)
}

/// str.strip, lstrip or rstrip.
pub(crate) fn strip<'t>(subject: &'t str, name: &str, set: Option<&str>) -> &'t str {
    let matches = |c: char| set.map_or_else(|| chars::is_space(c), |set| set.contains(c));
    let mut rest = subject;
    if name != "rstrip" {
        rest = rest.trim_start_matches(matches);
    }
    if name != "lstrip" {
        rest = rest.trim_end_matches(matches);
    }
    rest
}

fn split<'t>(
    subject: &'t str,
    separator: Option<&str>,
    limit: i64,
    from_right: bool,
) -> Result<Vec<&'t str>> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let Some(separator) = separator else {
        return Ok(if from_right { rsplit_spaces(subject, limit) } else { split_spaces(subject, limit) });
    };
    if separator.is_empty() {
        return type_error("empty separator");
    }
    let parts = limit.saturating_add(1);
    if from_right {
        let mut found: Vec<&str> = subject.rsplitn(parts, separator).collect();
        found.reverse();
        return Ok(found);
    }
    Ok(subject.splitn(parts, separator).collect())
}

fn split_spaces(subject: &str, limit: usize) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = subject.trim_start_matches(chars::is_space);
    while !rest.is_empty() {
        let end = rest.find(chars::is_space).unwrap_or(rest.len());
        if parts.len() == limit {
            parts.push(rest.trim_end_matches(chars::is_space));
            break;
        }
        parts.push(&rest[..end]);
        rest = rest[end..].trim_start_matches(chars::is_space);
    }
    parts
}

fn rsplit_spaces(subject: &str, limit: usize) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = subject.trim_end_matches(chars::is_space);
    while !rest.is_empty() {
        if parts.len() == limit {
            parts.push(rest.trim_start_matches(chars::is_space));
            break;
        }
        let start = rest
            .char_indices()
            .rev()
            .find(|(_, c)| chars::is_space(*c))
            .map_or(0, |(at, c)| at + c.len_utf8());
        parts.push(&rest[start..]);
        rest = rest[..start].trim_end_matches(chars::is_space);
    }
    parts.reverse();
    parts
}

fn partition(receiver: &Value, subject: &str, name: &'static str, args: Args) -> Result<Value> {
    let [separator] = args.bind_positional::<1>(name, 1)?;
    let separator = text(name, &separator.unwrap_or(Value::None))?;
    if separator.is_empty() {
        return type_error("empty separator");
    }
    let found = if name == "partition" { subject.find(&*separator) } else { subject.rfind(&*separator) };
    let parts = match found {
        Some(at) => [&subject[..at], &separator, &subject[at + separator.len()..]],
        None if name == "partition" => [subject, "", ""],
        None => ["", "", subject],
    };
    Value::tuple(parts.iter().map(|part| like(receiver, part)).collect())
}

fn replace(receiver: &Value, subject: &str, args: Args) -> Result<Value> {
    let [old, new, count] = args.bind_positional::<3>("replace", 2)?;
    let old = text("replace", &old.unwrap_or(Value::None))?;
    let new_value = new.unwrap_or(Value::None);
    let mut new = text("replace", &new_value)?;
    if matches!(receiver, Value::Markup(_)) {
        new = markup::escape(&new_value).into();
    }
    let count = optional_int("replace", count, -1)?;
    let replaced = replace_text(subject, &old, &new, usize::try_from(count).unwrap_or(usize::MAX))?;
    Ok(like(receiver, &replaced))
}

/// text.replace(old, new, limit)
pub(crate) fn replace_text(subject: &str, old: &str, new: &str, limit: usize) -> Result<String> {
    let num_matches = subject.matches(old).take(limit).count();
    check_length(subject.len().saturating_add(num_matches.saturating_mul(new.len())))?;
    Ok(subject.replacen(old, new, limit))
}

fn join(receiver: &Value, subject: &str, args: Args) -> Result<Value> {
    let [items] = args.bind_positional::<1>("join", 1)?;
    let mut out = String::new();
    for (index, item) in iterate(&items.unwrap_or(Value::None))?.iter().enumerate() {
        if index > 0 {
            out.push_str(subject);
        }
        match item {
            Value::Str(part) if matches!(receiver, Value::Markup(_)) => {
                out.push_str(&markup::escape_text(part))
            }
            Value::Str(part) | Value::Markup(part) => out.push_str(part),
            other => {
                return type_error(format!(
                    "sequence item {index}: expected str instance, {} found",
                    other.type_name()
                ));
            }
        }
        check_length(out.len())?;
    }
    Ok(like(receiver, &out))
}

/// The part of a text between two character positions, as str methods take them.
fn window<'t>(
    function: &str,
    subject: &'t str,
    start: Option<Value>,
    stop: Option<Value>,
) -> Result<Option<(usize, &'t str)>> {
    if start.is_none() && stop.is_none() {
        return Ok(Some((0, subject)));
    }
    let length = subject.chars().count() as i64;
    let place = |bound: Option<Value>, default: i64| -> Result<i64> {
        match bound {
            None | Some(Value::None) => Ok(default),
            Some(value) => {
                let at = int(function, &value)?;
                Ok(if at < 0 { at.saturating_add(length).max(0) } else { at })
            }
        }
    };
    let start = place(start, 0)?;
    let stop = place(stop, length)?.min(length);
    if start > stop {
        return Ok(None);
    }
    let byte_at = |at: i64| subject.char_indices().nth(at as usize).map_or(subject.len(), |(byte, _)| byte);
    Ok(Some((start as usize, &subject[byte_at(start)..byte_at(stop)])))
}

fn starts_or_ends(subject: &str, name: &'static str, args: Args) -> Result<Value> {
    let [affixes, start, stop] = args.bind_positional::<3>(name, 1)?;
    let affixes = affixes.unwrap_or(Value::None);
    let list = match &affixes {
        Value::Tuple(items) => &items.values[..],
        single => std::slice::from_ref(single),
    };
    let part = window(name, subject, start, stop)?;
    for affix in list {
        let affix = text(name, affix)?;
        let found = part.is_some_and(|(_, part)| {
            if name == "startswith" {
                part.starts_with(&*affix)
            } else {
                part.ends_with(&*affix)
            }
        });
        if found {
            return Ok(Value::Bool(true));
        }
    }
    Ok(Value::Bool(false))
}

fn search(subject: &str, name: &'static str, args: Args) -> Result<Value> {
    let [needle, start, stop] = args.bind_positional::<3>(name, 1)?;
    let needle = text(name, &needle.unwrap_or(Value::None))?;
    let part = window(name, subject, start, stop)?;
    if name == "count" {
        let count = part.map_or(0, |(_, part)| {
            if needle.is_empty() {
                part.chars().count() + 1
            } else {
                part.matches(&*needle).count()
            }
        });
        return Ok(Value::Int(count as i128));
    }
    let found = part.and_then(|(start, part)| {
        let byte = if name.starts_with('r') { part.rfind(&*needle) } else { part.find(&*needle) }?;
        Some(start + part[..byte].chars().count())
    });
    match found {
        Some(at) => Ok(Value::Int(at as i128)),
        None if name.ends_with("find") => Ok(Value::Int(-1)),
        None => type_error("substring not found"),
    }
}

/// str.center, ljust or rjust.
pub(crate) fn justify(subject: &str, name: &str, width: usize, fill: &str) -> String {
    let missing = width.saturating_sub(subject.chars().count());
    let left = match name {
        "center" => missing / 2 + (missing & width & 1),
        "rjust" => missing,
        _ => 0,
    };
    format!("{}{subject}{}", fill.repeat(left), fill.repeat(missing - left))
}

fn expand_tabs(subject: &str, size: usize) -> Result<String> {
    let mut out = String::new();
    let mut column = 0;
    for c in subject.chars() {
        match c {
            '\t' => {
                let spaces = if size == 0 { 0 } else { size - column % size };
                out.push_str(&" ".repeat(spaces));
                column += spaces;
            }
            c => {
                column = if matches!(c, '\n' | '\r') { 0 } else { column + 1 };
                out.push(c);
            }
        }
        check_length(out.len())?;
    }
    Ok(out)
}

/// The is... methods.
pub(crate) fn is_kind(subject: &str, name: &str) -> bool {
    let all = |test: fn(char) -> bool| !subject.is_empty() && subject.chars().all(test);
    match name {
        "isalnum" => all(|c| chars::is_alpha(c) || chars::is_numeric(c)),
        "isalpha" => all(chars::is_alpha),
        "isascii" => subject.is_ascii(),
        "isdecimal" => all(chars::is_decimal),
        "isdigit" => all(chars::is_digit),
        "isnumeric" => all(chars::is_numeric),
        "isspace" => all(chars::is_space),
        "isidentifier" => chars::is_identifier(subject),
        "isprintable" => subject.chars().all(chars::is_printable),
        "islower" => {
            subject.chars().any(char::is_lowercase)
                && !subject.chars().any(|c| c.is_uppercase() || chars::is_title_case(c))
        }
        "isupper" => {
            subject.chars().any(char::is_uppercase)
                && !subject.chars().any(|c| c.is_lowercase() || chars::is_title_case(c))
        }
        _ => is_title(subject),
    }
}

fn is_title(subject: &str) -> bool {
    let mut found = false;
    let mut in_word = false;
    for c in subject.chars() {
        if c.is_uppercase() || chars::is_title_case(c) {
            if in_word {
                return false;
            }
            in_word = true;
            found = true;
        } else if c.is_lowercase() {
            if !in_word {
                return false;
            }
            found = true;
        } else {
            in_word = false;
        }
    }
    found
}
