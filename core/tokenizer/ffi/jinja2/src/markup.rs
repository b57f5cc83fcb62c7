//! markupsafe: texts that are already HTML.

use crate::repr::to_text;
use crate::value::Value;

/// markupsafe.escape(value) as text: Markup stays, everything else is escaped.
pub(crate) fn escape(value: &Value) -> String {
    match value {
        Value::Markup(text) => text.to_string(),
        other => escape_text(&to_text(other)),
    }
}

pub(crate) fn escape_text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&#34;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}
