//! JSON out: the tojson filter.

use std::fmt::Write;

use crate::budget;
use crate::compare::order;
use crate::error::{type_error, Result};
use crate::number::float_repr;
use crate::repr::to_text;
use crate::value::Value;

/// The options of json.dumps that transformers' tojson offers.
pub(crate) struct Layout {
    pub ensure_ascii: bool,
    /// What one level of indentation is; None writes everything on one line.
    pub indent: Option<String>,
    pub item_separator: String,
    pub key_separator: String,
    pub sort_keys: bool,
}

/// json.dumps
pub(crate) fn dumps(value: &Value, layout: &Layout) -> Result<String> {
    let mut out = String::new();
    write(&mut out, value, layout, 0)?;
    Ok(out)
}

fn write(out: &mut String, value: &Value, layout: &Layout, level: usize) -> Result<()> {
    if !budget::spend(1) {
        return Ok(());
    }
    match value {
        Value::None => out.push_str("null"),
        Value::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Value::Int(value) => {
            let _ = write!(out, "{value}");
        }
        Value::Big(digits) => out.push_str(digits),
        Value::Float(value) => out.push_str(&float(*value)),
        Value::Str(text) | Value::Markup(text) => write_string(out, text, layout.ensure_ascii),
        Value::List(items) | Value::Tuple(items) => {
            return write_group(out, '[', ']', layout, level, &items.values, |out, item| {
                write(out, item, layout, level + 1)
            });
        }
        Value::Dict(dict) => {
            let mut entries: Vec<(&Value, &Value)> = dict.iter().collect();
            if layout.sort_keys {
                sort_entries(&mut entries)?;
            }
            return write_group(out, '{', '}', layout, level, &entries, |out, (key, value)| {
                write_string(out, &key_text(key)?, layout.ensure_ascii);
                out.push_str(&layout.key_separator);
                write(out, value, layout, level + 1)
            });
        }
        other => return type_error(format!("Object of type {} is not JSON serializable", other.type_name())),
    }
    Ok(())
}

fn write_group<T>(
    out: &mut String,
    open: char,
    close: char,
    layout: &Layout,
    level: usize,
    items: &[T],
    mut write_item: impl FnMut(&mut String, &T) -> Result<()>,
) -> Result<()> {
    let new_line = |out: &mut String, level: usize| {
        if let Some(indent) = &layout.indent {
            out.push('\n');
            (0..level).for_each(|_| out.push_str(indent));
        }
    };
    out.push(open);
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push_str(&layout.item_separator);
        }
        new_line(out, level + 1);
        write_item(out, item)?;
    }
    if !items.is_empty() {
        new_line(out, level);
    }
    out.push(close);
    Ok(())
}

/// Sorts by Python's order, which can fail.
fn sort_entries(entries: &mut [(&Value, &Value)]) -> Result<()> {
    let mut failure = None;
    entries.sort_by(|(a, _), (b, _)| match order("<", a, b) {
        Ok(order) => order.unwrap_or(std::cmp::Ordering::Equal),
        Err(error) => {
            failure.get_or_insert(error);
            std::cmp::Ordering::Equal
        }
    });
    failure.map_or(Ok(()), Err)
}

fn float(value: f64) -> String {
    if value.is_nan() {
        "NaN".to_string()
    } else if value.is_infinite() {
        if value > 0.0 { "Infinity" } else { "-Infinity" }.to_string()
    } else {
        float_repr(value)
    }
}

fn key_text(key: &Value) -> Result<String> {
    match key {
        Value::None => Ok("null".to_string()),
        Value::Bool(value) => Ok(if *value { "true" } else { "false" }.to_string()),
        Value::Float(value) => Ok(float(*value)),
        Value::Int(_) | Value::Big(_) | Value::Str(_) | Value::Markup(_) => Ok(to_text(key)),
        other => type_error(format!("keys must be str, int, float, bool or None, not {}", other.type_name())),
    }
}

fn write_string(out: &mut String, text: &str, ensure_ascii: bool) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            c if (c as u32) < 0x20 || (ensure_ascii && !(' '..='~').contains(&c)) => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
            c => out.push(c),
        }
    }
    out.push('"');
}
