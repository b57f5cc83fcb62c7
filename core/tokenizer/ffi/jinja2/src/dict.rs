//! Python's dict: insertion order, keys compared by Python's equality (1 == 1.0 == True).

use std::hash::{Hash, Hasher};
use std::rc::Rc;

use indexmap::{Equivalent, IndexMap};

use crate::budget;
use crate::error::{type_error, Result};
use crate::ops;
use crate::value::{nesting_of, Object, Value};

#[derive(Default)]
pub struct Dict {
    entries: IndexMap<Key, Value>,
    depth: u32,
}

/// A hashable value.
#[derive(Clone)]
pub struct Key(Value);

impl Key {
    /// TypeError for a list, a dict or a tuple that holds one.
    pub fn new(value: Value) -> Result<Key> {
        check_hashable(&value)?;
        Ok(Key(value))
    }

    pub fn value(&self) -> &Value {
        &self.0
    }
}

fn check_hashable(value: &Value) -> Result<()> {
    match value {
        Value::List(_) | Value::Dict(_) => type_error(format!("unhashable type: '{}'", value.type_name())),
        Value::Tuple(_) if !budget::spend(1) => Ok(()),
        Value::Tuple(items) => items.values.iter().try_for_each(check_hashable),
        Value::Object(object) if matches!(**object, Object::View { .. } | Object::Namespace(_)) => {
            type_error(format!("unhashable type: '{}'", value.type_name()))
        }
        _ => Ok(()),
    }
}

fn hash_value<H: Hasher>(value: &Value, state: &mut H) {
    if !budget::spend(1) {
        return;
    }
    match value {
        Value::Float(float) => {
            let whole = *float as i128;
            if whole as f64 == *float {
                Some(whole).hash(state);
            } else {
                float.to_bits().hash(state);
            }
        }
        Value::Bool(_) | Value::Int(_) => value.as_int().hash(state),
        // Equal to a float that is as large, which hashes by its bits.
        Value::Big(_) => value.as_float().unwrap_or(0.0).to_bits().hash(state),
        Value::Str(text) | Value::Markup(text) => text.as_bytes().hash(state),
        Value::Tuple(items) => items.values.iter().for_each(|item| hash_value(item, state)),
        Value::Object(object) => Rc::as_ptr(object).hash(state),
        Value::Undefined(_) | Value::None | Value::List(_) | Value::Dict(_) => 0_u8.hash(state),
    }
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        hash_value(&self.0, state);
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Key) -> bool {
        ops::equal(&self.0, &other.0)
    }
}

impl Eq for Key {}

/// Finds a text key without making a value of it.
struct TextKey<'t>(&'t str);

impl Hash for TextKey<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.as_bytes().hash(state);
    }
}

impl Equivalent<Key> for TextKey<'_> {
    fn equivalent(&self, key: &Key) -> bool {
        key.0.as_str().is_some_and(|text| **text == *self.0)
    }
}

impl Dict {
    pub fn new(pairs: impl IntoIterator<Item = (Value, Value)>) -> Result<Dict> {
        let mut entries = IndexMap::new();
        for (key, value) in pairs {
            // As in Python, a repeated key keeps its first place and takes the last value.
            entries.insert(Key::new(key)?, value);
        }
        let depth = nesting_of(entries.values().chain(entries.keys().map(Key::value)))?;
        Ok(Dict { entries, depth })
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn depth(&self) -> u32 {
        self.depth
    }

    pub fn get_text(&self, key: &str) -> Option<&Value> {
        self.entries.get(&TextKey(key))
    }

    /// TypeError when the key cannot be hashed.
    pub fn get(&self, key: &Value) -> Result<Option<&Value>> {
        if let Value::Str(text) | Value::Markup(text) = key {
            return Ok(self.get_text(text));
        }
        Ok(self.entries.get(&Key::new(key.clone())?))
    }

    pub fn keys(&self) -> impl DoubleEndedIterator<Item = &Value> {
        self.entries.keys().map(Key::value)
    }

    pub fn values(&self) -> impl DoubleEndedIterator<Item = &Value> {
        self.entries.values()
    }

    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&Value, &Value)> {
        self.entries.iter().map(|(key, value)| (key.value(), value))
    }
}
