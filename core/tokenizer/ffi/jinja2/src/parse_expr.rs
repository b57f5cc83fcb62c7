//! Expressions, with Jinja's precedence.

use std::sync::Arc;

use crate::ast::{BinaryOp, CallArgs, CompareOp, Expr, ExprKind, Slot};
use crate::error::Result;
use crate::lexer::Tok;
use crate::parser::Parser;

impl Parser {
    /// An expression; without `conditional` an `if` ends it (for `for ... in items if test`).
    pub(crate) fn expression(&mut self, conditional: bool) -> Result<Expr> {
        self.nested(|parser| if conditional { parser.conditional() } else { parser.or() })
    }

    /// One expression, or several with commas between as a tuple. `ends_with_recursive`: the name "recursive" ends it.
    pub(crate) fn tuple(
        &mut self,
        conditional: bool,
        parenthesized: bool,
        ends_with_recursive: bool,
    ) -> Result<Expr> {
        let line = self.line();
        let mut items = Vec::new();
        let mut is_tuple = false;
        loop {
            if !items.is_empty() {
                if !self.skip_op(",") {
                    break;
                }
                is_tuple = true;
            }
            if self.ends_tuple(ends_with_recursive) {
                break;
            }
            items.push(self.expression(conditional)?);
        }
        if !is_tuple {
            if let Some(only) = items.pop() {
                return Ok(only);
            }
            if !parenthesized {
                return self.fail(format!("Expected an expression, got {}", self.describe()));
            }
        }
        Ok(Expr { line, kind: ExprKind::Tuple(items) })
    }

    fn ends_tuple(&self, ends_with_recursive: bool) -> bool {
        matches!(self.tok(), Tok::VariableEnd | Tok::BlockEnd)
            || self.is_op(")")
            || (ends_with_recursive && self.is_name("recursive"))
    }

    fn conditional(&mut self) -> Result<Expr> {
        let mut line = self.line();
        let mut expr = self.or()?;
        let mut links = 0;
        while self.skip_name("if") {
            self.link(&mut links)?;
            let test = Box::new(self.or()?);
            let otherwise =
                if self.skip_name("else") { Some(Box::new(self.nested(Parser::conditional)?)) } else { None };
            expr = Expr { line, kind: ExprKind::Conditional { test, then: Box::new(expr), otherwise } };
            line = self.line();
        }
        Ok(expr)
    }

    fn or(&mut self) -> Result<Expr> {
        let mut left = self.and()?;
        let mut links = 0;
        while self.is_name("or") {
            self.link(&mut links)?;
            let line = self.line();
            self.next();
            let right = self.and()?;
            left = Expr { line, kind: ExprKind::Or(Box::new(left), Box::new(right)) };
        }
        Ok(left)
    }

    fn and(&mut self) -> Result<Expr> {
        let mut left = self.not()?;
        let mut links = 0;
        while self.is_name("and") {
            self.link(&mut links)?;
            let line = self.line();
            self.next();
            let right = self.not()?;
            left = Expr { line, kind: ExprKind::And(Box::new(left), Box::new(right)) };
        }
        Ok(left)
    }

    fn not(&mut self) -> Result<Expr> {
        if self.is_name("not") {
            let line = self.line();
            self.next();
            let inner = self.nested(Parser::not)?;
            return Ok(Expr { line, kind: ExprKind::Not(Box::new(inner)) });
        }
        self.compare()
    }

