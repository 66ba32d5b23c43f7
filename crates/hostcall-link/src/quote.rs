//! Writes names so that a reader sees what they are.

use std::fmt;

/// Characters of a name that are shown before it is cut.
const SHOWN: usize = 80;

/// The full name of an import, printed as `module.name`.
///
/// A part that is empty, holds a dot, a space or anything else that could
/// mislead is quoted and escaped; a very long part is cut.
///
/// ```
/// use hostcall_link::ImportName;
///
/// assert_eq!(ImportName::new("env", "log").to_string(), "env.log");
/// assert_eq!(ImportName::new("a.b", "\n").to_string(), r#""a.b"."\n""#);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImportName<'a> {
    module: &'a str,
    name: &'a str,
}

impl<'a> ImportName<'a> {
    /// The import of `name` from `module`.
    pub fn new(module: &'a str, name: &'a str) -> ImportName<'a> {
        ImportName { module, name }
    }
}

impl fmt::Display for ImportName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if is_plain(self.module) && is_plain(self.name) {
            return write!(f, "{}.{}", self.module, self.name);
        }
        write_quoted(f, self.module)?;
        f.write_str(".")?;
        write_quoted(f, self.name)
    }
}

/// One name, printed by the same rules as [`ImportName`].
pub(crate) struct Quoted<'a>(pub(crate) &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if is_plain(self.0) {
            f.write_str(self.0)
        } else {
            write_quoted(f, self.0)
        }
    }
}

fn is_plain(name: &str) -> bool {
    let plain = |c: char| c.is_alphanumeric() || "_-$:/@".contains(c);
    !name.is_empty() && name.len() <= SHOWN && name.chars().all(plain)
}

fn write_quoted(f: &mut fmt::Formatter<'_>, name: &str) -> fmt::Result {
    let mut rest = name.chars();
    let shown: String = rest.by_ref().take(SHOWN).collect();
    let cut = if rest.next().is_some() { "…" } else { "" };
    write!(f, "\"{}\"{cut}", shown.escape_debug())
}
