//! Small programs: made from a list of choices, interpreted, and built.

mod choose;
mod interpret;
mod write;

pub use write::build_body;

/// Computes a `u32` from two.
#[derive(Clone, Debug)]
pub struct Program {
    pub body: Vec<Stmt>,
    pub result: Expr,
}

/// A variable; 0 and 1 are the parameters.
pub type Var = usize;

#[derive(Clone, Debug)]
pub enum Expr {
    Const(u32),
    Var(Var),
    State,
    Op(Op, Box<Expr>, Box<Expr>),
    If(Box<Cond>, Box<Valued>, Box<Valued>),
    Block(Box<Valued>),
    /// A loop that gives this value once its condition holds.
    Loop(Box<Cond>, Vec<Stmt>, Box<Expr>),
}

#[derive(Clone, Copy, Debug)]
pub enum Op {
    Add,
    Sub,
    Mul,
    Div,
    Xor,
    Min,
    Shl,
    Shr,
    And,
    Rem,
}

#[derive(Clone, Debug)]
pub enum Cond {
    Less(Expr, Expr),
    Equal(Expr, Expr),
    Not(Box<Cond>),
    And(Box<Cond>, Box<Cond>),
    Or(Box<Cond>, Box<Cond>),
}

/// A block, which may be left before its value.
#[derive(Clone, Debug)]
pub struct Valued {
    pub stmts: Vec<Stmt>,
    pub value: Option<Expr>,
}

#[derive(Clone, Debug)]
pub enum Stmt {
    Let(Var, Expr),
    Set(Var, Expr),
    SetState(Expr),
    Eval(Expr),
    If(Cond, Vec<Stmt>, Vec<Stmt>),
    /// `while var < bound { var += 1; .. }`, so that it ends.
    While(Var, u32, Vec<Stmt>),
    Break(usize),
    Continue(usize),
    Return(Expr),
    Trap,
}