    fn compare(&mut self) -> Result<Expr> {
        let line = self.line();
        let first = self.sum()?;
        let mut rest = Vec::new();
        loop {
            let operator = match self.tok() {
                Tok::Op("==") => CompareOp::Equal,
                Tok::Op("!=") => CompareOp::NotEqual,
                Tok::Op("<") => CompareOp::Less,
                Tok::Op("<=") => CompareOp::LessEqual,
                Tok::Op(">") => CompareOp::Greater,
                Tok::Op(">=") => CompareOp::GreaterEqual,
                Tok::Name(name) if **name == *"in" => CompareOp::In,
                Tok::Name(name)
                    if **name == *"not" && matches!(self.look(), Tok::Name(next) if **next == *"in") =>
                {
                    self.next();
                    CompareOp::NotIn
                }
                _ => break,
            };
            self.next();
            rest.push((operator, self.sum()?));
        }
        if rest.is_empty() {
            return Ok(first);
        }
        Ok(Expr { line, kind: ExprKind::Compare(Box::new(first), rest) })
    }

    fn binary(
        &mut self,
        operators: &[(&str, BinaryOp)],
        operand: fn(&mut Parser) -> Result<Expr>,
    ) -> Result<Expr> {
        let mut left = operand(self)?;
        let mut links = 0;
        while let Some((_, operator)) = operators.iter().find(|(text, _)| self.is_op(text)) {
            self.link(&mut links)?;
            let line = self.line();
            self.next();
            let right = operand(self)?;
            left = Expr { line, kind: ExprKind::Binary(*operator, Box::new(left), Box::new(right)) };
        }
        Ok(left)
    }

    fn sum(&mut self) -> Result<Expr> {
        self.binary(&[("+", BinaryOp::Add), ("-", BinaryOp::Subtract)], Parser::concat)
    }

    fn concat(&mut self) -> Result<Expr> {
        let line = self.line();
        let first = self.product()?;
        if !self.is_op("~") {
            return Ok(first);
        }
        let mut parts = vec![first];
        while self.skip_op("~") {
            parts.push(self.product()?);
        }
        Ok(Expr { line, kind: ExprKind::Concat(parts) })
    }

    fn product(&mut self) -> Result<Expr> {
        let operators = [
            ("*", BinaryOp::Multiply),
            ("/", BinaryOp::Divide),
            ("//", BinaryOp::FloorDivide),
            ("%", BinaryOp::Modulo),
        ];
        self.binary(&operators, Parser::power)
    }

    /// Left to right, unlike Python: so does Jinja.
    fn power(&mut self) -> Result<Expr> {
        self.binary(&[("**", BinaryOp::Power)], |parser| parser.unary(true))
    }

    fn unary(&mut self, with_filters: bool) -> Result<Expr> {
        let line = self.line();
        let expr = if self.skip_op("-") {
            let inner = self.nested(|parser| parser.unary(false))?;
            Expr { line, kind: ExprKind::Negative(Box::new(inner)) }
        } else if self.skip_op("+") {
            let inner = self.nested(|parser| parser.unary(false))?;
            Expr { line, kind: ExprKind::Positive(Box::new(inner)) }
        } else {
            self.primary()?
        };
        let expr = self.postfix(expr)?;
        if with_filters {
            self.filters_and_tests(expr)
        } else {
            Ok(expr)
        }
    }

    fn primary(&mut self) -> Result<Expr> {
        let line = self.line();
        let kind = match self.tok().clone() {
            Tok::Name(name) => {
                self.next();
                match &*name {
                    "true" | "True" => ExprKind::Bool(true),
                    "false" | "False" => ExprKind::Bool(false),
                    "none" | "None" => ExprKind::None,
                    _ => ExprKind::Name { name, slot: Slot::default() },
                }
            }
            Tok::Str(text) => {
                self.next();
                let mut joined = text;
                while let Tok::Str(more) = self.tok() {
                    joined = Arc::from(format!("{joined}{more}"));
                    self.next();
                }
                ExprKind::Str(joined)
            }
            Tok::Int(value) => {
                self.next();
                ExprKind::Int(value)
            }
            Tok::Float(value) => {
                self.next();
                ExprKind::Float(value)
            }
            Tok::Op("(") => {
                self.next();
                let inner = self.nested(|parser| parser.tuple(true, true, false))?;
                self.expect_op(")")?;
                return Ok(inner);
            }
            Tok::Op("[") => ExprKind::List(self.list_items()?),
            Tok::Op("{") => ExprKind::Dict(self.dict_items()?),
            _ => return self.fail(format!("unexpected {}", self.describe())),
        };
        Ok(Expr { line, kind })
    }

