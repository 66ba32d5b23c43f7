//! Rows of dots on one axis: medians, and how far the rounds are spread.

use super::axis::Axis;
use super::canvas::{Canvas, Type, drawing};
use super::ink::{GRID, Ink, MUTED, TEXT};
use super::number;
use plotters::style::text_anchor::HPos;

/// Bars would mislead on a logarithmic axis, which begins anywhere; dots are where
/// they are.
#[derive(Default)]
pub struct Dots {
    pub axis: String,
    /// Where both sides are equal, or a limit is.
    pub reference: Option<f64>,
    pub groups: Vec<Group>,
    /// Above and below, if the chart stands on its own.
    pub title: String,
    pub footer: Vec<String>,
}

#[derive(Default)]
pub struct Group {
    pub heading: String,
    pub note: String,
    pub rows: Vec<Dot>,
}

pub struct Dot {
    pub label: String,
    pub ink: Ink,
    pub least: f64,
    pub median: f64,
    pub most: f64,
    pub value: String,
    /// A mark of its own in the row.
    pub target: Option<f64>,
}

/// Where things are.
#[derive(Clone, Copy)]
pub struct Frame {
    width: i32,
    /// What headings have beside the rows; above them if that is nothing.
    beside: i32,
    /// Of letters; one less in small print.
    size: u32,
}

/// For half a page, or a phone.
pub const NARROW: Frame = Frame {
    width: 340,
    beside: 0,
    size: 12,
};
pub const WIDE: Frame = Frame {
    width: 760,
    beside: 230,
    size: 14,
};

const MARGIN: i32 = 6;
/// The height of a line below.
const FOOTER: i32 = 20;

impl Dots {
    pub fn draw(&self, frame: Frame) -> String {
        let layout = Layout::of(self, frame);
        let size = (frame.width as u32, layout.height as u32);
        drawing(size, |canvas| {
            self.words(canvas, &layout);
            self.scale(canvas, &layout);
            let mut top = layout.top;
            for group in &self.groups {
                top = group.draw(canvas, &layout, top);
            }
        })
    }

    fn scale(&self, canvas: &Canvas<'_>, layout: &Layout) {
        let Layout {
            axis, top, plot, ..
        } = layout;
        let small = layout.frame.small(MUTED, HPos::Center);
        for tick in axis.ticks() {
            canvas.text((axis.at(tick), top - 10), &number::tick(tick), small);
        }
        canvas.text(((plot.0 + plot.1) / 2, top - 27), &self.axis, small);
    }

    /// What a chart without a page says itself.
    fn words(&self, canvas: &Canvas<'_>, layout: &Layout) {
        let set = layout.frame.set(TEXT, true, HPos::Left);
        let size = set.size + 3;
        canvas.text((MARGIN, 16), &self.title, Type { size, ..set });
        let small = layout.frame.small(MUTED, HPos::Left);
        for (i, line) in layout.footer.iter().rev().enumerate() {
            let y = layout.height - 12 - i as i32 * FOOTER;
            canvas.text((MARGIN, y), line, small);
        }
    }

    fn dots(&self) -> impl Iterator<Item = &Dot> {
        self.groups.iter().flat_map(|group| &group.rows)
    }
}

struct Layout {
    frame: Frame,
    footer: Vec<String>,
    /// Of the first row.
    top: i32,
    /// From left to right, without labels and values.
    plot: (i32, i32),
    axis: Axis,
    reference: Option<f64>,
    height: i32,
}

impl Layout {
    fn of(dots: &Dots, frame: Frame) -> Layout {
        let labels = dots.dots().map(|dot| frame.width_of(&dot.label));
        let values = dots.dots().map(|dot| frame.width_of(&dot.value));
        let left = frame.beside + MARGIN + labels.max().unwrap_or(0) + 10;
        let right = frame.width - MARGIN - values.max().unwrap_or(0) - 10;
        let footer: Vec<_> = dots
            .footer
            .iter()
            .flat_map(|text| frame.lines(text))
            .collect();
        let values = dots.dots().flat_map(Dot::values).chain(dots.reference);
        let top = if dots.title.is_empty() { 42 } else { 72 };
        let bottom = top
            + dots
                .groups
                .iter()
                .map(|group| group.height(frame))
                .sum::<i32>();
        Layout {
            frame,
            top,
            reference: dots.reference,
            plot: (left, right),
            axis: Axis::over(values, (left, right), frame.size - 1),
            height: bottom + FOOTER * footer.len() as i32 + 8,
            footer,
        }
    }
}

