//! Jinja's filters: their dispatch by name, and those that fit nowhere else.

use crate::access::{get_attribute, iterate, length};
use crate::args::Args;
use crate::error::{type_error, Error, Kind, Result};
use crate::filter_names;
use crate::item_path::Path;
use crate::json::{dumps, Layout};
use crate::markup;
use crate::method_names::find_method;
use crate::percent;
use crate::repr::{to_repr, to_text};
use crate::value::{check_defined, Dict, Value};
use crate::{filters_list as list, filters_number as number, filters_text as text};

pub(crate) fn call(name: &str, input: &Value, args: Args) -> Result<Value> {
    match name {
        "abs" | "float" | "int" | "round" | "sum" | "filesizeformat" => number::call(name, input, args),
        "batch" | "dictsort" | "first" | "groupby" | "items" | "join" | "last" | "list" | "max" | "min"
        | "reject" | "rejectattr" | "reverse" | "select" | "selectattr" | "slice" | "sort" | "unique" => {
            list::call(name, input, args)
        }
        "capitalize" | "center" | "indent" | "lower" | "replace" | "string" | "striptags" | "title"
        | "trim" | "truncate" | "upper" | "urlencode" | "wordcount" => text::call(name, input, args),
        "attr" => {
            let [name] = args.bind("attr", ["name"], 1)?;
            let name = to_text(&name.unwrap_or(Value::None));
            check_defined(input)?;
            match input {
                Value::Dict(dict)
                    if dict.get_text(&name).is_some() && find_method(input, &name).is_none() =>
                {
                    Ok(Value::undefined(format!("'dict object' has no attribute '{name}'")))
                }
                _ => get_attribute(input, &name),
            }
        }
        "count" | "length" => {
            args.bind::<0>(name, [], 0)?;
            match length(input) {
                Some(length) => Ok(Value::Int(length as i128)),
                None => type_error(format!("object of type '{}' has no len()", input.type_name())),
            }
        }
        "d" | "default" => {
            let [default, boolean] = args.bind("default", ["default_value", "boolean"], 0)?;
            let replaced =
                input.is_undefined() || (boolean.is_some_and(|boolean| boolean.truth()) && !input.truth());
            Ok(if replaced { default.unwrap_or_else(|| Value::str("")) } else { input.clone() })
        }
        "e" | "escape" | "forceescape" => {
            args.bind::<0>(name, [], 0)?;
            let escaped = if name == "forceescape" {
                markup::escape_text(&to_text(input))
            } else {
                markup::escape(input)
            };
            Ok(Value::Markup(escaped.into()))
        }
        "safe" => {
            args.bind::<0>(name, [], 0)?;
            Ok(Value::Markup(to_text(input).into()))
        }
        "format" => format(input, args),
        "pprint" => {
            args.bind::<0>(name, [], 0)?;
            pretty(input)
        }
        "map" => map(input, args),
        "tojson" => to_json(input, args),
        "xmlattr" => xml_attributes(input, args),
        _ if filter_names::exists(name) => Err(Error::new(
            Kind::Unsupported,
            format!("the filter '{name}' is not supported in chat templates"),
        )),
        _ => Err(Error::new(Kind::Type, format!("No filter named '{name}'."))),
    }
}

fn map(input: &Value, mut args: Args) -> Result<Value> {
    let path = if args.positional.is_empty() {
        let Some(attribute) = args.take("attribute") else {
            return if input.truth() {
                type_error("map requires a filter argument")
            } else {
                Value::iterator(Vec::new())
            };
        };
        let default = args.take("default");
        if let (Some((name, _)), true) = (args.named.first(), input.truth()) {
            return type_error(format!("Unexpected keyword argument '{name}'"));
        }
        Some(Path::new(Some(&attribute), default))
    } else {
        None
    };
    if !input.truth() {
        return Value::iterator(Vec::new());
    }
    let items = iterate(input)?;
    let results: Result<Vec<Value>> = match path {
        Some(path) => items.iter().map(|item| path.follow(item)).collect(),
        None => {
            let name = to_text(&args.positional[0]);
            let call_one = |item| {
                let args = Args { positional: args.positional[1..].to_vec(), named: args.named.clone() };
                call(&name, item, args)
            };
            items.iter().map(call_one).collect()
        }
    };
    Value::iterator(results?)
}

