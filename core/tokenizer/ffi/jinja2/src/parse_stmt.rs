//! Statements: text, output and the tags.

use std::sync::Arc;

use crate::ast::{ExprKind, ForDef, MacroDef, Scope, Slot, Stmt, StmtKind, Target};
use crate::error::{Error, Kind, Result};
use crate::lexer::Tok;
use crate::parser::Parser;

type Body = Vec<Stmt>;

impl Parser {
    pub(crate) fn template(&mut self) -> Result<Body> {
        let body = self.statements(&[])?;
        match self.tok() {
            Tok::End => Ok(body),
            _ => self.fail(format!("unexpected {}", self.describe())),
        }
    }

    /// Statements up to a tag whose name is in `ends`; that name is the current token then.
    fn statements(&mut self, ends: &[&str]) -> Result<Body> {
        let mut body = Vec::new();
        loop {
            let line = self.line();
            match self.tok().clone() {
                Tok::Text(text) => {
                    self.next();
                    body.push(Stmt { line, kind: StmtKind::Text(text) });
                }
                Tok::VariableBegin => {
                    self.next();
                    let value = self.tuple(true, false, false)?;
                    self.expect(&Tok::VariableEnd)?;
                    body.push(Stmt { line, kind: StmtKind::Output(value) });
                }
                Tok::BlockBegin => {
                    self.next();
                    if matches!(self.tok(), Tok::Name(name) if ends.contains(&&**name)) {
                        return Ok(body);
                    }
                    self.nested(|parser| parser.statement(&mut body))?;
                    self.expect(&Tok::BlockEnd)?;
                }
                Tok::End if ends.is_empty() => return Ok(body),
                Tok::End => {
                    return self
                        .fail(format!("Unexpected end of template. Looking for one of: {}", ends.join(", ")))
                }
                _ => return self.fail(format!("unexpected {}", self.describe())),
            }
        }
    }

    /// The end of the opening tag, then statements up to one of `ends`, whose name is consumed and returned.
    fn body(&mut self, ends: &[&str]) -> Result<(Body, Arc<str>)> {
        self.skip_op(":");
        self.expect(&Tok::BlockEnd)?;
        let body = self.statements(ends)?;
        let end = self.expect_name()?;
        Ok((body, end))
    }

    /// A body that break and continue cannot leave.
    fn function_body(&mut self, end: &str) -> Result<Body> {
        let in_loop = std::mem::replace(&mut self.in_loop, false);
        let result = self.body(&[end]);
        self.in_loop = in_loop;
        Ok(result?.0)
    }

    fn statement(&mut self, body: &mut Body) -> Result<()> {
        let line = self.line();
        let Tok::Name(tag) = self.tok().clone() else {
            return self.fail("tag name expected");
        };
        self.next();
        let kind = match &*tag {
            "if" => self.if_statement()?,
            "for" => self.for_statement()?,
            "set" => self.set_statement()?,
            "macro" => self.macro_statement()?,
            "call" => self.call_statement()?,
            "filter" => self.filter_statement()?,
            "with" => self.with_statement()?,
            "generation" => StmtKind::Generation(Arc::new(MacroDef {
                body: self.function_body("endgeneration")?,
                ..MacroDef::default()
            })),
            "print" => return self.print_statement(line, body),
            "break" | "continue" => {
                if !self.in_loop {
                    return self.fail(format!("'{tag}' outside loop"));
                }
                if &*tag == "break" {
                    StmtKind::Break
                } else {
                    StmtKind::Continue
                }
            }
            "block" => self.block_statement()?,
            "include" => self.needs_loader("include")?,
            "import" => self.needs_loader("import")?,
            "from" => self.needs_loader("from")?,
            "extends" => self.needs_loader("extends")?,
            "autoescape" => {
                let message = "{% autoescape %} is not supported in chat templates";
                return Err(Error::new(Kind::Unsupported, message).at(line));
            }
            _ => return Err(Error::syntax(format!("Encountered unknown tag '{tag}'."), line)),
        };
        body.push(Stmt { line, kind });
        Ok(())
    }

