//! The model of inline functions: the subset of Rust that has two forms, one
//! for the host and one for the guest.
//!
//! Types are not resolved: both forms are Rust again, and rustc types them. So
//! every part keeps its span.

use proc_macro2::{Span, TokenStream};
use syn::{Attribute, Ident, Lifetime, Member, Signature, Token, Type};

/// A function with a body that can stand in the guest.
pub struct Inline {
    /// As written.
    pub sig: Signature,
    /// `allow` and its like.
    pub lints: Vec<Attribute>,
    /// As in `sig`, without the receiver.
    pub params: Vec<InlineParam>,
    /// `None` for `()`.
    pub result: Option<Type>,
    pub body: Block,
}

pub struct InlineParam {
    pub ident: Ident,
    pub sort: Sort,
}

/// What a parameter of an inline function is.
#[derive(Clone)]
pub enum Sort {
    /// `&mut Memory` or `&Memory`: the guest's.
    Memory,
    /// `&mut S` or `&S`, where `S` derives `HostState`.
    State(Type),
    /// What the guest passes.
    Scalar(Type),
    /// What has been reported.
    Refused,
}

pub struct Block {
    pub statements: Vec<Statement>,
    /// The expression at the end.
    pub value: Option<Box<Expr>>,
    /// Whether its end is never reached.
    pub diverges: bool,
}

pub enum Statement {
    Let(Box<Let>),
    /// A constant or `use`, kept as it is.
    Item(Box<syn::Item>),
    Expr(Expr),
}

pub struct Let {
    pub mutable: Option<Token![mut]>,
    pub ident: Ident,
    pub ty: Option<Type>,
    pub init: Option<Expr>,
}

pub struct Expr {
    pub kind: ExprKind,
    /// Of its operator, name or keyword: what messages about types point at.
    pub span: Span,
    /// Whether its value is never reached.
    pub diverges: bool,
}

pub enum ExprKind {
    /// A literal with its sign, or the path of a constant.
    Constant(TokenStream),
    Local(Ident),
    /// Reads a field of a host state.
    State(Place),
    /// The length of an array in a host state.
    Len(Place),
    Neg(Box<Expr>),
    Not(Box<Expr>),
    /// Never one that assigns.
    Binary(Box<Expr>, syn::BinOp, Box<Expr>),
    Cast(Box<Expr>, Box<Type>),
    /// A value whose type is said: the first argument of `u32::min(a, b)`.
    Typed(Box<Expr>, Box<Type>),
    Method(Box<Expr>, &'static Method, Vec<Expr>),
    /// `u64::from(x)`
    From(Box<Type>, Box<Expr>),
    /// `f64::from_bits(x)`
    FromBits(Box<Type>, Box<Expr>),
    Memory(Access),
    Call(Box<Call>),
    If(Box<Expr>, Block, Option<Block>),
    Block(Block),
    While(LoopHead, Box<Expr>, Block),
    Loop(LoopHead, LoopValue, Block),
    Break(Jump, Option<Box<Expr>>),
    Continue(Jump),
    Return(Option<Box<Expr>>),
    Trap(String),
    Assert(Box<Assert>),
    Assign(Target, Box<Expr>),
    /// `x += 1`, with the operator `+`.
    Compound(Target, syn::BinOp, Box<Expr>),
    /// What has been reported.
    Refused,
}

/// A method of scalars that both forms have.
pub struct Method {
    pub name: &'static str,
    pub args: usize,
    pub native: NativeMethod,
}

/// What stands for a method in the native form.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum NativeMethod {
    /// Itself.
    Std,
    /// A function of ours.
    Ours,
    /// A function of ours that can trap.
    Checked,
}

/// A place in a host state: `root`, then `steps`.
pub struct Place {
    pub root: Ident,
    pub steps: Vec<Step>,
}

pub enum Step {
    Field(Member),
    Index(Box<Expr>, Span),
}

/// What is assigned to.
pub enum Target {
    Local(Ident),
    State(Place),
}

/// An access to guest memory, through the parameter `memory`.
pub struct Access {
    pub memory: Ident,
    pub name: Ident,
    pub kind: AccessKind,
}

pub enum AccessKind {
    Load(Option<Box<Type>>, Box<Expr>),
    Store(Box<Expr>, Box<Expr>),
    /// `to, from, length`
    Copy([Box<Expr>; 3]),
    /// `to, byte, length`
    Fill([Box<Expr>; 3]),
    Size,
}

/// A call of a function of the same block.
pub struct Call {
    pub ident: Ident,
    pub receiver: Option<Token![self]>,
    pub args: Vec<Arg>,
    pub callee: Callee,
}

pub enum Arg {
    /// Guest memory or a host state, handed on.
    Context(Ident),
    Scalar(Box<Expr>, Box<Type>),
}

pub enum Callee {
    /// `None` for `()`.
    Inline(Option<Type>),
    /// A host function, which the guest calls by its name.
    Host {
        module: String,
        name: String,
        /// As written; `None` for `()` and `Result<(), _>`.
        result: Option<Type>,
    },
}

