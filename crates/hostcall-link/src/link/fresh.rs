//! The locals that expansions add to a function of the guest.

use super::error::MAX_LOCALS;
use super::leb;
use super::template::{Local, Template, ValTypes};
use wasm_encoder::Encode;

/// Locals after the guest's own, shared by all expansions in one function.
#[derive(Default)]
pub(super) struct FreshLocals {
    /// Index of the first.
    first: u32,
    /// Their types, in order.
    types: Vec<u32>,
    /// Their indices, by type.
    by_type: Vec<Vec<u32>>,
}

impl FreshLocals {
    /// Starts over, for a function with `first` parameters and locals.
    pub(super) fn start(&mut self, first: u32, types: &ValTypes) {
        self.first = first;
        self.types.clear();
        self.by_type.iter_mut().for_each(Vec::clear);
        self.by_type.resize_with(types.len(), Vec::new);
    }

    /// Makes sure that there is a local for each of `template`'s. Says no, and
    /// does nothing, if the function would get too many.
    pub(super) fn provide(&mut self, template: &Template) -> bool {
        let missing = template.needs.iter().map(|(ty, count)| {
            let there = self.by_type[*ty as usize].len() as u32;
            count.saturating_sub(there)
        });
        let total = missing.sum::<u32>() + self.types.len() as u32 + self.first;
        if total > MAX_LOCALS {
            return false;
        }
        for (ty, count) in &template.needs {
            let members = &mut self.by_type[*ty as usize];
            while members.len() < *count as usize {
                members.push(self.first + self.types.len() as u32);
                self.types.push(*ty);
            }
        }
        true
    }

    pub(super) fn index(&self, local: Local) -> u32 {
        self.by_type[local.ty as usize][local.ordinal as usize]
    }

    /// Writes the declarations of a function: how many there are, the guest's
    /// own `declared` ones, then these.
    pub(super) fn declare(&self, out: &mut Vec<u8>, count: u32, declared: &[u8], types: &ValTypes) {
        let runs = self.types.chunk_by(|a, b| a == b);
        leb::write_u32(out, count + runs.clone().count() as u32);
        out.extend_from_slice(declared);
        for run in runs {
            leb::write_u32(out, run.len() as u32);
            types.get(run[0]).encode(out);
        }
    }
}
