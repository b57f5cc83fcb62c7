//! Attributes, items, slices, lengths and iteration.

use std::sync::Arc;

use crate::error::{type_error, Result};
use crate::method_names::{find_method, is_unsafe_method};
use crate::value::{
    check_defined, range_len, undefined_error, Items, LoopState, Missing, Object, Value, ViewKind,
};

/// object.name: an attribute, else an item, else undefined.
pub(crate) fn get_attribute(object: &Value, name: &str) -> Result<Value> {
    check_defined(object)?;
    if let Some(value) = attribute(object, name) {
        return Ok(value);
    }
    if let Value::Dict(dict) = object {
        if let Some(value) = dict.get_text(name) {
            return Ok(value.clone());
        }
    }
    Ok(missing_attribute(object, name))
}

/// object[key]: an item, else for a text key an attribute, else undefined.
pub(crate) fn get_item(object: &Value, key: &Value) -> Result<Value> {
    check_defined(object)?;
    if let Some(value) = item(object, key) {
        return Ok(value);
    }
    match key.as_str() {
        Some(name) => Ok(attribute(object, name).unwrap_or_else(|| missing_attribute(object, name))),
        None => Ok(Value::undefined(format!(
            "{} has no element {}",
            object_name(object),
            crate::repr::to_repr(key)
        ))),
    }
}

fn object_name(object: &Value) -> String {
    match object {
        Value::None => "None".to_string(),
        other => format!("{} object", other.type_name()),
    }
}

fn missing_attribute(object: &Value, name: &str) -> Value {
    Value::undefined(format!("'{}' has no attribute '{name}'", object_name(object)))
}

fn item(object: &Value, key: &Value) -> Option<Value> {
    let index = |length: usize| {
        let at = key.as_int()?;
        let at = if at < 0 { at + length as i128 } else { at };
        usize::try_from(at).ok().filter(|at| *at < length)
    };
    match object {
        Value::Dict(dict) => dict.get(key).ok().flatten().cloned(),
        Value::List(items) | Value::Tuple(items) => Some(items.values[index(items.values.len())?].clone()),
        Value::Str(text) | Value::Markup(text) => {
            let character = if text.is_ascii() {
                let at = index(text.len())?;
                &text[at..=at]
            } else {
                let at = index(text.chars().count())?;
                let (start, c) = text.char_indices().nth(at)?;
                &text[start..start + c.len_utf8()]
            };
            Some(like(object, character))
        }
        Value::Object(inner) => match &**inner {
            Object::Range { start, stop, step } => {
                let at = index(usize::try_from(range_len(*start, *stop, *step)).ok()?)?;
                Some(Value::Int(i128::from(*start) + at as i128 * i128::from(*step)))
            }
            _ => None,
        },
        _ => None,
    }
}

/// A text of the same kind (str or Markup) as `model`.
pub(crate) fn like(model: &Value, text: &str) -> Value {
    match model {
        Value::Markup(_) => Value::Markup(Arc::from(text)),
        _ => Value::str(text),
    }
}

