//! Builds one function: what the rewritten source of an inline body calls.

use std::any::{TypeId, type_name};
use std::cell::RefCell;
use std::rc::Rc;

use super::ast::{Block, Call, Callee, Function, If, LabelId, Loop, Node, Stmt, While};
use super::draft::{Draft, HostFunction};
use super::place::{Address, Fields};
use super::scalar::{Kind, Scalar};
use super::value::{Arg, Returned, Value};
use super::variable::{Label, ValueLabel, Var};
use super::{Expr, Memory, ast};

/// One function under construction.
///
/// Expressions are trees; statements are pushed in the order of the calls. What
/// a closure pushes belongs to its block.
pub struct Builder {
    draft: Rc<RefCell<Draft>>,
    function: RefCell<Function>,
    /// The blocks that are open, innermost last.
    open: RefCell<Vec<Vec<Stmt>>>,
}

impl Builder {
    pub(crate) fn new(draft: Rc<RefCell<Draft>>) -> Builder {
        Builder {
            draft,
            function: RefCell::default(),
            open: RefCell::new(vec![Vec::new()]),
        }
    }

    pub(crate) fn finish(self) -> Function {
        let mut function = self.function.into_inner();
        let mut open = self.open.into_inner();
        function.body.stmts = open.pop().unwrap_or_default();
        function
    }

    pub(crate) fn push(&self, stmt: Stmt) {
        let mut open = self.open.borrow_mut();
        let innermost = open.last_mut().expect("the body's own block stays open");
        innermost.push(stmt);
    }

    /// The next parameter; all of them come before anything else.
    pub fn param<T: Scalar>(&self, _name: &'static str) -> Var<T> {
        self.function.borrow_mut().params += 1;
        self.declare()
    }

    /// What the function returns; called before its body.
    pub fn returns<T: Returned>(&self) {
        self.function.borrow_mut().result = T::RETURNED;
    }

    /// The guest's memory.
    pub fn memory(&self) -> Memory {
        self.draft.borrow_mut().uses_memory = true;
        Memory { _private: () }
    }

    /// The fields of a host state.
    pub fn state<S: Fields>(&self) -> S::Place {
        let mut draft = self.draft.borrow_mut();
        let state = draft.state(TypeId::of::<S>(), type_name::<S>());
        S::place(Address::state(state))
    }

    /// `let mut x = init;`
    pub fn local<T: Scalar>(&self, init: Expr<T>) -> Var<T> {
        let var = self.declare();
        var.set(self, init);
        var
    }

    /// `let x;`
    pub fn declare<T: Scalar>(&self) -> Var<T> {
        let mut function = self.function.borrow_mut();
        function.locals.push(T::KIND);
        Var::new(function.locals.len() as u32 - 1)
    }

    /// `if cond { .. }`
    pub fn if_(&self, cond: Expr<bool>, then: impl FnOnce()) {
        self.if_else(cond, then, || ());
    }

    /// `if cond { .. } else { .. }`
    pub fn if_else<V: Value>(
        &self,
        cond: Expr<bool>,
        then: impl FnOnce() -> V,
        els: impl FnOnce() -> V,
    ) -> V {
        let node = Node::If(Box::new(If {
            cond: cond.node,
            then: self.nested(then),
            els: self.nested(els),
            result: V::KIND,
        }));
        V::from_node(self, node)
    }

    /// `{ .. }`
    pub fn block<V: Value>(&self, body: impl FnOnce() -> V) -> V {
        let block = self.nested(body);
        V::from_node(self, Node::Block(Box::new(block)))
    }

    /// `while cond { .. }`
    pub fn while_(&self, cond: impl FnOnce() -> Expr<bool>, body: impl FnOnce(Label)) {
        let label = self.label();
        let stmt = While {
            label,
            cond: self.nested(cond),
            body: self.nested(|| body(Label { id: label })),
        };
        self.push(Stmt::While(Box::new(stmt)));
    }

