//! Jinja's tests: what stands after `is`.

use crate::access::{is_iterable, length};
use crate::args::Args;
use crate::ast::{BinaryOp, CompareOp};
use crate::compare::{compare, equal, same};
use crate::error::{type_error, Error, Kind, Result};
use crate::filter_names;
use crate::ops::binary;
use crate::repr::to_text;
use crate::str_methods::is_kind;
use crate::value::{Key, Object, Value};

const NAMES: [&str; 39] = [
    "!=",
    "<",
    "<=",
    "==",
    ">",
    ">=",
    "boolean",
    "callable",
    "defined",
    "divisibleby",
    "eq",
    "equalto",
    "escaped",
    "even",
    "false",
    "filter",
    "float",
    "ge",
    "greaterthan",
    "gt",
    "in",
    "integer",
    "iterable",
    "le",
    "lessthan",
    "lower",
    "lt",
    "mapping",
    "ne",
    "none",
    "number",
    "odd",
    "sameas",
    "sequence",
    "string",
    "test",
    "true",
    "undefined",
    "upper",
];

pub(crate) fn exists(name: &str) -> bool {
    NAMES.contains(&name)
}

pub(crate) fn call(name: &str, value: &Value, args: Args) -> Result<bool> {
    if let Some(operator) = operator_of(name) {
        let [other] = args.bind(name, ["b"], 1)?;
        return compare(operator, value, &other.unwrap_or(Value::None));
    }
    match name {
        "divisibleby" => {
            let [divisor] = args.bind(name, ["num"], 1)?;
            is_remainder(value, &divisor.unwrap_or(Value::None), 0)
        }
        "in" => {
            let [container] = args.bind(name, ["seq"], 1)?;
            compare(CompareOp::In, value, &container.unwrap_or(Value::None))
        }
        "sameas" => {
            let [other] = args.bind(name, ["other"], 1)?;
            Ok(same(value, &other.unwrap_or(Value::None)))
        }
        _ if !exists(name) => Err(Error::new(Kind::Type, format!("No test named '{name}'."))),
        _ => {
            args.bind::<0>(name, [], 0)?;
            plain(name, value)
        }
    }
}

fn operator_of(name: &str) -> Option<CompareOp> {
    Some(match name {
        "==" | "eq" | "equalto" => CompareOp::Equal,
        "!=" | "ne" => CompareOp::NotEqual,
        "<" | "lt" | "lessthan" => CompareOp::Less,
        "<=" | "le" => CompareOp::LessEqual,
        ">" | "gt" | "greaterthan" => CompareOp::Greater,
        ">=" | "ge" => CompareOp::GreaterEqual,
        _ => return None,
    })
}

/// value % divisor == remainder
fn is_remainder(value: &Value, divisor: &Value, remainder: i128) -> Result<bool> {
    let rest = binary(BinaryOp::Modulo, value, divisor)?;
    Ok(equal(&rest, &Value::Int(remainder)))
}

fn plain(name: &str, value: &Value) -> Result<bool> {
    Ok(match name {
        "defined" => !value.is_undefined(),
        "undefined" => value.is_undefined(),
        "none" => matches!(value, Value::None),
        "boolean" => matches!(value, Value::Bool(_)),
        "true" => matches!(value, Value::Bool(true)),
        "false" => matches!(value, Value::Bool(false)),
        "integer" => matches!(value, Value::Int(_) | Value::Big(_)),
        "float" => matches!(value, Value::Float(_)),
        "number" => matches!(value, Value::Bool(_) | Value::Int(_) | Value::Big(_) | Value::Float(_)),
        "string" => value.as_str().is_some(),
        "mapping" => matches!(value, Value::Dict(_)),
        "escaped" => matches!(value, Value::Markup(_)),
        "iterable" => is_iterable(value),
        "sequence" => {
            length(value).is_some()
                && !matches!(value, Value::Object(object) if !matches!(**object, Object::Range { .. }))
        }
        "callable" => match value {
            Value::Undefined(_) => true,
            Value::Object(object) => matches!(
                **object,
                Object::Macro(_)
                    | Object::Method { .. }
                    | Object::Function(_)
                    | Object::Joiner { .. }
                    | Object::Loop(_)
            ),
            _ => false,
        },
        "even" => is_remainder(value, &Value::Int(2), 0)?,
        "odd" => is_remainder(value, &Value::Int(2), 1)?,
        "lower" => is_kind(&to_text(value), "islower"),
        "upper" => is_kind(&to_text(value), "isupper"),
        "filter" | "test" => {
            Key::new(value.clone())?;
            value.as_str().is_some_and(|wanted| {
                if name == "filter" {
                    filter_names::exists(wanted)
                } else {
                    exists(wanted)
                }
            })
        }
        _ => return type_error(format!("No test named '{name}'.")),
    })
}
