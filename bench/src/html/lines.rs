//! Lines on two logarithmic axes: a slope of one is twice the cost for twice the size.

use super::axis::Axis;
use super::canvas::{Type, drawing};
use super::ink::{GRID, Ink, MUTED};
use super::number;
use plotters::style::text_anchor::HPos;

pub struct Lines {
    pub x: String,
    pub y: String,
    pub lines: Vec<Line>,
}

pub struct Line {
    pub ink: Ink,
    pub points: Vec<(f64, f64)>,
}

const LETTERS: u32 = 11;
const SIZE: (i32, i32) = (340, 230);
const PLOT: ((i32, i32), (i32, i32)) = ((50, 330), (24, 186));

const fn small(end: HPos) -> Type {
    Type {
        size: LETTERS,
        ink: MUTED,
        bold: false,
        end,
    }
}

impl Lines {
    pub fn draw(&self) -> String {
        let points = || self.lines.iter().flat_map(|line| &line.points);
        let (across, (top, bottom)) = PLOT;
        let x = Axis::over(points().map(|point| point.0), across, LETTERS);
        let y = Axis::over(points().map(|point| point.1), (bottom, top), LETTERS);
        drawing((SIZE.0 as u32, SIZE.1 as u32), |canvas| {
            for tick in x.ticks() {
                let at = x.at(tick);
                canvas.line(&[(at, top), (at, bottom)], GRID, 1, 1.0);
                canvas.text((at, bottom + 12), &number::tick(tick), small(HPos::Center));
            }
            for tick in y.ticks() {
                let at = y.at(tick);
                canvas.line(&[(across.0, at), (across.1, at)], GRID, 1, 1.0);
                canvas.text((across.0 - 6, at), &number::tick(tick), small(HPos::Right));
            }
            let middle = (across.0 + across.1) / 2;
            canvas.text((middle, bottom + 31), &self.x, small(HPos::Center));
            canvas.text((6, 10), &self.y, small(HPos::Left));
            // Those below are broader, so that lines on one another are seen.
            for (i, line) in self.lines.iter().enumerate().rev() {
                let at = line
                    .points
                    .iter()
                    .map(|point| (x.at(point.0), y.at(point.1)));
                let at: Vec<_> = at.collect();
                canvas.line(&at, line.ink, 2 + 2 * i as u32, 1.0);
                at.iter()
                    .for_each(|at| canvas.dot(*at, 4 + i as i32, line.ink));
            }
        })
    }
}
