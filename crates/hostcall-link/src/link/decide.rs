//! Decides which calls inside bodies are replaced by the bodies that they
//! reach, and which bodies may stand at the guest's call sites.

use std::collections::HashSet;

use super::Budget;
use super::error::MAX_LOCALS;
use super::resolve::{Graph, Target};

/// However large the budget is: no body grows beyond this.
const MAX_OPERATORS: u32 = 1 << 16;
/// Bodies inside bodies, at most.
const MAX_DEPTH: u32 = 32;

/// What is decided about a function of a provider.
#[derive(Clone, Debug, Default)]
pub(super) struct Decision {
    /// For each direct call, whether the body stands in its place.
    pub(super) nested: Vec<bool>,
    /// Operators of the body, with nested ones.
    pub(super) operators: u32,
    /// Whether the body may stand at a call site.
    pub(super) fits: bool,
    /// Whether an exception may come out of the body.
    pub(super) throws: bool,
    /// Whether tail calls are left in the body. At a call site they become
    /// ordinary calls, so it cannot take the place of a tail call: chains of
    /// those would fill the stack.
    pub(super) tails: bool,
    depth: u32,
    /// No fewer locals than the body needs, parameters and nested bodies
    /// included.
    locals: u32,
}

/// Bodies are decided about after those that they call. A call that leads back
/// to a body in progress stays a call: so recursion ends.
pub(super) fn decide(graph: &Graph<'_>, budget: Budget) -> Vec<Decision> {
    let mut decider = Decider {
        graph,
        limit: budget.body.min(MAX_OPERATORS),
        decisions: vec![None; graph.nodes.len()],
    };
    for node in callees_first(graph) {
        let decision = decider.decide(node);
        decider.decisions[node as usize] = Some(decision);
    }
    let decisions = decider.decisions.into_iter();
    decisions.map(Option::unwrap_or_default).collect()
}

struct Decider<'d, 'a> {
    graph: &'d Graph<'a>,
    limit: u32,
    /// `None` for what is not decided yet.
    decisions: Vec<Option<Decision>>,
}

impl Decider<'_, '_> {
    fn decide(&self, node: u32) -> Decision {
        let function = self.graph.function(node);
        let facts = &function.facts;
        let params = self.graph.signature(node).params().len();
        let mut decision = Decision {
            operators: facts.operators,
            throws: facts.throws,
            tails: facts.tails,
            locals: (params + function.locals.len()) as u32,
            ..Decision::default()
        };
        let limit = self.limit_for(facts.operators);
        let targets = &self.graph.nodes[node as usize].calls;
        for (call, target) in facts.calls.iter().zip(targets) {
            let stays = Stays {
                tails: call.is_tail,
                throws: call.is_tail && facts.pinned,
            };
            let nested = self.nest(*target, stays, limit, &mut decision);
            decision.throws |= !nested;
            decision.tails |= call.is_tail && !nested;
            decision.nested.push(nested);
        }
        decision.fits = decision.operators <= self.limit && !facts.pinned;
        decision
    }

    /// How large a body may become. One that stands at no call site anyway may
    /// still gain as much as others may have.
    fn limit_for(&self, operators: u32) -> u32 {
        if operators <= self.limit {
            self.limit
        } else {
            operators.saturating_add(self.limit)
        }
    }

    /// Puts the body of `target` into `decision`'s if it fits.
    fn nest(&self, target: Target, stays: Stays, limit: u32, decision: &mut Decision) -> bool {
        let Target::Node {
            node,
            call_sites: true,
        } = target
        else {
            return false;
        };
        let Some(inner) = &self.decisions[node as usize] else {
            return false;
        };
        let size = decision.operators - 1 + inner.operators + glue(self.graph, node);
        let depth = decision.depth.max(inner.depth + 1);
        let locals = decision.locals + inner.locals;
        let small = size <= limit && depth <= MAX_DEPTH && locals <= MAX_LOCALS;
        let stays = (stays.tails && inner.tails) || (stays.throws && inner.throws);
        if !inner.fits || !small || stays {
            return false;
        }
        decision.locals = locals;
        decision.operators = size;
        decision.depth = depth;
        decision.throws |= inner.throws;
        true
    }
}

/// For what reasons a call stays a call.
#[derive(Clone, Copy)]
struct Stays {
    /// If tail calls are left in the body: the call is one itself.
    tails: bool,
    /// If something may come out of the body: the call may be a tail call inside
    /// a `try`, whose handlers it leaves.
    throws: bool,
}

/// Operators that a call site gains beyond those of the body itself.
pub(super) fn glue(graph: &Graph<'_>, node: u32) -> u32 {
    let facts = &graph.function(node).facts;
    let resets = facts.resets.iter().filter(|reset| **reset).count() as u32;
    if facts.takes_stack {
        2 * resets
    } else {
        2 * resets + graph.signature(node).params().len() as u32 + 2
    }
}

/// Whether the body of `wanted` stands in that of `node`, or is it.
pub(super) fn holds(graph: &Graph<'_>, decisions: &[Decision], node: u32, wanted: u32) -> bool {
    let mut seen = HashSet::from([node]);
    let mut work = vec![node];
    while let Some(node) = work.pop() {
        if node == wanted {
            return true;
        }
        let calls = graph.nodes[node as usize].calls.iter();
        let calls = calls.zip(&decisions[node as usize].nested);
        let nested = calls.filter_map(|(target, nested)| match target {
            Target::Node { node, .. } if *nested => Some(*node),
            _ => None,
        });
        work.extend(nested.filter(|node| seen.insert(*node)));
    }
    false
}

/// All nodes, callees before their callers wherever there is no recursion.
fn callees_first(graph: &Graph<'_>) -> Vec<u32> {
    let mut order = Vec::new();
    let mut seen = vec![false; graph.nodes.len()];
    // Nodes in progress, and the call to look at next.
    let mut path: Vec<(u32, usize)> = Vec::new();
    for start in 0..graph.nodes.len() as u32 {
        visit(start, &mut seen, &mut path);
        while let Some((node, next)) = path.last_mut() {
            let calls = &graph.nodes[*node as usize].calls;
            let Some(call) = calls.get(*next) else {
                order.push(*node);
                path.pop();
                continue;
            };
            *next += 1;
            if let Target::Node { node, .. } = *call {
                visit(node, &mut seen, &mut path);
            }
        }
    }
    order
}

fn visit(node: u32, seen: &mut [bool], path: &mut Vec<(u32, usize)>) {
    if !std::mem::replace(&mut seen[node as usize], true) {
        path.push((node, 0));
    }
}
