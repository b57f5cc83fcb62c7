//! Splits template text into tokens, with transformers' settings: trim_blocks and lstrip_blocks.

use std::sync::Arc;

use crate::error::{Error, Result};
use crate::number;
use crate::unescape::unescape;
use crate::unicode::{is_identifier, is_space, is_word};

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Tok {
    /// Template text outside of tags.
    Text(Arc<str>),
    VariableBegin,
    VariableEnd,
    BlockBegin,
    BlockEnd,
    Name(Arc<str>),
    Str(Arc<str>),
    Int(i128),
    Float(f64),
    Op(&'static str),
    End,
}

#[derive(Clone, Debug)]
pub(crate) struct Token {
    pub tok: Tok,
    pub line: u32,
}

const OPERATORS: [&str; 26] = [
    "//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[", "]", "(", ")", "{", "}", ">", "<",
    "=", ".", ":", "|", ",", ";",
];

/// What opens at a position of the template text.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Opening {
    Comment,
    Block,
    Variable,
}

struct Lexer<'s> {
    source: &'s str,
    position: usize,
    line: u32,
    /// The last match ended with a line break (or nothing was matched yet).
    at_line_start: bool,
    tokens: Vec<Token>,
}

/// Line breaks become "\n" and one at the very end is dropped.
fn normalize(source: &str) -> String {
    let mut text = source.replace("\r\n", "\n").replace('\r', "\n");
    if text.ends_with('\n') {
        text.pop();
    }
    text
}

pub(crate) fn tokenize(source: &str) -> Result<Vec<Token>> {
    let text = normalize(source);
    let mut lexer = Lexer { source: &text, position: 0, line: 1, at_line_start: true, tokens: Vec::new() };
    while lexer.position < text.len() {
        lexer.text_and_tag()?;
    }
    lexer.push(Tok::End);
    Ok(lexer.tokens)
}

