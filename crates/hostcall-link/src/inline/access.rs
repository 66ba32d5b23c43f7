//! Fields of a host state that are read and assigned to as a whole, which only
//! numbers are.

use super::scalar::Stored;
use super::{Builder, Expr, Place};

/// A field of a host state that is a value: not a struct.
#[diagnostic::on_unimplemented(
    message = "a struct in a host state is not a value in an inline function",
    label = "read or assign its fields one by one"
)]
pub trait NumberPlace {
    /// The number.
    type Number;
    /// Its value at the time when the expression is evaluated.
    fn read(&self) -> Expr<Self::Number>;
    /// Assigns to it.
    fn write(&self, b: &Builder, value: Expr<Self::Number>);
}

impl<T: Stored> NumberPlace for Place<T> {
    type Number = T;

    fn read(&self) -> Expr<T> {
        self.get()
    }

    fn write(&self, b: &Builder, value: Expr<T>) {
        self.set(b, value);
    }
}