/// pprint.pformat of values that fit on one line of 80 characters.
fn pretty(input: &Value) -> Result<Value> {
    let text = to_repr(&sorted(input)?);
    if text.chars().count() > 80 || (text.contains("\\n") && input.as_str().is_some()) {
        return Err(Error::new(Kind::Unsupported, "pprint of more than a line is not supported; use tojson"));
    }
    Ok(Value::str(text))
}

/// The value with the keys of every dict in order, as pprint shows them.
fn sorted(value: &Value) -> Result<Value> {
    match value {
        Value::List(items) => Value::list(items.values.iter().map(sorted).collect::<Result<_>>()?),
        Value::Tuple(items) => Value::tuple(items.values.iter().map(sorted).collect::<Result<_>>()?),
        Value::Dict(_) => {
            let pairs = iterate(&list::call("dictsort", value, Args::positional(vec![Value::Bool(true)]))?)?;
            let mut entries = Vec::new();
            for pair in pairs {
                let pair = iterate(&pair)?;
                entries.push((pair[0].clone(), sorted(&pair[1])?));
            }
            Ok(Value::dict(Dict::new(entries)?))
        }
        other => Ok(other.clone()),
    }
}

fn format(input: &Value, args: Args) -> Result<Value> {
    if !args.positional.is_empty() && !args.named.is_empty() {
        return type_error("can't handle positional and keyword arguments at the same time");
    }
    let pattern = if input.as_str().is_some() { input.clone() } else { Value::str(to_text(input)) };
    if args.named.is_empty() {
        return percent::format(&pattern, &Value::tuple(args.positional)?);
    }
    let pairs = args.named.into_iter().map(|(name, value)| (Value::Str(name), value));
    percent::format(&pattern, &Value::dict(Dict::new(pairs)?))
}

/// transformers' tojson: json.dumps with its options, nothing escaped for HTML.
fn to_json(input: &Value, args: Args) -> Result<Value> {
    let params = ["ensure_ascii", "indent", "separators", "sort_keys"];
    let [ensure_ascii, indent, separators, sort_keys] = args.bind("tojson", params, 0)?;
    let is_true = |value: Option<Value>| value.is_some_and(|value| value.truth());
    let indent = match indent {
        None | Some(Value::None) => None,
        Some(Value::Str(text) | Value::Markup(text)) => Some(text.to_string()),
        Some(value) => {
            let width = crate::args::int("tojson", &value)?.clamp(0, 1 << 10);
            Some(" ".repeat(width as usize))
        }
    };
    let (item_separator, key_separator) = match separators {
        None | Some(Value::None) => {
            ((if indent.is_some() { "," } else { ", " }).to_string(), ": ".to_string())
        }
        Some(pair) => {
            let pair = iterate(&pair)?;
            let [item, key] = &pair[..] else {
                return type_error(format!(
                    "not the right number of values to unpack (expected 2, got {})",
                    pair.len()
                ));
            };
            (crate::args::text("tojson", item)?.to_string(), crate::args::text("tojson", key)?.to_string())
        }
    };
    let layout = Layout {
        ensure_ascii: is_true(ensure_ascii),
        indent,
        item_separator,
        key_separator,
        sort_keys: is_true(sort_keys),
    };
    dumps(input, &layout).map(Value::str)
}

fn xml_attributes(input: &Value, args: Args) -> Result<Value> {
    let [autospace] = args.bind("xmlattr", ["autospace"], 0)?;
    let Value::Dict(dict) = input else {
        return type_error("xmlattr expects a mapping");
    };
    let mut parts = Vec::new();
    for (key, value) in dict.iter().filter(|(_, value)| !matches!(value, Value::None | Value::Undefined(_))) {
        let key = to_text(key);
        if key.contains(|c: char| c.is_ascii_whitespace() || matches!(c, '/' | '>' | '=')) {
            return type_error(format!("Invalid character in attribute name: '{key}'"));
        }
        parts.push(format!("{}=\"{}\"", markup::escape_text(&key), markup::escape(value)));
    }
    let text = parts.join(" ");
    let autospace = autospace.is_none_or(|autospace| autospace.truth());
    Ok(Value::str(if autospace && !text.is_empty() { format!(" {text}") } else { text }))
}
