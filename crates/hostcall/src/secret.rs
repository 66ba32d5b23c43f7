//! Bytes that stay with the host.

use crate::ct;
use std::fmt;
use zeroize::Zeroizing;

/// Bytes that host functions know and guests must not: a token, a key.
///
/// It does not print, has no `==`, is not copied, and no guest type, so that it
/// is not sent to a guest by accident. Its memory is wiped when it is dropped,
/// as part of an instance's state when the instance is.
///
/// ```
/// use hostcall::{Host, HostModule, Secret, host_module};
///
/// struct App {
///     token: Secret,
/// }
///
/// #[host_module(name = "env")]
/// impl App {
///     fn check(&self, token: &[u8]) -> bool {
///         self.token.matches(token)
///     }
/// }
///
/// let mut host = Host::new();
/// App::add_to_host(&mut host, |app| app);
/// let program = host.program(
///     br#"(module
///         (import "env" "check" (func $check (param i32 i32) (result i32)))
///         (memory (export "memory") 1)
///         (data (i32.const 8) "open sesame")
///         (func (export "run") (param $len i32) (result i32)
///             (call $check (i32.const 8) (local.get $len))))"#,
/// )?;
/// let token = Secret::from("open sesame".to_owned());
/// let mut instance = program.instantiate(App { token })?;
/// let run = instance.export::<u32, bool>("run")?;
/// assert!(run.call(&mut instance, 11)?);
/// assert!(!run.call(&mut instance, 10)?);
/// # Ok::<(), hostcall::Error>(())
/// ```
///
/// A `Vec<u8>` or `String` is taken as it is, with its spare capacity, and all
/// of it is wiped. What is passed by reference is copied and stays: wiping it is
/// up to its owner. So are copies that were made earlier, as by a vector that
/// has grown.
// A vector, and not a boxed slice: making that of a vector with spare capacity
// may move the bytes and leave the old ones behind. Nothing makes it grow.
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// Whether these are the secret's bytes, as [`ct::eq`] says it: in a time that
    /// depends on the two lengths only.
    pub fn matches(&self, bytes: &[u8]) -> bool {
        ct::eq(&self.0, bytes)
    }

    /// The bytes, for what needs them as they are. Copies of them are not wiped.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl From<Vec<u8>> for Secret {
    fn from(bytes: Vec<u8>) -> Secret {
        Secret(Zeroizing::new(bytes))
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Secret {
        text.into_bytes().into()
    }
}

/// Copies the bytes; see [`Secret`] for what is left of them.
impl<B: AsRef<[u8]> + ?Sized> From<&B> for Secret {
    fn from(bytes: &B) -> Secret {
        bytes.as_ref().to_vec().into()
    }
}

/// `Secret(..)`, whatever it holds.
impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Secret").finish_non_exhaustive()
    }
}
