//! The methods of Python's built-in types that templates can name.

use crate::value::{Function, Object, Value};

const STR: [&str; 46] = [
    "capitalize",
    "casefold",
    "center",
    "count",
    "encode",
    "endswith",
    "expandtabs",
    "find",
    "format",
    "format_map",
    "index",
    "isalnum",
    "isalpha",
    "isascii",
    "isdecimal",
    "isdigit",
    "isidentifier",
    "islower",
    "isnumeric",
    "isprintable",
    "isspace",
    "istitle",
    "isupper",
    "join",
    "ljust",
    "lower",
    "lstrip",
    "maketrans",
    "partition",
    "removeprefix",
    "removesuffix",
    "replace",
    "rfind",
    "rindex",
    "rjust",
    "rpartition",
    "rsplit",
    "rstrip",
    "split",
    "splitlines",
    "startswith",
    "strip",
    "swapcase",
    "title",
    "upper",
    "zfill",
];

const DICT: [&str; 11] =
    ["get", "items", "keys", "values", "copy", "fromkeys", "clear", "pop", "popitem", "setdefault", "update"];
const LIST: [&str; 11] =
    ["count", "index", "copy", "append", "clear", "extend", "insert", "pop", "remove", "reverse", "sort"];
const TUPLE: [&str; 2] = ["count", "index"];
const INT: [&str; 4] = ["bit_length", "bit_count", "conjugate", "as_integer_ratio"];
const FLOAT: [&str; 2] = ["is_integer", "conjugate"];
const LOOP: [&str; 2] = ["cycle", "changed"];
const CYCLER: [&str; 2] = ["next", "reset"];
const DICT_FUNCTION: [&str; 1] = ["fromkeys"];

/// The method `name` of a value's type.
pub(crate) fn find_method(value: &Value, name: &str) -> Option<&'static str> {
    let names: &'static [&'static str] = match value {
        Value::Str(_) | Value::Markup(_) => &STR,
        Value::Dict(_) => &DICT,
        Value::List(_) => &LIST,
        Value::Tuple(_) => &TUPLE,
        Value::Int(_) | Value::Bool(_) => &INT,
        Value::Float(_) => &FLOAT,
        Value::Object(object) => match &**object {
            Object::Loop(_) => &LOOP,
            Object::Cycler { .. } => &CYCLER,
            Object::Range { .. } => &TUPLE,
            Object::Function(Function::Dict) => &DICT_FUNCTION,
            _ => return None,
        },
        _ => return None,
    };
    names.iter().find(|known| **known == name).copied()
}

/// Methods that change their receiver: the immutable sandbox refuses them.
pub(crate) fn is_unsafe_method(value: &Value, name: &str) -> bool {
    match value {
        Value::Dict(_) => matches!(name, "clear" | "pop" | "popitem" | "setdefault" | "update"),
        Value::List(_) => !matches!(name, "count" | "index" | "copy"),
        _ => false,
    }
}
