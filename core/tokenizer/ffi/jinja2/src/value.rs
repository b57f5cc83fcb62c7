//! Python values as templates see them.
//!
//! Lists and dicts never change: transformers renders in jinja2's immutable sandbox. Only namespaces, loops,
//! cyclers and iterators have state.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use indexmap::IndexMap;

use crate::ast::MacroDef;
use crate::error::{Error, Kind, Result};
use crate::limits::{nesting_of, Nested};
use crate::{dict, frame, loops};

pub(crate) type Dict = dict::Dict<Value>;
pub(crate) type Key = dict::Key<Value>;
pub(crate) type Frame = frame::Frame<Value>;
pub(crate) type LoopState = loops::LoopState<Value>;

#[derive(Clone)]
pub(crate) enum Value {
    Undefined(Option<Arc<Missing>>),
    None,
    Bool(bool),
    Int(i128),
    /// A whole number beyond 127 bits: its digits. It is printed and compared; nothing computes with it.
    Big(Arc<str>),
    Float(f64),
    Str(Arc<str>),
    /// markupsafe's Markup: what `|escape` and `|safe` return.
    Markup(Arc<str>),
    List(Rc<Items>),
    Tuple(Rc<Items>),
    Dict(Rc<Dict>),
    Object(Rc<Object>),
}

/// Why a value is undefined; becomes the error when it is used.
pub(crate) struct Missing {
    pub message: String,
    /// The sandbox hid an unsafe attribute: using it is a SecurityError.
    pub is_unsafe: bool,
}

/// The elements of a list or tuple.
pub(crate) struct Items {
    pub values: Vec<Value>,
    /// Field names of a named tuple, e.g. of `groupby`.
    pub names: &'static [&'static str],
    depth: u32,
}

/// Values that are neither data nor text.
pub(crate) enum Object {
    Namespace(RefCell<IndexMap<Arc<str>, Value>>),
    Macro(Macro),
    /// A method bound to its receiver: `text.strip`.
    Method {
        receiver: Value,
        name: &'static str,
    },
    Function(Function),
    Loop(LoopState),
    /// A generator: its elements are computed already and are handed out once.
    Iterator(RefCell<std::vec::IntoIter<Value>>, u32),
    Range {
        start: i64,
        stop: i64,
        step: i64,
    },
    View {
        kind: ViewKind,
        dict: Rc<Dict>,
    },
    Cycler {
        items: Rc<Items>,
        position: Cell<usize>,
    },
    Joiner {
        separator: Value,
        used: Cell<bool>,
    },
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum ViewKind {
    Keys,
    Values,
    Items,
}

/// The global functions of a chat template.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Function {
    Range,
    Dict,
    Cycler,
    Joiner,
    Namespace,
    RaiseException,
    StrftimeNow,
}

impl Function {
    pub(crate) fn named(name: &str) -> Option<Function> {
        Some(match name {
            "range" => Function::Range,
            "dict" => Function::Dict,
            "cycler" => Function::Cycler,
            "joiner" => Function::Joiner,
            "namespace" => Function::Namespace,
            "raise_exception" => Function::RaiseException,
            "strftime_now" => Function::StrftimeNow,
            _ => return None,
        })
    }
}

/// A macro with the frame it was defined in.
pub(crate) struct Macro {
    pub def: Arc<MacroDef>,
    pub frame: Rc<Frame>,
}

impl Value {
    pub(crate) fn str(text: impl AsRef<str>) -> Value {
        Value::Str(Arc::from(text.as_ref()))
    }

    pub(crate) fn list(values: Vec<Value>) -> Result<Value> {
        Ok(Value::List(Rc::new(Items::new(values)?)))
    }

    pub(crate) fn tuple(values: Vec<Value>) -> Result<Value> {
        Ok(Value::Tuple(Rc::new(Items::new(values)?)))
    }

    pub(crate) fn dict(dict: Dict) -> Value {
        Value::Dict(Rc::new(dict))
    }

    pub(crate) fn object(object: Object) -> Value {
        Value::Object(Rc::new(object))
    }

    /// A generator over `values`.
    pub(crate) fn iterator(values: Vec<Value>) -> Result<Value> {
        let depth = nesting_of(&values)?;
        Ok(Value::object(Object::Iterator(RefCell::new(values.into_iter()), depth)))
    }

    /// Undefined, with the message of the error that its use raises.
    pub(crate) fn undefined(message: impl Into<String>) -> Value {
        Value::Undefined(Some(Arc::new(Missing { message: message.into(), is_unsafe: false })))
    }

    pub(crate) fn is_undefined(&self) -> bool {
        matches!(self, Value::Undefined(_))
    }

