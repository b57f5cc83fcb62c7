//! Python's operators on numbers and sequences.

use crate::ast::BinaryOp;
use crate::error::{limit_error, type_error, Result};
use crate::limits::check_length;
use crate::markup;
use crate::percent;
use crate::value::{check_defined, Value};

/// Lists made by an operator may not be longer than this.
const MAX_ITEMS: usize = 1 << 22;

pub(crate) fn binary(operator: BinaryOp, left: &Value, right: &Value) -> Result<Value> {
    // A text on the left formats whatever stands on the right, undefined values included.
    if !(operator == BinaryOp::Modulo && left.as_str().is_some()) {
        check_defined(left)?;
        check_defined(right)?;
    }
    match operator {
        BinaryOp::Add => add(left, right),
        BinaryOp::Multiply => multiply(left, right),
        BinaryOp::Modulo if left.as_str().is_some() => percent::format(left, right),
        _ => arithmetic(operator, left, right),
    }
}

fn symbol(operator: BinaryOp) -> &'static str {
    match operator {
        BinaryOp::Add => "+",
        BinaryOp::Subtract => "-",
        BinaryOp::Multiply => "*",
        BinaryOp::Divide => "/",
        BinaryOp::FloorDivide => "//",
        BinaryOp::Modulo => "%",
        BinaryOp::Power => "** or pow()",
    }
}

fn unsupported<T>(operator: BinaryOp, left: &Value, right: &Value) -> Result<T> {
    type_error(format!(
        "unsupported operand type(s) for {}: '{}' and '{}'",
        symbol(operator),
        left.type_name(),
        right.type_name()
    ))
}

fn add(left: &Value, right: &Value) -> Result<Value> {
    match (left, right) {
        (Value::Str(a), Value::Str(b)) => {
            let mut text = String::with_capacity(a.len() + b.len());
            text.push_str(a);
            text.push_str(b);
            check_length(text.len())?;
            Ok(Value::str(text))
        }
        (Value::Markup(_), Value::Str(_) | Value::Markup(_)) | (Value::Str(_), Value::Markup(_)) => {
            let text = format!("{}{}", markup::escape(left), markup::escape(right));
            check_length(text.len())?;
            Ok(Value::Markup(text.into()))
        }
        (Value::List(a), Value::List(b)) => {
            check_items(a.values.len() + b.values.len())?;
            Value::list(a.values.iter().chain(&b.values).cloned().collect())
        }
        (Value::Tuple(a), Value::Tuple(b)) => {
            check_items(a.values.len() + b.values.len())?;
            Value::tuple(a.values.iter().chain(&b.values).cloned().collect())
        }
        (Value::Str(_) | Value::Markup(_), _) => {
            type_error(format!("can only concatenate str (not \"{}\") to str", right.type_name()))
        }
        (Value::List(_) | Value::Tuple(_), _) => type_error(format!(
            "can only concatenate {0} (not \"{1}\") to {0}",
            left.type_name(),
            right.type_name()
        )),
        _ => arithmetic(BinaryOp::Add, left, right),
    }
}

fn check_items(num_items: usize) -> Result<()> {
    if num_items > MAX_ITEMS {
        return limit_error(format!("a list became longer than {MAX_ITEMS} items"));
    }
    Ok(())
}

fn multiply(left: &Value, right: &Value) -> Result<Value> {
    let is_sequence =
        |value: &Value| matches!(value, Value::Str(_) | Value::Markup(_) | Value::List(_) | Value::Tuple(_));
    let (sequence, count) = match (is_sequence(left), is_sequence(right)) {
        (true, _) => (left, right),
        (_, true) => (right, left),
        _ => return arithmetic(BinaryOp::Multiply, left, right),
    };
    let Some(count) = count.as_int() else {
        return type_error(format!("can't multiply sequence by non-int of type '{}'", count.type_name()));
    };
    let count = usize::try_from(count.max(0)).unwrap_or(usize::MAX);
    let repeat = |values: &[Value]| -> Result<Vec<Value>> {
        check_items(values.len().saturating_mul(count))?;
        Ok(values.iter().cycle().take(values.len() * count).cloned().collect())
    };
    match sequence {
        Value::List(items) => Value::list(repeat(&items.values)?),
        Value::Tuple(items) => Value::tuple(repeat(&items.values)?),
        Value::Str(text) => {
            check_length(text.len().saturating_mul(count))?;
            Ok(Value::str(text.repeat(count)))
        }
        Value::Markup(text) => {
            check_length(text.len().saturating_mul(count))?;
            Ok(Value::Markup(text.repeat(count).into()))
        }
        _ => unsupported(BinaryOp::Multiply, left, right),
    }
}

