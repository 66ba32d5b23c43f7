//! Builds a program, in the way in which the macro does.

use std::cell::RefCell;
use std::collections::BTreeMap;

use hostcall_link::inline::{self, Builder, Expr as Value, Label, lit};

use super::{Cond, Expr, Op, Program, Stmt, Valued, Var};

pub fn build_body(program: &Program, b: &Builder) {
    let write = Write {
        b,
        variables: RefCell::default(),
        loops: RefCell::default(),
    };
    for (var, name) in ["x", "y"].into_iter().enumerate() {
        write
            .variables
            .borrow_mut()
            .insert(var, b.param::<u32>(name));
    }
    b.returns::<u32>();
    write.stmts(&program.body);
    b.ret::<Value<u32>>(write.expr(&program.result));
}

struct Write<'a> {
    b: &'a Builder,
    variables: RefCell<BTreeMap<Var, inline::Var<u32>>>,
    loops: RefCell<Vec<Label>>,
}

impl Write<'_> {
    fn variable(&self, var: Var) -> inline::Var<u32> {
        self.variables.borrow()[&var]
    }

    fn stmts(&self, stmts: &[Stmt]) {
        stmts.iter().for_each(|stmt| self.stmt(stmt));
    }

    fn stmt(&self, stmt: &Stmt) {
        let b = self.b;
        match stmt {
            Stmt::Let(var, value) => {
                let local = b.local(self.expr(value));
                self.variables.borrow_mut().insert(*var, local);
            }
            Stmt::Set(var, value) => self.variable(*var).set(b, self.expr(value)),
            Stmt::SetState(value) => b.state::<u32>().set(b, self.expr(value)),
            Stmt::Eval(value) => b.eval(self.expr(value)),
            Stmt::If(cond, then, els) if els.is_empty() => {
                b.if_(self.cond(cond), || self.stmts(then));
            }
            Stmt::If(cond, then, els) => {
                b.if_else(self.cond(cond), || self.stmts(then), || self.stmts(els));
            }
            Stmt::While(var, bound, body) => self.while_(self.variable(*var), *bound, body),
            Stmt::Break(out) => b.break_(self.label(*out)),
            Stmt::Continue(out) => b.continue_(self.label(*out)),
            Stmt::Return(value) => b.ret::<Value<u32>>(self.expr(value)),
            Stmt::Trap => b.trap("explicit"),
        }
    }

    fn while_(&self, var: inline::Var<u32>, bound: u32, body: &[Stmt]) {
        let b = self.b;
        b.while_(
            || inline::lt(var.get(), lit(bound)),
            |label| {
                var.set(b, var.get() + lit(1));
                self.loops.borrow_mut().push(label);
                self.stmts(body);
                self.loops.borrow_mut().pop();
            },
        );
    }

    fn label(&self, out: usize) -> Label {
        let loops = self.loops.borrow();
        loops[loops.len() - 1 - out]
    }

    fn valued(&self, block: &Valued) -> Value<u32> {
        self.stmts(&block.stmts);
        match &block.value {
            Some(value) => self.expr(value),
            None => self.b.never(),
        }
    }

    fn expr(&self, expr: &Expr) -> Value<u32> {
        let b = self.b;
        match expr {
            Expr::Const(value) => lit(*value),
            Expr::Var(var) => self.variable(*var).get(),
            Expr::State => b.state::<u32>().get(),
            Expr::Op(op, left, right) => {
                let left = self.expr(left);
                apply(*op, left, self.expr(right))
            }
            Expr::If(cond, then, els) => {
                b.if_else(self.cond(cond), || self.valued(then), || self.valued(els))
            }
            Expr::Block(block) => b.block(|| self.valued(block)),
            Expr::Loop(done, body, value) => b.loop_value(|label| {
                b.if_(self.cond(done), || b.break_value(label, self.expr(value)));
                self.stmts(body);
            }),
        }
    }

    fn cond(&self, cond: &Cond) -> Value<bool> {
        match cond {
            Cond::Less(left, right) => inline::lt(self.expr(left), self.expr(right)),
            Cond::Equal(left, right) => inline::eq(self.expr(left), self.expr(right)),
            Cond::Not(cond) => inline::not(self.cond(cond)),
            Cond::And(left, right) => inline::and(self.cond(left), self.cond(right)),
            Cond::Or(left, right) => inline::or(self.cond(left), self.cond(right)),
        }
    }
}

fn apply(op: Op, a: Value<u32>, b: Value<u32>) -> Value<u32> {
    match op {
        Op::Add => a + b,
        Op::Sub => a - b,
        Op::Mul => a * b,
        Op::Div => a / b,
        Op::Xor => a ^ b,
        Op::Min => a.min(b),
        Op::Shl => a << b,
        Op::Shr => a >> b,
        Op::And => a & b,
        Op::Rem => a % b,
    }
}
