//! Finds the variables of each scope and how they start, by Jinja's rules.
//!
//! A name belongs to the nearest enclosing scope that mentions it. A scope that only reads a name nobody around it
//! knows looks it up among the variables of the render call; one that sets a name starts with the outer value.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::ast::{CallArgs, Expr, ExprKind, Load, MacroDef, Scope, Slot, Stmt, StmtKind, Target};

/// How names of one scope start, as far as its statements have been read.
#[derive(Clone, Default)]
struct View {
    loads: HashMap<Arc<str>, Load>,
    stores: HashSet<Arc<str>>,
}

/// A scope while its names are being found.
pub(crate) struct Table<'p> {
    parent: Option<&'p Table<'p>>,
    slots: RefCell<HashMap<Arc<str>, u32>>,
    view: View,
}

impl<'p> Table<'p> {
    pub(crate) fn new(parent: Option<&'p Table<'p>>) -> Table<'p> {
        Table { parent, slots: RefCell::default(), view: View::default() }
    }

    fn index(&self, name: &Arc<str>) -> u32 {
        let mut slots = self.slots.borrow_mut();
        let next = slots.len() as u32;
        *slots.entry(name.clone()).or_insert(next)
    }

    /// The variable a name means here.
    pub(crate) fn find(&self, name: &str) -> Option<Slot> {
        let mut hops = 0;
        let mut table = Some(self);
        while let Some(current) = table {
            if current.view.loads.contains_key(name) {
                let index = current.slots.borrow()[name];
                return Some(Slot { hops, index });
            }
            hops += 1;
            table = current.parent;
        }
        None
    }

    fn define(&mut self, name: &Arc<str>, load: Load) {
        self.index(name);
        self.view.loads.insert(name.clone(), load);
    }

    fn outer(&self, name: &str) -> Option<Slot> {
        let mut slot = self.parent?.find(name)?;
        slot.hops += 1;
        Some(slot)
    }

    pub(crate) fn load(&mut self, name: &Arc<str>) {
        if self.find(name).is_none() {
            self.define(name, Load::Resolve);
        }
    }

    pub(crate) fn store(&mut self, name: &Arc<str>) {
        self.view.stores.insert(name.clone());
        if !self.view.loads.contains_key(name) {
            let load = self.outer(name).map_or(Load::Undefined, Load::Alias);
            self.define(name, load);
        }
    }

    pub(crate) fn parameter(&mut self, name: &Arc<str>) -> u32 {
        self.view.stores.insert(name.clone());
        self.define(name, Load::Parameter);
        self.index(name)
    }

    /// Reads alternatives (the arms of an if), of which at most one will run.
    fn branches(&mut self, branches: &[&dyn Fn(&mut Table<'p>)]) {
        let before = self.view.clone();
        let mut views = Vec::new();
        for read in branches {
            self.view = before.clone();
            read(self);
            views.push(std::mem::take(&mut self.view));
        }
        self.view = before.clone();
        let mut num_stores: HashMap<Arc<str>, usize> = HashMap::new();
        for view in views {
            for name in view.stores.iter().filter(|name| !before.stores.contains(*name)) {
                *num_stores.entry(name.clone()).or_default() += 1;
            }
            self.view.loads.extend(view.loads);
            self.view.stores.extend(view.stores);
        }
        for (name, count) in num_stores {
            if count < branches.len() {
                let load = self.outer(&name).map_or(Load::Resolve, Load::Alias);
                self.view.loads.insert(name, load);
            }
        }
    }

    /// What the interpreter needs to enter the scope.
    pub(crate) fn finish(self) -> Scope {
        let slots = self.slots.into_inner();
        let num_slots = slots.len() as u32;
        let mut loads: Vec<_> = self
            .view
            .loads
            .into_iter()
            .filter(|(_, load)| !matches!(load, Load::Parameter | Load::Undefined))
            .map(|(name, load)| (slots[&name], name, load))
            .collect();
        loads.sort_by_key(|(index, ..)| *index);
        Scope { num_slots, loads }
    }

    pub(crate) fn read_all(&mut self, body: &[Stmt]) {
        body.iter().for_each(|stmt| self.read(stmt));
    }

    /// Notes the names of a statement that belong to this scope, not those of scopes within.
    fn read(&mut self, stmt: &Stmt) {
        match &stmt.kind {
            StmtKind::Output(value) => self.read_expr(value),
            StmtKind::For(def) => self.read_expr(&def.iter),
            StmtKind::If { branches, otherwise } => {
                self.read_expr(&branches[0].0);
                let first = |table: &mut Table<'p>| table.read_all(&branches[0].1);
                let elifs = |table: &mut Table<'p>| {
                    for (test, body) in &branches[1..] {
                        table.read_expr(test);
                        // Each elif is an if of its own, with one arm and two empty ones.
                        let arm = |table: &mut Table<'p>| table.read_all(body);
                        let nothing = |_: &mut Table<'p>| {};
                        table.branches(&[&arm, &nothing, &nothing]);
                    }
                };
                let last = |table: &mut Table<'p>| table.read_all(otherwise);
                self.branches(&[&first, &elifs, &last]);
            }
            StmtKind::Set { target, value } => {
                self.read_expr(value);
                self.read_target(target);
            }
            StmtKind::SetBlock { target, .. } => self.read_target(target),
            StmtKind::Macro { def, .. } => self.store(&def.name),
            StmtKind::Call { call, .. } => self.read_expr(call),
            StmtKind::Filter { filter, .. } => self.read_expr(filter),
            StmtKind::With { values, .. } => values.iter().for_each(|value| self.read_expr(value)),
            StmtKind::Text(_)
            | StmtKind::Generation(_)
            | StmtKind::Block { .. }
            | StmtKind::Break
            | StmtKind::Continue
            | StmtKind::NeedsLoader(_) => {}
        }
    }

    pub(crate) fn read_target(&mut self, target: &Target) {
        match target {
            Target::Name { name, .. } => self.store(name),
            Target::Tuple(targets) => targets.iter().for_each(|target| self.read_target(target)),
            Target::Attribute { object, .. } => self.load(object),
        }
    }

    /// As `read_target`, for a target that is set from outside when the scope is entered.
    pub(crate) fn read_parameter(&mut self, target: &Target) {
        match target {
            Target::Name { name, .. } => {
                self.parameter(name);
            }
            Target::Tuple(targets) => targets.iter().for_each(|target| self.read_parameter(target)),
            Target::Attribute { object, .. } => self.load(object),
        }
    }

    pub(crate) fn read_expr(&mut self, expr: &Expr) {
        each_name(expr, &mut |name| self.load(name));
    }

    /// Arguments, defaults and body of a macro.
    pub(crate) fn read_macro(&mut self, def: &MacroDef) {
        for param in &def.params {
            self.parameter(param);
        }
        def.defaults.iter().for_each(|default| self.read_expr(default));
        self.read_all(&def.body);
    }
}

