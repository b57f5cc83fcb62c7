//! `text % values`

use std::iter::Peekable;
use std::str::Chars;

use crate::error::{type_error, Result};
use crate::limits::check_length;
use crate::markup;
use crate::numfmt;
use crate::repr::{to_repr, to_text};
use crate::value::{check_defined, Value};

#[derive(Default)]
struct Spec {
    left: bool,
    plus: bool,
    space: bool,
    zero: bool,
    alternate: bool,
    width: usize,
    precision: Option<usize>,
}

/// The values still to be formatted.
struct Values<'v> {
    whole: &'v Value,
    rest: &'v [Value],
    used_mapping: bool,
}

impl<'v> Values<'v> {
    fn next(&mut self) -> Result<&'v Value> {
        let Some((first, rest)) = self.rest.split_first() else {
            return type_error("not enough arguments for format string");
        };
        self.rest = rest;
        Ok(first)
    }

    fn by_key(&mut self, key: &str) -> Result<&'v Value> {
        let Value::Dict(dict) = self.whole else {
            return type_error("format requires a mapping");
        };
        self.used_mapping = true;
        match dict.get_text(key) {
            Some(value) => Ok(value),
            None => type_error(format!("KeyError: '{key}'")),
        }
    }
}

pub(crate) fn format(pattern: &Value, values: &Value) -> Result<Value> {
    let is_markup = matches!(pattern, Value::Markup(_));
    let text = to_text(pattern);
    let list = match values {
        Value::Tuple(items) => &items.values[..],
        single => std::slice::from_ref(single),
    };
    let mut values = Values { whole: values, rest: list, used_mapping: false };
    let mut out = String::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c == '%' {
            conversion(&mut chars, &mut values, is_markup, &mut out)?;
        } else {
            out.push(c);
        }
        check_length(out.len())?;
    }
    let may_remain =
        values.used_mapping || matches!(values.whole, Value::Dict(_) | Value::List(_) | Value::Undefined(_));
    if !values.rest.is_empty() && !may_remain {
        return type_error("not all arguments converted during string formatting");
    }
    Ok(if is_markup { Value::Markup(out.into()) } else { Value::str(out) })
}

fn conversion(
    chars: &mut Peekable<Chars>,
    values: &mut Values,
    is_markup: bool,
    out: &mut String,
) -> Result<()> {
    let mut by_key = None;
    if chars.next_if_eq(&'(').is_some() {
        let mut key = String::new();
        let mut depth = 1;
        for c in chars.by_ref() {
            match c {
                '(' => depth += 1,
                ')' => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                break;
            }
            key.push(c);
        }
        if depth > 0 {
            return type_error("incomplete format key");
        }
        by_key = Some(values.by_key(&key)?);
    }
    let mut spec = Spec::default();
    loop {
        match chars.peek() {
            Some('-') => spec.left = true,
            Some('+') => spec.plus = true,
            Some(' ') => spec.space = true,
            Some('0') => spec.zero = true,
            Some('#') => spec.alternate = true,
            _ => break,
        }
        chars.next();
    }
    if let Some(width) = size(chars, values)? {
        spec.left |= width < 0;
        spec.width = width.unsigned_abs() as usize;
    }
    if chars.next_if_eq(&'.').is_some() {
        spec.precision = Some(size(chars, values)?.unwrap_or(0).max(0) as usize);
    }
    while chars.next_if(|c| matches!(c, 'h' | 'l' | 'L')).is_some() {}
    let Some(form) = chars.next() else {
        return type_error("incomplete format");
    };
    if form == '%' {
        out.push('%');
        return Ok(());
    }
    if !"srdiufFeEgGxXoca".contains(form) {
        return type_error(format!("unsupported format character '{form}' (0x{:x})", form as u32));
    }
    let value = match by_key {
        Some(value) => value,
        None => values.next()?,
    };
    convert(value, form, &spec, is_markup, out)
}

