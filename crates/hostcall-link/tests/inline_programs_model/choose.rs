//! Makes a program from choices; without choices left it ends quickly.

use super::{Cond, Expr, Op, Program, Stmt, Valued, Var};

impl Program {
    pub fn from_choices(choices: &[u8]) -> Program {
        let mut choose = Choose {
            choices: choices.iter(),
            variables: 2,
            visible: vec![0, 1],
            loops: 0,
            depth: 0,
        };
        let (body, result) = choose.scope(|choose| {
            let body = choose.stmts(6);
            (body, choose.expr())
        });
        Program { body, result }
    }
}

struct Choose<'a> {
    choices: std::slice::Iter<'a, u8>,
    variables: usize,
    visible: Vec<Var>,
    /// Loops around that `break` and `continue` may name.
    loops: usize,
    depth: usize,
}

impl Choose<'_> {
    fn next(&mut self, of: usize) -> usize {
        let choice = self.choices.next().copied().unwrap_or_default();
        usize::from(choice) % of
    }

    fn scope<T>(&mut self, inner: impl FnOnce(&mut Self) -> T) -> T {
        let visible = self.visible.len();
        self.depth += 1;
        let value = inner(self);
        self.depth -= 1;
        self.visible.truncate(visible);
        value
    }

    fn variable(&mut self) -> Var {
        let at = self.next(self.visible.len());
        self.visible[at]
    }

    /// Of this scope and those inside of it from now on.
    fn fresh(&mut self) -> Var {
        self.variables += 1;
        self.variables - 1
    }

    fn stmts(&mut self, most: usize) -> Vec<Stmt> {
        let count = self.next(most);
        let mut stmts = Vec::new();
        for _ in 0..count {
            let stmt = self.stmt();
            let last = diverges(&stmt);
            stmts.push(stmt);
            if last {
                break;
            }
        }
        stmts
    }

    fn stmt(&mut self) -> Stmt {
        let kinds = if self.depth > 4 { 6 } else { 13 };
        match self.next(kinds) {
            0..=2 => {
                let init = self.expr();
                let var = self.fresh();
                self.visible.push(var);
                Stmt::Let(var, init)
            }
            3 => {
                let value = self.expr();
                Stmt::Set(self.variable(), value)
            }
            4 => Stmt::SetState(self.expr()),
            5 => Stmt::Eval(self.expr()),
            6 | 7 => {
                let cond = self.cond();
                let then = self.scope(|inner| inner.stmts(4));
                Stmt::If(cond, then, self.scope(|inner| inner.stmts(3)))
            }
            8 | 9 => self.while_(),
            10 if self.loops > 0 => Stmt::Break(self.next(self.loops)),
            11 if self.loops > 0 => Stmt::Continue(self.next(self.loops)),
            10 | 12 => Stmt::Return(self.expr()),
            _ => Stmt::Trap,
        }
    }

    fn while_(&mut self) -> Stmt {
        let (var, bound) = (self.variable(), self.next(9) as u32);
        // What counts must not be assigned inside: it is not visible there.
        let visible = std::mem::take(&mut self.visible);
        self.visible = visible.iter().copied().filter(|one| *one != var).collect();
        if self.visible.is_empty() {
            self.visible = visible;
            return Stmt::Trap;
        }
        self.loops += 1;
        let body = self.scope(|inner| inner.stmts(5));
        self.loops -= 1;
        self.visible = visible;
        Stmt::While(var, bound, body)
    }

    fn expr(&mut self) -> Expr {
        let kinds = if self.depth > 4 { 4 } else { 11 };
        self.depth += 1;
        let expr = match self.next(kinds) {
            0 | 1 => Expr::Var(self.variable()),
            2 => Expr::Const(self.next(9) as u32),
            3 => Expr::State,
            4..=7 => self.op(),
            8 => {
                let cond = self.cond();
                let then = self.valued();
                Expr::If(Box::new(cond), Box::new(then), Box::new(self.valued()))
            }
            9 => Expr::Block(Box::new(self.valued())),
            _ => self.loop_(),
        };
        self.depth -= 1;
        expr
    }

    fn op(&mut self) -> Expr {
        let ops = [
            Op::Add,
            Op::Sub,
            Op::Mul,
            Op::Div,
            Op::Rem,
            Op::Xor,
            Op::And,
            Op::Min,
            Op::Shl,
            Op::Shr,
        ];
        let op = ops[self.next(ops.len())];
        let left = self.expr();
        Expr::Op(op, Box::new(left), Box::new(self.expr()))
    }

    /// Its value comes in the end: the condition is `counter >= bound`.
    fn loop_(&mut self) -> Expr {
        let Stmt::While(var, bound, stmts) = self.while_() else {
            return Expr::State;
        };
        let done = Cond::Not(Box::new(Cond::Less(Expr::Var(var), Expr::Const(bound))));
        let step = Expr::Op(Op::Add, Box::new(Expr::Var(var)), Box::new(Expr::Const(1)));
        let mut body = vec![Stmt::Set(var, step)];
        // No `break` without a value in a loop that has one.
        body.extend(stmts.into_iter().filter(|stmt| !jumps(stmt)));
        Expr::Loop(Box::new(done), body, Box::new(self.expr()))
    }

    fn valued(&mut self) -> Valued {
        self.scope(|inner| {
            let stmts = inner.stmts(4);
            let value = match stmts.last().is_some_and(diverges) {
                true => None,
                false => Some(inner.expr()),
            };
            Valued { stmts, value }
        })
    }

    fn cond(&mut self) -> Cond {
        let kinds = if self.depth > 4 { 2 } else { 5 };
        self.depth += 1;
        let cond = match self.next(kinds) {
            0 => {
                let left = self.expr();
                Cond::Less(left, self.expr())
            }
            1 => {
                let left = self.expr();
                Cond::Equal(left, self.expr())
            }
            2 => Cond::Not(Box::new(self.cond())),
            3 => {
                let left = self.cond();
                Cond::And(Box::new(left), Box::new(self.cond()))
            }
            _ => {
                let left = self.cond();
                Cond::Or(Box::new(left), Box::new(self.cond()))
            }
        };
        self.depth -= 1;
        cond
    }
}

/// What the macro takes for never coming back.
fn diverges(stmt: &Stmt) -> bool {
    match stmt {
        Stmt::Break(_) | Stmt::Continue(_) | Stmt::Return(_) | Stmt::Trap => true,
        Stmt::If(_, then, els) => [then, els].iter().all(|arm| arm.iter().any(diverges)),
        _ => false,
    }
}

/// Whether there may be a `break` or `continue` in it, at any depth: told by its
/// text, which is simple.
fn jumps(stmt: &Stmt) -> bool {
    let text = format!("{stmt:?}");
    text.contains("Break(") || text.contains("Continue(")
}
