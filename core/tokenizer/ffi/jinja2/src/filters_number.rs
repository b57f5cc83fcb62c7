//! Filters on numbers.

use crate::access::iterate;
use crate::args::{int, Args};
use crate::ast::BinaryOp;
use crate::error::{type_error, Error, Kind, Result};
use crate::item_path::Path;
use crate::number::{parse_float, parse_int, round_float, round_int};
use crate::ops::binary;
use crate::unicode::is_space;
use crate::value::{check_defined, Value};

pub(crate) fn call(name: &str, input: &Value, args: Args) -> Result<Value> {
    match name {
        "abs" => {
            args.bind::<0>(name, [], 0)?;
            check_defined(input)?;
            match input {
                Value::Float(value) => Ok(Value::Float(value.abs())),
                Value::Big(digits) => Ok(Value::Big(digits.trim_start_matches('-').into())),
                other => match other.as_int() {
                    Some(value) => Ok(Value::Int(value.abs())),
                    None => type_error(format!("bad operand type for abs(): '{}'", input.type_name())),
                },
            }
        }
        "float" => {
            let [default] = args.bind(name, ["default"], 0)?;
            check_defined(input)?;
            Ok(to_float(input).map_or_else(|| default.unwrap_or(Value::Float(0.0)), Value::Float))
        }
        "int" => {
            let [default, base] = args.bind(name, ["default", "base"], 0)?;
            check_defined(input)?;
            let base = base.map_or(Ok(10), |base| int(name, &base))?;
            if matches!(input, Value::Float(value) if value.is_infinite()) {
                return type_error("cannot convert float infinity to integer");
            }
            Ok(to_int(input, base).unwrap_or_else(|| default.unwrap_or(Value::Int(0))))
        }
        "round" => round(input, args),
        "sum" => {
            let [attribute, start] = args.bind(name, ["attribute", "start"], 0)?;
            let path = Path::new(attribute.as_ref(), None);
            let mut total = start.unwrap_or(Value::Int(0));
            if total.as_str().is_some() {
                return type_error("sum() can't sum strings [use ''.join(seq) instead]");
            }
            for item in iterate(input)? {
                total = binary(BinaryOp::Add, &total, &path.follow(&item)?)?;
            }
            Ok(total)
        }
        _ => file_size(input, args),
    }
}

fn to_float(input: &Value) -> Option<f64> {
    match input {
        Value::Str(text) | Value::Markup(text) => parse_float(text),
        other => other.as_float(),
    }
}

fn to_int(input: &Value, base: i64) -> Option<Value> {
    let truncated = |float: f64| float.is_finite().then(|| whole(float));
    match input {
        Value::Str(text) | Value::Markup(text) => {
            let base = u32::try_from(base).ok().filter(|base| *base == 0 || (2..=36).contains(base));
            let number = base.and_then(|base| parse_int(text, base)).map(Value::Int);
            let number = number.or_else(|| (base == Some(10)).then(|| big(text)).flatten());
            number.or_else(|| parse_float(text).and_then(truncated))
        }
        Value::Float(value) => truncated(*value),
        Value::Big(_) => Some(input.clone()),
        other => other.as_int().map(Value::Int),
    }
}

/// int(float)
fn whole(float: f64) -> Value {
    const LIMIT: f64 = (1_u128 << 127) as f64;
    if float.abs() < LIMIT {
        Value::Int(float as i128)
    } else {
        Value::Big(format!("{float:.0}").into())
    }
}

/// A text of plain decimal digits beyond 127 bits.
fn big(text: &str) -> Option<Value> {
    let text = text.trim_matches(is_space);
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    };
    let is_plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_plain.then(|| Value::Big(format!("{sign}{}", digits.trim_start_matches('0')).into()))
}

fn round(input: &Value, args: Args) -> Result<Value> {
    let [precision, method] = args.bind("round", ["precision", "method"], 0)?;
    let method = method.as_ref().map_or("common", |method| method.as_str().map_or("", |text| text));
    if !matches!(method, "common" | "ceil" | "floor") {
        return Err(Error::new(Kind::Type, "method must be common, ceil or floor"));
    }
    check_defined(input)?;
    let precision = precision.map_or(Ok(0), |precision| int("round", &precision))?.clamp(-400, 400) as i32;
    if method == "common" {
        return match input {
            Value::Float(value) => Ok(Value::Float(round_float(*value, precision))),
            Value::Big(_) if precision >= 0 => Ok(input.clone()),
            other => match other.as_int() {
                Some(value) => Ok(Value::Int(round_int(value, precision))),
                None => type_error(format!("type {} doesn't define __round__ method", input.type_name())),
            },
        };
    }
    let Some(value) = input.as_float() else {
        return type_error(format!("must be real number, not {}", input.type_name()));
    };
    let scale = 10_f64.powi(precision);
    let scaled = value * scale;
    Ok(Value::Float(if method == "ceil" { scaled.ceil() } else { scaled.floor() } / scale))
}

fn file_size(input: &Value, args: Args) -> Result<Value> {
    let [binary] = args.bind("filesizeformat", ["binary"], 0)?;
    let binary = binary.is_some_and(|binary| binary.truth());
    let Some(bytes) = to_float(input) else {
        return type_error(format!("could not convert to a number: '{}'", input.type_name()));
    };
    let base: f64 = if binary { 1024.0 } else { 1000.0 };
    if bytes == 1.0 {
        return Ok(Value::str("1 Byte"));
    }
    if bytes < base {
        return Ok(Value::str(format!("{} Bytes", bytes.trunc())));
    }
    let prefixes = ["k", "M", "G", "T", "P", "E", "Z", "Y"];
    let mut unit = base;
    for (index, prefix) in prefixes.iter().enumerate() {
        unit *= base;
        if bytes < unit || index + 1 == prefixes.len() {
            let suffix =
                if binary { format!("{}iB", prefix.to_ascii_uppercase()) } else { format!("{prefix}B") };
            return Ok(Value::str(format!("{:.1} {suffix}", base * bytes / unit)));
        }
    }
    Ok(Value::str(""))
}
