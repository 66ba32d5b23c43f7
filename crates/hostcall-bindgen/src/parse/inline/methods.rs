//! The methods of numbers that have a form in the guest.

use crate::model::NativeMethod::{Checked, Ours, Std};
use crate::model::{Method, NativeMethod};

const fn method(name: &'static str, args: usize, native: NativeMethod) -> Method {
    Method { name, args, native }
}

static METHODS: &[Method] = &[
    method("wrapping_add", 1, Std),
    method("wrapping_sub", 1, Std),
    method("wrapping_mul", 1, Std),
    method("wrapping_div", 1, Checked),
    method("wrapping_rem", 1, Checked),
    method("wrapping_neg", 0, Std),
    method("wrapping_abs", 0, Std),
    method("wrapping_shl", 1, Std),
    method("wrapping_shr", 1, Std),
    method("rotate_left", 1, Std),
    method("rotate_right", 1, Std),
    method("swap_bytes", 0, Std),
    method("count_ones", 0, Std),
    method("count_zeros", 0, Std),
    method("leading_ones", 0, Std),
    method("leading_zeros", 0, Std),
    method("trailing_ones", 0, Std),
    method("trailing_zeros", 0, Std),
    method("min", 1, Ours),
    method("max", 1, Ours),
    method("abs", 0, Checked),
    method("unsigned_abs", 0, Std),
    method("signum", 0, Std),
    method("is_nan", 0, Std),
    method("is_finite", 0, Std),
    method("is_infinite", 0, Std),
    method("sqrt", 0, Std),
    method("floor", 0, Std),
    method("ceil", 0, Std),
    method("trunc", 0, Std),
    method("round_ties_even", 0, Std),
    method("copysign", 1, Std),
    method("to_bits", 0, Std),
];

pub fn find(name: &str) -> Option<&'static Method> {
    METHODS.iter().find(|method| method.name == name)
}

/// What to write for a method that there is not.
pub fn instead(name: &str) -> String {
    let advice = match name {
        "clamp" => "write `x.max(low).min(high)`",
        "checked_add" | "checked_sub" | "checked_mul" | "checked_div" | "checked_rem"
        | "checked_neg" | "checked_shl" | "checked_shr" | "checked_pow" => {
            "`+ - * / % << >>` trap on overflow already; to go on after one, compare before"
        }
        "overflowing_add" | "overflowing_sub" | "overflowing_mul" => {
            "use the `wrapping_` method, and compare to see whether it wrapped"
        }
        "mul_add" => "write `a * b + c`, which rounds twice",
        "powi" | "powf" | "sin" | "cos" | "tan" | "exp" | "ln" | "log" | "log2" | "log10"
        | "exp2" | "cbrt" | "hypot" | "atan2" | "sinh" | "cosh" | "tanh" => {
            "Wasm has no such operator: call an ordinary host function of this block as \
             `Self::name(..)`"
        }
        "unwrap" | "expect" => "there are no `Option`s and `Result`s: trap with `panic!(\"why\")`",
        "into" | "try_into" => "write `as` with the type: `x as u64`",
        "clone" | "to_owned" => "numbers are copied: remove it",
        "pow" => "multiply, in a loop if need be",
        "round" => "write `round_ties_even`, or `(x + 0.5).floor()`",
        "rem_euclid" => "write `((a % b) + b) % b`, if `b` is positive",
        "abs_diff" => "write `if a < b { b - a } else { a - b }`",
        "is_positive" | "is_negative" | "is_sign_negative" => "compare with 0",
        "is_power_of_two" => "write `x.count_ones() == 1`",
        "saturating_add" | "saturating_sub" | "saturating_mul" => {
            "compare before: `if a > u32::MAX - b { u32::MAX } else { a + b }`"
        }
        "iter" | "len" | "get" | "push" => {
            "arrays are fields of a struct with `#[derive(HostState)]`, and are indexed: \
             `state.table[i]`"
        }
        _ => {
            let names: Vec<_> = METHODS
                .iter()
                .map(|one| format!("`{}`", one.name))
                .collect();
            return format!(
                "`{name}` is not a method that inline functions have: there are {}",
                names.join(", ")
            );
        }
    };
    format!("`{name}` is not a method that inline functions have: {advice}")
}