    fn list_items(&mut self) -> Result<Vec<Expr>> {
        self.expect_op("[")?;
        let mut items = Vec::new();
        while !self.is_op("]") {
            if !items.is_empty() {
                self.expect_op(",")?;
            }
            if self.is_op("]") {
                break;
            }
            items.push(self.expression(true)?);
        }
        self.expect_op("]")?;
        Ok(items)
    }

    fn dict_items(&mut self) -> Result<Vec<(Expr, Expr)>> {
        self.expect_op("{")?;
        let mut items = Vec::new();
        while !self.is_op("}") {
            if !items.is_empty() {
                self.expect_op(",")?;
            }
            if self.is_op("}") {
                break;
            }
            let key = self.expression(true)?;
            self.expect_op(":")?;
            items.push((key, self.expression(true)?));
        }
        self.expect_op("}")?;
        Ok(items)
    }

    fn postfix(&mut self, mut expr: Expr) -> Result<Expr> {
        let mut links = 0;
        loop {
            self.link(&mut links)?;
            expr = match self.tok() {
                Tok::Op("." | "[") => self.subscript(expr)?,
                Tok::Op("(") => self.call(expr)?,
                _ => return Ok(expr),
            };
        }
    }

    fn filters_and_tests(&mut self, mut expr: Expr) -> Result<Expr> {
        let mut links = 0;
        loop {
            self.link(&mut links)?;
            expr = if self.is_op("|") {
                match self.filter_chain(Some(expr), false)? {
                    Some(filtered) => filtered,
                    None => return self.fail("expected a filter"),
                }
            } else if self.is_name("is") {
                self.test(expr)?
            } else if self.is_op("(") {
                self.call(expr)?
            } else {
                return Ok(expr);
            };
        }
    }

    fn subscript(&mut self, object: Expr) -> Result<Expr> {
        let line = self.line();
        let object = Box::new(object);
        if self.skip_op(".") {
            let kind = match self.next() {
                Tok::Name(name) => ExprKind::Attribute { object, name },
                Tok::Int(index) => {
                    ExprKind::Item { object, key: Box::new(Expr { line, kind: ExprKind::Int(index) }) }
                }
                _ => return self.fail("expected name or number"),
            };
            return Ok(Expr { line, kind });
        }
        self.expect_op("[")?;
        let mut keys = Vec::new();
        while !self.is_op("]") {
            if !keys.is_empty() {
                self.expect_op(",")?;
            }
            if let Some(bounds) = self.slice_bounds(&mut keys)? {
                self.expect_op("]")?;
                return Ok(Expr { line, kind: ExprKind::Slice { object, bounds: Box::new(bounds) } });
            }
        }
        self.expect_op("]")?;
        let key = match keys.len() {
            1 => keys.remove(0),
            _ => Expr { line, kind: ExprKind::Tuple(keys) },
        };
        Ok(Expr { line, kind: ExprKind::Item { object, key: Box::new(key) } })
    }

    /// `start:stop:step`, or a plain key that goes into `keys`.
    fn slice_bounds(&mut self, keys: &mut Vec<Expr>) -> Result<Option<[Option<Expr>; 3]>> {
        let mut bounds = [None, None, None];
        if !self.is_op(":") {
            let first = self.expression(true)?;
            if !self.is_op(":") {
                keys.push(first);
                return Ok(None);
            }
            bounds[0] = Some(first);
        }
        for bound in &mut bounds[1..] {
            if !self.skip_op(":") {
                break;
            }
            if !self.is_op(":") && !self.is_op("]") && !self.is_op(",") {
                *bound = Some(self.expression(true)?);
            }
        }
        if !keys.is_empty() || self.is_op(",") {
            return self.fail("a slice cannot be one of several keys");
        }
        Ok(Some(bounds))
    }

