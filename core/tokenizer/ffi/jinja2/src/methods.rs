//! Calls the methods of Python's built-in types.

use crate::access::iterate;
use crate::args::{int, Args};
use crate::compare::{equal, same};
use crate::error::{type_error, Result};
use crate::str_methods;
use crate::value::{Dict, Object, Value, ViewKind};

/// Calls a method found by `find_method`.
pub(crate) fn call_method(receiver: &Value, name: &'static str, args: Args) -> Result<Value> {
    match receiver {
        Value::Str(_) | Value::Markup(_) => str_methods::call(receiver, name, args),
        Value::Dict(dict) => dict_method(receiver, dict, name, args),
        Value::List(items) | Value::Tuple(items) => sequence_method(receiver, &items.values, name, args),
        Value::Float(value) => {
            args.bind_positional::<0>(name, 0)?;
            match name {
                "is_integer" => Ok(Value::Bool(value.fract() == 0.0)),
                _ => Ok(receiver.clone()),
            }
        }
        Value::Int(_) | Value::Bool(_) => {
            args.bind_positional::<0>(name, 0)?;
            let value = receiver.as_int().unwrap_or(0);
            match name {
                "bit_length" => Ok(Value::Int((128 - value.unsigned_abs().leading_zeros()).into())),
                "bit_count" => Ok(Value::Int(value.unsigned_abs().count_ones().into())),
                "as_integer_ratio" => Value::tuple(vec![Value::Int(value), Value::Int(1)]),
                _ => Ok(Value::Int(value)),
            }
        }
        Value::Object(object) => object_method(receiver, object, name, args),
        _ => type_error(format!("'{}' object is not callable", receiver.type_name())),
    }
}

fn dict_method(receiver: &Value, dict: &std::rc::Rc<Dict>, name: &str, args: Args) -> Result<Value> {
    let view = |kind| Ok(Value::object(Object::View { kind, dict: dict.clone() }));
    match name {
        "get" => {
            let [key, default] = args.bind_positional::<2>("get", 1)?;
            let found = dict.get(&key.unwrap_or(Value::None))?.cloned();
            Ok(found.or(default).unwrap_or(Value::None))
        }
        "fromkeys" => from_keys(args),
        _ => {
            args.bind_positional::<0>(name, 0)?;
            match name {
                "items" => view(ViewKind::Items),
                "keys" => view(ViewKind::Keys),
                "values" => view(ViewKind::Values),
                _ => Ok(receiver.clone()),
            }
        }
    }
}

fn from_keys(args: Args) -> Result<Value> {
    let [keys, value] = args.bind_positional::<2>("fromkeys", 1)?;
    let value = value.unwrap_or(Value::None);
    let keys = iterate(&keys.unwrap_or(Value::None))?;
    Ok(Value::dict(Dict::new(keys.into_iter().map(|key| (key, value.clone())))?))
}

fn sequence_method(receiver: &Value, values: &[Value], name: &str, args: Args) -> Result<Value> {
    let is_item = |value: &Value, item: &Value| same(value, item) || equal(value, item);
    match name {
        "count" => {
            let [item] = args.bind_positional::<1>("count", 1)?;
            let item = item.unwrap_or(Value::None);
            Ok(Value::Int(values.iter().filter(|value| is_item(value, &item)).count() as i128))
        }
        "index" => {
            let [item, start, stop] = args.bind_positional::<3>("index", 1)?;
            let item = item.unwrap_or(Value::None);
            let place = |bound: Option<Value>, default: usize| -> Result<usize> {
                let Some(bound) = bound else { return Ok(default) };
                let at = int("index", &bound)?;
                let at = if at < 0 { at.saturating_add(values.len() as i64).max(0) } else { at };
                Ok((at as usize).min(values.len()))
            };
            let (start, stop) = (place(start, 0)?, place(stop, values.len())?);
            match (start..stop).find(|at| is_item(&values[*at], &item)) {
                Some(at) => Ok(Value::Int(at as i128)),
                None => type_error("the value is not in the list"),
            }
        }
        _ => {
            args.bind_positional::<0>(name, 0)?;
            Ok(receiver.clone())
        }
    }
}

fn object_method(receiver: &Value, object: &Object, name: &str, args: Args) -> Result<Value> {
    match (object, name) {
        (Object::Loop(state), "changed") => Ok(Value::Bool(state.changed(args.positional, equal))),
        (Object::Loop(state), _) => {
            if args.positional.is_empty() {
                return type_error("no items for cycling given");
            }
            let at = state.index0() as usize % args.positional.len();
            Ok(args.positional[at].clone())
        }
        (Object::Cycler { items, position }, "next") => {
            let at = position.get();
            position.set((at + 1) % items.values.len());
            Ok(items.values[at].clone())
        }
        (Object::Cycler { position, .. }, _) => {
            position.set(0);
            Ok(Value::None)
        }
        (Object::Range { .. }, _) => sequence_method(receiver, &iterate(receiver)?, name, args),
        (Object::Function(_), _) => from_keys(args),
        _ => type_error(format!("'{}' object has no method '{name}'", receiver.type_name())),
    }
}
