//! Evaluates expressions.

use std::rc::Rc;
use std::sync::Arc;

use crate::access::{get_attribute, get_item, iterate, slice};
use crate::args::Args;
use crate::ast::{CallArgs, Expr, ExprKind};
use crate::compare::compare;
use crate::error::{type_error, Error, Kind, Result};
use crate::filters;
use crate::filters_list::cost;
use crate::interp::Interp;
use crate::limits::check_length;
use crate::ops;
use crate::repr::write_text;
use crate::tests;
use crate::value::{Dict, Frame, Object, Value};

impl Interp<'_> {
    pub(crate) fn eval(&mut self, expr: &Expr, frame: &Rc<Frame>) -> Result<Value> {
        self.spend(1)?;
        match &expr.kind {
            ExprKind::None => Ok(Value::None),
            ExprKind::Bool(value) => Ok(Value::Bool(*value)),
            ExprKind::Int(value) => Ok(Value::Int(*value)),
            ExprKind::Float(value) => Ok(Value::Float(*value)),
            ExprKind::Str(text) => Ok(Value::Str(text.clone())),
            ExprKind::Name { name, slot } => {
                Ok(frame.get(*slot).unwrap_or_else(|| Value::undefined(format!("'{name}' is undefined"))))
            }
            _ => self.deeper(|interp| interp.compound(expr, frame)).map_err(|error| error.at(expr.line)),
        }
    }

    fn eval_all(&mut self, exprs: &[Expr], frame: &Rc<Frame>) -> Result<Vec<Value>> {
        exprs.iter().map(|expr| self.eval(expr, frame)).collect()
    }

    fn compound(&mut self, expr: &Expr, frame: &Rc<Frame>) -> Result<Value> {
        match &expr.kind {
            ExprKind::Tuple(items) => Value::tuple(self.eval_all(items, frame)?),
            ExprKind::List(items) => Value::list(self.eval_all(items, frame)?),
            ExprKind::Dict(items) => {
                let mut pairs = Vec::with_capacity(items.len());
                for (key, value) in items {
                    pairs.push((self.eval(key, frame)?, self.eval(value, frame)?));
                }
                Ok(Value::dict(Dict::new(pairs)?))
            }
            ExprKind::Attribute { object, name } => {
                let object = self.eval(object, frame)?;
                self.test_loop_items(&object, name)?;
                get_attribute(&object, name)
            }
            ExprKind::Item { object, key } => {
                let object = self.eval(object, frame)?;
                let key = self.eval(key, frame)?;
                if let Some(name) = key.as_str() {
                    self.test_loop_items(&object, name)?;
                }
                get_item(&object, &key)
            }
            ExprKind::Slice { object, bounds } => {
                let object = self.eval(object, frame)?;
                let mut values = [None, None, None];
                for (value, bound) in values.iter_mut().zip(&**bounds) {
                    *value = bound.as_ref().map(|bound| self.eval(bound, frame)).transpose()?;
                }
                self.spend(cost(&object))?;
                slice(&object, values)
            }
            ExprKind::Call { .. } => self.eval_call(expr, frame, None),
            ExprKind::Filter { input: Some(input), name, args } => {
                let input = self.eval(input, frame)?;
                self.apply_filter(name, &input, args, frame)
            }
            ExprKind::Filter { input: None, .. } => type_error("a filter has no input here"),
            ExprKind::Test { input, name, args } => {
                let input = self.eval(input, frame)?;
                let args = self.eval_args(args, frame)?;
                tests::call(name, &input, args).map(Value::Bool)
            }
            ExprKind::Conditional { test, then, otherwise } => {
                if self.eval(test, frame)?.truth() {
                    return self.eval(then, frame);
                }
                match otherwise {
                    Some(otherwise) => self.eval(otherwise, frame),
                    None => Ok(Value::undefined(
                        "the inline if-expression evaluated to false and no else section was defined.",
                    )),
                }
            }
            ExprKind::Not(inner) => Ok(Value::Bool(!self.eval(inner, frame)?.truth())),
            ExprKind::Negative(inner) => ops::negative(&self.eval(inner, frame)?),
            ExprKind::Positive(inner) => ops::positive(&self.eval(inner, frame)?),
            ExprKind::And(left, right) => {
                let left = self.eval(left, frame)?;
                if left.truth() {
                    self.eval(right, frame)
                } else {
                    Ok(left)
                }
            }
            ExprKind::Or(left, right) => {
                let left = self.eval(left, frame)?;
                if left.truth() {
                    Ok(left)
                } else {
                    self.eval(right, frame)
                }
            }
            ExprKind::Binary(operator, left, right) => {
                let left = self.eval(left, frame)?;
                let right = self.eval(right, frame)?;
                let value = ops::binary(*operator, &left, &right)?;
                self.spend(cost(&value))?;
                Ok(value)
            }
            ExprKind::Concat(parts) => {
                let mut text = String::new();
                for value in self.eval_all(parts, frame)? {
                    write_text(&mut text, &value);
                    check_length(text.len())?;
                }
                let value = Value::str(text);
                self.spend(cost(&value))?;
                Ok(value)
            }
            ExprKind::Compare(first, rest) => self.compare(first, rest, frame),
            // `eval` has dealt with the others.
            _ => self.eval(expr, frame),
        }
    }

    /// a < b < c: each operand is evaluated once, and not at all after the first false.
    fn compare(
        &mut self,
        first: &Expr,
        rest: &[(crate::ast::CompareOp, Expr)],
        frame: &Rc<Frame>,
    ) -> Result<Value> {
        let mut left = self.eval(first, frame)?;
        for (operator, right) in rest {
            let right = self.eval(right, frame)?;
            self.spend(cost(&right))?;
            if !compare(*operator, &left, &right)? {
                return Ok(Value::Bool(false));
            }
            left = right;
        }
        Ok(Value::Bool(true))
    }

    /// Runs the test of a for loop ahead, as far as `loop.<name>` needs it.
    fn test_loop_items(&mut self, object: &Value, name: &str) -> Result<()> {
        let Value::Object(object) = object else {
            return Ok(());
        };
        if let Object::Loop(state) = &**object {
            let needed = state.needed_for(name);
            while state.known_length() < needed && self.loop_item(state, state.known_length())?.is_some() {}
        }
        Ok(())
    }

    fn apply_filter(
        &mut self,
        name: &str,
        input: &Value,
        args: &CallArgs,
        frame: &Rc<Frame>,
    ) -> Result<Value> {
        let args = self.eval_args(args, frame)?;
        self.spend(cost(input))?;
        let value = filters::call(name, input, args)?;
        self.spend(cost(&value))?;
        Ok(value)
    }

    /// Filters of a block: the innermost of the chain gets the block's text.
    pub(crate) fn eval_filter_chain(
        &mut self,
        filter: &Expr,
        text: Value,
        frame: &Rc<Frame>,
    ) -> Result<Value> {
        let ExprKind::Filter { input, name, args } = &filter.kind else {
            return type_error("expected a filter");
        };
        let input = match input {
            Some(inner) => self.eval_filter_chain(inner, text, frame)?,
            None => text,
        };
        self.apply_filter(name, &input, args, frame).map_err(|error| error.at(filter.line))
    }

    pub(crate) fn eval_args(&mut self, args: &CallArgs, frame: &Rc<Frame>) -> Result<Args> {
        let mut values = Args::positional(self.eval_all(&args.positional, frame)?);
        if let Some(star) = &args.star {
            values.positional.extend(iterate(&self.eval(star, frame)?)?);
        }
        for (name, value) in &args.named {
            values.named.push((name.clone(), self.eval(value, frame)?));
        }
        if let Some(mapping) = &args.double_star {
            let mapping = self.eval(mapping, frame)?;
            let Value::Dict(dict) = &mapping else {
                return type_error(format!(
                    "argument after ** must be a mapping, not {}",
                    mapping.type_name()
                ));
            };
            for (name, value) in dict.iter() {
                let Some(name) = name.as_str() else {
                    return type_error("keywords must be strings");
                };
                if values.named.iter().any(|(known, _)| known == name) {
                    return type_error(format!("got multiple values for keyword argument '{name}'"));
                }
                values.named.push((name.clone(), value.clone()));
            }
        }
        Ok(values)
    }

    /// A call; a call block adds its body as the argument "caller".
    pub(crate) fn eval_call(
        &mut self,
        call: &Expr,
        frame: &Rc<Frame>,
        caller: Option<Value>,
    ) -> Result<Value> {
        let ExprKind::Call { function, args } = &call.kind else {
            return Err(Error::new(Kind::Type, "expected a call"));
        };
        let function = self.eval(function, frame)?;
        let mut args = self.eval_args(args, frame)?;
        if let Some(caller) = caller {
            args.named.push((Arc::from("caller"), caller));
        }
        self.call(&function, args).map_err(|error| error.at(call.line))
    }
}
