//! What the parser makes of a template, with each name resolved to a variable of a scope.

use std::sync::Arc;

/// A variable: `hops` scopes outwards, the `index`-th of that scope.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Slot {
    pub hops: u32,
    pub index: u32,
}

/// What a variable holds when its scope is entered.
#[derive(Clone, Debug)]
pub(crate) enum Load {
    /// Set by whoever enters the scope.
    Parameter,
    /// The variable of the render call, or a global function.
    Resolve,
    /// The value of an outer variable.
    Alias(Slot),
    /// Nothing yet.
    Undefined,
}

/// The variables of a scope.
#[derive(Debug, Default)]
pub(crate) struct Scope {
    pub num_slots: u32,
    /// (variable, its name, how it starts)
    pub loads: Vec<(u32, Arc<str>, Load)>,
}

#[derive(Debug)]
pub(crate) struct Expr {
    pub line: u32,
    pub kind: ExprKind,
}

#[derive(Debug)]
pub(crate) enum ExprKind {
    None,
    Bool(bool),
    Int(i128),
    Float(f64),
    Str(Arc<str>),
    Name { name: Arc<str>, slot: Slot },
    Tuple(Vec<Expr>),
    List(Vec<Expr>),
    Dict(Vec<(Expr, Expr)>),
    Attribute { object: Box<Expr>, name: Arc<str> },
    Item { object: Box<Expr>, key: Box<Expr> },
    Slice { object: Box<Expr>, bounds: Box<[Option<Expr>; 3]> },
    Call { function: Box<Expr>, args: Box<CallArgs> },
    Filter { input: Option<Box<Expr>>, name: Arc<str>, args: Box<CallArgs> },
    Test { input: Box<Expr>, name: Arc<str>, args: Box<CallArgs> },
    Conditional { test: Box<Expr>, then: Box<Expr>, otherwise: Option<Box<Expr>> },
    Not(Box<Expr>),
    Negative(Box<Expr>),
    Positive(Box<Expr>),
    And(Box<Expr>, Box<Expr>),
    Or(Box<Expr>, Box<Expr>),
    Binary(BinaryOp, Box<Expr>, Box<Expr>),
    Concat(Vec<Expr>),
    Compare(Box<Expr>, Vec<(CompareOp, Expr)>),
}

#[derive(Debug, Default)]
pub(crate) struct CallArgs {
    pub positional: Vec<Expr>,
    pub named: Vec<(Arc<str>, Expr)>,
    pub star: Option<Expr>,
    pub double_star: Option<Expr>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BinaryOp {
    Add,
    Subtract,
    Multiply,
    Divide,
    FloorDivide,
    Modulo,
    Power,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CompareOp {
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    In,
    NotIn,
}

#[derive(Debug)]
pub(crate) enum Target {
    Name {
        name: Arc<str>,
        slot: Slot,
    },
    Tuple(Vec<Target>),
    /// `{% set ns.attribute = ... %}`
    Attribute {
        object: Arc<str>,
        slot: Slot,
        attribute: Arc<str>,
    },
}

#[derive(Debug)]
pub(crate) struct Stmt {
    pub line: u32,
    pub kind: StmtKind,
}

#[derive(Debug)]
pub(crate) enum StmtKind {
    Text(Arc<str>),
    Output(Expr),
    For(Arc<ForDef>),
    If {
        branches: Vec<(Expr, Vec<Stmt>)>,
        otherwise: Vec<Stmt>,
    },
    Set {
        target: Target,
        value: Expr,
    },
    SetBlock {
        target: Target,
        filter: Option<Expr>,
        body: Vec<Stmt>,
        scope: Scope,
    },
    Macro {
        def: Arc<MacroDef>,
        slot: Slot,
    },
    Call {
        def: Arc<MacroDef>,
        call: Expr,
    },
    Filter {
        filter: Expr,
        body: Vec<Stmt>,
        scope: Scope,
    },
    With {
        targets: Vec<Target>,
        values: Vec<Expr>,
        body: Vec<Stmt>,
        scope: Scope,
    },
    /// `{% generation %}`: its text is marked as the assistant's.
    Generation(Arc<MacroDef>),
    Block {
        body: Vec<Stmt>,
        scope: Scope,
    },
    Break,
    Continue,
    /// A tag that needs other templates; an error when it is reached.
    NeedsLoader(&'static str),
}

#[derive(Debug)]
pub(crate) struct ForDef {
    pub target: Target,
    pub iter: Expr,
    pub test: Option<Expr>,
    /// The target as seen by the test, whose scope is its own.
    pub test_target: Option<Target>,
    pub recursive: bool,
    pub body: Vec<Stmt>,
    pub otherwise: Vec<Stmt>,
    pub scope: Scope,
    pub test_scope: Scope,
    pub else_scope: Scope,
    /// Where the special variable `loop` lives, when the body uses it.
    pub loop_slot: Option<u32>,
}

/// A macro, or the body of a call block.
#[derive(Debug, Default)]
pub(crate) struct MacroDef {
    pub name: Arc<str>,
    pub params: Vec<Arc<str>>,
    pub param_slots: Vec<u32>,
    pub defaults: Vec<Expr>,
    pub body: Vec<Stmt>,
    pub scope: Scope,
    /// Slots of the special variables, when the body uses them.
    pub caller: Option<u32>,
    pub kwargs: Option<u32>,
    pub varargs: Option<u32>,
    /// "caller" is a declared parameter.
    pub explicit_caller: bool,
}
