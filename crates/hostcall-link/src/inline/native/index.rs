//! Elements of arrays in a host state.

use super::super::messages::INDEX;
use super::BodyTrap;

/// `&array[at]`.
///
/// # Errors
///
/// If there is no such element.
#[inline]
pub fn index<T, const N: usize>(array: &[T; N], at: usize) -> Result<&T, BodyTrap> {
    array.get(at).ok_or_else(|| BodyTrap::new(INDEX))
}

/// `&mut array[at]`.
///
/// # Errors
///
/// If there is no such element.
#[inline]
pub fn index_mut<T, const N: usize>(array: &mut [T; N], at: usize) -> Result<&mut T, BodyTrap> {
    array.get_mut(at).ok_or_else(|| BodyTrap::new(INDEX))
}
