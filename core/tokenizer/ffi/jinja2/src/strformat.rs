//! str.format, in the sandbox's form.

use crate::access::{get_attribute, get_item};
use crate::args::Args;
use crate::error::{limit_error, type_error, Result};
use crate::limits::{check_length, MAX_LENGTH};
use crate::markup;
use crate::numfmt;
use crate::repr::{to_repr, to_text};
use crate::value::{check_defined, Value};

/// Numbering of `{}` fields: automatic, or by hand, but not both.
#[derive(Default)]
struct Numbering {
    next: usize,
    manual: bool,
}

pub(crate) fn format(pattern: &Value, args: &Args) -> Result<Value> {
    let is_markup = matches!(pattern, Value::Markup(_));
    let mut out = String::new();
    expand(&to_text(pattern), args, &mut Numbering::default(), is_markup, 2, &mut out)?;
    Ok(if is_markup { Value::Markup(out.into()) } else { Value::str(out) })
}

fn expand(
    pattern: &str,
    args: &Args,
    numbering: &mut Numbering,
    is_markup: bool,
    depth: u32,
    out: &mut String,
) -> Result<()> {
    if depth == 0 {
        return type_error("Max string recursion exceeded");
    }
    let mut rest = pattern;
    while let Some(at) = rest.find(['{', '}']) {
        out.push_str(&rest[..at]);
        let brace = rest.as_bytes()[at];
        rest = &rest[at + 1..];
        if rest.as_bytes().first() == Some(&brace) {
            out.push(char::from(brace));
            rest = &rest[1..];
            continue;
        }
        if brace == b'}' {
            return type_error("Single '}' encountered in format string");
        }
        let length = field_length(rest)?;
        let field = &rest[..length];
        rest = &rest[length + 1..];
        replace(field, args, numbering, is_markup, depth, out)?;
        check_length(out.len())?;
    }
    out.push_str(rest);
    Ok(())
}

/// Length of a field up to its closing brace.
fn field_length(text: &str) -> Result<usize> {
    let mut open = 1;
    for (at, c) in text.char_indices() {
        match c {
            '{' => open += 1,
            '}' => open -= 1,
            _ => {}
        }
        if open == 0 {
            return Ok(at);
        }
    }
    type_error("expected '}' before end of string")
}

fn replace(
    field: &str,
    args: &Args,
    numbering: &mut Numbering,
    is_markup: bool,
    depth: u32,
    out: &mut String,
) -> Result<()> {
    let name_end = field.find(['!', ':', '[']).unwrap_or(field.len());
    let name_end = match field[name_end..].strip_prefix('[') {
        Some(_) => field.find(']').map_or(field.len(), |close| {
            close + field[close..].find(['!', ':']).unwrap_or(field.len() - close)
        }),
        None => name_end,
    };
    let (name, mut tail) = field.split_at(name_end);
    let mut value = lookup(name, args, numbering)?;
    if let Some(conversion) = tail.strip_prefix('!') {
        let form = conversion.chars().next();
        tail = &conversion[form.map_or(0, char::len_utf8)..];
        value = match form {
            Some('s') => Value::str(to_text(&value)),
            Some('r' | 'a') => Value::str(to_repr(&value)),
            _ => return type_error("Unknown conversion specifier"),
        };
        if !tail.is_empty() && !tail.starts_with(':') {
            return type_error("expected ':' after conversion specifier");
        }
    }
    let mut spec = String::new();
    expand(tail.strip_prefix(':').unwrap_or(""), args, numbering, is_markup, depth - 1, &mut spec)?;
    if is_markup && spec.is_empty() {
        out.push_str(&markup::escape(&value));
        return Ok(());
    }
    let text = apply(&value, &spec)?;
    out.push_str(&if is_markup { markup::escape_text(&text) } else { text });
    Ok(())
}