    /// The text of a str or Markup.
    pub(crate) fn as_str(&self) -> Option<&Arc<str>> {
        match self {
            Value::Str(text) | Value::Markup(text) => Some(text),
            _ => None,
        }
    }

    /// Bools count as integers, as in Python.
    pub(crate) fn as_int(&self) -> Option<i128> {
        match self {
            Value::Int(value) => Some(*value),
            Value::Bool(value) => Some(i128::from(*value)),
            _ => None,
        }
    }

    pub(crate) fn as_float(&self) -> Option<f64> {
        match self {
            Value::Float(value) => Some(*value),
            Value::Big(digits) => digits.parse().ok(),
            other => other.as_int().map(|value| value as f64),
        }
    }

    pub(crate) fn truth(&self) -> bool {
        match self {
            Value::Undefined(_) | Value::None => false,
            Value::Bool(value) => *value,
            Value::Int(value) => *value != 0,
            Value::Big(_) => true,
            Value::Float(value) => *value != 0.0,
            Value::Str(text) | Value::Markup(text) => !text.is_empty(),
            Value::List(items) | Value::Tuple(items) => !items.values.is_empty(),
            Value::Dict(dict) => dict.len() > 0,
            Value::Object(object) => match &**object {
                Object::Range { start, stop, step } => range_len(*start, *stop, *step) > 0,
                Object::View { dict, .. } => dict.len() > 0,
                _ => true,
            },
        }
    }

    /// type(value).__name__
    pub(crate) fn type_name(&self) -> &'static str {
        match self {
            Value::Undefined(_) => "Undefined",
            Value::None => "NoneType",
            Value::Bool(_) => "bool",
            Value::Int(_) | Value::Big(_) => "int",
            Value::Float(_) => "float",
            Value::Str(_) => "str",
            Value::Markup(_) => "Markup",
            Value::List(_) => "list",
            Value::Tuple(_) => "tuple",
            Value::Dict(_) => "dict",
            Value::Object(object) => match &**object {
                Object::Namespace(_) => "TemplateNamespace",
                Object::Macro(_) => "Macro",
                Object::Method { .. } => "builtin_function_or_method",
                Object::Function(_) => "function",
                Object::Loop(_) => "LoopContext",
                Object::Iterator(..) => "generator",
                Object::Range { .. } => "range",
                Object::View { kind, .. } => match kind {
                    ViewKind::Keys => "dict_keys",
                    ViewKind::Values => "dict_values",
                    ViewKind::Items => "dict_items",
                },
                Object::Cycler { .. } => "Cycler",
                Object::Joiner { .. } => "Joiner",
            },
        }
    }
}

impl Nested for Value {
    fn depth(&self) -> u32 {
        match self {
            Value::List(items) | Value::Tuple(items) => items.depth,
            Value::Dict(dict) => dict.depth(),
            Value::Object(object) => match &**object {
                Object::Method { receiver, .. } => receiver.depth() + 1,
                Object::Iterator(_, depth) => *depth,
                Object::View { dict, .. } => dict.depth() + 1,
                Object::Cycler { items, .. } => items.depth + 1,
                Object::Joiner { separator, .. } => separator.depth() + 1,
                Object::Loop(state) => state.depth(),
                // The interpreter keeps these until the end, so dropping one never drops a chain.
                Object::Namespace(_) | Object::Macro(_) | Object::Function(_) | Object::Range { .. } => 0,
            },
            _ => 0,
        }
    }
}

impl Items {
    pub(crate) fn new(values: Vec<Value>) -> Result<Items> {
        Items::named(values, &[])
    }

    pub(crate) fn named(values: Vec<Value>, names: &'static [&'static str]) -> Result<Items> {
        let depth = nesting_of(&values)?;
        Ok(Items { values, names, depth })
    }
}

/// The error of using an undefined value.
pub(crate) fn undefined_error(missing: Option<&Missing>) -> Box<Error> {
    match missing {
        Some(missing) if missing.is_unsafe => Error::new(Kind::Security, missing.message.clone()),
        Some(missing) => Error::new(Kind::Undefined, missing.message.clone()),
        None => Error::new(Kind::Undefined, "the value is undefined"),
    }
}

/// Fails when the value is undefined.
pub(crate) fn check_defined(value: &Value) -> Result<()> {
    match value {
        Value::Undefined(missing) => Err(undefined_error(missing.as_deref())),
        _ => Ok(()),
    }
}

/// len(range(start, stop, step))
pub(crate) fn range_len(start: i64, stop: i64, step: i64) -> i64 {
    let (low, high, step) = if step > 0 { (start, stop, step) } else { (stop, start, step.saturating_neg()) };
    if low >= high {
        return 0;
    }
    let distance = i128::from(high) - i128::from(low) - 1;
    i64::try_from(distance / i128::from(step) + 1).unwrap_or(i64::MAX)
}