/// Calls `visit` for every name an expression reads, in order of evaluation.
pub(crate) fn each_name(expr: &Expr, visit: &mut dyn FnMut(&Arc<str>)) {
    if let ExprKind::Name { name, .. } = &expr.kind {
        visit(name);
    }
    each_child(expr, &mut |child| each_name(child, visit));
}

/// The direct parts of an expression.
pub(crate) fn each_child<'e>(expr: &'e Expr, visit: &mut dyn FnMut(&'e Expr)) {
    let each_arg = |args: &'e CallArgs, visit: &mut dyn FnMut(&'e Expr)| {
        args.positional.iter().chain(args.named.iter().map(|(_, value)| value)).for_each(&mut *visit);
        args.star.iter().chain(&args.double_star).for_each(visit);
    };
    match &expr.kind {
        ExprKind::None | ExprKind::Bool(_) | ExprKind::Int(_) | ExprKind::Float(_) | ExprKind::Str(_) => {}
        ExprKind::Name { .. } => {}
        ExprKind::Tuple(items) | ExprKind::List(items) | ExprKind::Concat(items) => {
            items.iter().for_each(visit)
        }
        ExprKind::Dict(items) => items.iter().flat_map(|(key, value)| [key, value]).for_each(visit),
        ExprKind::Attribute { object, .. } => visit(object),
        ExprKind::Item { object, key } => [&**object, key].into_iter().for_each(visit),
        ExprKind::Slice { object, bounds } => {
            visit(object);
            bounds.iter().flatten().for_each(visit);
        }
        ExprKind::Call { function, args } => {
            visit(function);
            each_arg(args, visit);
        }
        ExprKind::Filter { input, args, .. } => {
            input.iter().for_each(|input| visit(input));
            each_arg(args, visit);
        }
        ExprKind::Test { input, args, .. } => {
            visit(input);
            each_arg(args, visit);
        }
        ExprKind::Conditional { test, then, otherwise } => {
            [&**test, then].into_iter().for_each(&mut *visit);
            otherwise.iter().for_each(|otherwise| visit(otherwise));
        }
        ExprKind::Not(inner) | ExprKind::Negative(inner) | ExprKind::Positive(inner) => visit(inner),
        ExprKind::And(left, right) | ExprKind::Or(left, right) | ExprKind::Binary(_, left, right) => {
            [&**left, right].into_iter().for_each(visit);
        }
        ExprKind::Compare(first, rest) => {
            visit(first);
            rest.iter().for_each(|(_, operand)| visit(operand));
        }
    }
}