/// `name`, `0`, `` followed by `.attribute` and `[key]`.
fn lookup(path: &str, args: &Args, numbering: &mut Numbering) -> Result<Value> {
    let first_end = path.find(['.', '[']).unwrap_or(path.len());
    let (first, mut rest) = path.split_at(first_end);
    let mut value = if first.is_empty() || first.bytes().all(|byte| byte.is_ascii_digit()) {
        let index = if first.is_empty() {
            if numbering.manual {
                return type_error(
                    "cannot switch from manual field specification to automatic field numbering",
                );
            }
            numbering.next += 1;
            numbering.next - 1
        } else {
            if numbering.next > 0 {
                return type_error(
                    "cannot switch from automatic field numbering to manual field specification",
                );
            }
            numbering.manual = true;
            first.parse().unwrap_or(usize::MAX)
        };
        match args.positional.get(index) {
            Some(value) => value.clone(),
            None => {
                return type_error(format!(
                    "Replacement index {index} out of range for positional args tuple"
                ));
            }
        }
    } else {
        match args.named.iter().find(|(name, _)| **name == *first) {
            Some((_, value)) => value.clone(),
            None => return type_error(format!("KeyError: '{first}'")),
        }
    };
    while !rest.is_empty() {
        if let Some(tail) = rest.strip_prefix('.') {
            let end = tail.find(['.', '[']).unwrap_or(tail.len());
            value = get_attribute(&value, &tail[..end])?;
            rest = &tail[end..];
        } else {
            let Some(close) = rest.find(']') else {
                return type_error("Missing ']' in format string");
            };
            let key = &rest[1..close];
            let key = match key.parse::<i128>() {
                Ok(index) if key.bytes().all(|byte| byte.is_ascii_digit()) => Value::Int(index),
                _ => Value::str(key),
            };
            value = get_item(&value, &key)?;
            rest = &rest[close + 1..];
        }
    }
    Ok(value)
}

struct Spec {
    fill: char,
    align: Option<char>,
    sign: Option<char>,
    alternate: bool,
    width: usize,
    grouping: Option<char>,
    precision: Option<usize>,
    form: Option<char>,
}

fn parse(spec: &str) -> Result<Spec> {
    let chars: Vec<char> = spec.chars().collect();
    let mut at = 0;
    let mut parsed = Spec {
        fill: ' ',
        align: None,
        sign: None,
        alternate: false,
        width: 0,
        grouping: None,
        precision: None,
        form: None,
    };
    let is_align = |c: Option<&char>| matches!(c, Some('<' | '>' | '^' | '='));
    if is_align(chars.get(1)) {
        parsed.fill = chars[0];
        parsed.align = Some(chars[1]);
        at = 2;
    } else if is_align(chars.first()) {
        parsed.align = Some(chars[0]);
        at = 1;
    }
    if let Some(sign @ ('+' | '-' | ' ')) = chars.get(at) {
        parsed.sign = Some(*sign);
        at += 1;
    }
    if chars.get(at) == Some(&'#') {
        parsed.alternate = true;
        at += 1;
    }
    if chars.get(at) == Some(&'0') {
        if parsed.align.is_none() {
            parsed.fill = '0';
            parsed.align = Some('=');
        }
        at += 1;
    }
    let number = |at: &mut usize| -> Result<Option<usize>> {
        let start = *at;
        while chars.get(*at).is_some_and(char::is_ascii_digit) {
            *at += 1;
        }
        let digits: String = chars[start..*at].iter().collect();
        match digits.parse() {
            _ if digits.is_empty() => Ok(None),
            Ok(number) if number <= MAX_LENGTH => Ok(Some(number)),
            _ => limit_error("a value became too long"),
        }
    };
    parsed.width = number(&mut at)?.unwrap_or(0);
    if let Some(grouping @ (',' | '_')) = chars.get(at) {
        parsed.grouping = Some(*grouping);
        at += 1;
    }
    if chars.get(at) == Some(&'.') {
        at += 1;
        parsed.precision = number(&mut at)?;
        if parsed.precision.is_none() {
            return type_error("Format specifier missing precision");
        }
    }
    parsed.form = chars.get(at).copied();
    if chars.len() > at + 1 {
        return type_error("Invalid format specifier");
    }
    Ok(parsed)
}

