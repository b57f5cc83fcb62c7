//! Reads the render call's variables: JSON as Python's json.loads does, numbers with every digit.

use crate::limits::MAX_NESTING;
use crate::value::{Dict, Value};

/// The value of a JSON text, or why it is none.
pub(crate) fn parse(text: &str) -> Result<Value, String> {
    let mut reader = Reader { text, at: 0 };
    let value = reader.value(0)?;
    reader.skip_blank();
    match reader.peek() {
        None => Ok(value),
        Some(_) => reader.fail("something stands behind the value"),
    }
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl Reader<'_> {
    fn fail<T>(&self, reason: &str) -> Result<T, String> {
        Err(format!("{reason} at byte {} of the JSON text", self.at))
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_blank(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    fn take(&mut self, wanted: u8) -> bool {
        let found = self.peek() == Some(wanted);
        self.at += usize::from(found);
        found
    }

    fn value(&mut self, depth: u32) -> Result<Value, String> {
        if depth > MAX_NESTING {
            return self.fail(&format!("values are nested more than {MAX_NESTING} deep"));
        }
        self.skip_blank();
        match self.peek() {
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(b'"') => Ok(Value::str(self.string()?)),
            _ => self.scalar(),
        }
    }

    fn scalar(&mut self) -> Result<Value, String> {
        let words = [
            ("null", Value::None),
            ("true", Value::Bool(true)),
            ("false", Value::Bool(false)),
            ("NaN", Value::Float(f64::NAN)),
            ("Infinity", Value::Float(f64::INFINITY)),
            ("-Infinity", Value::Float(f64::NEG_INFINITY)),
        ];
        for (word, value) in words {
            if self.text.as_bytes()[self.at..].starts_with(word.as_bytes()) {
                self.at += word.len();
                return Ok(value);
            }
        }
        self.number()
    }

    fn array(&mut self, depth: u32) -> Result<Value, String> {
        self.at += 1;
        let mut values = Vec::new();
        self.skip_blank();
        if !self.take(b']') {
            loop {
                values.push(self.value(depth + 1)?);
                self.skip_blank();
                if self.take(b']') {
                    break;
                }
                if !self.take(b',') {
                    return self.fail("expected ',' or ']'");
                }
            }
        }
        Value::list(values).map_err(|error| error.message)
    }

    fn object(&mut self, depth: u32) -> Result<Value, String> {
        self.at += 1;
        let mut pairs = Vec::new();
        self.skip_blank();
        if !self.take(b'}') {
            loop {
                self.skip_blank();
                if self.peek() != Some(b'"') {
                    return self.fail("expected a key in double quotes");
                }
                let key = Value::str(self.string()?);
                self.skip_blank();
                if !self.take(b':') {
                    return self.fail("expected ':'");
                }
                pairs.push((key, self.value(depth + 1)?));
                self.skip_blank();
                if self.take(b'}') {
                    break;
                }
                if !self.take(b',') {
                    return self.fail("expected ',' or '}'");
                }
            }
        }
        Dict::new(pairs).map(Value::dict).map_err(|error| error.message)
    }

    fn digits(&mut self) -> bool {
        let begin = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        self.at > begin
    }

    fn number(&mut self) -> Result<Value, String> {
        let begin = self.at;
        self.take(b'-');
        let has_zero = self.take(b'0');
        if !has_zero && !self.digits() {
            return self.fail("expected a value");
        }
        let whole_end = self.at;
        if self.take(b'.') && !self.digits() {
            return self.fail("expected a digit");
        }
        if self.take(b'e') || self.take(b'E') {
            let _ = self.take(b'-') || self.take(b'+');
            if !self.digits() {
                return self.fail("expected a digit");
            }
        }
        let text = &self.text[begin..self.at];
        if self.at == whole_end {
            return Ok(text.parse().map_or_else(|_| Value::Big(text.into()), Value::Int));
        }
        // One too large is infinite, as in Python.
        text.parse().map(Value::Float).or_else(|_| self.fail("not a number"))
    }

    fn string(&mut self) -> Result<String, String> {
        self.at += 1;
        let mut out = String::new();
        loop {
            let rest = &self.text[self.at..];
            let end = rest.find(['"', '\\']).unwrap_or(rest.len());
            out.push_str(&rest[..end]);
            self.at += end;
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(out);
                }
                Some(_) => out.push(self.escape()?),
                None => return self.fail("a text is never closed"),
            }
        }
    }

    fn escape(&mut self) -> Result<char, String> {
        self.at += 1;
        let letter = self.peek();
        self.at += 1;
        Ok(match letter {
            Some(letter @ (b'"' | b'\\' | b'/')) => char::from(letter),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode(),
            _ => return self.fail("an escape that JSON does not have"),
        })
    }

    fn unicode(&mut self) -> Result<char, String> {
        let mut code = self.unit()?;
        if (0xd800..0xdc00).contains(&code) && self.text[self.at..].starts_with("\\u") {
            self.at += 2;
            let low = self.unit()?;
            if (0xdc00..0xe000).contains(&low) {
                code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
            }
        }
        match char::from_u32(code) {
            Some(c) => Ok(c),
            None => self.fail("half a surrogate pair, which UTF-8 cannot write,"),
        }
    }

    /// Four hexadecimal digits.
    fn unit(&mut self) -> Result<u32, String> {
        let digits = self.text.get(self.at..self.at + 4);
        let digits = digits.filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        match digits.and_then(|digits| u32::from_str_radix(digits, 16).ok()) {
            Some(unit) => {
                self.at += 4;
                Ok(unit)
            }
            None => self.fail("expected four hexadecimal digits"),
        }
    }
}
