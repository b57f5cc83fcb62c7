//! Jinja2 as transformers uses it for chat templates, with Python's values.
//!
//! `Template::compile` makes a tree of a template's text, `Template::render` runs it with variables in JSON. The
//! expressions and tags of Jinja2 are there, with `loopcontrols` and transformers' `{% generation %}`, its `tojson`,
//! `raise_exception` and `strftime_now`, in its immutable sandbox and its settings of white space. Left out are
//! `autoescape`, what needs other templates (`include`, `import`, `extends`), and a few filters (`filter_names`).
//!
//! minijinja renders most templates alike, but the rest hangs on what it builds in: integers and floats, printing,
//! comparison and iteration of values, scopes, tuples, spans of `{% generation %}`. So this is an interpreter of its
//! own, small and exact; tests/tokenizer compares it with jinja2 itself. It grows only when a real template needs it.
//!
//! The modules, lowest first. Each uses only those named before it, which tests/lint/modules.py checks:
//!
//! - `error`, `budget`, `limits`: failures; how much work a template may do and how large its values may be
//! - `unicode`, `number`, `numfmt`, `unescape`, `clock`: characters, numbers, escapes and dates as Python has them
//! - `ast`, `lexer`, `parser`, `parse_expr`, `parse_stmt`: from text to tokens to the tree
//! - `dict`, `frame`, `loops`, `value`: Python's values and the scopes that hold them
//! - `repr`, `markup`, `compare`, `percent`, `ops`: printing, comparison and the operators
//! - `method_names`, `access`, `args`, `strformat`, `str_methods`, `methods`: attributes, items and methods
//! - `json_read`, `json`: the variables in, `tojson` out
//! - `item_path`, `filter_names`, `tests`, `filters_list`, `filters_number`, `filters_text`, `filters`: what stands
//!   after `is` and after `|`
//! - `symbols`, `mentions`, `resolve`: which variable a name means
//! - `interp`, `globals`, `call`, `eval`, `exec`: the state of a rendering; functions, calls, expressions, statements
//!
//! The last three are methods of `interp::Interp` that recurse into each other, as macros hold statements.

#![warn(unreachable_pub)]

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