/// format(value, spec)
fn apply(value: &Value, spec: &str) -> Result<String> {
    if spec.is_empty() {
        return Ok(to_text(value));
    }
    check_defined(value)?;
    let spec = parse(spec)?;
    let unknown = || {
        let form = spec.form.unwrap_or(' ');
        type_error(format!("Unknown format code '{form}' for object of type '{}'", value.type_name()))
    };
    match value {
        Value::Str(text) | Value::Markup(text) => {
            if !matches!(spec.form, None | Some('s'))
                || spec.align == Some('=')
                || spec.grouping.is_some()
                || spec.sign.is_some()
                || spec.alternate
            {
                return unknown();
            }
            let kept: String = text.chars().take(spec.precision.unwrap_or(usize::MAX)).collect();
            Ok(pad("", &kept, &spec, '<'))
        }
        Value::Big(digits) if spec.precision.is_none() && matches!(spec.form, None | Some('d' | 'n')) => {
            let mut size = digits.trim_start_matches('-').to_string();
            if let Some(separator) = spec.grouping {
                size = numfmt::grouped(&size, separator, 3);
            }
            Ok(pad(&sign(digits.starts_with('-'), &spec), &size, &spec, '>'))
        }
        Value::Bool(_) | Value::Int(_) => {
            let int = value.as_int().unwrap_or(0);
            match spec.form {
                Some('e' | 'E' | 'f' | 'F' | 'g' | 'G' | '%') => Ok(float(int as f64, &spec)),
                None | Some('d' | 'n' | 'b' | 'o' | 'x' | 'X' | 'c') if spec.precision.is_some() => {
                    type_error("Precision not allowed in integer format specifier")
                }
                None | Some('d' | 'n' | 'b' | 'o' | 'x' | 'X') => {
                    let form = spec.form.unwrap_or('d');
                    let mut digits = numfmt::digits(int, form);
                    if let Some(separator) = spec.grouping {
                        digits = numfmt::grouped(
                            &digits,
                            separator,
                            if matches!(form, 'd' | 'n') { 3 } else { 4 },
                        );
                    }
                    let prefix = match form {
                        'b' | 'o' | 'x' | 'X' if spec.alternate => format!("0{form}"),
                        _ => String::new(),
                    };
                    Ok(pad(&(sign(int < 0, &spec) + &prefix), &digits, &spec, '>'))
                }
                Some('c') => {
                    let c = u32::try_from(int).ok().and_then(char::from_u32);
                    c.map_or_else(
                        || type_error("%c arg not in range(0x110000)"),
                        |c| Ok(pad("", &c.to_string(), &spec, '<')),
                    )
                }
                _ => unknown(),
            }
        }
        Value::Float(value) => match spec.form {
            None | Some('e' | 'E' | 'f' | 'F' | 'g' | 'G' | 'n' | '%') => Ok(float(*value, &spec)),
            _ => unknown(),
        },
        other => type_error(format!("unsupported format string passed to {}.__format__", other.type_name())),
    }
}

fn float(value: f64, spec: &Spec) -> String {
    let text = match spec.form {
        None => numfmt::default_float(value, spec.precision),
        Some(form) => {
            let form = if form == 'n' { 'g' } else { form };
            numfmt::float(value, form, spec.precision.unwrap_or(6), spec.alternate)
        }
    };
    let mut digits = text.trim_start_matches('-').to_string();
    if let Some(separator) = spec.grouping {
        digits = numfmt::grouped(&digits, separator, 3);
    }
    pad(&sign(text.starts_with('-'), spec), &digits, spec, '>')
}

fn sign(negative: bool, spec: &Spec) -> String {
    match (negative, spec.sign) {
        (true, _) => "-".to_string(),
        (false, None | Some('-')) => String::new(),
        (false, Some(sign)) => sign.to_string(),
    }
}

fn pad(prefix: &str, text: &str, spec: &Spec, default_align: char) -> String {
    let missing = spec.width.saturating_sub(prefix.chars().count() + text.chars().count());
    let fill = |count: usize| spec.fill.to_string().repeat(count);
    match spec.align.unwrap_or(default_align) {
        '<' => format!("{prefix}{text}{}", fill(missing)),
        '^' => format!("{}{prefix}{text}{}", fill(missing / 2), fill(missing - missing / 2)),
        '=' => format!("{prefix}{}{text}", fill(missing)),
        _ => format!("{}{prefix}{text}", fill(missing)),
    }
}