    fn if_statement(&mut self) -> Result<StmtKind> {
        let mut branches = Vec::new();
        let mut otherwise = Vec::new();
        loop {
            let test = self.tuple(false, false, false)?;
            let (body, end) = self.body(&["elif", "else", "endif"])?;
            branches.push((test, body));
            match &*end {
                "elif" => {}
                "else" => {
                    otherwise = self.body(&["endif"])?.0;
                    break;
                }
                _ => break,
            }
        }
        Ok(StmtKind::If { branches, otherwise })
    }

    fn for_statement(&mut self) -> Result<StmtKind> {
        let target = self.target(false)?;
        if names_loop(&target) {
            return self.fail("Can't assign to special loop variable in for-loop target");
        }
        let test_target = copy_target(&target);
        self.expect_keyword("in")?;
        let iter = self.tuple(false, false, true)?;
        let test = if self.skip_name("if") { Some(self.expression(true)?) } else { None };
        let recursive = self.skip_name("recursive");
        let outer = std::mem::replace(&mut self.in_loop, true);
        let result = self.body(&["else", "endfor"]);
        self.in_loop = outer;
        let (body, end) = result?;
        let otherwise = if &*end == "else" { self.body(&["endfor"])?.0 } else { Vec::new() };
        Ok(StmtKind::For(Arc::new(ForDef {
            target,
            iter,
            test_target: test.is_some().then_some(test_target),
            test,
            recursive,
            body,
            otherwise,
            scope: Scope::default(),
            test_scope: Scope::default(),
            else_scope: Scope::default(),
            loop_slot: None,
        })))
    }

    fn set_statement(&mut self) -> Result<StmtKind> {
        let target = self.target(true)?;
        if self.skip_op("=") {
            let value = self.tuple(true, false, false)?;
            return Ok(StmtKind::Set { target, value });
        }
        let filter = self.filter_chain(None, false)?;
        let (body, _) = self.body(&["endset"])?;
        Ok(StmtKind::SetBlock { target, filter, body, scope: Scope::default() })
    }

    fn macro_statement(&mut self) -> Result<StmtKind> {
        let name = self.assignable_name()?;
        let mut def = MacroDef { name, ..MacroDef::default() };
        self.signature(&mut def)?;
        def.body = self.function_body("endmacro")?;
        Ok(StmtKind::Macro { def: Arc::new(def), slot: Slot::default() })
    }

    fn call_statement(&mut self) -> Result<StmtKind> {
        let mut def = MacroDef { name: Arc::from("caller"), ..MacroDef::default() };
        if self.is_op("(") {
            self.signature(&mut def)?;
        }
        let call = self.expression(true)?;
        if !matches!(call.kind, ExprKind::Call { .. }) {
            return self.fail("expected call");
        }
        def.body = self.function_body("endcall")?;
        Ok(StmtKind::Call { def: Arc::new(def), call })
    }

    fn signature(&mut self, def: &mut MacroDef) -> Result<()> {
        self.expect_op("(")?;
        while !self.is_op(")") {
            if !def.params.is_empty() {
                self.expect_op(",")?;
            }
            let name = self.assignable_name()?;
            if def.params.contains(&name) {
                return self.fail(format!("duplicate argument '{name}'"));
            }
            def.params.push(name);
            if self.skip_op("=") {
                let default = self.expression(true)?;
                def.defaults.push(default);
            } else if !def.defaults.is_empty() {
                return self.fail("non-default argument follows default argument");
            }
        }
        self.expect_op(")")
    }

    fn filter_statement(&mut self) -> Result<StmtKind> {
        let Some(filter) = self.filter_chain(None, true)? else {
            return self.fail("expected a filter");
        };
        let (body, _) = self.body(&["endfilter"])?;
        Ok(StmtKind::Filter { filter, body, scope: Scope::default() })
    }

