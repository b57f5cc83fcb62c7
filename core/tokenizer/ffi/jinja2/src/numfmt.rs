//! Numbers in the forms that `%` formatting and str.format share.

use crate::number::float_repr;

/// One of e, f, g with Python's rules; `alternate` keeps the point (and zeros of g).
pub(crate) fn float(value: f64, form: char, precision: usize, alternate: bool) -> String {
    let text = if value.is_nan() {
        "nan".to_string()
    } else if value.is_infinite() {
        if value > 0.0 { "inf" } else { "-inf" }.to_string()
    } else {
        match form.to_ascii_lowercase() {
            'e' => scientific(value, precision),
            'g' => general(value, precision, alternate),
            '%' => format!("{:.precision$}%", value * 100.0),
            _ => format!("{value:.precision$}"),
        }
    };
    let text = if alternate && value.is_finite() && !text.contains('.') {
        match text.find('e') {
            Some(at) => format!("{}.{}", &text[..at], &text[at..]),
            None => text + ".",
        }
    } else {
        text
    };
    if form.is_ascii_uppercase() {
        text.to_ascii_uppercase()
    } else {
        text
    }
}

fn scientific(value: f64, precision: usize) -> String {
    let text = format!("{value:.precision$e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.abs())
}

fn general(value: f64, precision: usize, keep_zeros: bool) -> String {
    let precision = precision.max(1);
    let text = scientific(value, precision - 1);
    let exponent: i32 = text.split_once('e').and_then(|(_, exponent)| exponent.parse().ok()).unwrap_or(0);
    if (-4..precision as i32).contains(&exponent) {
        let decimals = (precision as i32 - 1 - exponent).max(0) as usize;
        let fixed = format!("{value:.decimals$}");
        return if keep_zeros { fixed } else { without_zeros(&fixed).to_string() };
    }
    if keep_zeros {
        return text;
    }
    let (mantissa, tail) = text.split_once('e').unwrap_or((&text, "+00"));
    format!("{}e{tail}", without_zeros(mantissa))
}

fn without_zeros(text: &str) -> &str {
    if !text.contains('.') {
        return text;
    }
    text.trim_end_matches('0').trim_end_matches('.')
}

/// A float without a form letter: repr, or g with at least one decimal.
pub(crate) fn default_float(value: f64, precision: Option<usize>) -> String {
    match precision {
        None => float_repr(value),
        Some(precision) => {
            let text = general(value, precision.max(1), false);
            if text.contains(['.', 'e', 'n', 'i']) {
                return text;
            }
            // str.format switches to the exponent one digit earlier than g, to fit ".0".
            if text.trim_start_matches('-').len() >= precision.max(1) {
                let text = scientific(value, precision.max(1) - 1);
                let (mantissa, tail) = text.split_once('e').unwrap_or((&text, "+00"));
                return format!("{}e{tail}", without_zeros(mantissa));
            }
            text + ".0"
        }
    }
}

/// Digits of an integer without its sign: d, b, o, x, X.
pub(crate) fn digits(value: i128, form: char) -> String {
    let value = value.unsigned_abs();
    match form {
        'b' => format!("{value:b}"),
        'o' => format!("{value:o}"),
        'x' => format!("{value:x}"),
        'X' => format!("{value:X}"),
        _ => value.to_string(),
    }
}

/// `separator` between groups of `size` digits of the whole part.
pub(crate) fn grouped(text: &str, separator: char, size: usize) -> String {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(text.len());
    let end = text[..end].find(['e', 'E']).filter(|_| size == 3).unwrap_or(end);
    let (whole, tail) = text.split_at(end);
    let mut out = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index) % size == 0 {
            out.push(separator);
        }
        out.push(digit);
    }
    out + tail
}
