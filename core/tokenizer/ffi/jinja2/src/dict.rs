//! Python's dict: insertion order, keys compared by Python's equality (1 == 1.0 == True).

use std::hash::{Hash, Hasher};

use indexmap::{Equivalent, IndexMap};

use crate::error::Result;
use crate::limits::{nesting_of, Nested};

/// What a dict asks of its keys.
pub(crate) trait Hashable: Sized {
    /// TypeError for a value that may not be a key.
    fn check_hashable(&self) -> Result<()>;
    /// A text hashes as its bytes.
    fn hash_into(&self, state: &mut impl Hasher);
    fn is_equal(&self, other: &Self) -> bool;
    /// The text, if the key is one.
    fn text(&self) -> Option<&str>;
}

#[derive(Default)]
pub(crate) struct Dict<V> {
    entries: IndexMap<Key<V>, V>,
    depth: u32,
}

/// A hashable value.
#[derive(Clone)]
pub(crate) struct Key<V>(V);

impl<V: Hashable> Key<V> {
    /// TypeError for a list, a dict or a tuple that holds one.
    pub(crate) fn new(value: V) -> Result<Key<V>> {
        value.check_hashable()?;
        Ok(Key(value))
    }
}

impl<V> Key<V> {
    pub(crate) fn value(&self) -> &V {
        &self.0
    }
}

impl<V: Hashable> Hash for Key<V> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash_into(state);
    }
}

impl<V: Hashable> PartialEq for Key<V> {
    fn eq(&self, other: &Key<V>) -> bool {
        self.0.is_equal(&other.0)
    }
}

impl<V: Hashable> Eq for Key<V> {}

/// Finds a text key without making a value of it.
struct TextKey<'t>(&'t str);

impl Hash for TextKey<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.as_bytes().hash(state);
    }
}

impl<V: Hashable> Equivalent<Key<V>> for TextKey<'_> {
    fn equivalent(&self, key: &Key<V>) -> bool {
        key.0.text() == Some(self.0)
    }
}

impl<V: Clone + Hashable + Nested> Dict<V> {
    pub(crate) fn new(pairs: impl IntoIterator<Item = (V, V)>) -> Result<Dict<V>> {
        let mut entries = IndexMap::new();
        for (key, value) in pairs {
            // As in Python, a repeated key keeps its first place and takes the last value.
            entries.insert(Key::new(key)?, value);
        }
        let depth = nesting_of(entries.values().chain(entries.keys().map(Key::value)))?;
        Ok(Dict { entries, depth })
    }

    pub(crate) fn get_text(&self, key: &str) -> Option<&V> {
        self.entries.get(&TextKey(key))
    }

    /// TypeError when the key cannot be hashed.
    pub(crate) fn get(&self, key: &V) -> Result<Option<&V>> {
        if let Some(text) = key.text() {
            return Ok(self.get_text(text));
        }
        Ok(self.entries.get(&Key::new(key.clone())?))
    }
}

impl<V> Dict<V> {
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn depth(&self) -> u32 {
        self.depth
    }

    pub(crate) fn keys(&self) -> impl DoubleEndedIterator<Item = &V> {
        self.entries.keys().map(Key::value)
    }

    pub(crate) fn values(&self) -> impl DoubleEndedIterator<Item = &V> {
        self.entries.values()
    }

    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = (&V, &V)> {
        self.entries.iter().map(|(key, value)| (key.value(), value))
    }
}
