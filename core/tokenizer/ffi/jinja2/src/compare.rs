//! Equality, hashes, order and membership of values.

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};
use std::rc::Rc;

use crate::ast::CompareOp;
use crate::budget;
use crate::dict::Hashable;
use crate::error::{type_error, Result};
use crate::value::{check_defined, range_len, Object, Value, ViewKind};

impl Hashable for Value {
    fn check_hashable(&self) -> Result<()> {
        check_hashable(self)
    }

    fn hash_into(&self, state: &mut impl Hasher) {
        hash_value(self, state);
    }

    fn is_equal(&self, other: &Value) -> bool {
        equal(self, other)
    }

    fn text(&self) -> Option<&str> {
        self.as_str().map(|text| &**text)
    }
}

fn check_hashable(value: &Value) -> Result<()> {
    match value {
        Value::List(_) | Value::Dict(_) => type_error(format!("unhashable type: '{}'", value.type_name())),
        Value::Tuple(_) if !budget::spend(1) => Ok(()),
        Value::Tuple(items) => items.values.iter().try_for_each(check_hashable),
        Value::Object(object) if matches!(**object, Object::View { .. } | Object::Namespace(_)) => {
            type_error(format!("unhashable type: '{}'", value.type_name()))
        }
        _ => Ok(()),
    }
}

fn hash_value<H: Hasher>(value: &Value, state: &mut H) {
    if !budget::spend(1) {
        return;
    }
    match value {
        Value::Float(float) => {
            let whole = *float as i128;
            if whole as f64 == *float {
                Some(whole).hash(state);
            } else {
                float.to_bits().hash(state);
            }
        }
        Value::Bool(_) | Value::Int(_) => value.as_int().hash(state),
        // Equal to a float that is as large, which hashes by its bits.
        Value::Big(_) => value.as_float().unwrap_or(0.0).to_bits().hash(state),
        Value::Str(text) | Value::Markup(text) => text.as_bytes().hash(state),
        Value::Tuple(items) => items.values.iter().for_each(|item| hash_value(item, state)),
        Value::Object(object) => Rc::as_ptr(object).hash(state),
        Value::Undefined(_) | Value::None | Value::List(_) | Value::Dict(_) => 0_u8.hash(state),
    }
}

/// left == right
pub(crate) fn equal(left: &Value, right: &Value) -> bool {
    if !budget::spend(1) {
        return false;
    }
    match (left, right) {
        (Value::Undefined(_), Value::Undefined(_)) | (Value::None, Value::None) => true,
        (Value::Str(a) | Value::Markup(a), Value::Str(b) | Value::Markup(b)) => a == b,
        (Value::List(a), Value::List(b)) | (Value::Tuple(a), Value::Tuple(b)) => {
            a.values.len() == b.values.len() && a.values.iter().zip(&b.values).all(|(a, b)| same(a, b) || equal(a, b))
        }
        (Value::Dict(a), Value::Dict(b)) => {
            a.len() == b.len()
                && a.iter().all(|(key, value)| matches!(b.get(key), Ok(Some(other)) if same(value, other) || equal(value, other)))
        }
        (Value::Object(a), Value::Object(b)) => objects_equal(a, b),
        (Value::Big(a), Value::Big(b)) => a == b,
        (Value::Big(_), Value::Int(_)) | (Value::Int(_), Value::Big(_)) => false,
        _ => match (left.as_int(), right.as_int()) {
            (Some(a), Some(b)) => a == b,
            _ => match (left.as_float(), right.as_float()) {
                (Some(a), Some(b)) => a == b,
                _ => false,
            },
        },
    }
}

fn objects_equal(a: &Rc<Object>, b: &Rc<Object>) -> bool {
    if Rc::ptr_eq(a, b) {
        return true;
    }
    match (&**a, &**b) {
        (Object::Range { start, stop, step }, Object::Range { start: start2, stop: stop2, step: step2 }) => {
            let (length, length2) = (range_len(*start, *stop, *step), range_len(*start2, *stop2, *step2));
            length == length2 && (length == 0 || (start == start2 && (length == 1 || step == step2)))
        }
        (Object::View { kind: ViewKind::Keys, dict }, Object::View { kind: ViewKind::Keys, dict: dict2 }) => {
            dict.len() == dict2.len() && dict.keys().all(|key| matches!(dict2.get(key), Ok(Some(_))))
        }
        (
            Object::View { kind: ViewKind::Items, dict },
            Object::View { kind: ViewKind::Items, dict: dict2 },
        ) => equal(&Value::Dict(dict.clone()), &Value::Dict(dict2.clone())),
        (Object::Method { receiver, name }, Object::Method { receiver: receiver2, name: name2 }) => {
            name == name2 && same(receiver, receiver2)
        }
        (Object::Function(a), Object::Function(b)) => a == b,
        _ => false,
    }
}

/// left is right, as far as templates can tell.
pub(crate) fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::None, Value::None) => true,
        (Value::Bool(a), Value::Bool(b)) => a == b,
        (Value::Int(a), Value::Int(b)) => a == b,
        (Value::Big(a), Value::Big(b)) => a == b,
        (Value::Float(a), Value::Float(b)) => a.to_bits() == b.to_bits() && !a.is_nan(),
        (Value::Str(a), Value::Str(b)) => a == b,
        (Value::Markup(a), Value::Markup(b)) => std::sync::Arc::ptr_eq(a, b),
        (Value::List(a), Value::List(b)) | (Value::Tuple(a), Value::Tuple(b)) => Rc::ptr_eq(a, b),
        (Value::Dict(a), Value::Dict(b)) => Rc::ptr_eq(a, b),
        (Value::Object(a), Value::Object(b)) => Rc::ptr_eq(a, b),
        _ => false,
    }
}