    fn with_statement(&mut self) -> Result<StmtKind> {
        let mut targets = Vec::new();
        let mut values = Vec::new();
        while *self.tok() != Tok::BlockEnd {
            if !targets.is_empty() {
                self.expect_op(",")?;
            }
            targets.push(self.target(false)?);
            self.expect_op("=")?;
            values.push(self.expression(true)?);
        }
        let (body, _) = self.body(&["endwith"])?;
        Ok(StmtKind::With { targets, values, body, scope: Scope::default() })
    }

    fn print_statement(&mut self, line: u32, body: &mut Body) -> Result<()> {
        let mut is_first = true;
        while *self.tok() != Tok::BlockEnd {
            if !is_first {
                self.expect_op(",")?;
            }
            is_first = false;
            let value = self.expression(true)?;
            body.push(Stmt { line, kind: StmtKind::Output(value) });
        }
        Ok(())
    }

    fn block_statement(&mut self) -> Result<StmtKind> {
        let name = self.expect_name()?;
        self.skip_name("scoped");
        self.skip_name("required");
        let body = self.function_body("endblock")?;
        self.skip_name(&name);
        Ok(StmtKind::Block { body, scope: Scope::default() })
    }

    /// Parses over a tag that names another template.
    fn needs_loader(&mut self, tag: &'static str) -> Result<StmtKind> {
        while !matches!(self.tok(), Tok::BlockEnd | Tok::End) {
            self.next();
        }
        Ok(StmtKind::NeedsLoader(tag))
    }

    fn assignable_name(&mut self) -> Result<Arc<str>> {
        let name = self.expect_name()?;
        if matches!(&*name, "true" | "false" | "none" | "True" | "False" | "None") {
            return self.fail(format!("can't assign to '{name}'"));
        }
        Ok(name)
    }

    /// `name`, `a, b`, `(a, b)`, and for set also `ns.attribute`.
    fn target(&mut self, with_attribute: bool) -> Result<Target> {
        let mut targets = Vec::new();
        let mut is_tuple = false;
        loop {
            if !targets.is_empty() {
                if !self.skip_op(",") {
                    break;
                }
                is_tuple = true;
            }
            if !targets.is_empty() && (self.is_name("in") || self.is_op("=") || *self.tok() == Tok::BlockEnd)
            {
                break;
            }
            targets.push(self.nested(|parser| parser.simple_target(with_attribute))?);
            if self.is_op(")") {
                break;
            }
        }
        Ok(match targets.pop() {
            Some(only) if !is_tuple => only,
            last => Target::Tuple(targets.into_iter().chain(last).collect()),
        })
    }

    fn simple_target(&mut self, with_attribute: bool) -> Result<Target> {
        if self.skip_op("(") {
            let inner = self.target(with_attribute)?;
            self.expect_op(")")?;
            return Ok(inner);
        }
        if !matches!(self.tok(), Tok::Name(_)) {
            return self.fail(format!("can't assign to {}", self.describe()));
        }
        let name = self.assignable_name()?;
        if with_attribute && self.skip_op(".") {
            let attribute = self.expect_name()?;
            return Ok(Target::Attribute { object: name, slot: Slot::default(), attribute });
        }
        Ok(Target::Name { name, slot: Slot::default() })
    }
}

fn names_loop(target: &Target) -> bool {
    match target {
        Target::Name { name, .. } => **name == *"loop",
        Target::Tuple(targets) => targets.iter().any(names_loop),
        Target::Attribute { .. } => false,
    }
}

fn copy_target(target: &Target) -> Target {
    match target {
        Target::Name { name, slot } => Target::Name { name: name.clone(), slot: *slot },
        Target::Tuple(targets) => Target::Tuple(targets.iter().map(copy_target).collect()),
        Target::Attribute { object, slot, attribute } => {
            Target::Attribute { object: object.clone(), slot: *slot, attribute: attribute.clone() }
        }
    }
}