    /// `loop { .. }`
    pub fn loop_(&self, body: impl FnOnce(Label)) {
        let node = self.loop_node(None, body);
        self.push(Stmt::Eval(node));
    }

    /// `loop { .. break value .. }`
    pub fn loop_value<T: Scalar>(&self, body: impl FnOnce(ValueLabel<T>)) -> Expr<T> {
        Expr::new(self.loop_node(Some(T::KIND), |label| body(ValueLabel::new(label))))
    }

    fn loop_node(&self, result: Option<Kind>, body: impl FnOnce(Label)) -> Node {
        let label = self.label();
        Node::Loop(Box::new(Loop {
            label,
            body: self.nested(|| body(Label { id: label })),
            result,
        }))
    }

    /// `break 'label;`
    pub fn break_(&self, label: Label) {
        self.label_use(label).breaks += 1;
        self.push(Stmt::Break(label.id, None));
    }

    /// `break 'label value;`
    pub fn break_value<T: Scalar>(&self, label: ValueLabel<T>, value: Expr<T>) {
        let label = label.label();
        self.label_use(label).breaks += 1;
        self.push(Stmt::Break(label.id, Some(value.node)));
    }

    /// `continue 'label;`
    pub fn continue_(&self, label: Label) {
        self.label_use(label).continued = true;
        self.push(Stmt::Continue(label.id));
    }

    /// `return value;`
    pub fn ret<V: Value>(&self, value: V) {
        self.push(Stmt::Return(value.into_node()));
    }

    /// The value of a block that is left before its end.
    pub fn never<V: Value>(&self) -> V {
        V::from_node(self, Node::Never)
    }

    /// `panic!("message")`: traps.
    pub fn trap(&self, message: &'static str) {
        self.push(Stmt::Trap(message));
    }

    /// `value;`: evaluates it for its effects.
    pub fn eval<V: Value>(&self, value: V) {
        if let Some(node) = value.into_node() {
            self.push(Stmt::Eval(node));
        }
    }

    /// An argument of a call.
    pub fn arg<T: Scalar>(&self, value: Expr<T>) -> Arg {
        Arg {
            kind: T::KIND,
            node: value.node,
        }
    }

    /// Calls another inline function, which is built once, whoever calls it. It
    /// may be one whose body is under construction.
    pub fn call<V: Value>(&self, name: &'static str, body: fn(&Builder), args: Vec<Arg>) -> V {
        let callee = self.draft.borrow_mut().function(name, body);
        self.call_node(Callee::Inline(callee), args)
    }

    /// Calls an ordinary host function: a crossing.
    pub fn call_host<V: Value>(
        &self,
        module: &'static str,
        name: &'static str,
        args: Vec<Arg>,
    ) -> V {
        let function = HostFunction {
            module,
            name,
            params: args.iter().map(|arg| arg.kind).collect(),
            result: V::KIND,
        };
        let callee = self.draft.borrow_mut().host_function(function);
        self.call_node(Callee::Host(callee), args)
    }

    fn call_node<V: Value>(&self, callee: Callee, args: Vec<Arg>) -> V {
        let args = args.into_iter().map(|arg| (arg.kind, arg.node)).collect();
        let call = Call {
            callee,
            args,
            result: V::KIND,
        };
        V::from_node(self, Node::Call(Box::new(call)))
    }

    /// Collects what `body` pushes.
    fn nested<V: Value>(&self, body: impl FnOnce() -> V) -> Block {
        self.open.borrow_mut().push(Vec::new());
        let value = body().into_node();
        let stmts = self.open.borrow_mut().pop().unwrap_or_default();
        Block { stmts, value }
    }

    fn label(&self) -> LabelId {
        let mut function = self.function.borrow_mut();
        function.labels.push(ast::Label::default());
        function.labels.len() as u32 - 1
    }

    fn label_use(&self, label: Label) -> std::cell::RefMut<'_, ast::Label> {
        std::cell::RefMut::map(self.function.borrow_mut(), |function| {
            &mut function.labels[label.id as usize]
        })
    }
}
