//! Second pass over the tree: gives every name its variable, and refuses unknown filters and tests.

use std::sync::Arc;

use crate::ast::{CallArgs, Expr, ExprKind, ForDef, MacroDef, Scope, Slot, Stmt, StmtKind, Target};
use crate::error::{Error, Result};
use crate::mentions::mentions;
use crate::symbols::Table;
use crate::{filter_names, tests};

/// Resolves a whole template and returns its outermost scope.
pub(crate) fn resolve(body: &mut [Stmt]) -> Result<Scope> {
    let mut table = Table::new(None);
    table.read_all(body);
    statements(body, &table, false)?;
    Ok(table.finish())
}

fn statements(body: &mut [Stmt], table: &Table, soft: bool) -> Result<()> {
    body.iter_mut().try_for_each(|stmt| statement(stmt, table, soft))
}

/// `soft`: inside an if, where an unknown filter is an error only when it is reached.
fn statement(stmt: &mut Stmt, table: &Table, soft: bool) -> Result<()> {
    match &mut stmt.kind {
        StmtKind::Output(value) => expression(value, table, soft),
        StmtKind::For(def) => for_loop(unshared(def), table, soft),
        StmtKind::If { branches, otherwise } => {
            for (test, body) in branches {
                expression(test, table, true)?;
                statements(body, table, true)?;
            }
            statements(otherwise, table, true)
        }
        StmtKind::Set { target, value } => {
            expression(value, table, soft)?;
            resolve_target(target, table);
            Ok(())
        }
        StmtKind::SetBlock { target, filter, body, scope } => {
            let mut inner = Table::new(Some(table));
            inner.read_all(body);
            filter.iter().for_each(|filter| inner.read_expr(filter));
            statements(body, &inner, false)?;
            filter.iter_mut().try_for_each(|filter| expression(filter, &inner, false))?;
            *scope = inner.finish();
            resolve_target(target, table);
            Ok(())
        }
        StmtKind::Macro { def, slot } => {
            let def = unshared(def);
            *slot = slot_of(&def.name, table);
            function(def, table)
        }
        StmtKind::Call { def, call } => {
            function(unshared(def), table)?;
            expression(call, table, soft)
        }
        StmtKind::Generation(def) => function(unshared(def), table),
        StmtKind::Filter { filter, body, scope } => {
            let mut inner = Table::new(Some(table));
            inner.read_all(body);
            inner.read_expr(filter);
            statements(body, &inner, false)?;
            expression(filter, &inner, false)?;
            *scope = inner.finish();
            Ok(())
        }
        StmtKind::With { targets, values, body, scope } => {
            let mut inner = Table::new(Some(table));
            targets.iter().for_each(|target| inner.read_parameter(target));
            inner.read_all(body);
            values.iter_mut().try_for_each(|value| expression(value, table, soft))?;
            targets.iter_mut().for_each(|target| resolve_target(target, &inner));
            statements(body, &inner, false)?;
            *scope = inner.finish();
            Ok(())
        }
        StmtKind::Block { body, scope } => {
            let mut inner = Table::new(None);
            inner.read_all(body);
            statements(body, &inner, false)?;
            *scope = inner.finish();
            Ok(())
        }
        StmtKind::Text(_) | StmtKind::Break | StmtKind::Continue | StmtKind::NeedsLoader(_) => Ok(()),
    }
}

/// While a template is compiled nobody else holds its parts.
fn unshared<T>(shared: &mut Arc<T>) -> &mut T {
    Arc::get_mut(shared).expect("the parser made this part and nobody shares it yet")
}

fn slot_of(name: &str, table: &Table) -> Slot {
    table.find(name).expect("every name of a scope was read before it is resolved")
}

fn for_loop(def: &mut ForDef, table: &Table, soft: bool) -> Result<()> {
    let mut inner = Table::new(Some(table));
    let loop_name: Arc<str> = Arc::from("loop");
    if def.recursive || mentions(&def.body, &["loop"])[0] {
        def.loop_slot = Some(inner.parameter(&loop_name));
    }
    inner.read_parameter(&def.target);
    inner.read_all(&def.body);
    if let (Some(test), Some(target)) = (&mut def.test, &mut def.test_target) {
        let mut test_table = Table::new(Some(table));
        test_table.read_parameter(target);
        test_table.read_expr(test);
        resolve_target(target, &test_table);
        expression(test, &test_table, false)?;
        def.test_scope = test_table.finish();
    }
    let mut else_table = Table::new(Some(table));
    else_table.read_all(&def.otherwise);
    statements(&mut def.otherwise, &else_table, false)?;
    def.else_scope = else_table.finish();
    expression(&mut def.iter, table, soft)?;
    resolve_target(&mut def.target, &inner);
    statements(&mut def.body, &inner, false)?;
    def.scope = inner.finish();
    Ok(())
}

