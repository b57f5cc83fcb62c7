//! The state of one rendering: scopes, output and limits.

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use crate::ast::{Load, Scope, Slot};
use crate::budget;
use crate::clock::Clock;
use crate::error::{limit_error, Result};
use crate::value::{Dict, Frame, Function, Object, Value};

/// Nesting of evaluation, macro calls included. A step takes under 2 KiB of stack.
const MAX_DEPTH: u32 = 1500;

/// Bytes a template may write.
const MAX_OUTPUT: usize = 1 << 28;

/// What a `{% generation %}` block wrote: code points, and the message whose round of a loop wrote it.
pub struct Span {
    pub begin: usize,
    pub end: usize,
    pub message: Option<usize>,
}

pub(crate) struct Interp<'r> {
    context: &'r Dict,
    pub clock: &'r Clock,
    depth: u32,
    /// The text written so far; above it, the texts of macros and set blocks that are running.
    outputs: Vec<String>,
    /// Bytes of the outermost output whose characters are counted, and their number.
    counted: (usize, usize),
    pub spans: Vec<Span>,
    /// The messages by the address of their dict, and the one whose round of a loop is running.
    messages: HashMap<*const Dict, usize>,
    pub current_message: Option<usize>,
    /// Variables set at top level, for `{% block %}`.
    exported: HashMap<Arc<str>, Value>,
    /// What may hold itself: cleared at the end.
    kept_frames: Vec<Rc<Frame>>,
    kept_namespaces: Vec<Rc<Object>>,
}

impl<'r> Interp<'r> {
    pub(crate) fn new(context: &'r Dict, clock: &'r Clock) -> Interp<'r> {
        Interp {
            context,
            clock,
            depth: 0,
            outputs: vec![String::new()],
            counted: (0, 0),
            spans: Vec::new(),
            messages: addresses(context.get_text("messages")),
            current_message: None,
            exported: HashMap::new(),
            kept_frames: Vec::new(),
            kept_namespaces: Vec::new(),
        }
    }

    /// Which of the messages a value is.
    pub(crate) fn message_of(&self, value: &Value) -> Option<usize> {
        match value {
            Value::Dict(dict) => self.messages.get(&Rc::as_ptr(dict)).copied(),
            _ => None,
        }
    }

    /// The finished text.
    pub(crate) fn take_output(&mut self) -> String {
        std::mem::take(&mut self.outputs[0])
    }

    /// Pays for `steps` of work.
    pub(crate) fn spend(&mut self, steps: u64) -> Result<()> {
        if !budget::spend(steps) {
            return limit_error(format!("the template ran more than {} steps", budget::MAX_STEPS));
        }
        Ok(())
    }

    /// Runs `work` one level deeper.
    pub(crate) fn deeper<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        if self.depth >= MAX_DEPTH {
            return limit_error("maximum recursion depth exceeded");
        }
        self.depth += 1;
        let result = work(self);
        self.depth -= 1;
        result
    }

    pub(crate) fn write(&mut self, text: &str) -> Result<()> {
        self.spend(text.len() as u64 / 64)?;
        let output = self.outputs.last_mut().expect("the outermost output is never taken off");
        if output.len() + text.len() > MAX_OUTPUT {
            return limit_error("the template wrote too much");
        }
        output.push_str(text);
        Ok(())
    }

    /// The text that `work` writes.
    pub(crate) fn captured<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T>) -> Result<(String, T)> {
        self.outputs.push(String::new());
        let result = work(self);
        let text = self.outputs.pop().unwrap_or_default();
        Ok((text, result?))
    }

    /// Characters in the outermost output.
    pub(crate) fn num_written_chars(&mut self) -> usize {
        let (num_bytes, num_chars) = self.counted;
        let output = &self.outputs[0];
        self.counted = (output.len(), num_chars + output[num_bytes..].chars().count());
        self.counted.1
    }

    /// A new scope inside `parent`.
    pub(crate) fn enter(&mut self, scope: &Scope, parent: Option<&Rc<Frame>>) -> Rc<Frame> {
        let frame = Frame::new(scope.num_slots as usize, parent.cloned());
        self.load(scope, &frame);
        frame
    }

    /// Gives the variables of a scope their first values.
    pub(crate) fn load(&mut self, scope: &Scope, frame: &Frame) {
        for (index, name, load) in &scope.loads {
            let value = match load {
                Load::Resolve => self.resolve(name),
                Load::Alias(slot) => frame.get(*slot),
                Load::Parameter | Load::Undefined => None,
            };
            frame.set(Slot { hops: 0, index: *index }, value);
        }
    }

    fn resolve(&self, name: &str) -> Option<Value> {
        let exported = self.exported.get(name);
        let given = exported.or_else(|| self.context.get_text(name)).cloned();
        given.or_else(|| Function::named(name).map(|function| Value::object(Object::Function(function))))
    }

    pub(crate) fn export(&mut self, name: &Arc<str>, value: Value) {
        self.exported.insert(name.clone(), value);
    }

    /// To be called for a frame that a value refers to.
    pub(crate) fn keep_frame(&mut self, frame: &Rc<Frame>) {
        if !self.kept_frames.last().is_some_and(|last| Rc::ptr_eq(last, frame)) {
            self.kept_frames.push(frame.clone());
        }
    }

    pub(crate) fn keep_namespace(&mut self, namespace: &Rc<Object>) {
        self.kept_namespaces.push(namespace.clone());
    }
}

fn addresses(messages: Option<&Value>) -> HashMap<*const Dict, usize> {
    let Some(Value::List(items)) = messages else {
        return HashMap::new();
    };
    let dicts = items.values.iter().enumerate().filter_map(|(index, item)| match item {
        Value::Dict(dict) => Some((Rc::as_ptr(dict), index)),
        _ => None,
    });
    dicts.collect()
}

impl Drop for Interp<'_> {
    fn drop(&mut self) {
        for frame in &self.kept_frames {
            frame.clear();
        }
        for namespace in &self.kept_namespaces {
            if let Object::Namespace(attributes) = &**namespace {
                let taken = std::mem::take(&mut *attributes.borrow_mut());
                drop(taken);
            }
        }
    }
}
