//! Which imports of the guest are called in spite of what stands around them.

use std::collections::HashSet;

use wasmparser::Operator;

use super::input::{Callee, HostCall, Input};
use super::module::Module;

/// The function imports that functions of providers name without what stands
/// around them: those functions that the linked module has any use for.
pub(super) fn called_imports(input: &Input<'_>) -> HashSet<u32> {
    let mut called = HashSet::new();
    let mut open: Vec<Callee> = input.roots.iter().map(|root| root.callee).collect();
    for (provider, source) in input.providers.iter().enumerate() {
        let functions = referred(&source.module).into_iter();
        open.extend(functions.map(|function| (provider, function)));
    }
    let mut seen = HashSet::new();
    while let Some(callee) = open.pop() {
        let calls = &input.providers[callee.0].host_calls;
        if let Some(HostCall::Inner(function)) = calls.get(callee.1 as usize) {
            called.insert(*function);
        }
        // What stands for an import is a root, or nothing of a provider's.
        if seen.insert(callee) {
            open.extend(named(input, callee).map(|function| (callee.0, function)));
        }
    }
    called
}

/// The functions that a body names.
fn named(input: &Input<'_>, callee: Callee) -> impl Iterator<Item = u32> {
    let body = input.body(callee);
    let ops = body.iter().flat_map(|body| &body.ops);
    let named = ops.filter_map(|op| function(&op.operator));
    named.collect::<Vec<u32>>().into_iter()
}

/// The functions that first values of globals refer to.
fn referred(module: &Module<'_>) -> Vec<u32> {
    let globals = module.globals.iter();
    let operators = globals.flat_map(|global| global.init_expr.get_operators_reader());
    let operators = operators.map_while(Result::ok);
    operators
        .filter_map(|operator| function(&operator))
        .collect()
}

fn function(operator: &Operator<'_>) -> Option<u32> {
    match operator {
        Operator::Call { function_index }
        | Operator::ReturnCall { function_index }
        | Operator::RefFunc { function_index } => Some(*function_index),
        _ => None,
    }
}
