//! What every function of the C ABI shares: texts, errors, and the catching of panics.

use std::panic::{catch_unwind, AssertUnwindSafe};
use std::ptr;

/// A borrowed text.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct View {
    data: *const u8,
    size: usize,
}

impl View {
    pub fn of(text: &str) -> View {
        View { data: text.as_ptr(), size: text.len() }
    }

    /// # Safety
    /// The caller keeps `size` bytes at `data` alive and unchanged while the result is used.
    pub unsafe fn text<'a>(self) -> Result<&'a str, Failure> {
        let bytes = if self.size == 0 { &[] } else { std::slice::from_raw_parts(self.data, self.size) };
        std::str::from_utf8(bytes).map_err(|error| {
            Failure::new(format!("the text is not UTF-8: {error} (at byte {})", error.valid_up_to()))
        })
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Code {
    Failed = 0,
    Syntax = 1,
    Raised = 2,
    Unsupported = 3,
    Internal = 4,
}

/// The error object of the C ABI.
pub struct Failure {
    pub code: Code,
    pub message: String,
    pub line: u32,
}

impl Failure {
    pub fn new(message: impl Into<String>) -> Failure {
        Failure { code: Code::Failed, message: message.into(), line: 0 }
    }
}

/// Runs `work`; turns failure and panic into an error object and `fallback`.
///
/// # Safety
/// `error` points to a pointer that may be written.
pub unsafe fn guarded<T>(
    error: *mut *mut Failure,
    fallback: T,
    work: impl FnOnce() -> Result<T, Failure>,
) -> T {
    let failure = match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(value)) => return value,
        Ok(Err(failure)) => failure,
        Err(panic) => Failure { code: Code::Internal, message: panic_text(panic.as_ref()), line: 0 },
    };
    *error = Box::into_raw(Box::new(failure));
    fallback
}

/// As `guarded`, for functions that make an object.
///
/// # Safety
/// As for `guarded`.
pub unsafe fn guarded_new<T>(error: *mut *mut Failure, work: impl FnOnce() -> Result<T, Failure>) -> *mut T {
    guarded(error, ptr::null_mut(), || work().map(|value| Box::into_raw(Box::new(value))))
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_string());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "unknown panic".to_string())
}

/// # Safety
/// `object` came from `guarded_new` (or is null) and is not used again.
pub unsafe fn free<T>(object: *mut T) {
    if !object.is_null() {
        // A panicking destructor must not unwind into C++; there is nobody to tell.
        let _ = catch_unwind(AssertUnwindSafe(|| drop(Box::from_raw(object))));
    }
}

#[no_mangle]
pub unsafe extern "C" fn am_error_code(error: *const Failure) -> i32 {
    (*error).code as i32
}

#[no_mangle]
pub unsafe extern "C" fn am_error_message(error: *const Failure) -> View {
    View::of(&(*error).message)
}

#[no_mangle]
pub unsafe extern "C" fn am_error_line(error: *const Failure) -> u32 {
    (*error).line
}

#[no_mangle]
pub unsafe extern "C" fn am_error_free(error: *mut Failure) {
    free(error);
}
