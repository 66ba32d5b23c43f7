//! The colours: one for every subject, in every chart, and each of them twice.

use plotters::style::RGBColor;
use std::fmt::Write;

/// A colour on light ground and the one that stands for it on dark ground.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ink {
    /// Of the CSS variable, and of the subject whose colour it is.
    pub name: &'static str,
    light: u32,
    dark: u32,
}

const fn ink(name: &'static str, light: u32, dark: u32) -> Ink {
    Ink { name, light, dark }
}

pub const TEXT: Ink = ink("text", 0x1c2128, 0xe6e9ee);
pub const MUTED: Ink = ink("muted", 0x59636e, 0x9ba5b1);
pub const GRID: Ink = ink("grid", 0xdde1e6, 0x2d343d);
pub const SURFACE: Ink = ink("surface", 0xffffff, 0x12161c);
pub const MISSED: Ink = ink("missed", 0xb3261e, 0xff8f86);

pub const HOSTCALL: Ink = ink("hostcall", 0x0069b4, 0x5ab4f5);
/// Subjects that the list below does not have.
const OTHER: Ink = ink("other", 0x6b7480, 0xa9b2bd);

/// After the colours that Okabe and Ito chose for all kinds of sight; ways of using
/// one engine are of one family.
const SUBJECTS: [Ink; 13] = [
    HOSTCALL,
    ink("hostcall-typed", 0x4d93c9, 0x8fc7ee),
    ink("wasmtime", 0xc4470a, 0xf5915a),
    ink("wasmtime-cached", 0xd9731a, 0xf7b27a),
    ink("wasmtime-get-export", 0x96501f, 0xc98b5b),
    ink("wasmtime-dynamic", 0x7d3b22, 0xb5765a),
    ink("wasmtime-component", 0xa84d3d, 0xe0897a),
    ink("wasmtime-component-borrowed", 0x8c3a52, 0xd07f97),
    ink("guest", 0x00805e, 0x3fcb9d),
    ink("compile", 0x0c7c8c, 0x49c0d0),
    ink("wasmer", 0x7450c8, 0xb49cf4),
    ink("wasmi", 0x927000, 0xdfbd48),
    ink("v8", 0xba3579, 0xf48dc0),
];

fn all() -> impl Iterator<Item = Ink> {
    let others = [TEXT, MUTED, GRID, SURFACE, MISSED, OTHER];
    others.into_iter().chain(SUBJECTS)
}

pub fn subject(name: &str) -> Ink {
    let found = SUBJECTS.into_iter().find(|ink| ink.name == name);
    found.unwrap_or(OTHER)
}

impl Ink {
    /// What drawings are made with.
    pub fn color(self) -> RGBColor {
        let [_, r, g, b] = self.light.to_be_bytes();
        RGBColor(r, g, b)
    }

    /// As a value in CSS.
    pub fn variable(self) -> String {
        format!("var(--{})", self.name)
    }
}

/// A drawing for a page that has the [`variables`].
pub fn themed(drawing: &str) -> String {
    recolored(drawing, Ink::variable)
}

/// A drawing for dark ground.
pub fn dark(drawing: &str) -> String {
    recolored(drawing, |ink| format!("#{:06X}", ink.dark))
}

fn recolored(drawing: &str, with: impl Fn(Ink) -> String) -> String {
    all().fold(drawing.to_owned(), |drawing, ink| {
        drawing.replace(
            &format!("\"#{:06X}\"", ink.light),
            &format!("\"{}\"", with(ink)),
        )
    })
}

/// The variables of the page, in CSS.
pub fn variables() -> String {
    let mut css = String::from(":root {\n");
    for ink in all() {
        let _ = writeln!(css, "  --{}: #{:06x};", ink.name, ink.light);
    }
    css += "}\n@media (prefers-color-scheme: dark) {\n  :root {\n";
    for ink in all() {
        let _ = writeln!(css, "    --{}: #{:06x};", ink.name, ink.dark);
    }
    css + "  }\n}\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// Else one could not be told from the other when a drawing is recoloured.
    #[test]
    fn no_two_inks_are_the_same() {
        let (light, dark): (BTreeSet<_>, BTreeSet<_>) = all().map(|i| (i.light, i.dark)).unzip();
        assert_eq!(light.len(), all().count());
        assert_eq!(dark.len(), all().count());
        assert!(light.is_disjoint(&dark));
    }

    #[test]
    fn all_can_be_told_from_the_ground() {
        for ink in all().filter(|ink| ![GRID, SURFACE].contains(ink)) {
            let text = [TEXT, MUTED, MISSED].contains(&ink);
            let least = if text { 4.5 } else { 3.0 };
            for (ink, ground) in [(ink.light, SURFACE.light), (ink.dark, SURFACE.dark)] {
                let contrast = contrast(ink, ground);
                assert!(
                    contrast >= least,
                    "{ink:06x} on {ground:06x}: {contrast:.2}"
                );
            }
        }
    }

    /// By the guidelines for accessible content, WCAG 2.
    fn contrast(a: u32, b: u32) -> f64 {
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    fn luminance(color: u32) -> f64 {
        let [_, rgb @ ..] = color.to_be_bytes();
        let linear = rgb.map(|part| match f64::from(part) / 255.0 {
            low if low <= 0.04045 => low / 12.92,
            high => ((high + 0.055) / 1.055).powf(2.4),
        });
        0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    }
}
