//! Sizes that no value may exceed.

use crate::error::{limit_error, Result};

/// Texts may not be longer than this, in bytes.
pub(crate) const MAX_LENGTH: usize = 1 << 26;

/// Containers nested deeper than this are refused: dropping or printing them would exhaust the stack.
pub(crate) const MAX_NESTING: u32 = 400;

/// A value that may hold others.
pub(crate) trait Nested {
    /// How many containers the value is nested in.
    fn depth(&self) -> u32;
}

/// One more than the deepest element.
pub(crate) fn nesting_of<'v, V: Nested + 'v>(values: impl IntoIterator<Item = &'v V>) -> Result<u32> {
    let depth = 1 + values.into_iter().map(V::depth).max().unwrap_or(0);
    if depth > MAX_NESTING {
        return limit_error(format!("values are nested more than {MAX_NESTING} deep"));
    }
    Ok(depth)
}

/// Fails for a text that would become too long.
pub(crate) fn check_length(num_bytes: usize) -> Result<()> {
    if num_bytes > MAX_LENGTH {
        return limit_error(format!("a text became longer than {MAX_LENGTH} bytes"));
    }
    Ok(())
}
