//! Runs a program as Rust would.

use std::collections::BTreeMap;

use super::{Cond, Expr, Op, Program, Stmt, Valued, Var};

/// Why control does not go on.
enum Exit {
    Trap(&'static str),
    Return(u32),
    /// How many loops out.
    Break(usize),
    Continue(usize),
}

type Run<T> = Result<T, Exit>;

struct Interpreter {
    variables: BTreeMap<Var, u32>,
    state: u32,
}

impl Program {
    /// The result, and the state afterwards.
    pub fn run(&self, state: u32, x: u32, y: u32) -> (Result<u32, String>, u32) {
        let mut interpreter = Interpreter {
            variables: BTreeMap::from([(0, x), (1, y)]),
            state,
        };
        let value = interpreter.stmts(&self.body);
        let value = value.and_then(|()| interpreter.expr(&self.result));
        let result = match value {
            Ok(value) | Err(Exit::Return(value)) => Ok(value),
            Err(Exit::Trap(message)) => Err(message.to_owned()),
            Err(_) => unreachable!("jumps stay within loops"),
        };
        (result, interpreter.state)
    }
}

impl Interpreter {
    fn stmts(&mut self, stmts: &[Stmt]) -> Run<()> {
        stmts.iter().try_for_each(|stmt| self.stmt(stmt))
    }

    fn stmt(&mut self, stmt: &Stmt) -> Run<()> {
        match stmt {
            Stmt::Let(var, value) | Stmt::Set(var, value) => {
                let value = self.expr(value)?;
                self.variables.insert(*var, value);
            }
            Stmt::SetState(value) => self.state = self.expr(value)?,
            Stmt::Eval(value) => drop(self.expr(value)?),
            Stmt::If(cond, then, els) => {
                let arm = if self.cond(cond)? { then } else { els };
                self.stmts(arm)?;
            }
            Stmt::While(var, bound, body) => self.while_(*var, *bound, body)?,
            Stmt::Break(out) => return Err(Exit::Break(*out)),
            Stmt::Continue(out) => return Err(Exit::Continue(*out)),
            Stmt::Return(value) => return Err(Exit::Return(self.expr(value)?)),
            Stmt::Trap => return Err(Exit::Trap("explicit")),
        }
        Ok(())
    }

    fn while_(&mut self, var: Var, bound: u32, body: &[Stmt]) -> Run<()> {
        while self.variables[&var] < bound {
            *self.variables.entry(var).or_default() += 1;
            match self.stmts(body) {
                Ok(()) | Err(Exit::Continue(0)) => {}
                Err(Exit::Break(0)) => break,
                Err(Exit::Break(out)) => return Err(Exit::Break(out - 1)),
                Err(Exit::Continue(out)) => return Err(Exit::Continue(out - 1)),
                Err(exit) => return Err(exit),
            }
        }
        Ok(())
    }

    fn valued(&mut self, block: &Valued) -> Run<u32> {
        self.stmts(&block.stmts)?;
        let value = block
            .value
            .as_ref()
            .expect("a block without value is left before");
        self.expr(value)
    }

    fn expr(&mut self, expr: &Expr) -> Run<u32> {
        match expr {
            Expr::Const(value) => Ok(*value),
            Expr::Var(var) => Ok(self.variables[var]),
            Expr::State => Ok(self.state),
            Expr::Op(op, left, right) => {
                let left = self.expr(left)?;
                apply(*op, left, self.expr(right)?).map_err(Exit::Trap)
            }
            Expr::If(cond, then, els) => match self.cond(cond)? {
                true => self.valued(then),
                false => self.valued(els),
            },
            Expr::Block(block) => self.valued(block),
            Expr::Loop(done, body, value) => loop {
                if self.cond(done)? {
                    return self.expr(value);
                }
                self.stmts(body)?;
            },
        }
    }

    fn cond(&mut self, cond: &Cond) -> Run<bool> {
        Ok(match cond {
            Cond::Less(left, right) => self.expr(left)? < self.expr(right)?,
            Cond::Equal(left, right) => self.expr(left)? == self.expr(right)?,
            Cond::Not(cond) => !self.cond(cond)?,
            Cond::And(left, right) => self.cond(left)? && self.cond(right)?,
            Cond::Or(left, right) => self.cond(left)? || self.cond(right)?,
        })
    }
}

fn apply(op: Op, a: u32, b: u32) -> Result<u32, &'static str> {
    match op {
        Op::Add => a.checked_add(b).ok_or("attempt to add with overflow"),
        Op::Sub => a.checked_sub(b).ok_or("attempt to subtract with overflow"),
        Op::Mul => a.checked_mul(b).ok_or("attempt to multiply with overflow"),
        Op::Div => a.checked_div(b).ok_or("attempt to divide by zero"),
        Op::Xor => Ok(a ^ b),
        Op::Min => Ok(a.min(b)),
        Op::And => Ok(a & b),
        Op::Rem => {
            (a.checked_rem(b)).ok_or("attempt to calculate the remainder with a divisor of zero")
        }
        Op::Shr => (a.checked_shr(b)).ok_or("attempt to shift right with overflow"),
        Op::Shl => a
            .checked_shl(b)
            .ok_or("attempt to shift left with overflow"),
    }
}
