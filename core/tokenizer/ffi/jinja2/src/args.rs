//! Arguments of a call, and their binding to a signature.

use std::sync::Arc;

use crate::error::{type_error, Result};
use crate::value::{check_defined, Value};

#[derive(Default)]
pub(crate) struct Args {
    pub positional: Vec<Value>,
    pub named: Vec<(Arc<str>, Value)>,
}

impl Args {
    pub(crate) fn positional(values: Vec<Value>) -> Args {
        Args { positional: values, named: Vec::new() }
    }

    /// One place a parameter, as Python binds them; the first `num_required` must be given.
    pub(crate) fn bind<const N: usize>(
        self,
        function: &str,
        params: [&str; N],
        num_required: usize,
    ) -> Result<[Option<Value>; N]> {
        if self.positional.len() > N {
            return type_error(format!(
                "{function}() takes at most {N} argument(s) ({} given)",
                self.positional.len()
            ));
        }
        let mut bound = [const { None }; N];
        for (place, value) in bound.iter_mut().zip(self.positional) {
            *place = Some(value);
        }
        for (name, value) in self.named {
            let Some(index) = params.iter().position(|param| **param == *name) else {
                return type_error(format!("{function}() got an unexpected keyword argument '{name}'"));
            };
            if bound[index].replace(value).is_some() {
                return type_error(format!("{function}() got multiple values for argument '{name}'"));
            }
        }
        for (name, place) in params.iter().zip(&bound).take(num_required) {
            if place.is_none() {
                return type_error(format!("{function}() missing required argument '{name}'"));
            }
        }
        Ok(bound)
    }

    /// As `bind`, for functions that take no names.
    pub(crate) fn bind_positional<const N: usize>(
        self,
        function: &str,
        num_required: usize,
    ) -> Result<[Option<Value>; N]> {
        if !self.named.is_empty() {
            return type_error(format!("{function}() takes no keyword arguments"));
        }
        self.bind(function, [""; N], num_required)
    }

    /// Takes a named argument out.
    pub(crate) fn take(&mut self, name: &str) -> Option<Value> {
        let at = self.named.iter().position(|(known, _)| **known == *name)?;
        Some(self.named.remove(at).1)
    }
}

/// A parameter that must be a text.
pub(crate) fn text(function: &str, value: &Value) -> Result<Arc<str>> {
    match value.as_str() {
        Some(text) => Ok(text.clone()),
        None => type_error(format!("{function}() expected a str argument, not {}", value.type_name())),
    }
}

/// A parameter that must be an integer.
pub(crate) fn int(function: &str, value: &Value) -> Result<i64> {
    check_defined(value)?;
    match value.as_int() {
        Some(int) => Ok(int.clamp(i64::MIN.into(), i64::MAX.into()) as i64),
        None => type_error(format!(
            "{function}(): '{}' object cannot be interpreted as an integer",
            value.type_name()
        )),
    }
}