fn arithmetic(operator: BinaryOp, left: &Value, right: &Value) -> Result<Value> {
    if let (Some(a), Some(b)) = (left.as_int(), right.as_int()) {
        return integers(operator, a, b);
    }
    let (Some(a), Some(b)) = (left.as_float(), right.as_float()) else {
        return unsupported(operator, left, right);
    };
    match (left, right) {
        (Value::Big(_), Value::Float(_)) | (Value::Float(_), Value::Big(_))
            if a.is_infinite() || b.is_infinite() =>
        {
            type_error("int too large to convert to float")
        }
        (Value::Float(_), _) | (_, Value::Float(_)) => floats(operator, a, b),
        _ => too_big(),
    }
}

fn integers(operator: BinaryOp, a: i128, b: i128) -> Result<Value> {
    if b == 0 && matches!(operator, BinaryOp::Divide | BinaryOp::FloorDivide | BinaryOp::Modulo) {
        let what = if operator == BinaryOp::Divide {
            "division by zero"
        } else {
            "integer division or modulo by zero"
        };
        return type_error(what);
    }
    let result = match operator {
        BinaryOp::Add => a.checked_add(b),
        BinaryOp::Subtract => a.checked_sub(b),
        BinaryOp::Multiply => a.checked_mul(b),
        BinaryOp::Divide => return Ok(Value::Float(a as f64 / b as f64)),
        BinaryOp::FloorDivide => a.checked_div_euclid(b).map(|quotient| floor_of(quotient, a, b)),
        BinaryOp::Modulo => {
            a.checked_rem(b).map(|rest| if rest != 0 && (rest < 0) != (b < 0) { rest + b } else { rest })
        }
        BinaryOp::Power if b < 0 => return floats(operator, a as f64, b as f64),
        BinaryOp::Power => u32::try_from(b).ok().and_then(|exponent| a.checked_pow(exponent)).or(match a {
            0 | 1 => Some(a),
            -1 => Some(if b % 2 == 0 { 1 } else { -1 }),
            _ => None,
        }),
    };
    match result {
        Some(value) => Ok(Value::Int(value)),
        None => too_big(),
    }
}

fn too_big<T>() -> Result<T> {
    limit_error("integers of more than 127 bits are not supported")
}

/// Floor division from Euclidean division, which rounds up for a negative divisor.
fn floor_of(quotient: i128, a: i128, b: i128) -> i128 {
    if b < 0 && a.rem_euclid(b) != 0 {
        quotient - 1
    } else {
        quotient
    }
}

fn floats(operator: BinaryOp, a: f64, b: f64) -> Result<Value> {
    if b == 0.0 && matches!(operator, BinaryOp::Divide | BinaryOp::FloorDivide | BinaryOp::Modulo) {
        return type_error("float division by zero");
    }
    let modulo = |a: f64, b: f64| {
        let rest = a % b;
        if rest != 0.0 && (rest < 0.0) != (b < 0.0) {
            rest + b
        } else if rest == 0.0 {
            0.0_f64.copysign(b)
        } else {
            rest
        }
    };
    Ok(Value::Float(match operator {
        BinaryOp::Add => a + b,
        BinaryOp::Subtract => a - b,
        BinaryOp::Multiply => a * b,
        BinaryOp::Divide => a / b,
        BinaryOp::FloorDivide => {
            let quotient = (a - modulo(a, b)) / b;
            let floor = quotient.floor();
            if quotient - floor > 0.5 {
                floor + 1.0
            } else {
                floor
            }
        }
        BinaryOp::Modulo => modulo(a, b),
        BinaryOp::Power => {
            if a == 0.0 && b < 0.0 {
                return type_error("0.0 cannot be raised to a negative power");
            }
            if a < 0.0 && b.fract() != 0.0 && b.is_finite() {
                return type_error("complex numbers are not supported");
            }
            let power = a.powf(b);
            if power.is_infinite() && a.is_finite() && b.is_finite() {
                return type_error("(34, 'Numerical result out of range')");
            }
            power
        }
    }))
}

pub(crate) fn negative(value: &Value) -> Result<Value> {
    check_defined(value)?;
    match value {
        Value::Float(float) => Ok(Value::Float(-float)),
        Value::Big(digits) => Ok(Value::Big(match digits.strip_prefix('-') {
            Some(positive) => positive.into(),
            None => format!("-{digits}").into(),
        })),
        other => match other.as_int() {
            Some(int) => Ok(Value::Int(-int)),
            None => type_error(format!("bad operand type for unary -: '{}'", value.type_name())),
        },
    }
}

pub(crate) fn positive(value: &Value) -> Result<Value> {
    check_defined(value)?;
    match value {
        Value::Float(_) | Value::Big(_) => Ok(value.clone()),
        other => match other.as_int() {
            Some(int) => Ok(Value::Int(int)),
            None => type_error(format!("bad operand type for unary +: '{}'", value.type_name())),
        },
    }
}
