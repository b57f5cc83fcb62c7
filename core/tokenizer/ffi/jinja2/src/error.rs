//! What can go wrong while a template is compiled or rendered.

use std::fmt;

/// Which Python exception the failure corresponds to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The template text itself is wrong.
    Syntax,
    /// `raise_exception(message)` was called: the message is the template author's own.
    Raised,
    /// Something undefined was used.
    Undefined,
    /// TypeError, ValueError, KeyError, ZeroDivisionError, ...
    Type,
    /// The sandbox refused an attribute or a call.
    Security,
    /// The instruction, memory or recursion limit was reached.
    Limit,
    /// A feature of Jinja that is not implemented here.
    Unsupported,
}

/// An error with the template line it happened on.
#[derive(Debug)]
pub struct Error {
    pub kind: Kind,
    pub message: String,
    pub line: Option<u32>,
}

/// Boxed, so that results stay small on the evaluator's stack.
pub(crate) type Result<T> = std::result::Result<T, Box<Error>>;

impl Error {
    pub(crate) fn new(kind: Kind, message: impl Into<String>) -> Box<Error> {
        Box::new(Error { kind, message: message.into(), line: None })
    }

    pub(crate) fn syntax(message: impl Into<String>, line: u32) -> Box<Error> {
        Box::new(Error { kind: Kind::Syntax, message: message.into(), line: Some(line) })
    }

    /// Names the line unless a deeper one is already named.
    pub(crate) fn at(mut self: Box<Self>, line: u32) -> Box<Error> {
        self.line.get_or_insert(line);
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "line {line}: {}", self.message),
            None => f.write_str(&self.message),
        }
    }
}

pub(crate) fn type_error<T>(message: impl Into<String>) -> Result<T> {
    Err(Error::new(Kind::Type, message))
}

pub(crate) fn limit_error<T>(message: impl Into<String>) -> Result<T> {
    Err(Error::new(Kind::Limit, message))
}