impl Layout {
    /// Behind the rows of a group.
    fn grid(&self, canvas: &Canvas<'_>, (top, bottom): (i32, i32)) {
        let upright = |value, ink, width| {
            let x = self.axis.at(value);
            canvas.line(&[(x, top), (x, bottom)], ink, width, 1.0);
        };
        for tick in self.axis.ticks() {
            upright(tick, GRID, 1);
        }
        if let Some(reference) = self.reference {
            upright(reference, MUTED, 2);
        }
    }
}

impl Frame {
    fn row(self) -> i32 {
        self.size as i32 + 8
    }

    /// About: what letters take is known to the browser only.
    fn width_of(self, text: &str) -> i32 {
        (text.chars().count() as f64 * f64::from(self.size) * 0.62) as i32
    }

    /// What fits into the width, line by line.
    fn lines(self, text: &str) -> Vec<String> {
        let mut lines = Vec::<String>::new();
        for word in text.split(' ') {
            let left = self.width - 2 * MARGIN - self.width_of(word) - self.width_of(" ");
            match lines.last_mut() {
                Some(line) if self.width_of(line) < left => *line += &format!(" {word}"),
                _ => lines.push(word.to_owned()),
            }
        }
        lines
    }

    fn set(self, ink: Ink, bold: bool, end: HPos) -> Type {
        let size = self.size;
        Type {
            size,
            ink,
            bold,
            end,
        }
    }

    fn small(self, ink: Ink, end: HPos) -> Type {
        let size = self.size - 1;
        Type {
            size,
            ink,
            bold: false,
            end,
        }
    }
}

/// Between groups.
const GAP: i32 = 12;

impl Group {
    fn lines(&self, frame: Frame) -> i32 {
        let rows = self.rows.len() as i32;
        match (self.heading.is_empty(), frame.beside) {
            (true, _) => rows,
            (false, 0) => rows + 1,
            (false, _) => rows.max(if self.note.is_empty() { 1 } else { 2 }),
        }
    }

    fn height(&self, frame: Frame) -> i32 {
        self.lines(frame) * frame.row() + GAP
    }

    /// Returns where the next one begins.
    fn draw(&self, canvas: &Canvas<'_>, layout: &Layout, top: i32) -> i32 {
        let frame = layout.frame;
        let row = frame.row();
        let mut y = top + row / 2;
        let bold = frame.set(TEXT, true, HPos::Left);
        canvas.text((MARGIN, y), &self.heading, bold);
        if frame.beside > 0 {
            let small = frame.small(MUTED, HPos::Left);
            canvas.text((MARGIN, y + row), &self.note, small);
        } else if !self.heading.is_empty() {
            let small = frame.small(MUTED, HPos::Right);
            canvas.text((frame.width - MARGIN, y), &self.note, small);
            y += row;
        }
        layout.grid(
            canvas,
            (y - row / 2, y - row / 2 + row * self.rows.len() as i32),
        );
        for dot in &self.rows {
            dot.draw(canvas, layout, y);
            y += row;
        }
        top + self.height(frame)
    }
}

impl Dot {
    fn values(&self) -> impl Iterator<Item = f64> {
        [self.least, self.median, self.most]
            .into_iter()
            .chain(self.target)
    }

    fn draw(&self, canvas: &Canvas<'_>, layout: &Layout, y: i32) {
        let Layout {
            axis, frame, plot, ..
        } = layout;
        let ours = self.label == "hostcall";
        let label = frame.set(TEXT, ours, HPos::Right);
        canvas.text((plot.0 - 8, y), &self.label, label);
        canvas.line(&[(plot.0, y), (plot.1, y)], GRID, 1, 1.0);
        let (least, most) = (axis.at(self.least), axis.at(self.most));
        canvas.line(&[(least, y), (most, y)], self.ink, 4, 0.4);
        if let Some(target) = self.target {
            let x = axis.at(target);
            canvas.line(&[(x, y - 7), (x, y + 7)], TEXT, 2, 1.0);
        }
        canvas.dot((axis.at(self.median), y), 5, self.ink);
        let value = frame.set(TEXT, ours, HPos::Left);
        canvas.text((plot.1 + 6, y), &self.value, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_are_broken_between_words() {
        let text = "a machine of some make, with a number of cores, and versions of engines";
        let lines = NARROW.lines(text);
        assert!(lines.len() > 1);
        assert_eq!(lines.join(" "), text);
        let fits = |line: &String| NARROW.width_of(line) <= NARROW.width;
        assert!(lines.iter().all(fits), "{lines:?}");
    }

    #[test]
    fn what_fits_is_one_line() {
        assert_eq!(NARROW.lines("as it is"), ["as it is"]);
    }
}