    pub(crate) fn call(&mut self, function: Expr) -> Result<Expr> {
        let line = self.line();
        let args = Box::new(self.call_args()?);
        Ok(Expr { line, kind: ExprKind::Call { function: Box::new(function), args } })
    }

    fn call_args(&mut self) -> Result<CallArgs> {
        self.expect_op("(")?;
        let mut args = CallArgs::default();
        let mut is_first = true;
        while !self.is_op(")") {
            if !is_first {
                self.expect_op(",")?;
                if self.is_op(")") {
                    break;
                }
            }
            is_first = false;
            self.call_arg(&mut args)?;
        }
        self.expect_op(")")?;
        Ok(args)
    }

    fn call_arg(&mut self, args: &mut CallArgs) -> Result<()> {
        let wrong = "invalid syntax for function call expression";
        if self.skip_op("*") {
            if args.star.is_some() || args.double_star.is_some() {
                return self.fail(wrong);
            }
            args.star = Some(self.expression(true)?);
        } else if self.skip_op("**") {
            if args.double_star.is_some() {
                return self.fail(wrong);
            }
            args.double_star = Some(self.expression(true)?);
        } else if matches!((self.tok(), self.look()), (Tok::Name(_), Tok::Op("="))) {
            if args.double_star.is_some() {
                return self.fail(wrong);
            }
            let name = self.expect_name()?;
            self.next();
            if args.named.iter().any(|(known, _)| *known == name) {
                return self.fail(format!("keyword argument repeated: {name}"));
            }
            args.named.push((name, self.expression(true)?));
        } else {
            if args.star.is_some() || args.double_star.is_some() || !args.named.is_empty() {
                return self.fail(wrong);
            }
            args.positional.push(self.expression(true)?);
        }
        Ok(())
    }

    /// `| filter | filter(...)`; `starts_inline`: the first filter comes without a pipe.
    pub(crate) fn filter_chain(
        &mut self,
        mut input: Option<Expr>,
        mut starts_inline: bool,
    ) -> Result<Option<Expr>> {
        let mut links = 0;
        while self.is_op("|") || starts_inline {
            self.link(&mut links)?;
            if !starts_inline {
                self.next();
            }
            starts_inline = false;
            let line = self.line();
            let name = self.dotted_name()?;
            let args = Box::new(if self.is_op("(") { self.call_args()? } else { CallArgs::default() });
            input = Some(Expr { line, kind: ExprKind::Filter { input: input.map(Box::new), name, args } });
        }
        Ok(input)
    }

    fn dotted_name(&mut self) -> Result<Arc<str>> {
        let mut name = self.expect_name()?;
        while self.skip_op(".") {
            name = Arc::from(format!("{name}.{}", self.expect_name()?));
        }
        Ok(name)
    }

    fn test(&mut self, input: Expr) -> Result<Expr> {
        let line = self.line();
        self.next();
        let negated = self.skip_name("not");
        let name = self.dotted_name()?;
        let mut args = CallArgs::default();
        if self.is_op("(") {
            args = self.call_args()?;
        } else if self.starts_test_argument() {
            if self.is_name("is") {
                return self.fail("You cannot chain multiple tests with is");
            }
            let argument = self.primary()?;
            args.positional.push(self.postfix(argument)?);
        }
        let test = Expr { line, kind: ExprKind::Test { input: Box::new(input), name, args: Box::new(args) } };
        Ok(if negated { Expr { line, kind: ExprKind::Not(Box::new(test)) } } else { test })
    }

    fn starts_test_argument(&self) -> bool {
        match self.tok() {
            Tok::Name(name) => !matches!(&**name, "else" | "or" | "and"),
            Tok::Str(_) | Tok::Int(_) | Tok::Float(_) | Tok::Op("(" | "[" | "{") => true,
            _ => false,
        }
    }
}