pub struct LoopHead {
    /// Which loop of the function it is.
    pub id: usize,
    pub label: Option<Lifetime>,
}

/// Where `break` and `continue` go.
pub struct Jump {
    pub to: usize,
    pub label: Option<Lifetime>,
}

/// What a `loop` gives, which its `break`s say.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum LoopValue {
    /// It ends by `return`, if at all.
    Never,
    Unit,
    Value,
}

pub struct Assert {
    pub condition: Expr,
    pub message: String,
    /// Only with debug assertions.
    pub debug: bool,
}

impl Expr {
    pub fn new(kind: ExprKind, span: Span) -> Expr {
        let diverges = kind.diverges();
        Expr {
            kind,
            span,
            diverges,
        }
    }

    /// Whether it is a constant, or a variable: when it is evaluated does not
    /// matter, as long as nothing is assigned meanwhile.
    pub fn is_plain(&self) -> bool {
        matches!(self.kind, ExprKind::Constant(_) | ExprKind::Local(_))
    }

    /// Whether it changes no variable, state or memory. It may trap.
    pub fn only_reads(&self) -> bool {
        match &self.kind {
            ExprKind::Constant(_) | ExprKind::Local(_) | ExprKind::Len(_) => true,
            ExprKind::State(place) => place.only_reads(),
            ExprKind::Neg(value)
            | ExprKind::Not(value)
            | ExprKind::Cast(value, _)
            | ExprKind::Typed(value, _)
            | ExprKind::From(_, value)
            | ExprKind::FromBits(_, value) => value.only_reads(),
            ExprKind::Binary(left, _, right) => left.only_reads() && right.only_reads(),
            ExprKind::Method(receiver, _, args) => {
                receiver.only_reads() && args.iter().all(Expr::only_reads)
            }
            ExprKind::Memory(access) => match &access.kind {
                AccessKind::Load(_, address) => address.only_reads(),
                AccessKind::Size => true,
                _ => false,
            },
            _ => false,
        }
    }
}

impl ExprKind {
    fn diverges(&self) -> bool {
        match self {
            ExprKind::Break(..)
            | ExprKind::Continue(_)
            | ExprKind::Return(_)
            | ExprKind::Trap(_) => true,
            ExprKind::Constant(_) | ExprKind::Local(_) | ExprKind::Len(_) | ExprKind::Refused => {
                false
            }
            ExprKind::State(place) => place.diverges(),
            ExprKind::Neg(value)
            | ExprKind::Not(value)
            | ExprKind::Cast(value, _)
            | ExprKind::Typed(value, _)
            | ExprKind::From(_, value)
            | ExprKind::FromBits(_, value) => value.diverges,
            ExprKind::Binary(left, op, right) => {
                let lazy = matches!(op, syn::BinOp::And(_) | syn::BinOp::Or(_));
                left.diverges || (right.diverges && !lazy)
            }
            ExprKind::Method(receiver, _, args) => {
                receiver.diverges || args.iter().any(|arg| arg.diverges)
            }
            ExprKind::Memory(access) => match &access.kind {
                AccessKind::Load(_, address) => address.diverges,
                AccessKind::Store(address, value) => address.diverges || value.diverges,
                AccessKind::Copy(args) | AccessKind::Fill(args) => {
                    args.iter().any(|arg| arg.diverges)
                }
                AccessKind::Size => false,
            },
            ExprKind::Call(call) => call
                .args
                .iter()
                .any(|arg| matches!(arg, Arg::Scalar(value, _) if value.diverges)),
            ExprKind::If(condition, then, otherwise) => {
                let both = otherwise
                    .as_ref()
                    .is_some_and(|otherwise| then.diverges && otherwise.diverges);
                condition.diverges || both
            }
            ExprKind::Block(block) => block.diverges,
            ExprKind::While(_, condition, _) => condition.diverges,
            ExprKind::Loop(_, value, _) => *value == LoopValue::Never,
            ExprKind::Assert(assert) => assert.condition.diverges && !assert.debug,
            ExprKind::Assign(target, value) | ExprKind::Compound(target, _, value) => {
                let place = match target {
                    Target::Local(_) => false,
                    Target::State(place) => place.diverges(),
                };
                place || value.diverges
            }
        }
    }
}

impl Place {
    fn diverges(&self) -> bool {
        self.steps
            .iter()
            .any(|step| matches!(step, Step::Index(index, _) if index.diverges))
    }

    /// Whether finding it changes nothing.
    pub fn only_reads(&self) -> bool {
        self.steps.iter().all(|step| match step {
            Step::Field(_) => true,
            Step::Index(index, _) => index.only_reads(),
        })
    }

    /// Whether finding it can trap.
    pub fn has_index(&self) -> bool {
        self.steps
            .iter()
            .any(|step| matches!(step, Step::Index(..)))
    }
}

impl Statement {
    pub fn diverges(&self) -> bool {
        match self {
            Statement::Let(local) => local.init.as_ref().is_some_and(|init| init.diverges),
            Statement::Item(_) => false,
            Statement::Expr(expr) => expr.diverges,
        }
    }
}
