//! Filters on lists, dicts and other sequences.

use std::cmp::Ordering;
use std::rc::Rc;

use crate::access::{iterate, length};
use crate::args::{int, Args};
use crate::compare::{equal, order};
use crate::error::{type_error, Error, Kind, Result};
use crate::item_path::Path;
use crate::limits::{check_length, MAX_LENGTH};
use crate::repr::to_text;
use crate::tests;
use crate::value::{check_defined, Items, Key, Object, Value};

pub(crate) fn call(name: &str, input: &Value, args: Args) -> Result<Value> {
    match name {
        "batch" | "slice" => groups(name, input, args),
        "dictsort" => dict_sort(input, args),
        "first" => {
            args.bind::<0>(name, [], 0)?;
            let first = match input {
                Value::Object(object) => match &**object {
                    Object::Iterator(values, _) => values.borrow_mut().next(),
                    _ => iterate(input)?.into_iter().next(),
                },
                _ => iterate(input)?.into_iter().next(),
            };
            Ok(first.unwrap_or_else(|| Value::undefined("No first item, sequence was empty.")))
        }
        "last" => {
            args.bind::<0>(name, [], 0)?;
            if is_generator(input) {
                return type_error("'generator' object is not reversible");
            }
            let last = iterate(input)?.pop();
            Ok(last.unwrap_or_else(|| Value::undefined("No last item, sequence was empty.")))
        }
        "groupby" => group_by(input, args),
        "items" => {
            args.bind::<0>(name, [], 0)?;
            match input {
                Value::Undefined(_) => Value::iterator(Vec::new()),
                Value::Dict(dict) => {
                    let pairs: Result<Vec<Value>> = dict
                        .iter()
                        .map(|(key, value)| Value::tuple(vec![key.clone(), value.clone()]))
                        .collect();
                    Value::iterator(pairs?)
                }
                _ => type_error("Can only get item pairs from a mapping."),
            }
        }
        "join" => join(input, args),
        "list" => {
            args.bind::<0>(name, [], 0)?;
            Value::list(iterate(input)?)
        }
        "max" | "min" => extreme(name, input, args),
        "reverse" => {
            args.bind::<0>(name, [], 0)?;
            if let Some(text) = input.as_str() {
                return Ok(crate::access::like(input, &text.chars().rev().collect::<String>()));
            }
            let mut values = iterate(input)?;
            values.reverse();
            Value::iterator(values)
        }
        "select" | "reject" => select(name == "select", false, input, args),
        "selectattr" | "rejectattr" => select(name == "selectattr", true, input, args),
        "sort" => sort(input, args),
        _ => unique(input, args),
    }
}

fn is_generator(value: &Value) -> bool {
    matches!(value, Value::Object(object) if matches!(**object, Object::Iterator(..)))
}

/// Texts compare without case unless asked otherwise.
fn folded(value: Value, case_sensitive: bool) -> Value {
    match &value {
        Value::Str(text) | Value::Markup(text) if !case_sensitive => Value::str(text.to_lowercase()),
        _ => value,
    }
}

fn is_true(value: Option<Value>) -> bool {
    value.is_some_and(|value| value.truth())
}

/// A stable sort by Python's "<", which can fail.
fn sort_by_key<T>(items: &mut [(Value, T)], reverse: bool) -> Result<()> {
    let mut failure: Option<Box<Error>> = None;
    items.sort_by(|(a, _), (b, _)| {
        let (a, b) = if reverse { (b, a) } else { (a, b) };
        match order("<", a, b) {
            Ok(order) => order.unwrap_or(Ordering::Equal),
            Err(error) => {
                failure.get_or_insert(error);
                Ordering::Equal
            }
        }
    });
    failure.map_or(Ok(()), Err)
}

