//! Compares an operator with what it became: the same operator, whose indices
//! mean the same things.

use std::mem::discriminant;

use wasmparser::{BlockType, ConstExpr, MemArg};

use super::Check;
use super::error::CheckError;
use super::input::Counterpart;
use super::module::{Module, Op, Signature};
use super::operator::Immediate;
use super::renaming::Renaming;

/// Where the operator on the left comes from, which decides what its indices
/// mean.
pub(super) enum Scope<'s> {
    /// The guest.
    Guest,
    /// The first value of a provider's global.
    Constant { provider: usize },
    /// A body of a provider.
    Body {
        provider: usize,
        renaming: &'s mut Renaming,
    },
}

impl Scope<'_> {
    fn provider(&self) -> Option<usize> {
        match self {
            Scope::Guest => None,
            Scope::Constant { provider } | Scope::Body { provider, .. } => Some(*provider),
        }
    }
}

impl<'a> Check<'_, 'a> {
    /// Whether `right`, of the linked module, is what `left` must become.
    pub(super) fn operator(
        &mut self,
        scope: &mut Scope<'_>,
        left: &Op<'a>,
        right: Option<&Op<'a>>,
        place: &str,
    ) -> Result<(), CheckError> {
        self.step(place)?;
        match right {
            Some(right) if self.is_same(scope, left, right) => Ok(()),
            Some(right) => Err(self.why(scope, left, right, place)),
            None => Err(self.differs(left.text(), None, place)),
        }
    }

    /// A function that differs tells more than its index.
    fn why(&mut self, scope: &Scope<'_>, left: &Op<'a>, right: &Op<'a>, place: &str) -> CheckError {
        use wasmparser::Operator::{Call, RefFunc, ReturnCall};
        let differs = self.differs(left.text(), Some(right), place);
        match (scope, &left.operator, &right.operator) {
            (
                Scope::Guest,
                Call {
                    function_index: left,
                },
                Call {
                    function_index: right,
                },
            )
            | (
                Scope::Guest,
                ReturnCall {
                    function_index: left,
                },
                ReturnCall {
                    function_index: right,
                },
            )
            | (
                Scope::Guest,
                RefFunc {
                    function_index: left,
                },
                RefFunc {
                    function_index: right,
                },
            ) => {
                let error = self.guest_function(*left, *right).err();
                error.map_or(differs, |error| error.within(place))
            }
            _ => differs,
        }
    }

    pub(super) fn differs(
        &self,
        expected: String,
        found: Option<&Op<'_>>,
        place: &str,
    ) -> CheckError {
        let end = self.input.linked.code.end;
        let offset = found.map_or(end, |op| op.offset);
        let found = found.map_or("the end".to_owned(), Op::text);
        CheckError::new(place, offset, expected, found)
    }

    fn is_same(&mut self, scope: &mut Scope<'_>, left: &Op<'a>, right: &Op<'a>) -> bool {
        if discriminant(&left.operator) != discriminant(&right.operator) {
            return false;
        }
        let (left, right) = (left.parts().1, right.parts().1);
        let mut pairs = left.iter().zip(&right);
        left.len() == right.len() && pairs.all(|(left, right)| self.immediate(scope, left, right))
    }

    fn left(&self, scope: &Scope<'_>) -> &Module<'a> {
        let provider = scope.provider();
        provider.map_or(&self.input.guest, |provider| {
            &self.input.providers[provider].module
        })
    }

    fn immediate(&mut self, scope: &mut Scope<'_>, left: &Immediate, right: &Immediate) -> bool {
        use Immediate::*;
        match (*left, *right) {
            (Callee(left), Callee(right)) => self.function(scope, left, right, false),
            (Reference(left), Reference(right)) => self.function(scope, left, right, true),
            (Local(left), Local(right)) => match scope {
                Scope::Body { renaming, .. } => renaming.relate(left, right),
                _ => left == right,
            },
            (Global(left), Global(right)) => self.global(scope, left, right),
            (Memory(left), Memory(right)) => self.memory(scope, left, right),
            (Access(left), Access(right)) => self.access(scope, left, right),
            (Table(left), Table(right))
            | (Tag(left), Tag(right))
            | (Data(left), Data(right))
            | (Element(left), Element(right)) => scope.provider().is_none() && left == right,
            (Label(left), Label(right)) => left == right && has_label(scope, left),
            (Number(left), Number(right)) => left == right,
            (Bytes(left), Bytes(right)) => left == right,
            (left, right) => self.typed(scope, left, right),
        }
    }

    fn typed(&self, scope: &Scope<'_>, left: Immediate, right: Immediate) -> bool {
        let (from, to) = (self.left(scope), &self.input.linked);
        match (left, right) {
            (Immediate::Type(left), Immediate::Type(right)) => {
                from.type_id(left) == to.type_id(right)
            }
            (Immediate::Heap(left), Immediate::Heap(right)) => {
                from.heap_type(left) == to.heap_type(right)
            }
            (Immediate::Value(left), Immediate::Value(right)) => {
                from.value(left) == to.value(right)
            }
            (Immediate::Block(left), Immediate::Block(right)) => {
                block_signature(from, left) == block_signature(to, right)
            }
            _ => false,
        }
    }

    fn memory(&self, scope: &Scope<'_>, left: u32, right: u32) -> bool {
        match scope.provider() {
            // The guest is valid: `left` is one of its own memories.
            None => left == right,
            Some(provider) => {
                let memories = &self.input.providers[provider].memories;
                memories.get(left as usize) == Some(&Some(right))
            }
        }
    }

    fn access(&self, scope: &Scope<'_>, left: MemArg, right: MemArg) -> bool {
        left.align == right.align
            && left.offset == right.offset
            && self.memory(scope, left.memory, right.memory)
    }

    fn global(&mut self, scope: &Scope<'_>, left: u32, right: u32) -> bool {
        match scope.provider() {
            None => left == right,
            Some(provider) => self.bind_global((provider, left), right),
        }
    }

    fn function(&mut self, scope: &Scope<'_>, left: u32, right: u32, reference: bool) -> bool {
        let Some(provider) = scope.provider() else {
            return self.guest_function(left, right).is_ok();
        };
        let Some(callee) = self.input.resolve((provider, left)) else {
            return self.input.is_host_call((provider, left), right);
        };
        // Whoever looks at a reference sees the function's type.
        let module = &self.input.providers[provider].module;
        if reference && module.function_type(left) != self.input.linked.function_type(right) {
            return false;
        }
        self.copied(callee, right).is_ok()
    }

    /// Whether `right` is what function `left` of the guest must become.
    pub(super) fn guest_function(&mut self, left: u32, right: u32) -> Result<(), CheckError> {
        match self.input.functions[left as usize] {
            Counterpart::Same(function) if function == right => Ok(()),
            Counterpart::Same(function) => Err(CheckError::new(
                format!("function {left} of the guest"),
                self.input.linked.code.start,
                format!("function {function}"),
                format!("function {right}"),
            )),
            Counterpart::Root(root) => self.stands_for(root, left, right),
        }
    }

    /// Whether `function` stands for an import: it has the import's own type,
    /// which casts and indirect calls see, and is a copy.
    pub(super) fn stands_for(
        &mut self,
        root: usize,
        import: u32,
        function: u32,
    ) -> Result<(), CheckError> {
        let expected = self.input.guest.function_type(import);
        let found = self.input.linked.function_type(function);
        if expected != found {
            return Err(CheckError::new(
                format!("function {function}, which stands for an import"),
                self.input.linked.code.start,
                format!("the import's type {}", self.input.guest.types[expected]),
                self.input.linked.types[found].to_string(),
            ));
        }
        self.copied(self.input.roots[root].callee, function)
    }

    /// A constant expression, operator by operator.
    pub(super) fn constant(
        &mut self,
        scope: &mut Scope<'_>,
        left: &ConstExpr<'a>,
        right: &ConstExpr<'a>,
        place: &str,
    ) -> Result<(), CheckError> {
        let (left, right) = (constant_ops(left, place)?, constant_ops(right, place)?);
        for (position, op) in left.iter().enumerate() {
            self.operator(scope, op, right.get(position), place)?;
        }
        match right.get(left.len()) {
            None => Ok(()),
            extra => Err(self.differs("the end".into(), extra, place)),
        }
    }
}

fn constant_ops<'a>(expr: &ConstExpr<'a>, place: &str) -> Result<Vec<Op<'a>>, CheckError> {
    let operators = expr.get_operators_reader().into_iter_with_offsets();
    let operators = operators.map(|operator| match operator {
        Ok((operator, offset)) => Ok(Op { offset, operator }),
        Err(error) => Err(CheckError::new(
            place,
            error.offset(),
            "a constant expression",
            error.message(),
        )),
    });
    operators.collect()
}

/// Where a body stands without a block around it, nothing may leave it.
fn has_label(scope: &Scope<'_>, label: u32) -> bool {
    match scope {
        Scope::Body { renaming, .. } => renaming.has_label(label),
        _ => true,
    }
}

pub(super) fn block_signature(module: &Module<'_>, ty: BlockType) -> Signature {
    match ty {
        BlockType::Empty => Signature {
            params: Vec::new(),
            results: Vec::new(),
        },
        BlockType::Type(ty) => Signature {
            params: Vec::new(),
            results: vec![module.value(ty)],
        },
        BlockType::FuncType(index) => module.signature_of(module.type_id(index)),
    }
}
