//! Sizes that no value may exceed.

use crate::error::{limit_error, Result};

/// Texts may not be longer than this, in bytes.
pub const MAX_LENGTH: usize = 1 << 26;

/// Fails for a text that would become too long.
pub fn check_length(num_bytes: usize) -> Result<()> {
    if num_bytes > MAX_LENGTH {
        return limit_error(format!("a text became longer than {MAX_LENGTH} bytes"));
    }
    Ok(())
}