fn sort(input: &Value, args: Args) -> Result<Value> {
    let [reverse, case_sensitive, attribute] =
        args.bind("sort", ["reverse", "case_sensitive", "attribute"], 0)?;
    let case_sensitive = is_true(case_sensitive);
    let mut keyed = Vec::new();
    let paths: Vec<Path> = match &attribute {
        Some(Value::Str(text) | Value::Markup(text)) => {
            text.split(',').map(|part| Path::new(Some(&Value::str(part)), None)).collect()
        }
        other => vec![Path::new(other.as_ref(), None)],
    };
    for item in iterate(input)? {
        let keys: Result<Vec<Value>> =
            paths.iter().map(|path| Ok(folded(path.follow(&item)?, case_sensitive))).collect();
        keyed.push((Value::list(keys?)?, item));
    }
    sort_by_key(&mut keyed, is_true(reverse))?;
    Value::list(keyed.into_iter().map(|(_, item)| item).collect())
}

fn dict_sort(input: &Value, args: Args) -> Result<Value> {
    let [case_sensitive, by, reverse] = args.bind("dictsort", ["case_sensitive", "by", "reverse"], 0)?;
    let case_sensitive = is_true(case_sensitive);
    let position = match by.as_ref().map(to_text).as_deref() {
        None | Some("key") => 0,
        Some("value") => 1,
        _ => return type_error("You can only sort by either \"key\" or \"value\""),
    };
    check_defined(input)?;
    let Value::Dict(dict) = input else {
        return type_error(format!("'{} object' has no attribute 'items'", input.type_name()));
    };
    let mut keyed = Vec::new();
    for (key, value) in dict.iter() {
        let pair = [key.clone(), value.clone()];
        keyed.push((folded(pair[position].clone(), case_sensitive), Value::tuple(pair.to_vec())?));
    }
    sort_by_key(&mut keyed, is_true(reverse))?;
    Value::list(keyed.into_iter().map(|(_, pair)| pair).collect())
}

fn group_by(input: &Value, args: Args) -> Result<Value> {
    let [attribute, default, case_sensitive] =
        args.bind("groupby", ["attribute", "default", "case_sensitive"], 1)?;
    let case_sensitive = is_true(case_sensitive);
    let path = Path::new(attribute.as_ref(), default);
    let mut keyed = Vec::new();
    for item in iterate(input)? {
        keyed.push((folded(path.follow(&item)?, case_sensitive), item));
    }
    sort_by_key(&mut keyed, false)?;
    let mut groups: Vec<(Value, Vec<Value>)> = Vec::new();
    for (key, item) in keyed {
        match groups.last_mut() {
            Some((last, items)) if equal(last, &key) => items.push(item),
            _ => groups.push((key, vec![item])),
        }
    }
    let tuples: Result<Vec<Value>> = groups
        .into_iter()
        .map(|(key, items)| {
            // The group is named as its first item writes it.
            let name = if case_sensitive { key } else { path.follow(&items[0])? };
            let values = vec![name, Value::list(items)?];
            Ok(Value::Tuple(Rc::new(Items::named(values, &["grouper", "list"])?)))
        })
        .collect();
    Value::list(tuples?)
}

fn join(input: &Value, args: Args) -> Result<Value> {
    let [separator, attribute] = args.bind("join", ["d", "attribute"], 0)?;
    let separator = separator.unwrap_or_else(|| Value::str(""));
    let path = Path::new(attribute.as_ref(), None);
    let mut out = String::new();
    for (index, item) in iterate(input)?.iter().enumerate() {
        if index > 0 {
            out.push_str(&to_text(&separator));
        }
        out.push_str(&to_text(&path.follow(item)?));
        check_length(out.len())?;
    }
    Ok(Value::str(out))
}

