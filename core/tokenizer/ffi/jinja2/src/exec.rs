//! Runs statements.

use std::rc::Rc;
use std::sync::Arc;

use crate::access::iterate;
use crate::args::Args;
use crate::ast::{Expr, ForDef, MacroDef, Slot, Stmt, StmtKind, Target};
use crate::error::{type_error, Error, Kind, Result};
use crate::globals::check_namespace_name;
use crate::interp::{Interp, Span};
use crate::repr::write_text;
use crate::value::{Frame, LoopState, Macro, Object, Value};

/// How a statement ended.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flow {
    Next,
    Break,
    Continue,
}

impl Interp<'_> {
    pub(crate) fn run(&mut self, body: &[Stmt], frame: &Rc<Frame>) -> Result<Flow> {
        for stmt in body {
            let flow = self.statement(stmt, frame).map_err(|error| error.at(stmt.line))?;
            if flow != Flow::Next {
                return Ok(flow);
            }
        }
        Ok(Flow::Next)
    }

    fn statement(&mut self, stmt: &Stmt, frame: &Rc<Frame>) -> Result<Flow> {
        self.spend(1)?;
        match &stmt.kind {
            StmtKind::Text(text) => self.write(text)?,
            StmtKind::Output(value) => {
                let value = self.eval(value, frame)?;
                self.output(&value)?;
            }
            StmtKind::If { branches, otherwise } => {
                for (test, body) in branches {
                    if self.eval(test, frame)?.truth() {
                        return self.deeper(|interp| interp.run(body, frame));
                    }
                }
                return self.deeper(|interp| interp.run(otherwise, frame));
            }
            StmtKind::For(def) => {
                let items = self.eval(&def.iter, frame)?;
                if def.recursive {
                    let text = self.recursive_loop(def, frame, &items, 0)?;
                    self.write(&text)?;
                } else {
                    self.deeper(|interp| interp.for_loop(def, frame, &items, 0))?;
                }
            }
            StmtKind::Set { target, value } => {
                let value = self.eval(value, frame)?;
                self.assign(target, value, frame)?;
            }
            StmtKind::SetBlock { target, filter, body, scope } => {
                let inner = self.enter(scope, Some(frame));
                let (text, flow) =
                    self.captured(|interp| interp.deeper(|interp| interp.run(body, &inner)))?;
                if flow != Flow::Next {
                    return Ok(flow);
                }
                let value = self.filtered(filter.as_ref(), text, &inner)?;
                self.assign(target, value, frame)?;
            }
            StmtKind::Macro { def, slot } => {
                let value = self.make_macro(def, frame);
                self.export(&def.name, value.clone());
                frame.set(*slot, Some(value));
            }
            StmtKind::Call { def, call } => {
                let caller = self.make_macro(def, frame);
                let value = self.eval_call(call, frame, Some(caller))?;
                self.write_str(&value)?;
            }
            StmtKind::Filter { filter, body, scope } => {
                let inner = self.enter(scope, Some(frame));
                let (text, flow) =
                    self.captured(|interp| interp.deeper(|interp| interp.run(body, &inner)))?;
                if flow != Flow::Next {
                    return Ok(flow);
                }
                let value = self.filtered(Some(filter), text, &inner)?;
                self.write_str(&value)?;
            }
            StmtKind::With { targets, values, body, scope } => {
                let inner = self.enter(scope, Some(frame));
                for (target, value) in targets.iter().zip(values) {
                    let value = self.eval(value, frame)?;
                    self.assign(target, value, &inner)?;
                }
                return self.deeper(|interp| interp.run(body, &inner));
            }
            StmtKind::Generation(def) => self.generation(def, frame)?,
            StmtKind::Block { body, scope } => {
                let inner = self.enter(scope, None);
                self.deeper(|interp| interp.run(body, &inner))?;
            }
            StmtKind::Break => return Ok(Flow::Break),
            StmtKind::Continue => return Ok(Flow::Continue),
            StmtKind::NeedsLoader(tag) => {
                let message = format!("{{% {tag} %}} needs other templates; a chat template stands alone");
                return Err(Error::new(Kind::Unsupported, message));
            }
        }
        Ok(Flow::Next)
    }

    fn output(&mut self, value: &Value) -> Result<()> {
        if let Some(text) = value.as_str() {
            return self.write(text);
        }
        let mut text = String::new();
        write_text(&mut text, value);
        self.write(&text)
    }

    /// Writes the result of a call or filter block, which jinja2 joins without converting it.
    fn write_str(&mut self, value: &Value) -> Result<()> {
        match value.as_str() {
            Some(text) => self.write(text),
            None => type_error(format!("expected str instance, {} found", value.type_name())),
        }
    }

    /// The text of a block after its filter.
    fn filtered(&mut self, filter: Option<&Expr>, text: String, frame: &Rc<Frame>) -> Result<Value> {
        let value = Value::str(text);
        match filter {
            Some(filter) => self.eval_filter_chain(filter, value, frame),
            None => Ok(value),
        }
    }

    pub(crate) fn make_macro(&mut self, def: &Arc<MacroDef>, frame: &Rc<Frame>) -> Value {
        self.keep_frame(frame);
        Value::object(Object::Macro(Macro { def: def.clone(), frame: frame.clone() }))
    }

    fn generation(&mut self, def: &Arc<MacroDef>, frame: &Rc<Frame>) -> Result<()> {
        let text = self.call_macro(def, frame, Args::default())?;
        let start = self.num_written_chars();
        let end = start + text.chars().count();
        self.spans.push(Span { begin: start, end, message: self.current_message });
        self.write(&text)
    }

    pub(crate) fn assign(&mut self, target: &Target, value: Value, frame: &Rc<Frame>) -> Result<()> {
        match target {
            Target::Name { name, slot } => {
                if slot.hops == 0 {
                    self.export_if_top_level(name, &value, frame);
                }
                frame.set(*slot, Some(value));
                Ok(())
            }
            Target::Tuple(targets) => {
                let values = iterate(&value).map_err(|error| match value {
                    Value::Undefined(_) => error,
                    _ => Error::new(
                        Kind::Type,
                        format!("cannot unpack non-iterable {} object", value.type_name()),
                    ),
                })?;
                if values.len() != targets.len() {
                    let problem = if values.len() < targets.len() { "not enough" } else { "too many" };
                    return type_error(format!(
                        "{problem} values to unpack (expected {}, got {})",
                        targets.len(),
                        values.len()
                    ));
                }
                targets.iter().zip(values).try_for_each(|(target, value)| self.assign(target, value, frame))
            }
            Target::Attribute { slot, attribute, .. } => {
                if let Some(Value::Object(object)) = frame.get(*slot) {
                    if let Object::Namespace(attributes) = &*object {
                        check_namespace_name(attribute)?;
                        let previous = attributes.borrow_mut().insert(attribute.clone(), value);
                        drop(previous);
                        return Ok(());
                    }
                }
                Err(Error::new(Kind::Type, "cannot assign attribute on non-namespace object"))
            }
        }
    }

    fn export_if_top_level(&mut self, name: &Arc<str>, value: &Value, frame: &Rc<Frame>) {
        if frame.is_outermost() {
            self.export(name, value.clone());
        }
    }

    pub(crate) fn recursive_loop(
        &mut self,
        def: &Arc<ForDef>,
        outer: &Rc<Frame>,
        items: &Value,
        depth0: u32,
    ) -> Result<String> {
        let run = |interp: &mut Self| interp.deeper(|interp| interp.for_loop(def, outer, items, depth0));
        Ok(self.captured(run)?.0)
    }

    fn for_loop(&mut self, def: &Arc<ForDef>, outer: &Rc<Frame>, items: &Value, depth0: u32) -> Result<()> {
        let items = iterate(items)?;
        self.spend(items.len() as u64)?;
        let object = Rc::new(Object::Loop(LoopState::new(def.clone(), outer.clone(), depth0, items)?));
        let Object::Loop(state) = &*object else {
            return Ok(());
        };
        if def.loop_slot.is_some() {
            self.keep_frame(outer);
        }
        let frame = Frame::new(def.scope.num_slots as usize, Some(outer.clone()));
        let outer_message = self.current_message;
        let mut finished_one = false;
        let mut index = 0;
        while let Some(item) = self.loop_item(state, index)? {
            state.set_position(index);
            index += 1;
            frame.reset();
            self.load(&def.scope, &frame);
            if let Some(slot) = def.loop_slot {
                frame.set(Slot { hops: 0, index: slot }, Some(Value::Object(object.clone())));
            }
            self.current_message = self.message_of(&item).or(outer_message);
            self.assign(&def.target, item, &frame)?;
            match self.run(&def.body, &frame)? {
                Flow::Next => finished_one = true,
                Flow::Continue => {}
                Flow::Break => break,
            }
        }
        self.current_message = outer_message;
        // As compiled by jinja2: else runs unless one round came to its end.
        if !finished_one && !def.otherwise.is_empty() {
            let frame = self.enter(&def.else_scope, Some(outer));
            self.run(&def.otherwise, &frame)?;
        }
        Ok(())
    }

    /// The `index`-th item that passes the loop's test.
    pub(crate) fn loop_item(&mut self, state: &LoopState, index: usize) -> Result<Option<Value>> {
        while state.known_length() <= index {
            let Some(item) = state.next_pending() else {
                return Ok(None);
            };
            if let (Some(test), Some(target)) = (&state.def.test, &state.def.test_target) {
                let frame = self.enter(&state.def.test_scope, Some(&state.outer));
                self.assign(target, item.clone(), &frame)?;
                if !self.eval(test, &frame)?.truth() {
                    continue;
                }
            }
            state.accept(item);
        }
        Ok(state.item(index))
    }
}
