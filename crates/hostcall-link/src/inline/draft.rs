//! What the functions of one module under construction share.

use std::any::TypeId;

use super::Builder;
use super::ast::Function;
use super::scalar::Kind;

#[derive(Default)]
pub(crate) struct Draft {
    pub(crate) functions: Vec<Entry>,
    pub(crate) imports: Vec<HostFunction>,
    pub(crate) states: Vec<(TypeId, &'static str)>,
    pub(crate) uses_memory: bool,
}

/// A function that is called, and its body once that is built.
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) build: fn(&Builder),
    pub(crate) built: Option<Function>,
}

/// A host function that a body calls.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct HostFunction {
    pub(crate) module: &'static str,
    pub(crate) name: &'static str,
    pub(crate) params: Vec<Kind>,
    pub(crate) result: Option<Kind>,
}

impl Draft {
    /// The functions that are built, with their names.
    pub(crate) fn functions(&self) -> impl Iterator<Item = (&str, &Function)> {
        let built = self.functions.iter();
        built.filter_map(|entry| Some((&*entry.name, entry.built.as_ref()?)))
    }

    /// The index of a function, which is noted to be built if it is new.
    ///
    /// The compiler may give two functions one address, if they are the same,
    /// or one function two; the name tells the former apart, the latter costs a
    /// copy.
    pub(crate) fn function(&mut self, name: &str, build: fn(&Builder)) -> u32 {
        let same = |entry: &Entry| entry.name == name && entry.build as usize == build as usize;
        index_or_push(&mut self.functions, same, || Entry {
            name: name.to_owned(),
            build,
            built: None,
        })
    }

    pub(crate) fn host_function(&mut self, function: HostFunction) -> u32 {
        index_or_push(
            &mut self.imports,
            |known| *known == function,
            || function.clone(),
        )
    }

    pub(crate) fn state(&mut self, id: TypeId, name: &'static str) -> u32 {
        index_or_push(&mut self.states, |known| known.0 == id, || (id, name))
    }
}

fn index_or_push<T>(items: &mut Vec<T>, same: impl Fn(&T) -> bool, new: impl Fn() -> T) -> u32 {
    let found = items.iter().position(same);
    let index = found.unwrap_or_else(|| {
        items.push(new());
        items.len() - 1
    });
    index as u32
}
