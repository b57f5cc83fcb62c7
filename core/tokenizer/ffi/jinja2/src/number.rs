//! Numbers as Python reads and writes them.

use crate::unicode::is_space;

pub(crate) enum Literal {
    Int(i128),
    Float(f64),
}

/// The number literal at the start of `text` and its length. After a dot no float is read: `a.1.2`.
pub(crate) fn literal(text: &str, after_dot: bool) -> Result<Option<(Literal, usize)>, String> {
    if !text.starts_with(|c: char| c.is_ascii_digit()) {
        return Ok(None);
    }
    if !after_dot {
        if let Some(length) = float_length(text) {
            let value = text[..length].replace('_', "").parse().map_err(|_| "malformed float".to_string())?;
            return Ok(Some((Literal::Float(value), length)));
        }
    }
    for (prefix, radix) in [("0b", 2), ("0o", 8), ("0x", 16)] {
        if text.len() > 2 && text.is_char_boundary(2) && text[..2].eq_ignore_ascii_case(prefix) {
            let length = digits_length(&text[2..], true, |byte| char::from(byte).is_digit(radix));
            if length > 0 {
                let digits = text[2..2 + length].replace('_', "");
                return int(&digits, radix).map(|value| Some((Literal::Int(value), 2 + length)));
            }
        }
    }
    let length = match text.strip_prefix('0') {
        Some(rest) => 1 + digits_length(rest, true, |byte| byte == b'0'),
        None => digits_length(text, false, |byte| byte.is_ascii_digit()),
    };
    int(&text[..length].replace('_', ""), 10).map(|value| Some((Literal::Int(value), length)))
}

fn int(digits: &str, radix: u32) -> Result<i128, String> {
    i128::from_str_radix(digits, radix)
        .map_err(|_| "integers of more than 127 bits are not supported".to_string())
}

/// Digits with single underscores between them (and before the first one when `leading`).
fn digits_length(text: &str, leading: bool, is_digit: impl Fn(u8) -> bool) -> usize {
    let bytes = text.as_bytes();
    let mut at = 0;
    let mut can_skip = leading;
    loop {
        let skip = usize::from(can_skip && bytes.get(at) == Some(&b'_'));
        match bytes.get(at + skip) {
            Some(&byte) if is_digit(byte) => at += skip + 1,
            _ => return at,
        }
        can_skip = true;
    }
}

fn float_length(text: &str) -> Option<usize> {
    let digits = |text: &str| digits_length(text, false, |byte| byte.is_ascii_digit());
    let mut length = digits(text);
    let mut is_float = false;
    if let Some(fraction) = text[length..].strip_prefix('.') {
        let num_digits = digits(fraction);
        if num_digits > 0 {
            is_float = true;
            length += 1 + num_digits;
        }
    }
    if let Some(exponent) = text[length..].strip_prefix(['e', 'E']) {
        let sign = usize::from(exponent.starts_with(['+', '-']));
        let num_digits = digits(&exponent[sign..]);
        if num_digits > 0 {
            is_float = true;
            length += 1 + sign + num_digits;
        }
    }
    is_float.then_some(length)
}

/// repr(float)
pub(crate) fn float_repr(value: f64) -> String {
    if value.is_nan() {
        return "nan".to_string();
    }
    if value.is_infinite() {
        return if value > 0.0 { "inf" } else { "-inf" }.to_string();
    }
    let scientific = format!("{value:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..16).contains(&exponent) {
        let plain = format!("{value}");
        return if plain.contains('.') { plain } else { plain + ".0" };
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.abs())
}

/// int(text, base); None where Python raises ValueError.
pub(crate) fn parse_int(text: &str, base: u32) -> Option<i128> {
    let text = text.trim_matches(is_space);
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let prefix_base = digits.get(..2).and_then(|prefix| match &*prefix.to_ascii_lowercase() {
        "0b" => Some(2),
        "0o" => Some(8),
        "0x" => Some(16),
        _ => None,
    });
    let (digits, base) = match prefix_base {
        Some(found) if base == 0 || base == found => {
            (digits[2..].strip_prefix('_').unwrap_or(&digits[2..]), found)
        }
        _ if base == 0 => {
            if digits.len() > 1
                && digits.starts_with('0')
                && digits.bytes().any(|byte| byte != b'0' && byte != b'_')
            {
                return None;
            }
            (digits, 10)
        }
        _ => (digits, base),
    };
    let plain = plain_digits(digits)?;
    let value = i128::from_str_radix(&plain, base).ok()?;
    Some(if negative { -value } else { value })
}

/// float(text); None where Python raises ValueError.
pub(crate) fn parse_float(text: &str) -> Option<f64> {
    let text = text.trim_matches(is_space);
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text).to_ascii_lowercase();
    if matches!(&*unsigned, "inf" | "infinity" | "nan") {
        let value = if unsigned == "nan" { f64::NAN } else { f64::INFINITY };
        return Some(if text.starts_with('-') { -value } else { value });
    }
    if !unsigned.starts_with(|c: char| c.is_numeric() || c == '.') {
        return None;
    }
    // An underscore may only stand between two digits.
    let chars: Vec<char> = text.chars().collect();
    for (at, c) in chars.iter().enumerate() {
        let between =
            at > 0 && chars[at - 1].is_numeric() && chars.get(at + 1).is_some_and(|next| next.is_numeric());
        if *c == '_' && !between {
            return None;
        }
    }
    let plain: String = chars.iter().filter(|c| **c != '_').map(|c| ascii_digit(*c)).collect();
    plain.parse().ok()
}

fn plain_digits(digits: &str) -> Option<String> {
    if digits.is_empty()
        || digits.starts_with(['_', '+', '-'])
        || digits.ends_with('_')
        || digits.contains("__")
    {
        return None;
    }
    Some(digits.chars().filter(|c| *c != '_').map(ascii_digit).collect())
}

/// Decimal digits of other scripts count as digits in int() and float().
fn ascii_digit(c: char) -> char {
    if c.is_ascii() || !crate::unicode::is_decimal(c) {
        return c;
    }
    // Each script's ten digits are consecutive and its zero is the first decimal of the run.
    let mut zero = c as u32;
    while zero > 0 && char::from_u32(zero - 1).is_some_and(crate::unicode::is_decimal) && c as u32 - zero < 9
    {
        zero -= 1;
    }
    char::from_digit((c as u32 - zero) % 10, 10).unwrap_or(c)
}

/// round(value, digits) with ties to even on the exact decimal value.
pub(crate) fn round_float(value: f64, digits: i32) -> f64 {
    if !value.is_finite() {
        return value;
    }
    if digits >= 0 {
        let digits = digits.min(330) as usize;
        return format!("{value:.digits$}").parse().unwrap_or(value);
    }
    let scale = 10_f64.powi(-digits);
    let scaled = value / scale;
    let rounded = scaled.round();
    let result = if (scaled - scaled.trunc()).abs() == 0.5 { 2.0 * (scaled / 2.0).round() } else { rounded };
    result * scale
}

/// round(value, digits) of an integer.
pub(crate) fn round_int(value: i128, digits: i32) -> i128 {
    if digits >= 0 {
        return value;
    }
    let Some(scale) = 10_i128.checked_pow(digits.unsigned_abs()) else {
        return 0;
    };
    let remainder = value.rem_euclid(scale);
    let down = value - remainder;
    let is_odd = (down / scale) % 2 != 0;
    if remainder * 2 > scale || (remainder * 2 == scale && is_odd) {
        down + scale
    } else {
        down
    }
}
