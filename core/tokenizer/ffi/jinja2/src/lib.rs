//! Jinja as transformers uses it for chat templates, with Python's values.
//!
//! minijinja renders most templates alike, but the rest hangs on what it builds in: integers and floats, printing,
//! comparison and iteration of values, scopes, tuples, spans of `{% generation %}`. So this is an interpreter of its
//! own, small and exact; tests/tokenizer compares it with jinja2 itself.

mod access;
mod args;
mod ast;
mod budget;
mod call;
mod clock;
mod compare;
mod dict;
mod error;
mod eval;
mod exec;
mod filter_names;
mod filters;
mod filters_list;
mod filters_number;
mod filters_text;
mod frame;
mod globals;
mod interp;
mod item_path;
mod json;
mod json_read;
mod lexer;
mod limits;
mod loops;
mod markup;
mod mentions;
mod method_names;
mod methods;
mod number;
mod numfmt;
mod ops;
mod parse_expr;
mod parse_stmt;
mod parser;
mod percent;
mod repr;
mod resolve;
mod str_methods;
mod strformat;
mod symbols;
mod tests;
mod unescape;
mod unicode;
mod value;

pub use clock::Clock;
pub use error::{Error, Kind};
pub use interp::Span;

use ast::{Scope, Stmt};
use error::{type_error, Result};
use value::Value;

/// A compiled template. Rendering does not change it.
pub struct Template {
    body: Vec<Stmt>,
    scope: Scope,
    has_generation: bool,
}

/// What a template wrote, with the assistant's parts.
pub struct Rendered {
    pub text: String,
    pub spans: Vec<Span>,
}

impl Template {
    pub fn compile(source: &str) -> Result<Template> {
        let tokens = lexer::tokenize(source)?;
        let has_generation = tokens.windows(2).any(|pair| {
            pair[0].tok == lexer::Tok::BlockBegin
                && matches!(&pair[1].tok, lexer::Tok::Name(name) if **name == *"generation")
        });
        let mut body = parser::Parser::new(tokens).template()?;
        let scope = resolve::resolve(&mut body)?;
        Ok(Template { body, scope, has_generation })
    }

    /// Whether the template marks the assistant's text with `{% generation %}`.
    pub fn has_generation(&self) -> bool {
        self.has_generation
    }

    /// `variables` is a JSON object.
    pub fn render(&self, variables: &str, clock: &Clock) -> Result<Rendered> {
        budget::refill(); // reading the variables compares keys, which costs steps too
        let variables =
            json_read::parse(variables).or_else(|message| type_error(format!("variables: {message}")))?;
        let Value::Dict(context) = &variables else {
            return type_error("variables: expected a JSON object");
        };
        let mut interp = interp::Interp::new(context, clock);
        let frame = interp.enter(&self.scope, None);
        interp.run(&self.body, &frame)?;
        interp.spend(1)?;
        let spans = std::mem::take(&mut interp.spans);
        Ok(Rendered { text: interp.take_output(), spans })
    }
}