/// What Python's getattr finds, as far as the sandbox shows it.
fn attribute(object: &Value, name: &str) -> Option<Value> {
    if name.starts_with('_') {
        return if is_dunder(name) { Some(hidden(object, name)) } else { None };
    }
    if let Some(name) = find_method(object, name) {
        if is_unsafe_method(object, name) {
            return Some(hidden(object, name));
        }
        return Some(Value::object(Object::Method { receiver: object.clone(), name }));
    }
    match object {
        Value::Int(_) | Value::Big(_) | Value::Bool(_) | Value::Float(_) => match name {
            "real" | "numerator" if matches!(object, Value::Big(_)) => Some(object.clone()),
            "real" | "numerator" if !matches!(object, Value::Float(_)) => object.as_int().map(Value::Int),
            "real" => Some(object.clone()),
            "imag" if matches!(object, Value::Float(_)) => Some(Value::Float(0.0)),
            "imag" => Some(Value::Int(0)),
            "denominator" if !matches!(object, Value::Float(_)) => Some(Value::Int(1)),
            _ => None,
        },
        Value::Tuple(items) => {
            let at = items.names.iter().position(|known| *known == name)?;
            Some(items.values[at].clone())
        }
        Value::Object(inner) => match &**inner {
            Object::Namespace(attributes) => attributes.borrow().get(name).cloned(),
            Object::Loop(state) => loop_attribute(state, name),
            Object::Macro(macro_) => match name {
                "name" => Some(Value::Str(macro_.def.name.clone())),
                "arguments" => {
                    Value::tuple(macro_.def.params.iter().map(|param| Value::Str(param.clone())).collect())
                        .ok()
                }
                "catch_kwargs" => Some(Value::Bool(macro_.def.kwargs.is_some())),
                "catch_varargs" => Some(Value::Bool(macro_.def.varargs.is_some())),
                "caller" => Some(Value::Bool(macro_.def.caller.is_some())),
                "explicit_caller" => Some(Value::Bool(macro_.def.explicit_caller)),
                _ => None,
            },
            Object::Range { start, stop, step } => match name {
                "start" => Some(Value::Int((*start).into())),
                "stop" => Some(Value::Int((*stop).into())),
                "step" => Some(Value::Int((*step).into())),
                _ => None,
            },
            Object::Cycler { items, position } => match name {
                "current" => items.values.get(position.get()).cloned(),
                "pos" => Some(Value::Int(position.get() as i128)),
                "items" => Some(Value::Tuple(items.clone())),
                _ => None,
            },
            Object::Joiner { separator, used } => match name {
                "sep" => Some(separator.clone()),
                "used" => Some(Value::Bool(used.get())),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    }
}

/// loop.name
fn loop_attribute(state: &LoopState, name: &str) -> Option<Value> {
    let index0 = state.index0() as usize;
    let length = state.known_length();
    let int = |value: usize| Some(Value::Int(value as i128));
    match name {
        "index" => int(index0 + 1),
        "index0" => int(index0),
        "revindex" => int(length - index0),
        "revindex0" => int(length - index0 - 1),
        "first" => Some(Value::Bool(index0 == 0)),
        "last" => Some(Value::Bool(index0 + 1 == length)),
        "length" => int(length),
        "depth" => int(state.depth0 as usize + 1),
        "depth0" => int(state.depth0 as usize),
        "previtem" => Some(match index0.checked_sub(1).and_then(|at| state.item(at)) {
            Some(item) => item,
            None => Value::undefined("there is no previous item"),
        }),
        "nextitem" => {
            Some(state.item(index0 + 1).unwrap_or_else(|| Value::undefined("there is no next item")))
        }
        _ => None,
    }
}

/// Names every Python object has; the sandbox refuses to use them.
fn is_dunder(name: &str) -> bool {
    const NAMES: [&str; 17] = [
        "__class__",
        "__doc__",
        "__init__",
        "__new__",
        "__dict__",
        "__eq__",
        "__ne__",
        "__hash__",
        "__repr__",
        "__str__",
        "__getattribute__",
        "__setattr__",
        "__dir__",
        "__reduce__",
        "__subclasshook__",
        "__init_subclass__",
        "__sizeof__",
    ];
    NAMES.contains(&name)
}

fn hidden(object: &Value, name: &str) -> Value {
    Value::Undefined(Some(Arc::new(Missing {
        message: format!("access to attribute '{name}' of '{}' object is unsafe.", object.type_name()),
        is_unsafe: true,
    })))
}

/// object[start:stop:step]
pub(crate) fn slice(object: &Value, bounds: [Option<Value>; 3]) -> Result<Value> {
    check_defined(object)?;
    let mut numbers = [None; 3];
    for (number, bound) in numbers.iter_mut().zip(&bounds) {
        *number = match bound {
            None | Some(Value::None) => None,
            Some(value) => match value.as_int() {
                Some(int) => Some(int.clamp(-(1 << 62), 1 << 62) as i64),
                None => {
                    check_defined(value)?;
                    return type_error("slice indices must be integers or None or have an __index__ method");
                }
            },
        };
    }
    let [start, stop, step] = numbers;
    let step = step.unwrap_or(1);
    if step == 0 {
        return type_error("slice step cannot be zero");
    }
    match object {
        Value::Str(text) | Value::Markup(text) => {
            if step == 1 && text.is_ascii() {
                let (from, to) = slice_range(text.len(), start, stop, 1);
                return Ok(like(object, &text[from as usize..(to as usize).max(from as usize)]));
            }
            let chars: Vec<char> = text.chars().collect();
            let picked: String = picks(chars.len(), start, stop, step).map(|at| chars[at]).collect();
            Ok(like(object, &picked))
        }
        Value::List(items) => Value::list(pick_items(items, start, stop, step)),
        Value::Tuple(items) => Value::tuple(pick_items(items, start, stop, step)),
        Value::Object(inner) => match &**inner {
            Object::Range { start: first, stop: last, step: stride } => {
                let length = usize::try_from(range_len(*first, *last, *stride)).unwrap_or(usize::MAX);
                let (from, to) = slice_range(length, start, stop, step);
                Ok(Value::object(Object::Range {
                    start: first + from * stride,
                    stop: first + to * stride,
                    step: stride * step,
                }))
            }
            _ => type_error(format!("'{}' object is not subscriptable", object.type_name())),
        },
        Value::Dict(_) => type_error("unhashable type: 'slice'"),
        _ => type_error(format!("'{}' object is not subscriptable", object.type_name())),
    }
}

fn pick_items(items: &Items, start: Option<i64>, stop: Option<i64>, step: i64) -> Vec<Value> {
    picks(items.values.len(), start, stop, step).map(|at| items.values[at].clone()).collect()
}

/// slice(start, stop, step).indices(length)
fn slice_range(length: usize, start: Option<i64>, stop: Option<i64>, step: i64) -> (i64, i64) {
    let length = length as i64;
    let (low, high) = if step > 0 { (0, length) } else { (-1, length - 1) };
    let place = |bound: Option<i64>, default: i64| match bound {
        None => default,
        Some(at) if at < 0 => (at + length).max(low),
        Some(at) => at.min(high),
    };
    if step > 0 {
        (place(start, 0), place(stop, length))
    } else {
        (place(start, length - 1), place(stop, -1))
    }
}

fn picks(length: usize, start: Option<i64>, stop: Option<i64>, step: i64) -> impl Iterator<Item = usize> {
    let (start, stop) = slice_range(length, start, stop, step);
    (0..range_len(start, stop, step)).map(move |index| (start + index * step) as usize)
}

/// len(value); None where Python raises TypeError.
pub(crate) fn length(value: &Value) -> Option<usize> {
    match value {
        Value::Undefined(_) => Some(0),
        Value::Str(text) | Value::Markup(text) => Some(text.chars().count()),
        Value::List(items) | Value::Tuple(items) => Some(items.values.len()),
        Value::Dict(dict) => Some(dict.len()),
        Value::Object(object) => match &**object {
            Object::View { dict, .. } => Some(dict.len()),
            Object::Range { start, stop, step } => usize::try_from(range_len(*start, *stop, *step)).ok(),
            Object::Loop(state) => Some(state.known_length()),
            _ => None,
        },
        _ => None,
    }
}

/// list(value)
pub(crate) fn iterate(value: &Value) -> Result<Vec<Value>> {
    match value {
        Value::Undefined(Some(missing)) if missing.is_unsafe => Err(undefined_error(Some(missing))),
        Value::Undefined(_) => Ok(Vec::new()),
        Value::List(items) | Value::Tuple(items) => Ok(items.values.clone()),
        // Unlike an index, iteration makes plain texts of a Markup.
        Value::Str(text) | Value::Markup(text) => {
            Ok(text.chars().map(|c| Value::str(c.encode_utf8(&mut [0; 4]))).collect())
        }
        Value::Dict(dict) => Ok(dict.keys().cloned().collect()),
        Value::Object(object) => match &**object {
            Object::View { kind: ViewKind::Keys, dict } => Ok(dict.keys().cloned().collect()),
            Object::View { kind: ViewKind::Values, dict } => Ok(dict.values().cloned().collect()),
            Object::View { kind: ViewKind::Items, dict } => {
                dict.iter().map(|(key, value)| Value::tuple(vec![key.clone(), value.clone()])).collect()
            }
            Object::Range { start, stop, step } => {
                let length = range_len(*start, *stop, *step);
                Ok((0..length)
                    .map(|at| Value::Int(i128::from(*start) + i128::from(at) * i128::from(*step)))
                    .collect())
            }
            Object::Iterator(values, _) => Ok(values.borrow_mut().by_ref().collect()),
            _ => not_iterable(value),
        },
        _ => not_iterable(value),
    }
}

/// Whether iter(value) works.
pub(crate) fn is_iterable(value: &Value) -> bool {
    match value {
        Value::Undefined(_)
        | Value::List(_)
        | Value::Tuple(_)
        | Value::Str(_)
        | Value::Markup(_)
        | Value::Dict(_) => true,
        Value::Object(object) => matches!(
            **object,
            Object::View { .. } | Object::Range { .. } | Object::Iterator(..) | Object::Loop(_)
        ),
        _ => false,
    }
}

fn not_iterable<T>(value: &Value) -> Result<T> {
    type_error(format!("'{}' object is not iterable", value.type_name()))
}