/// Order of two values; None when a nan is among them.
pub(crate) fn order(operator: &str, left: &Value, right: &Value) -> Result<Option<Ordering>> {
    check_defined(left)?;
    check_defined(right)?;
    match (left, right) {
        (Value::Str(a) | Value::Markup(a), Value::Str(b) | Value::Markup(b)) => Ok(Some(a.cmp(b))),
        (Value::List(a), Value::List(b)) | (Value::Tuple(a), Value::Tuple(b)) => {
            for (a, b) in a.values.iter().zip(&b.values) {
                if !same(a, b) && !equal(a, b) {
                    return order(operator, a, b);
                }
            }
            Ok(Some(a.values.len().cmp(&b.values.len())))
        }
        (Value::Big(a), Value::Big(b)) => Ok(Some(compare_digits(a, b))),
        (Value::Big(a), Value::Int(_) | Value::Bool(_)) => Ok(Some(sign_of(a))),
        (Value::Int(_) | Value::Bool(_), Value::Big(b)) => Ok(Some(sign_of(b).reverse())),
        _ => {
            if let (Some(a), Some(b)) = (left.as_int(), right.as_int()) {
                return Ok(Some(a.cmp(&b)));
            }
            match (left.as_float(), right.as_float()) {
                (Some(a), Some(b)) => Ok(a.partial_cmp(&b)),
                _ => type_error(format!(
                    "'{operator}' not supported between instances of '{}' and '{}'",
                    left.type_name(),
                    right.type_name()
                )),
            }
        }
    }
}

/// Where a whole number beyond 127 bits lies, seen from any other.
fn sign_of(digits: &str) -> Ordering {
    if digits.starts_with('-') {
        Ordering::Less
    } else {
        Ordering::Greater
    }
}

fn compare_digits(a: &str, b: &str) -> Ordering {
    let by_size = |a: &str, b: &str| a.len().cmp(&b.len()).then_with(|| a.cmp(b));
    match (sign_of(a), sign_of(b)) {
        (Ordering::Greater, Ordering::Greater) => by_size(a, b),
        (Ordering::Less, Ordering::Less) => by_size(b, a),
        (sign, _) => sign,
    }
}

pub(crate) fn compare(operator: CompareOp, left: &Value, right: &Value) -> Result<bool> {
    Ok(match operator {
        CompareOp::Equal => equal(left, right),
        CompareOp::NotEqual => !equal(left, right),
        CompareOp::Less => order("<", left, right)? == Some(Ordering::Less),
        CompareOp::LessEqual => matches!(order("<=", left, right)?, Some(Ordering::Less | Ordering::Equal)),
        CompareOp::Greater => order(">", left, right)? == Some(Ordering::Greater),
        CompareOp::GreaterEqual => {
            matches!(order(">=", left, right)?, Some(Ordering::Greater | Ordering::Equal))
        }
        CompareOp::In => contains(right, left)?,
        CompareOp::NotIn => !contains(right, left)?,
    })
}

/// item in container
pub(crate) fn contains(container: &Value, item: &Value) -> Result<bool> {
    let among = |values: &[Value]| values.iter().any(|value| same(value, item) || equal(value, item));
    match container {
        Value::Str(text) | Value::Markup(text) => match item.as_str() {
            Some(part) => Ok(text.contains(&**part)),
            None => {
                type_error(format!("'in <string>' requires string as left operand, not {}", item.type_name()))
            }
        },
        Value::List(items) | Value::Tuple(items) => Ok(among(&items.values)),
        Value::Dict(dict) => Ok(dict.get(item)?.is_some()),
        Value::Undefined(missing) if missing.as_ref().is_some_and(|missing| missing.is_unsafe) => Ok(false),
        Value::Undefined(_) => Ok(false),
        Value::Object(object) => match &**object {
            Object::View { kind: ViewKind::Keys, dict } => Ok(dict.get(item)?.is_some()),
            Object::View { kind: ViewKind::Values, dict } => {
                Ok(dict.values().any(|value| same(value, item) || equal(value, item)))
            }
            Object::View { kind: ViewKind::Items, dict } => match item {
                Value::Tuple(pair) if pair.values.len() == 2 => {
                    Ok(dict.get(&pair.values[0])?.is_some_and(|value| equal(value, &pair.values[1])))
                }
                _ => Ok(false),
            },
            Object::Range { start, stop, step } => Ok(in_range(item, *start, *stop, *step)),
            Object::Iterator(values, _) => {
                let mut values = values.borrow_mut();
                Ok(values.any(|value| same(&value, item) || equal(&value, item)))
            }
            _ => not_iterable(container),
        },
        _ => not_iterable(container),
    }
}

fn not_iterable<T>(value: &Value) -> Result<T> {
    type_error(format!("argument of type '{}' is not iterable", value.type_name()))
}

fn in_range(item: &Value, start: i64, stop: i64, step: i64) -> bool {
    let whole = match item {
        Value::Float(float) if float.fract() == 0.0 => Some(*float as i128),
        other => other.as_int(),
    };
    whole.is_some_and(|value| {
        let offset = value - i128::from(start);
        offset % i128::from(step) == 0
            && (0..i128::from(range_len(start, stop, step))).contains(&(offset / i128::from(step)))
    })
}