/// Digits or `*` (a value gives the number).
fn size(chars: &mut Peekable<Chars>, values: &mut Values) -> Result<Option<i64>> {
    let number = if chars.next_if_eq(&'*').is_some() {
        match values.next()?.as_int() {
            Some(number) => i64::try_from(number).unwrap_or(i64::MAX),
            None => return type_error("* wants int"),
        }
    } else {
        let mut digits = String::new();
        while let Some(digit) = chars.next_if(char::is_ascii_digit) {
            digits.push(digit);
        }
        if digits.is_empty() {
            return Ok(None);
        }
        digits.parse().unwrap_or(i64::MAX)
    };
    check_length(number.unsigned_abs() as usize)?;
    Ok(Some(number))
}

fn convert(value: &Value, form: char, spec: &Spec, is_markup: bool, out: &mut String) -> Result<()> {
    match form {
        's' | 'r' | 'a' => {
            let text = match (form, is_markup) {
                ('s', true) => markup::escape(value),
                ('s', false) => to_text(value),
                (_, true) => markup::escape_text(&to_repr(value)),
                _ => to_repr(value),
            };
            let kept: String = match spec.precision {
                Some(precision) => text.chars().take(precision).collect(),
                None => text,
            };
            pad(&kept, "", spec, false, out);
        }
        'c' => match value {
            Value::Str(text) | Value::Markup(text) if text.chars().count() == 1 => {
                pad(text, "", spec, false, out)
            }
            other => {
                let c = other.as_int().and_then(|code| u32::try_from(code).ok()).and_then(char::from_u32);
                match c {
                    Some(c) => pad(c.encode_utf8(&mut [0; 4]), "", spec, false, out),
                    None => return type_error("%c requires int or char"),
                }
            }
        },
        'd' | 'i' | 'u' | 'x' | 'X' | 'o' => {
            check_defined(value)?;
            if let (Value::Big(digits), 'd' | 'i' | 'u') = (value, form) {
                let size = digits.trim_start_matches('-');
                pad(size, sign(digits.starts_with('-'), spec), spec, true, out);
                return Ok(());
            }
            let number = match value {
                Value::Float(float) if matches!(form, 'd' | 'i' | 'u') && float.is_finite() => {
                    Some(*float as i128)
                }
                other => other.as_int(),
            };
            let Some(number) = number else {
                return type_error(format!(
                    "%{form} format: a real number is required, not {}",
                    value.type_name()
                ));
            };
            let mut digits = numfmt::digits(number, form);
            if let Some(precision) = spec.precision {
                digits = "0".repeat(precision.saturating_sub(digits.len())) + &digits;
            }
            let prefix = match form {
                'x' | 'X' | 'o' if spec.alternate => format!("0{form}"),
                _ => String::new(),
            };
            pad(&digits, &(sign(number < 0, spec).to_string() + &prefix), spec, true, out);
        }
        _ => {
            check_defined(value)?;
            let Some(number) = value.as_float() else {
                return type_error(format!("must be real number, not {}", value.type_name()));
            };
            let text = numfmt::float(number, form, spec.precision.unwrap_or(6), spec.alternate);
            let digits = text.trim_start_matches('-');
            pad(digits, sign(text.starts_with('-'), spec), spec, true, out);
        }
    }
    Ok(())
}

fn sign(negative: bool, spec: &Spec) -> &'static str {
    match (negative, spec.plus, spec.space) {
        (true, ..) => "-",
        (false, true, _) => "+",
        (false, false, true) => " ",
        _ => "",
    }
}

fn pad(text: &str, prefix: &str, spec: &Spec, is_number: bool, out: &mut String) {
    let missing = spec.width.saturating_sub(text.chars().count() + prefix.chars().count());
    if spec.left {
        out.push_str(prefix);
        out.push_str(text);
        out.push_str(&" ".repeat(missing));
    } else if spec.zero && is_number {
        out.push_str(prefix);
        out.push_str(&"0".repeat(missing));
        out.push_str(text);
    } else {
        out.push_str(&" ".repeat(missing));
        out.push_str(prefix);
        out.push_str(text);
    }
}
