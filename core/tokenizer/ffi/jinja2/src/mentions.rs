//! Which special names (loop, caller, kwargs, varargs) a body reads, scopes within included.

use std::sync::Arc;

use crate::ast::{Expr, Stmt, StmtKind, Target};
use crate::symbols::each_name;

/// For each of `names`, whether the body reads it before setting it.
pub(crate) fn mentions(body: &[Stmt], names: &[&str]) -> Vec<bool> {
    let mut search = Search { names, found: vec![false; names.len()], hidden: vec![false; names.len()] };
    search.body(body);
    search.found
}

struct Search<'n> {
    names: &'n [&'n str],
    found: Vec<bool>,
    /// Set by the template itself: later mentions mean that variable.
    hidden: Vec<bool>,
}

impl Search<'_> {
    fn body(&mut self, body: &[Stmt]) {
        body.iter().for_each(|stmt| self.statement(stmt));
    }

    fn read(&mut self, name: &Arc<str>) {
        if let Some(at) = self.names.iter().position(|known| **known == **name) {
            self.found[at] |= !self.hidden[at];
        }
    }

    fn expression(&mut self, expr: &Expr) {
        each_name(expr, &mut |name| self.read(name));
    }

    fn set(&mut self, target: &Target) {
        match target {
            Target::Name { name, .. } => self.hide(name),
            Target::Tuple(targets) => targets.iter().for_each(|target| self.set(target)),
            Target::Attribute { object, .. } => self.read(object),
        }
    }

    fn hide(&mut self, name: &str) {
        if let Some(at) = self.names.iter().position(|known| *known == name) {
            self.hidden[at] = true;
        }
    }

    fn statement(&mut self, stmt: &Stmt) {
        match &stmt.kind {
            StmtKind::Output(value) => self.expression(value),
            StmtKind::For(def) => {
                self.set(&def.target);
                self.expression(&def.iter);
                self.body(&def.body);
                self.body(&def.otherwise);
                def.test.iter().for_each(|test| self.expression(test));
            }
            StmtKind::If { branches, otherwise } => {
                for (test, body) in branches {
                    self.expression(test);
                    self.body(body);
                }
                self.body(otherwise);
            }
            StmtKind::Set { target, value } => {
                // Python reads the target first, although it is set last.
                self.set(target);
                self.expression(value);
            }
            StmtKind::SetBlock { target, filter, body, .. } => {
                self.set(target);
                filter.iter().for_each(|filter| self.expression(filter));
                self.body(body);
            }
            StmtKind::Macro { def, .. } | StmtKind::Generation(def) => {
                def.params.iter().for_each(|param| self.hide(param));
                def.defaults.iter().for_each(|default| self.expression(default));
                self.body(&def.body);
            }
            StmtKind::Call { def, call } => {
                self.expression(call);
                def.params.iter().for_each(|param| self.hide(param));
                def.defaults.iter().for_each(|default| self.expression(default));
                self.body(&def.body);
            }
            StmtKind::Filter { filter, body, .. } => {
                self.body(body);
                self.expression(filter);
            }
            StmtKind::With { targets, values, body, .. } => {
                targets.iter().for_each(|target| self.set(target));
                values.iter().for_each(|value| self.expression(value));
                self.body(body);
            }
            StmtKind::Text(_)
            | StmtKind::Block { .. }
            | StmtKind::Break
            | StmtKind::Continue
            | StmtKind::NeedsLoader(_) => {}
        }
    }
}
