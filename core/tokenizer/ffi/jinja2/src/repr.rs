//! str() and repr() of values.

use std::fmt::Write;

use crate::budget;
use crate::number::float_repr;
use crate::unicode::is_printable;
use crate::value::{Items, Object, Value, ViewKind};

/// str(value)
pub(crate) fn to_text(value: &Value) -> String {
    let mut out = String::new();
    write_text(&mut out, value);
    out
}

/// Appends str(value).
pub(crate) fn write_text(out: &mut String, value: &Value) {
    match value {
        Value::Str(text) | Value::Markup(text) => out.push_str(text),
        Value::Undefined(_) => {}
        other => write_repr(out, other),
    }
}

/// repr(value)
pub(crate) fn to_repr(value: &Value) -> String {
    let mut out = String::new();
    write_repr(&mut out, value);
    out
}

pub(crate) fn write_repr(out: &mut String, value: &Value) {
    if budget::spend(1) {
        budget::print_deeper(|| write_parts(out, value));
    }
}

fn write_parts(out: &mut String, value: &Value) {
    match value {
        Value::Undefined(_) => out.push_str("Undefined"),
        Value::None => out.push_str("None"),
        Value::Bool(value) => out.push_str(if *value { "True" } else { "False" }),
        Value::Int(value) => {
            // Writing to a String cannot fail.
            let _ = write!(out, "{value}");
        }
        Value::Big(digits) => out.push_str(digits),
        Value::Float(value) => out.push_str(&float_repr(*value)),
        Value::Str(text) => write_quoted(out, text),
        Value::Markup(text) => {
            out.push_str("Markup(");
            write_quoted(out, text);
            out.push(')');
        }
        Value::List(items) => write_items(out, '[', &items.values, ']'),
        Value::Tuple(items) => write_tuple(out, items),
        Value::Dict(dict) => write_pairs(out, dict.iter()),
        Value::Object(object) => write_object(out, value, object),
    }
}

fn write_items<'v>(out: &mut String, open: char, items: impl IntoIterator<Item = &'v Value>, close: char) {
    out.push(open);
    for (index, item) in items.into_iter().enumerate() {
        if index > 0 {
            out.push_str(", ");
        }
        write_repr(out, item);
    }
    out.push(close);
}

fn write_tuple(out: &mut String, items: &Items) {
    if items.values.len() == 1 {
        out.push('(');
        write_repr(out, &items.values[0]);
        out.push_str(",)");
    } else {
        write_items(out, '(', &items.values, ')');
    }
}

fn write_pairs<'v>(out: &mut String, pairs: impl Iterator<Item = (&'v Value, &'v Value)>) {
    out.push('{');
    for (index, (key, value)) in pairs.enumerate() {
        if index > 0 {
            out.push_str(", ");
        }
        write_repr(out, key);
        out.push_str(": ");
        write_repr(out, value);
    }
    out.push('}');
}

fn write_object(out: &mut String, value: &Value, object: &Object) {
    match object {
        Object::Namespace(attributes) => {
            out.push_str("<Namespace {");
            for (index, (name, value)) in attributes.borrow().iter().enumerate() {
                if index > 0 {
                    out.push_str(", ");
                }
                write_quoted(out, name);
                out.push_str(": ");
                write_repr(out, value);
            }
            out.push_str("}>");
        }
        Object::Macro(macro_) => {
            out.push_str("<Macro ");
            write_quoted(out, &macro_.def.name);
            out.push('>');
        }
        Object::Loop(state) => {
            let _ = write!(out, "<LoopContext {}/{}>", state.index0() + 1, state.known_length());
        }
        Object::Range { start, stop, step: 1 } => {
            let _ = write!(out, "range({start}, {stop})");
        }
        Object::Range { start, stop, step } => {
            let _ = write!(out, "range({start}, {stop}, {step})");
        }
        Object::View { kind, dict } => {
            let name = value.type_name();
            out.push_str(name);
            out.push('(');
            match kind {
                ViewKind::Keys => write_items(out, '[', dict.keys(), ']'),
                ViewKind::Values => write_items(out, '[', dict.values(), ']'),
                ViewKind::Items => {
                    out.push('[');
                    for (index, (key, value)) in dict.iter().enumerate() {
                        out.push_str(if index > 0 { ", (" } else { "(" });
                        write_repr(out, key);
                        out.push_str(", ");
                        write_repr(out, value);
                        out.push(')');
                    }
                    out.push(']');
                }
            }
            out.push(')');
        }
        // Python prints an address here, so no template can rely on the text.
        Object::Method { name, .. } => {
            let _ = write!(out, "<built-in method {name}>");
        }
        Object::Function(function) => {
            let _ = write!(out, "<function {function:?}>");
        }
        Object::Iterator(..) => out.push_str("<generator object>"),
        Object::Cycler { .. } => out.push_str("<Cycler>"),
        Object::Joiner { .. } => out.push_str("<Joiner>"),
    }
}

/// A text in Python's quotes.
pub(crate) fn write_quoted(out: &mut String, text: &str) {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    out.push(quote);
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c == quote => {
                out.push('\\');
                out.push(c);
            }
            c if is_printable(c) => out.push(c),
            c => {
                let code = c as u32;
                let _ = match code {
                    0..=0xff => write!(out, "\\x{code:02x}"),
                    0x100..=0xffff => write!(out, "\\u{code:04x}"),
                    _ => write!(out, "\\U{code:08x}"),
                };
            }
        }
    }
    out.push(quote);
}
