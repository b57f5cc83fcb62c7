//! Paths into items, as filters take them for `attribute`.

use crate::access::get_item;
use crate::error::Result;
use crate::value::Value;

/// Follows `attribute` ("a.b.0") into an item, as map(attribute=...) and its kin do.
pub(crate) struct Path {
    parts: Vec<Value>,
    default: Option<Value>,
}

impl Path {
    pub(crate) fn new(attribute: Option<&Value>, default: Option<Value>) -> Path {
        let parts = match attribute {
            None | Some(Value::None) => Vec::new(),
            Some(Value::Str(text) | Value::Markup(text)) => text.split('.').map(path_part).collect(),
            Some(other) => vec![other.clone()],
        };
        Path { parts, default: default.filter(|default| !matches!(default, Value::None)) }
    }

    pub(crate) fn follow(&self, item: &Value) -> Result<Value> {
        let mut value = item.clone();
        for part in &self.parts {
            value = get_item(&value, part)?;
            if let (true, Some(default)) = (value.is_undefined(), &self.default) {
                value = default.clone();
            }
        }
        Ok(value)
    }
}

fn path_part(text: &str) -> Value {
    match text.parse() {
        Ok(index) if text.bytes().all(|byte| byte.is_ascii_digit()) => Value::Int(index),
        _ => Value::str(text),
    }
}
