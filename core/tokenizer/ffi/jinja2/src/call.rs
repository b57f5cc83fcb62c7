//! Calls of macros, methods and functions.

use std::rc::Rc;
use std::sync::Arc;

use crate::args::Args;
use crate::ast::{MacroDef, Slot};
use crate::error::{type_error, Result};
use crate::filters_list::cost;
use crate::interp::Interp;
use crate::methods::call_method;
use crate::value::{check_defined, Dict, Frame, Object, Value};

impl Interp<'_> {
    pub(crate) fn call(&mut self, function: &Value, args: Args) -> Result<Value> {
        check_defined(function)?;
        if let Value::Object(object) = function {
            match &**object {
                Object::Macro(macro_) => {
                    return self.call_macro(&macro_.def, &macro_.frame, args).map(Value::str);
                }
                Object::Method { receiver, name } => {
                    self.spend(cost(receiver))?;
                    let value = call_method(receiver, name, args)?;
                    self.spend(cost(&value))?;
                    return Ok(value);
                }
                Object::Function(function) => return self.call_global(*function, args),
                Object::Loop(state) => {
                    let [items] = args.bind("loop", ["iterable"], 1)?;
                    if !state.def.recursive {
                        return type_error(
                            "The loop must have the 'recursive' marker to be called recursively.",
                        );
                    }
                    let items = items.unwrap_or(Value::None);
                    return self
                        .recursive_loop(&state.def, &state.outer, &items, state.depth0 + 1)
                        .map(Value::str);
                }
                Object::Joiner { separator, used } => {
                    args.bind::<0>("joiner", [], 0)?;
                    return Ok(if used.replace(true) { separator.clone() } else { Value::str("") });
                }
                _ => {}
            }
        }
        type_error(format!("'{}' object is not callable", function.type_name()))
    }

    /// Runs a macro and returns what it wrote.
    pub(crate) fn call_macro(
        &mut self,
        def: &Arc<MacroDef>,
        outer: &Rc<Frame>,
        args: Args,
    ) -> Result<String> {
        let frame = self.enter(&def.scope, Some(outer));
        self.bind_params(def, &frame, args)?;
        let (text, _) = self.captured(|interp| interp.deeper(|interp| interp.run(&def.body, &frame)))?;
        Ok(text)
    }

    fn bind_params(&mut self, def: &MacroDef, frame: &Rc<Frame>, mut args: Args) -> Result<()> {
        let set = |index: u32, value: Value| frame.set(Slot { hops: 0, index }, Some(value));
        let mut extra = args.positional.split_off(args.positional.len().min(def.params.len()));
        let mut given: Vec<Option<Value>> = args.positional.drain(..).map(Some).collect();
        for param in &def.params[given.len()..] {
            given.push(args.take(param));
        }
        if let Some(slot) = def.caller {
            let caller = args.take("caller").filter(|caller| !matches!(caller, Value::None));
            set(slot, caller.unwrap_or_else(|| Value::undefined("No caller defined")));
        }
        if let Some(slot) = def.kwargs {
            let pairs = args.named.drain(..).map(|(name, value)| (Value::Str(name), value));
            set(slot, Value::dict(Dict::new(pairs)?));
        } else if let Some((name, _)) = args.named.first() {
            return type_error(format!("macro '{}' takes no keyword argument '{name}'", def.name));
        }
        if let Some(slot) = def.varargs {
            set(slot, Value::tuple(std::mem::take(&mut extra))?);
        } else if !extra.is_empty() {
            return type_error(format!(
                "macro '{}' takes not more than {} argument(s)",
                def.name,
                def.params.len()
            ));
        }
        let first_default = def.params.len() - def.defaults.len();
        for (index, value) in given.into_iter().enumerate() {
            let value = match value {
                Some(value) => value,
                None if index >= first_default => self.eval(&def.defaults[index - first_default], frame)?,
                None => Value::undefined(format!("parameter '{}' was not provided", def.params[index])),
            };
            set(def.param_slots[index], value);
        }
        Ok(())
    }
}