fn select(keep: bool, by_attribute: bool, input: &Value, args: Args) -> Result<Value> {
    if !input.truth() {
        return Value::iterator(Vec::new());
    }
    let mut rest = &args.positional[..];
    let mut path = Path::new(None, None);
    if by_attribute {
        let Some((attribute, tail)) = rest.split_first() else {
            return type_error("Missing parameter for attribute name");
        };
        path = Path::new(Some(attribute), None);
        rest = tail;
    }
    let mut kept = Vec::new();
    for item in iterate(input)? {
        let value = path.follow(&item)?;
        let passes = match rest.split_first() {
            None => value.truth(),
            Some((name, tail)) => {
                let args = Args { positional: tail.to_vec(), named: args.named.clone() };
                tests::call(&to_text(name), &value, args)?
            }
        };
        if passes == keep {
            kept.push(item);
        }
    }
    Value::iterator(kept)
}

fn extreme(name: &str, input: &Value, args: Args) -> Result<Value> {
    let [case_sensitive, attribute] = args.bind(name, ["case_sensitive", "attribute"], 0)?;
    let case_sensitive = is_true(case_sensitive);
    let path = Path::new(attribute.as_ref(), None);
    let wanted = if name == "max" { Ordering::Greater } else { Ordering::Less };
    let symbol = if name == "max" { ">" } else { "<" };
    let mut best: Option<(Value, Value)> = None;
    for item in iterate(input)? {
        let key = folded(path.follow(&item)?, case_sensitive);
        let is_better = match &best {
            None => true,
            Some((best_key, _)) => order(symbol, &key, best_key)? == Some(wanted),
        };
        if is_better {
            best = Some((key, item));
        }
    }
    Ok(best.map_or_else(|| Value::undefined("No aggregated item, sequence was empty."), |(_, item)| item))
}

fn unique(input: &Value, args: Args) -> Result<Value> {
    let [case_sensitive, attribute] = args.bind("unique", ["case_sensitive", "attribute"], 0)?;
    let case_sensitive = is_true(case_sensitive);
    let path = Path::new(attribute.as_ref(), None);
    // What is mutable in a key (an iterator, a namespace) is hashed by its address.
    #[allow(clippy::mutable_key_type)]
    let mut seen = std::collections::HashSet::new();
    let mut kept = Vec::new();
    for item in iterate(input)? {
        if seen.insert(Key::new(folded(path.follow(&item)?, case_sensitive))?) {
            kept.push(item);
        }
    }
    Value::iterator(kept)
}

/// batch: rows of n items; slice: n columns.
fn groups(name: &str, input: &Value, args: Args) -> Result<Value> {
    let first_param = if name == "batch" { "linecount" } else { "slices" };
    let [count, fill] = args.bind(name, [first_param, "fill_with"], 1)?;
    let count = int(name, &count.unwrap_or(Value::None))?;
    let fill = fill.filter(|fill| !matches!(fill, Value::None));
    let items = iterate(input)?;
    if count <= 0 || count as usize > MAX_LENGTH {
        return Err(Error::new(Kind::Type, format!("{name} needs a positive number, not {count}")));
    }
    let count = count as usize;
    let mut rows = Vec::new();
    if name == "batch" {
        for chunk in items.chunks(count) {
            let mut row = chunk.to_vec();
            if let Some(fill) = &fill {
                row.resize(count, fill.clone());
            }
            rows.push(Value::list(row)?);
        }
    } else {
        let (size, extra) = (items.len() / count, items.len() % count);
        let mut rest = &items[..];
        for index in 0..count {
            let (head, tail) = rest.split_at(size + usize::from(index < extra));
            let mut row = head.to_vec();
            if let (true, Some(fill)) = (index >= extra, &fill) {
                row.push(fill.clone());
            }
            rest = tail;
            rows.push(Value::list(row)?);
        }
    }
    Value::iterator(rows)
}

/// How much work a filter has with its input, for the instruction limit.
pub(crate) fn cost(input: &Value) -> u64 {
    match input {
        Value::Str(text) | Value::Markup(text) => 1 + text.len() as u64 / 64,
        other => 1 + length(other).unwrap_or(0) as u64,
    }
}
