//! A body between its Rust source and Wasm: trees without Rust types.

use super::scalar::Kind;

/// Index of a variable of a function; parameters come first.
pub(crate) type LocalId = u32;
/// Index of a loop of a function.
pub(crate) type LabelId = u32;

/// An expression. What it reads, it reads when its turn comes, as in Rust:
/// operands from left to right, statements of a block in between.
#[derive(Clone, Debug)]
pub enum Node {
    /// An integer, sign- or zero-extended to 64 bits, or the bits of a float.
    Const(Kind, u64),
    Get(LocalId),
    Unary(Unary, Kind, Box<Node>),
    /// The kind is that of the left operand.
    Binary(Binary, Kind, Box<Node>, Box<Node>),
    /// Shifts and rotations; the kinds are those of the value and the amount.
    Shift(Shift, Kind, Kind, Box<Node>, Box<Node>),
    Cast(Kind, Kind, Box<Node>),
    /// The bits of a float as an integer, or the reverse; to this kind.
    Reinterpret(Kind, Box<Node>),
    Logic(Logic, Box<Node>, Box<Node>),
    Block(Box<Block>),
    If(Box<If>),
    Loop(Box<Loop>),
    Load(Kind, Box<Place>),
    /// The offset in bytes of an element, of this size, in an array this long.
    Index {
        index: Box<Node>,
        len: u32,
        size: u32,
    },
    MemorySize,
    Call(Box<Call>),
    /// The value of what does not come back.
    Never,
}

#[derive(Clone, Debug)]
pub enum Stmt {
    Eval(Node),
    Set(LocalId, Node),
    Store(Kind, Place, Node),
    Copy {
        address: Kind,
        to: Node,
        from: Node,
        len: Node,
    },
    Fill {
        address: Kind,
        to: Node,
        byte: Node,
        len: Node,
    },
    While(Box<While>),
    Break(LabelId, Option<Node>),
    Continue(LabelId),
    Return(Option<Node>),
    Trap(&'static str),
}

/// Statements and perhaps a value.
#[derive(Clone, Debug, Default)]
pub struct Block {
    pub(crate) stmts: Vec<Stmt>,
    pub(crate) value: Option<Node>,
}

#[derive(Clone, Debug)]
pub struct If {
    pub(crate) cond: Node,
    pub(crate) then: Block,
    pub(crate) els: Block,
    pub(crate) result: Option<Kind>,
}

#[derive(Clone, Debug)]
pub struct Loop {
    pub(crate) label: LabelId,
    pub(crate) body: Block,
    pub(crate) result: Option<Kind>,
}

#[derive(Clone, Debug)]
pub struct While {
    pub(crate) label: LabelId,
    pub(crate) cond: Block,
    pub(crate) body: Block,
}

/// A place in memory.
#[derive(Clone, Debug)]
pub enum Place {
    /// In the guest's memory, at an address of this kind.
    Guest(Kind, Node),
    /// In the host page: bytes after the start of a state, by its index among
    /// those that the module uses, and an offset known when the body runs.
    Page {
        state: u32,
        offset: u32,
        index: Option<Node>,
    },
}

#[derive(Clone, Debug)]
pub struct Call {
    pub(crate) callee: Callee,
    pub(crate) args: Vec<(Kind, Node)>,
    pub(crate) result: Option<Kind>,
}

#[derive(Clone, Copy, Debug)]
pub enum Callee {
    /// Another function of the same module, by its index among them.
    Inline(u32),
    /// A host function, by its index among the imported ones.
    Host(u32),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unary {
    Neg,
    WrappingNeg,
    Not,
    CountOnes,
    LeadingZeros,
    TrailingZeros,
    SwapBytes,
    Abs,
    WrappingAbs,
    Signum,
    Sqrt,
    Floor,
    Ceil,
    Trunc,
    RoundTiesEven,
    IsNan,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binary {
    Add,
    Sub,
    Mul,
    Div,
    Rem,
    WrappingAdd,
    WrappingSub,
    WrappingMul,
    WrappingDiv,
    WrappingRem,
    And,
    Or,
    Xor,
    Min,
    Max,
    Copysign,
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shift {
    Left,
    Right,
    WrappingLeft,
    WrappingRight,
    RotateLeft,
    RotateRight,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Logic {
    And,
    Or,
}

/// One function, ready to be lowered.
#[derive(Clone, Debug, Default)]
pub(crate) struct Function {
    pub(crate) params: u32,
    pub(crate) result: Option<Kind>,
    /// Kinds of the variables, parameters first.
    pub(crate) locals: Vec<Kind>,
    pub(crate) labels: Vec<Label>,
    pub(crate) body: Block,
}

/// How a loop is left and gone on with.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Label {
    pub(crate) breaks: u32,
    pub(crate) continued: bool,
}
