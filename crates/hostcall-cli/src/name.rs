//! Names from a guest, written so that a reader sees what they are.

use std::fmt::{self, Display, Write};

/// Characters of a name that are shown before it is cut.
const SHOWN: usize = 80;

/// A name that is quoted and escaped unless it is plain; a very long one is
/// cut.
pub struct Name<'a> {
    text: &'a str,
    /// Characters besides letters and digits that are plain.
    plain: &'static str,
    shown: usize,
}

impl<'a> Name<'a> {
    pub fn new(text: &'a str) -> Name<'a> {
        let plain = "_-$:/@.";
        Name {
            text,
            plain,
            shown: SHOWN,
        }
    }

    /// The path of a file: spaces are usual in it, and none is too long.
    pub fn path(text: &'a str) -> Name<'a> {
        Name {
            text,
            plain: "_-$:/@. \\+,~()[]%",
            shown: usize::MAX,
        }
    }

    fn is_plain(&self) -> bool {
        let mut chars = self.text.chars();
        let count = self.text.chars().take(self.shown.saturating_add(1)).count();
        (1..=self.shown).contains(&count)
            && chars.all(|c| c.is_alphanumeric() || self.plain.contains(c))
    }
}

impl Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_plain() {
            return f.write_str(self.text);
        }
        let mut rest = self.text.chars();
        f.write_char('"')?;
        for c in rest.by_ref().take(self.shown) {
            write!(f, "{}", c.escape_debug())?;
        }
        f.write_char('"')?;
        match rest.next() {
            Some(_) => f.write_char('…'),
            None => Ok(()),
        }
    }
}
