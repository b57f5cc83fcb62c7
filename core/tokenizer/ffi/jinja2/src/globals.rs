//! The global functions.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use indexmap::IndexMap;

use crate::access::iterate;
use crate::args::{int, text, Args};
use crate::error::{type_error, Error, Kind, Result};
use crate::interp::Interp;
use crate::repr::to_text;
use crate::value::{range_len, Dict, Function, Items, Object, Value};

/// Longest range the sandbox makes.
const MAX_RANGE: i64 = 100_000;

impl Interp<'_> {
    pub(crate) fn call_global(&mut self, function: Function, args: Args) -> Result<Value> {
        match function {
            Function::Range => range(args),
            Function::Dict => Ok(Value::dict(Dict::new(dict_pairs("dict", args)?)?)),
            Function::Namespace => {
                let mut attributes = IndexMap::new();
                for (key, value) in dict_pairs("namespace", args)? {
                    let Some(name) = key.as_str() else {
                        return type_error("namespace attributes are named by texts");
                    };
                    check_namespace_name(name)?;
                    attributes.insert(name.clone(), value);
                }
                let namespace = Rc::new(Object::Namespace(RefCell::new(attributes)));
                self.keep_namespace(&namespace);
                Ok(Value::Object(namespace))
            }
            Function::Cycler => {
                if !args.named.is_empty() || args.positional.is_empty() {
                    return type_error("at least one item has to be provided");
                }
                let items = Rc::new(Items::new(args.positional)?);
                Ok(Value::object(Object::Cycler { items, position: Cell::new(0) }))
            }
            Function::Joiner => {
                let [separator] = args.bind("joiner", ["sep"], 0)?;
                let separator = separator.unwrap_or_else(|| Value::str(", "));
                Ok(Value::object(Object::Joiner { separator, used: Cell::new(false) }))
            }
            Function::RaiseException => {
                let [message] = args.bind("raise_exception", ["message"], 1)?;
                Err(Error::new(Kind::Raised, message.as_ref().map_or_else(String::new, to_text)))
            }
            Function::StrftimeNow => {
                let [format] = args.bind("strftime_now", ["format"], 1)?;
                let format = text("strftime", &format.unwrap_or(Value::None))?;
                Ok(Value::str(self.clock.format(&format)?))
            }
        }
    }
}

/// The sandbox of transformers keeps underscore names out of namespaces.
pub(crate) fn check_namespace_name(name: &str) -> Result<()> {
    if name.starts_with('_') {
        return Err(Error::new(
            Kind::Security,
            format!("Chat templates cannot store underscore-prefixed attributes on a namespace, but got '{name}'. Please rename the attribute."),
        ));
    }
    Ok(())
}

fn range(args: Args) -> Result<Value> {
    let given = args.positional.len();
    let [first, second, third] = args.bind_positional::<3>("range", 1)?;
    let number = |value: Option<Value>| value.map_or(Ok(0), |value| int("range", &value));
    let (start, stop) = if given == 1 { (0, number(first)?) } else { (number(first)?, number(second)?) };
    let step = if given == 3 { number(third)? } else { 1 };
    if step == 0 {
        return type_error("range() arg 3 must not be zero");
    }
    if range_len(start, stop, step) > MAX_RANGE {
        return type_error(format!(
            "Range too big. The sandbox blocks ranges larger than MAX_RANGE ({MAX_RANGE})."
        ));
    }
    Ok(Value::object(Object::Range { start, stop, step }))
}

/// dict(mapping or pairs, name=value, ...)
fn dict_pairs(function: &str, mut args: Args) -> Result<Vec<(Value, Value)>> {
    let named: Vec<(Arc<str>, Value)> = std::mem::take(&mut args.named);
    let [source] = args.bind_positional::<1>(function, 0)?;
    let mut pairs = Vec::new();
    match source {
        None => {}
        Some(Value::Dict(dict)) => pairs.extend(dict.iter().map(|(key, value)| (key.clone(), value.clone()))),
        Some(source) => {
            for pair in iterate(&source)? {
                let pair = iterate(&pair)?;
                let [key, value] = &pair[..] else {
                    return type_error(format!(
                        "dictionary update sequence element has length {}; 2 is required",
                        pair.len()
                    ));
                };
                pairs.push((key.clone(), value.clone()));
            }
        }
    }
    pairs.extend(named.into_iter().map(|(name, value)| (Value::Str(name), value)));
    Ok(pairs)
}
