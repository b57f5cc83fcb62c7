//! The token stream, and what expressions and statements share.

use std::sync::Arc;

use crate::error::{Error, Result};
use crate::lexer::{Tok, Token};

/// Deeper nesting of expressions or blocks is refused; the parser and the evaluator recurse.
const MAX_DEPTH: u32 = 120;

/// Longest chain `a + b + c ...` or `a.b.c ...`: each link is one level of the tree.
const MAX_CHAIN: usize = 200;

pub(crate) struct Parser {
    tokens: Vec<Token>,
    position: usize,
    depth: u32,
    /// Inside a for loop of the same function: break and continue have a target.
    pub in_loop: bool,
}

impl Parser {
    pub(crate) fn new(tokens: Vec<Token>) -> Parser {
        Parser { tokens, position: 0, depth: 0, in_loop: false }
    }

    pub(crate) fn tok(&self) -> &Tok {
        &self.tokens[self.position].tok
    }

    pub(crate) fn line(&self) -> u32 {
        self.tokens[self.position].line
    }

    pub(crate) fn look(&self) -> &Tok {
        &self.tokens[(self.position + 1).min(self.tokens.len() - 1)].tok
    }

    pub(crate) fn next(&mut self) -> Tok {
        let tok = self.tok().clone();
        if self.position + 1 < self.tokens.len() {
            self.position += 1;
        }
        tok
    }

    pub(crate) fn is_op(&self, operator: &str) -> bool {
        matches!(self.tok(), Tok::Op(found) if *found == operator)
    }

    pub(crate) fn is_name(&self, name: &str) -> bool {
        matches!(self.tok(), Tok::Name(found) if **found == *name)
    }

    pub(crate) fn skip_op(&mut self, operator: &str) -> bool {
        let found = self.is_op(operator);
        if found {
            self.next();
        }
        found
    }

    pub(crate) fn skip_name(&mut self, name: &str) -> bool {
        let found = self.is_name(name);
        if found {
            self.next();
        }
        found
    }

    pub(crate) fn expect_op(&mut self, operator: &str) -> Result<()> {
        if self.skip_op(operator) {
            return Ok(());
        }
        self.fail(format!("expected token '{operator}', got {}", self.describe()))
    }

    pub(crate) fn expect_name(&mut self) -> Result<Arc<str>> {
        if let Tok::Name(name) = self.tok() {
            let name = name.clone();
            self.next();
            return Ok(name);
        }
        self.fail(format!("expected token 'name', got {}", self.describe()))
    }

    pub(crate) fn expect_keyword(&mut self, name: &str) -> Result<()> {
        if self.skip_name(name) {
            return Ok(());
        }
        self.fail(format!("expected token '{name}', got {}", self.describe()))
    }

    pub(crate) fn expect(&mut self, tok: &Tok) -> Result<()> {
        if self.tok() == tok {
            self.next();
            return Ok(());
        }
        let wanted = if *tok == Tok::BlockEnd { "end of statement block" } else { "end of print statement" };
        self.fail(format!("expected token '{wanted}', got {}", self.describe()))
    }

    pub(crate) fn fail<T>(&self, message: impl Into<String>) -> Result<T> {
        Err(Error::syntax(message, self.line()))
    }

    /// The current token as an error message shows it.
    pub(crate) fn describe(&self) -> String {
        match self.tok() {
            Tok::Text(_) => "template text".to_string(),
            Tok::VariableBegin => "'{{'".to_string(),
            Tok::VariableEnd => "'end of print statement'".to_string(),
            Tok::BlockBegin => "'{%'".to_string(),
            Tok::BlockEnd => "'end of statement block'".to_string(),
            Tok::Name(name) => format!("'{name}'"),
            Tok::Str(text) => format!("string '{text}'"),
            Tok::Int(value) => format!("'{value}'"),
            Tok::Float(value) => format!("'{value}'"),
            Tok::Op(operator) => format!("'{operator}'"),
            Tok::End => "'end of template'".to_string(),
        }
    }

    /// To be called for each link of a chain.
    pub(crate) fn link(&self, num_links: &mut usize) -> Result<()> {
        *num_links += 1;
        if *num_links > MAX_CHAIN {
            return self.fail(format!(
                "more than {MAX_CHAIN} operations in a row; use parentheses, ~ or {{% set %}}"
            ));
        }
        Ok(())
    }

    /// Runs `parse` one level deeper.
    pub(crate) fn nested<T>(&mut self, parse: impl FnOnce(&mut Parser) -> Result<T>) -> Result<T> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return self.fail(format!("nested more than {MAX_DEPTH} deep"));
        }
        let result = parse(self);
        self.depth -= 1;
        result
    }
}