/// A macro or the body of a call block.
fn function(def: &mut MacroDef, table: &Table) -> Result<()> {
    let mut inner = Table::new(Some(table));
    inner.read_macro(def);
    let special = mentions(&def.body, &["caller", "kwargs", "varargs"]);
    let declared = |name: &str| def.params.iter().position(|param| **param == *name);
    let mut slots = [None; 3];
    for (index, name) in ["caller", "kwargs", "varargs"].into_iter().enumerate() {
        match declared(name) {
            None if special[index] => slots[index] = Some(inner.parameter(&Arc::from(name))),
            Some(at) if index == 0 && special[0] => {
                if at + def.defaults.len() < def.params.len() {
                    return Err(Error::syntax(
                        "the special \"caller\" argument must be omitted or be given a default",
                        def.body.first().map_or(0, |stmt| stmt.line),
                    ));
                }
                def.explicit_caller = true;
            }
            _ => {}
        }
    }
    [def.caller, def.kwargs, def.varargs] = slots;
    def.param_slots = def.params.iter().map(|param| inner.parameter(param)).collect();
    def.defaults.iter_mut().try_for_each(|default| expression(default, &inner, false))?;
    statements(&mut def.body, &inner, false)?;
    def.scope = inner.finish();
    Ok(())
}

fn resolve_target(target: &mut Target, table: &Table) {
    match target {
        Target::Name { name, slot } => *slot = slot_of(name, table),
        Target::Tuple(targets) => targets.iter_mut().for_each(|target| resolve_target(target, table)),
        Target::Attribute { object, slot, .. } => *slot = slot_of(object, table),
    }
}

fn arguments(args: &mut CallArgs, table: &Table, soft: bool) -> Result<()> {
    let CallArgs { positional, named, star, double_star } = args;
    positional
        .iter_mut()
        .chain(named.iter_mut().map(|(_, value)| value))
        .chain(star)
        .chain(double_star)
        .try_for_each(|value| expression(value, table, soft))
}

fn expression(expr: &mut Expr, table: &Table, soft: bool) -> Result<()> {
    let line = expr.line;
    match &mut expr.kind {
        ExprKind::None | ExprKind::Bool(_) | ExprKind::Int(_) | ExprKind::Float(_) | ExprKind::Str(_) => {
            Ok(())
        }
        ExprKind::Name { name, slot } => {
            *slot = slot_of(name, table);
            Ok(())
        }
        ExprKind::Tuple(items) | ExprKind::List(items) | ExprKind::Concat(items) => {
            items.iter_mut().try_for_each(|item| expression(item, table, soft))
        }
        ExprKind::Dict(items) => items.iter_mut().try_for_each(|(key, value)| {
            expression(key, table, soft)?;
            expression(value, table, soft)
        }),
        ExprKind::Attribute { object, .. } => expression(object, table, soft),
        ExprKind::Item { object, key } => {
            expression(object, table, soft)?;
            expression(key, table, soft)
        }
        ExprKind::Slice { object, bounds } => {
            expression(object, table, soft)?;
            bounds.iter_mut().flatten().try_for_each(|bound| expression(bound, table, soft))
        }
        ExprKind::Call { function, args } => {
            expression(function, table, soft)?;
            arguments(args, table, soft)
        }
        ExprKind::Filter { input, name, args } => {
            if !soft && !filter_names::exists(name) {
                return Err(Error::syntax(format!("No filter named '{name}'."), line));
            }
            input.iter_mut().try_for_each(|input| expression(input, table, soft))?;
            arguments(args, table, soft)
        }
        ExprKind::Test { input, name, args } => {
            if !soft && !tests::exists(name) {
                return Err(Error::syntax(format!("No test named '{name}'."), line));
            }
            expression(input, table, soft)?;
            arguments(args, table, soft)
        }
        ExprKind::Conditional { test, then, otherwise } => {
            expression(test, table, true)?;
            expression(then, table, true)?;
            otherwise.iter_mut().try_for_each(|otherwise| expression(otherwise, table, true))
        }
        ExprKind::Not(inner) | ExprKind::Negative(inner) | ExprKind::Positive(inner) => {
            expression(inner, table, soft)
        }
        ExprKind::And(left, right) | ExprKind::Or(left, right) | ExprKind::Binary(_, left, right) => {
            expression(left, table, soft)?;
            expression(right, table, soft)
        }
        ExprKind::Compare(first, rest) => {
            expression(first, table, soft)?;
            rest.iter_mut().try_for_each(|(_, operand)| expression(operand, table, soft))
        }
    }
}
