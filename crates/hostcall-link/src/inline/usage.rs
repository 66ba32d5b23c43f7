//! How often variables are read and written.

use super::ast::{Function, LocalId, Node, Stmt};
use super::visit::{Part, each_in_block, each_in_node, each_in_stmt};

#[derive(Clone, Copy, Default)]
struct Use {
    reads: u32,
    writes: u32,
    read_in_loop: bool,
    lift_at_read: bool,
}

/// How a function uses its variables.
pub(crate) struct Usage {
    uses: Vec<Use>,
}

impl Usage {
    pub(crate) fn of(function: &Function) -> Usage {
        let mut usage = Usage {
            uses: vec![Use::default(); function.locals.len()],
        };
        each_in_block(&function.body, &mut |part| usage.note(part));
        usage
    }

    fn note(&mut self, part: Part<'_>) {
        match part {
            Part::Node(Node::Get(local)) => self.uses[*local as usize].reads += 1,
            Part::Stmt(Stmt::Set(local, _)) => self.uses[*local as usize].writes += 1,
            Part::Node(node @ Node::Loop(_)) => each_in_node(node, &mut |part| self.in_loop(part)),
            Part::Stmt(stmt @ Stmt::While(_)) => each_in_stmt(stmt, &mut |part| self.in_loop(part)),
            _ => {}
        }
    }

    fn in_loop(&mut self, part: Part<'_>) {
        if let Part::Node(Node::Get(local)) = part {
            self.uses[*local as usize].read_in_loop = true;
        }
    }

    pub(crate) fn reads(&self, local: LocalId) -> u32 {
        self.uses[local as usize].reads
    }

    pub(crate) fn writes(&self, local: LocalId) -> u32 {
        self.uses[local as usize].writes
    }

    /// Read at one place, which runs once at most, and never written: of a
    /// parameter.
    pub(crate) fn read_once(&self, local: LocalId) -> bool {
        let used = self.uses[local as usize];
        used.reads == 1 && used.writes == 0 && !used.read_in_loop
    }

    /// This parameter is lifted where it is read.
    pub(crate) fn lift_at_read(&mut self, local: LocalId) {
        self.uses[local as usize].lift_at_read = true;
    }

    pub(crate) fn lifted_at_read(&self, local: LocalId) -> bool {
        self.uses[local as usize].lift_at_read
    }
}
