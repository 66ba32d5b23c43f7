//! What is drawn on: SVG as text, in memory.

use super::ink::{Ink, SURFACE};
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::FontStyle;
use plotters::style::text_anchor::{HPos, Pos, VPos};

type Point = (i32, i32);

pub struct Canvas<'a> {
    area: DrawingArea<SVGBackend<'a>, Shift>,
}

/// How a text is set.
#[derive(Clone, Copy)]
pub struct Type {
    pub size: u32,
    pub ink: Ink,
    pub bold: bool,
    /// Which end of the text is at its point.
    pub end: HPos,
}

/// A drawing on light ground.
pub fn drawing(size: (u32, u32), draw: impl FnOnce(&Canvas<'_>)) -> String {
    let mut svg = String::new();
    let area = SVGBackend::with_string(&mut svg, size).into_drawing_area();
    let canvas = Canvas { area };
    let filled = canvas.area.fill(&SURFACE.color());
    filled.expect(TEXT_TAKES_ALL);
    draw(&canvas);
    canvas.area.present().expect(TEXT_TAKES_ALL);
    drop(canvas);
    svg
}

const TEXT_TAKES_ALL: &str = "drawings are text in memory";

/// Plotters' sizes are not those that it writes.
const PER_PIXEL: f64 = 1.24;

impl Canvas<'_> {
    /// `strength` below 1 lets the ground through.
    pub fn line(&self, points: &[Point], ink: Ink, width: u32, strength: f64) {
        let style = ink.color().mix(strength).stroke_width(width);
        let path = PathElement::new(points.to_vec(), style);
        self.area.draw(&path).expect(TEXT_TAKES_ALL);
    }

    pub fn dot(&self, at: Point, radius: i32, ink: Ink) {
        let circle = Circle::new(at, radius, ink.color().filled());
        self.area.draw(&circle).expect(TEXT_TAKES_ALL);
    }

    pub fn text(&self, at: Point, text: &str, set: Type) {
        let weight = if set.bold {
            FontStyle::Bold
        } else {
            FontStyle::Normal
        };
        let font = (
            "system-ui, sans-serif",
            f64::from(set.size) * PER_PIXEL,
            weight,
        );
        let color = set.ink.color();
        let style = TextStyle::from(font.into_font())
            .color(&color)
            .pos(Pos::new(set.end, VPos::Center));
        self.area.draw_text(text, &style, at).expect(TEXT_TAKES_ALL);
    }
}
