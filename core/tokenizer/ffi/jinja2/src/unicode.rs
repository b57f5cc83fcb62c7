//! Python's view of characters, where Rust's differs.

use unicode_general_category::{get_general_category, GeneralCategory as Category};

/// str.isspace for one character; also what `\s` matches.
pub(crate) fn is_space(c: char) -> bool {
    matches!(c, '\t'..='\r' | '\u{1c}'..=' ' | '\u{85}' | '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}')
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202f}' | '\u{205f}' | '\u{3000}')
}

/// Line boundaries of str.splitlines.
pub(crate) fn is_line_break(c: char) -> bool {
    matches!(c, '\n'..='\r' | '\u{1c}'..='\u{1e}' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// What `\w` matches.
pub(crate) fn is_word(c: char) -> bool {
    c == '_' || is_alpha(c) || is_numeric(c)
}

pub(crate) fn is_alpha(c: char) -> bool {
    use Category::{LowercaseLetter, ModifierLetter, OtherLetter, TitlecaseLetter, UppercaseLetter};
    if c.is_ascii() {
        return c.is_ascii_alphabetic();
    }
    matches!(
        get_general_category(c),
        LowercaseLetter | ModifierLetter | OtherLetter | TitlecaseLetter | UppercaseLetter
    )
}

pub(crate) fn is_decimal(c: char) -> bool {
    c.is_ascii_digit() || (!c.is_ascii() && get_general_category(c) == Category::DecimalNumber)
}

/// Decimal digits, and digits in special writing such as superscripts.
pub(crate) fn is_digit(c: char) -> bool {
    is_decimal(c)
        || matches!(c, '\u{b2}' | '\u{b3}' | '\u{b9}' | '\u{2070}' | '\u{2074}'..='\u{2079}' | '\u{2080}'..='\u{2089}')
        || matches!(c, '\u{2460}'..='\u{2468}' | '\u{2474}'..='\u{247c}' | '\u{2488}'..='\u{2490}' | '\u{24ea}')
        || matches!(c, '\u{24f5}'..='\u{24fd}' | '\u{24ff}' | '\u{2776}'..='\u{277e}' | '\u{2780}'..='\u{2788}')
        || matches!(c, '\u{278a}'..='\u{2792}' | '\u{1369}'..='\u{1371}' | '\u{19da}' | '\u{1f100}'..='\u{1f10a}')
}

pub(crate) fn is_numeric(c: char) -> bool {
    use Category::{DecimalNumber, LetterNumber, OtherNumber};
    if c.is_ascii() {
        return c.is_ascii_digit();
    }
    matches!(get_general_category(c), DecimalNumber | LetterNumber | OtherNumber)
        || "一二三四五六七八九十百千万億零〇".contains(c)
}

pub(crate) fn is_identifier(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(|c| c == '_' || is_alpha(c)) && chars.all(is_word)
}

/// str.isprintable for one character: what repr() leaves as it is.
pub(crate) fn is_printable(c: char) -> bool {
    use Category::{
        Control, Format, LineSeparator, ParagraphSeparator, PrivateUse, SpaceSeparator, Surrogate, Unassigned,
    };
    if c.is_ascii() {
        return (' '..='~').contains(&c);
    }
    !matches!(
        get_general_category(c),
        Control
            | Format
            | LineSeparator
            | ParagraphSeparator
            | PrivateUse
            | SpaceSeparator
            | Surrogate
            | Unassigned
    )
}

pub(crate) fn is_title_case(c: char) -> bool {
    !c.is_ascii() && get_general_category(c) == Category::TitlecaseLetter
}

/// The title-case form of a character, which may be several characters ("ß" -> "Ss").
pub(crate) fn to_title(c: char) -> String {
    match c {
        '\u{1c4}'..='\u{1c6}' => "\u{1c5}".to_string(),
        '\u{1c7}'..='\u{1c9}' => "\u{1c8}".to_string(),
        '\u{1ca}'..='\u{1cc}' => "\u{1cb}".to_string(),
        '\u{1f1}'..='\u{1f3}' => "\u{1f2}".to_string(),
        '\u{10d0}'..='\u{10ff}' => c.to_string(), // Georgian has no title case
        _ => {
            let mut upper = c.to_uppercase();
            let first = upper.next().unwrap_or(c);
            std::iter::once(first).chain(upper.flat_map(char::to_lowercase)).collect()
        }
    }
}

/// str.capitalize
pub(crate) fn capitalize(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        None => String::new(),
        Some(first) => to_title(first) + &lower_tail(text, first),
    }
}

/// The text after its first character in lower case; the whole decides how a final sigma is written.
pub(crate) fn lower_tail(text: &str, first: char) -> String {
    let lower = text.to_lowercase();
    let skipped: usize = first.to_lowercase().map(char::len_utf8).sum();
    lower[skipped..].to_string()
}

/// str.splitlines; `keep` leaves the line breaks.
pub(crate) fn split_lines(text: &str, keep: bool) -> Vec<&str> {
    let mut lines = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(is_line_break) {
        let breaks = if rest[at..].starts_with("\r\n") {
            2
        } else {
            rest[at..].chars().next().map_or(1, char::len_utf8)
        };
        lines.push(&rest[..if keep { at + breaks } else { at }]);
        rest = &rest[at + breaks..];
    }
    if !rest.is_empty() {
        lines.push(rest);
    }
    lines
}
