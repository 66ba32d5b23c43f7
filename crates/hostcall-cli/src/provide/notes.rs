//! What the command line has to do with problems of linking.

use crate::name::Name;
use hostcall_link::{ExternType, ImportName, LinkError, Problem, ProblemKind, Provision};
use std::collections::HashSet;

/// From which file functions come whose types do not fit.
pub fn mismatches(
    error: &LinkError,
    provisions: &[Provision<'_>],
    file: impl Fn(usize) -> String,
) -> Vec<String> {
    let problems = error.problems().iter();
    let mismatched = problems.filter(|problem| {
        matches!(
            problem.kind,
            ProblemKind::Signature { .. } | ProblemKind::Kind { .. }
        )
    });
    let mismatched: HashSet<_> = mismatched.map(name).collect();
    let mut notes = Vec::new();
    for (position, Provision { module, provider }) in provisions.iter().enumerate() {
        let functions = provider.functions();
        for (name, ty) in functions.filter(|(name, _)| mismatched.contains(&(module, name))) {
            let name = ImportName::new(module, name);
            let file = file(position);
            notes.push(format!("\n\nnote: {file} provides `{name}`, which is {ty}"));
        }
    }
    notes
}

fn name(problem: &Problem) -> (&str, &str) {
    (&problem.module, &problem.name)
}

/// How a missing function could be provided. What WASI lacks is another matter.
pub fn missing(error: &LinkError) -> Option<String> {
    let mut problems = error.problems().iter();
    let missing = problems.find(|problem| match &problem.kind {
        ProblemKind::Missing { import, .. } => {
            matches!(import, ExternType::Func(_)) && !problem.module.starts_with("wasi")
        }
        _ => false,
    })?;
    let module = Name::new(&missing.module);
    Some(format!(
        "\n\nnote: `--provide {module}=FILE` puts functions of the Wasm module FILE in the place \
         of imports from `{module}`"
    ))
}
