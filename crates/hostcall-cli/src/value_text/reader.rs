//! The characters of a value's text, one token at a time.

use super::Notation;

/// What was read, or what was expected and what was found instead.
pub type Parsed<T> = Result<T, String>;

pub struct Reader<'a> {
    text: &'a str,
    pub at: usize,
    pub notation: Notation,
}

impl<'a> Reader<'a> {
    pub fn new(text: &'a str, notation: Notation) -> Reader<'a> {
        Reader {
            text,
            at: 0,
            notation,
        }
    }

    /// Comma-separated items up to `end`; a trailing comma is allowed.
    pub fn items<T>(
        &mut self,
        end: char,
        mut item: impl FnMut(&mut Self, usize) -> Parsed<T>,
    ) -> Parsed<Vec<T>> {
        let mut items = Vec::new();
        while !self.eat(end) {
            items.push(item(self, items.len())?);
            if !self.eat(',') {
                if !self.eat(end) {
                    return Err(self.expected(&format!("`,` or `{end}`")));
                }
                break;
            }
        }
        Ok(items)
    }

    pub fn quoted(&mut self, quote: char, what: &str) -> Parsed<String> {
        if !self.eat(quote) {
            return Err(self.expected(what));
        }
        let mut text = String::new();
        loop {
            let start = self.at;
            match self.next() {
                None => return Err(format!("the closing {quote} is missing")),
                Some(c) if c == quote => return Ok(text),
                Some('\\') => match self.escape() {
                    Some(c) => text.push(c),
                    None => {
                        self.at = start;
                        return Err(
                            self.expected("an escape (\\n \\t \\r \\0 \\\\ \\\" \\' \\u{..})")
                        );
                    }
                },
                Some(c) => text.push(c),
            }
        }
    }

    fn escape(&mut self) -> Option<char> {
        Some(match self.next()? {
            'n' => '\n',
            't' => '\t',
            'r' => '\r',
            '0' => '\0',
            c @ ('\\' | '"' | '\'') => c,
            'u' => {
                let (code, _) = self.text[self.at..].strip_prefix('{')?.split_once('}')?;
                self.at += code.len() + 2;
                char::from_u32(u32::from_str_radix(code, 16).ok()?)?
            }
            _ => return None,
        })
    }

    /// A name, empty if there is none; `%` may stand before it.
    pub fn name(&mut self) -> &'a str {
        let rest = self.rest();
        let name = rest.strip_prefix('%').unwrap_or(rest);
        let end = |c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_');
        let name = &name[..name.find(end).unwrap_or(name.len())];
        self.at += name.len() + usize::from(rest.starts_with('%'));
        name
    }

    pub fn token(&mut self, token: char) -> Parsed<()> {
        match self.eat(token) {
            true => Ok(()),
            false => Err(self.expected(&format!("`{token}`"))),
        }
    }

    pub fn eat(&mut self, token: char) -> bool {
        let found = self.peek() == Some(token);
        self.at += if found { token.len_utf8() } else { 0 };
        found
    }

    pub fn peek(&mut self) -> Option<char> {
        self.rest().chars().next()
    }

    /// The next character, be it a space.
    fn next(&mut self) -> Option<char> {
        let c = self.text[self.at..].chars().next()?;
        self.at += c.len_utf8();
        Some(c)
    }

    pub fn rest(&mut self) -> &'a str {
        self.at = self.text.len() - self.text[self.at..].trim_start().len();
        &self.text[self.at..]
    }

    pub fn expected(&mut self, what: &str) -> String {
        const SHOWN: usize = 40;
        let rest = self.rest();
        if rest.is_empty() {
            return format!("expected {what}, found the end");
        }
        let cut: String = rest.chars().take(SHOWN).collect();
        let dots = if cut.len() < rest.len() { "…" } else { "" };
        let place = match self.at {
            0 => String::new(),
            at => format!(" at byte {at}"),
        };
        format!(
            "expected {what}, found `{}{dots}`{place}",
            cut.escape_debug()
        )
    }
}
