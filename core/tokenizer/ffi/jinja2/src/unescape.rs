//! Escapes in string literals, as Python's "unicode-escape" codec reads them.

pub(crate) fn unescape(text: &str) -> Result<String, String> {
    if !text.contains('\\') {
        return Ok(text.to_string());
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let Some(escape) = rest.chars().next() else {
            return Err("\\ at end of string".to_string());
        };
        let mut used = escape.len_utf8();
        match escape {
            '\n' => {}
            '\\' | '\'' | '"' => out.push(escape),
            'n' => out.push('\n'),
            't' => out.push('\t'),
            'r' => out.push('\r'),
            'a' => out.push('\u{7}'),
            'b' => out.push('\u{8}'),
            'f' => out.push('\u{c}'),
            'v' => out.push('\u{b}'),
            '0'..='7' => {
                let digits = rest.bytes().take(3).take_while(|byte| matches!(byte, b'0'..=b'7')).count();
                let code = u32::from_str_radix(&rest[..digits], 8).unwrap_or(0);
                out.push(char::from_u32(code).unwrap_or('\u{fffd}'));
                used = digits;
            }
            'x' | 'u' | 'U' => {
                let digits = match escape {
                    'x' => 2,
                    'u' => 4,
                    _ => 8,
                };
                let (character, taken) = hex_escape(rest, digits)?;
                out.push(character);
                used = taken;
            }
            'N' => return Err("\\N{...} escapes are not supported; write the character itself".to_string()),
            other => {
                out.push('\\');
                out.push(other);
            }
        }
        rest = &rest[used..];
    }
    out.push_str(rest);
    Ok(out)
}

/// The character of `xHH`, `uHHHH` or `UHHHHHHHH`, joining a surrogate pair, and the bytes it took.
fn hex_escape(text: &str, digits: usize) -> Result<(char, usize), String> {
    let code = hex(text.get(1..=digits), digits)?;
    if (0xD800..0xDC00).contains(&code) {
        let low =
            text.get(1 + digits..).and_then(|tail| tail.strip_prefix("\\u")).and_then(|tail| tail.get(..4));
        if let Ok(low @ 0xDC00..=0xDFFF) = hex(low, 4) {
            let joined = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
            return Ok((char::from_u32(joined).unwrap_or('\u{fffd}'), 1 + digits + 6));
        }
    }
    match char::from_u32(code) {
        Some(character) => Ok((character, 1 + digits)),
        None => Err(format!("\\{} names no character", &text[..=digits])),
    }
}

fn hex(text: Option<&str>, digits: usize) -> Result<u32, String> {
    text.filter(|text| text.bytes().all(|byte| byte.is_ascii_hexdigit()))
        .and_then(|text| u32::from_str_radix(text, 16).ok())
        .ok_or_else(|| format!("a \\-escape in a string needs {digits} hexadecimal digits"))
}
