//! Strings and lists as a Rust compiler and the canonical ABI pass them. An
//! owned value which crosses is allocated with `cabi_realloc` by the one who
//! makes it, and freed by the one who takes it.

use std::alloc::{alloc, dealloc, realloc, Layout};

mod env {
    #[link(wasm_import_module = "env")]
    extern "C" {
        /// Borrows a UTF-8 string.
        pub fn log(ptr: *const u8, len: usize);
        /// Borrows a list.
        pub fn sum(ptr: *const f64, len: usize) -> f64;
        /// Borrows a list and changes its elements.
        pub fn scale(ptr: *mut f64, len: usize, by: f64);
        /// Borrows a name; leaves an owned string (pointer, length) in `ret`.
        pub fn greet(ptr: *const u8, len: usize, ret: *mut [usize; 2]);
    }
}

/// A bad request from the host ends in a trap, never in undefined behaviour.
fn trap() -> ! {
    core::arch::wasm32::unreachable()
}

#[no_mangle]
pub extern "C" fn cabi_realloc(old_ptr: usize, old_size: usize, align: usize, new_size: usize) -> *mut u8 {
    if !align.is_power_of_two() || old_size.max(new_size) > isize::MAX as usize - (align - 1) {
        trap();
    }
    // Not `Layout::from_size_align`: its error would pull formatting code in.
    let layout = |size| unsafe { Layout::from_size_align_unchecked(size, align) };
    let old_ptr = old_ptr as *mut u8;
    let new_ptr = match (old_size, new_size) {
        (0, 0) => align as *mut u8,
        (0, _) => unsafe { alloc(layout(new_size)) },
        (_, 0) => unsafe {
            dealloc(old_ptr, layout(old_size));
            align as *mut u8
        },
        _ => unsafe { realloc(old_ptr, layout(old_size), new_size) },
    };
    if new_ptr.is_null() {
        trap();
    }
    new_ptr
}

/// Takes a list that the host allocated with `cabi_realloc`.
unsafe fn take<T>(ptr: *mut T, len: usize) -> Vec<T> {
    if len == 0 {
        return Vec::new(); // nothing was allocated
    }
    Vec::from_raw_parts(ptr, len, len)
}

/// Where a result that is a string lies until the host has read it.
static mut RESULT: [usize; 2] = [0; 2];

/// Hands a string to the host; `free_result` frees it.
unsafe fn give(bytes: Vec<u8>) -> *const [usize; 2] {
    let bytes = Box::leak(bytes.into_boxed_slice());
    RESULT = [bytes.as_ptr() as usize, bytes.len()];
    core::ptr::addr_of!(RESULT)
}

unsafe fn free_result(ret: *const [usize; 2]) {
    let [ptr, len] = *ret;
    drop(take(ptr as *mut u8, len));
}

/// n * (n + 1), by way of the host: twice the sum of 1..=n.
#[no_mangle]
pub unsafe extern "C" fn run(n: u32) -> f64 {
    let mut numbers: Vec<f64> = Vec::new();
    if numbers.try_reserve_exact(n as usize).is_err() {
        trap();
    }
    numbers.extend((1..=n).map(f64::from));
    let text = "sum → scale → sum";
    env::log(text.as_ptr(), text.len());
    let before = env::sum(numbers.as_ptr(), numbers.len());
    env::scale(numbers.as_mut_ptr(), numbers.len(), 2.0);
    let after = env::sum(numbers.as_ptr(), numbers.len());
    if after != before * 2.0 {
        trap();
    }
    after
}

/// Takes a string; returns it with its ASCII letters in upper case.
#[no_mangle]
pub unsafe extern "C" fn hello(ptr: *mut u8, len: usize) -> *const [usize; 2] {
    let mut text = take(ptr, len);
    text.make_ascii_uppercase();
    give(text)
}

/// Takes a name; returns the host's greeting of it.
#[no_mangle]
pub unsafe extern "C" fn call_greet(ptr: *mut u8, len: usize) -> *const [usize; 2] {
    let name = take(ptr, len);
    let mut ret = [0; 2];
    env::greet(name.as_ptr(), name.len(), &mut ret);
    give(take(ret[0] as *mut u8, ret[1]))
}

/// Takes a list; returns its mean, NaN if it is empty.
#[no_mangle]
pub unsafe extern "C" fn mean(ptr: *mut f64, len: usize) -> f64 {
    let numbers = take(ptr, len);
    numbers.iter().sum::<f64>() / numbers.len() as f64
}

// The canonical ABI's "post-return" functions: the host may call them once it
// has read the result, to free it.

#[no_mangle]
pub unsafe extern "C" fn cabi_post_hello(ret: *const [usize; 2]) {
    free_result(ret);
}

#[no_mangle]
pub unsafe extern "C" fn cabi_post_call_greet(ret: *const [usize; 2]) {
    free_result(ret);
}
