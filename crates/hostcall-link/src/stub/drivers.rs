//! Functions that call an export many times.

use crate::{FuncType, Provider};

/// Addresses in the host page of what a driver works on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Batch {
    /// How many calls have returned, a `u32`: the position of the one that traps.
    pub progress: u32,
    /// What calls get, element by element, a multiple of 16.
    pub input: u32,
    /// What calls give, a multiple of 16.
    pub output: u32,
}

/// A function of type `(count: i32) -> ()` that calls the export `export` of type
/// `ty` for each of `count` elements. The elements are its parameters, laid out as
/// [`fields`](super::fields()) says, as are its results in the output.
pub fn map_driver(export: &str, ty: &FuncType, batch: &Batch) -> Provider {
    let _ = (export, ty, batch);
    panic!("the next change")
}

/// A function of type `(count: i32) -> ()` that calls the export `export` of type
/// `ty` for each of `count` elements and an accumulator, which becomes the results
/// of the call. The accumulator is in the output, and up to date after each call.
/// The first parameters of the export are the accumulator, the others an element.
pub fn fold_driver(export: &str, ty: &FuncType, batch: &Batch) -> Provider {
    let _ = (export, ty, batch);
    panic!("the next change")
}