impl<'s> Lexer<'s> {
    fn rest(&self) -> &'s str {
        &self.source[self.position..]
    }

    fn push(&mut self, tok: Tok) {
        self.tokens.push(Token { tok, line: self.line });
    }

    fn advance(&mut self, num_bytes: usize) {
        let passed = &self.source[self.position..self.position + num_bytes];
        self.line += passed.bytes().filter(|&byte| byte == b'\n').count() as u32;
        self.position += num_bytes;
    }

    fn skip_spaces(&mut self) {
        let rest = self.rest();
        self.advance(rest.len() - rest.trim_start_matches(is_space).len());
    }

    fn syntax<T>(&self, message: impl Into<String>) -> Result<T> {
        Err(Error::syntax(message, self.line))
    }

    /// Text up to the next tag, then the tag.
    fn text_and_tag(&mut self) -> Result<()> {
        let rest = self.rest();
        let mut found = None;
        for (offset, _) in rest.match_indices('{') {
            let opening = match rest.as_bytes().get(offset + 1) {
                Some(b'#') => Opening::Comment,
                Some(b'%') => Opening::Block,
                Some(b'{') => Opening::Variable,
                _ => continue,
            };
            found = Some((offset, opening));
            break;
        }
        let Some((offset, opening)) = found else {
            self.push(Tok::Text(Arc::from(rest)));
            self.advance(rest.len());
            return Ok(());
        };
        let text = &rest[..offset];
        let sign = self.sign_at(self.position + offset + 2);
        let kept = self.strip_before(text, sign, opening == Opening::Variable);
        if !kept.is_empty() {
            self.push(Tok::Text(Arc::from(kept)));
        }
        self.advance(offset + 2 + usize::from(sign.is_some()));
        self.at_line_start = false;
        match opening {
            Opening::Comment => self.comment(),
            Opening::Variable => {
                self.push(Tok::VariableBegin);
                self.expression_tokens(true)
            }
            Opening::Block => {
                if let Some(length) = self.raw_begin() {
                    self.at_line_start = self.rest()[..length].ends_with('\n');
                    self.advance(length);
                    return self.raw();
                }
                self.push(Tok::BlockBegin);
                self.expression_tokens(false)
            }
        }
    }

    fn sign_at(&self, position: usize) -> Option<u8> {
        self.source.as_bytes().get(position).copied().filter(|byte| matches!(byte, b'-' | b'+'))
    }

    /// What remains of the text before a tag: "-" strips white space, lstrip_blocks the tag's own indentation.
    fn strip_before<'t>(&self, text: &'t str, sign: Option<u8>, is_variable: bool) -> &'t str {
        if sign == Some(b'-') {
            return text.trim_end_matches(is_space);
        }
        if sign == Some(b'+') || is_variable {
            return text;
        }
        let line_start = text.rfind('\n').map_or(0, |at| at + 1);
        let indentation = &text[line_start..];
        if (line_start > 0 || self.at_line_start)
            && !indentation.is_empty()
            && indentation.chars().all(is_space)
        {
            return &text[..line_start];
        }
        text
    }

    /// After a tag's end: "-" strips white space, otherwise a block or comment takes the line break with it.
    fn close(&mut self, sign: Option<u8>, num_bytes: usize, trims_newline: bool) {
        let start = self.position;
        self.advance(num_bytes);
        if sign == Some(b'-') {
            self.skip_spaces();
        } else if trims_newline && sign.is_none() && self.rest().starts_with('\n') {
            self.advance(1);
        }
        self.at_line_start = self.source[start..self.position].ends_with('\n');
    }

    fn comment(&mut self) -> Result<()> {
        let rest = self.rest();
        let Some(end) = rest.find("#}") else {
            return self.syntax("Missing end of comment tag");
        };
        let sign = if end == 0 { None } else { self.sign_at(self.position + end - 1) };
        self.advance(end);
        self.close(sign, 2, true);
        Ok(())
    }

    /// Length of `raw %}` when the block just opened is a raw block.
    fn raw_begin(&self) -> Option<usize> {
        let rest = self.rest();
        let after = rest.trim_start_matches(is_space).strip_prefix("raw")?.trim_start_matches(is_space);
        let body = match after.strip_prefix("-%}") {
            Some(body) => body.trim_start_matches(is_space),
            None => after.strip_prefix("%}")?,
        };
        Some(rest.len() - body.len())
    }

    fn raw(&mut self) -> Result<()> {
        let rest = self.rest();
        for (offset, _) in rest.match_indices("{%") {
            let sign = self.sign_at(self.position + offset + 2);
            let inside = &rest[offset + 2 + usize::from(sign.is_some())..];
            let Some(after) = inside.trim_start_matches(is_space).strip_prefix("endraw") else {
                continue;
            };
            let tail = after.trim_start_matches(is_space);
            let end_sign = tail.bytes().next().filter(|byte| matches!(byte, b'-' | b'+'));
            if !tail[usize::from(end_sign.is_some())..].starts_with("%}") {
                continue;
            }
            // The line start is judged from the text right after the opening tag, as the opening's match ended.
            let kept = self.strip_before(&rest[..offset], sign, false);
            if !kept.is_empty() {
                self.push(Tok::Text(Arc::from(kept)));
            }
            self.advance(rest.len() - tail.len());
            self.close(end_sign, 2 + usize::from(end_sign.is_some()), true);
            return Ok(());
        }
        self.syntax("Missing end of raw directive")
    }

    /// The tokens of `{{ ... }}` or `{% ... %}`, up to its end.
    fn expression_tokens(&mut self, is_variable: bool) -> Result<()> {
        let mut open = Vec::new();
        loop {
            let rest = self.rest();
            let Some(first) = rest.chars().next() else {
                return Ok(()); // the parser reports the missing end
            };
            if open.is_empty() && self.tag_end(is_variable) {
                return Ok(());
            }
            if is_space(first) {
                self.skip_spaces();
            } else if let Some((tok, length)) = self.number()? {
                self.push(tok);
                self.advance(length);
            } else if is_word(first) {
                let name = &rest[..rest.find(|c| !is_word(c)).unwrap_or(rest.len())];
                if !is_identifier(name) {
                    return self.syntax("Invalid character in identifier");
                }
                self.push(Tok::Name(Arc::from(name)));
                self.advance(name.len());
            } else if let Some(length) = string_length(rest) {
                let text =
                    unescape(&rest[1..length - 1]).map_err(|message| Error::syntax(message, self.line))?;
                self.push(Tok::Str(Arc::from(text)));
                self.advance(length);
            } else {
                self.operator(&mut open)?;
            }
        }
    }

    fn operator(&mut self, open: &mut Vec<u8>) -> Result<()> {
        let rest = self.rest();
        let operator = OPERATORS.iter().find(|operator| rest.starts_with(**operator));
        let Some(operator) = operator else {
            return self.syntax(format!("unexpected char {:?}", rest.chars().next().unwrap_or(' ')));
        };
        match *operator {
            "{" => open.push(b'}'),
            "(" => open.push(b')'),
            "[" => open.push(b']'),
            "}" | ")" | "]" => match open.pop() {
                None => return self.syntax(format!("unexpected '{operator}'")),
                Some(expected) if expected != operator.as_bytes()[0] => {
                    return self
                        .syntax(format!("unexpected '{operator}', expected '{}'", char::from(expected)));
                }
                Some(_) => {}
            },
            _ => {}
        }
        self.push(Tok::Op(operator));
        self.advance(operator.len());
        Ok(())
    }

    /// Consumes the end of the tag if it stands here.
    fn tag_end(&mut self, is_variable: bool) -> bool {
        let end = if is_variable { "}}" } else { "%}" };
        let sign = self.sign_at(self.position).filter(|&sign| sign == b'-' || !is_variable);
        let length = usize::from(sign.is_some());
        if !self.rest()[length..].starts_with(end) {
            return false;
        }
        self.push(if is_variable { Tok::VariableEnd } else { Tok::BlockEnd });
        self.close(sign, length + 2, !is_variable);
        true
    }

    fn number(&self) -> Result<Option<(Tok, usize)>> {
        let after_dot = self.source[..self.position].ends_with('.');
        match number::literal(self.rest(), after_dot) {
            Ok(None) => Ok(None),
            Ok(Some((number::Literal::Int(value), length))) => Ok(Some((Tok::Int(value), length))),
            Ok(Some((number::Literal::Float(value), length))) => Ok(Some((Tok::Float(value), length))),
            Err(message) => self.syntax(message),
        }
    }
}

/// Length of the quoted string at the start of `text`, quotes included.
fn string_length(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let quote = *bytes.first().filter(|byte| matches!(byte, b'\'' | b'"'))?;
    let mut at = 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            byte if byte == quote => return Some(at + 1),
            _ => at += 1,
        }
    }
    None
}
