//! Logarithmic axes: equal steps are equal ratios.

use plotters::coord::combinators::{IntoLogRange, LogCoord};
use plotters::coord::ranged1d::Ranged;

pub struct Axis {
    scale: LogCoord<f64>,
    least: f64,
    most: f64,
    pixels: (i32, i32),
    /// Pixels between marks, so that their labels do not touch.
    apart: f64,
}

impl Axis {
    /// An axis that has room for all `values` on `pixels`, and labels of `letters` that high.
    pub fn over(values: impl Iterator<Item = f64>, pixels: (i32, i32), letters: u32) -> Axis {
        let positive = values.filter(|value| *value > 0.0);
        let (least, most) = positive.fold((f64::INFINITY, 0.0_f64), |(least, most), value| {
            (least.min(value), most.max(value))
        });
        let (least, most) = widened(least.min(most), most);
        Axis {
            scale: (least..most).log_scale().into(),
            least,
            most,
            pixels,
            apart: f64::from(letters) * 3.0,
        }
    }

    pub fn at(&self, value: f64) -> i32 {
        self.scale.map(&value.max(self.least), self.pixels)
    }

    /// Round numbers, as many as there is room for.
    pub fn ticks(&self) -> Vec<f64> {
        let decades = (self.most / self.least).log10();
        let decade = f64::from((self.pixels.1 - self.pixels.0).abs()) / decades;
        let (first, last) = (
            self.least.log10().floor() as i32,
            self.most.log10().ceil() as i32,
        );
        // The narrowest step within a decade: from 1 to 2, from 1 to 3.
        let within: &[f64] = match decade {
            wide if wide * 2_f64.log10() >= self.apart => &[1.0, 2.0, 5.0],
            fair if fair * 3_f64.log10() >= self.apart => &[1.0, 3.0],
            _ => &[1.0],
        };
        let every = (self.apart / decade).ceil().max(1.0) as i32;
        (first..=last)
            .filter(|power| power % every == 0)
            .flat_map(|power| within.iter().map(move |digit| round(*digit, power)))
            .filter(|tick| (self.least..=self.most).contains(tick))
            .collect()
    }
}

/// A little room at both ends, and at least a factor of 10 in all.
fn widened(least: f64, most: f64) -> (f64, f64) {
    let lacking = (10.0 / (most / least)).max(1.0).sqrt();
    (least / lacking / 1.15, most * lacking * 1.15)
}

/// `digit` times ten to `power`, as it is written: a product may be off by a hair.
fn round(digit: f64, power: i32) -> f64 {
    let written = format!("{digit}e{power}");
    written.parse().expect("it is written as numbers are")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ticks(values: [f64; 2], width: i32) -> Vec<f64> {
        Axis::over(values.into_iter(), (0, width), 11).ticks()
    }

    #[test]
    fn ticks_are_round_and_inside() {
        assert_eq!(ticks([0.3, 300.0], 150), [1.0, 10.0, 100.0]);
        assert_eq!(ticks([4.0, 60.0], 150), [5.0, 10.0, 20.0, 50.0]);
        assert_eq!(ticks([1.0, 1e6], 120), [1.0, 100.0, 1e4, 1e6]);
    }

    #[test]
    fn values_are_inside_and_in_order() {
        let axis = Axis::over([0.2, 7.0, 5000.0].into_iter(), (100, 200), 11);
        let at = [0.2, 7.0, 5000.0].map(|value| axis.at(value));
        assert!(
            100 < at[0] && at[0] < at[1] && at[1] < at[2] && at[2] < 200,
            "{at:?}"
        );
    }

    #[test]
    fn one_value_is_in_the_middle() {
        let axis = Axis::over([8.0].into_iter(), (0, 100), 11);
        assert!((49..=51).contains(&axis.at(8.0)));
    }
}
