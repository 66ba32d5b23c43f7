//! How cost grows with size: a line through what a series has measured.

use serde::Serialize;

/// What a subject of a series costs: `fixed + per * x`.
#[derive(Serialize)]
pub(crate) struct Fit {
    pub(crate) series: &'static str,
    pub(crate) subject: &'static str,
    /// Of `fixed`, of `per` and of the points.
    pub(crate) unit: &'static str,
    /// What `x` counts.
    pub(crate) against: &'static str,
    pub(crate) fixed: f64,
    pub(crate) per: f64,
    /// Cost grows like `x` to the power of this where it is largest.
    pub(crate) exponent: f64,
    /// How far the worst point is off the line, relative to the point.
    pub(crate) deviation: f64,
    /// Sizes and medians, as they were measured.
    pub(crate) points: Vec<(f64, f64)>,
}

/// Lines that are further off than this do not tell how cost grows.
const POOR: f64 = 0.25;

impl Fit {
    /// One without points.
    pub(crate) fn new(
        series: &'static str,
        subject: &'static str,
        unit: &'static str,
        against: &'static str,
    ) -> Fit {
        Fit {
            series,
            subject,
            unit,
            against,
            fixed: 0.0,
            per: 0.0,
            exponent: 0.0,
            deviation: 0.0,
            points: Vec::new(),
        }
    }

    /// Adds a point, which is larger than those before.
    pub(crate) fn add(&mut self, x: f64, y: f64) {
        self.points.push((x, y));
        (self.fixed, self.per) = line(&self.points);
        self.exponent = exponent(&self.points);
        let off = self
            .points
            .iter()
            .map(|(x, y)| (self.at(*x) / y - 1.0).abs());
        self.deviation = off.fold(0.0, f64::max);
    }

    fn at(&self, x: f64) -> f64 {
        self.fixed + self.per * x
    }

    /// What one costs, in words: `3.4 ns + 0.061 ns per byte`.
    pub(crate) fn cost(&self) -> String {
        let fixed = time(self.fixed, self.unit);
        let per = time(self.per, self.unit);
        let one = self.against.trim_end_matches('s');
        match (self.is_level(), self.fixed > 0.0) {
            (true, _) => fixed,
            (false, true) => format!("{fixed} + {per} per {one}"),
            (false, false) => format!("{per} per {one}"),
        }
    }

    /// Whether sizes change the cost so little that it need not be said.
    fn is_level(&self) -> bool {
        let [(least, _), (most, _)] = self.ends();
        self.per * (most - least) < 0.05 * self.at(least)
    }

    /// What is to be said of a line that fits badly, if cost grows at all.
    pub(crate) fn warning(&self) -> String {
        if self.deviation <= POOR || self.growth() < 2.0 {
            return String::new();
        }
        format!("no line; at large sizes like x^{:.2}", self.exponent)
    }

    /// The cost of the largest size divided by that of the smallest.
    fn growth(&self) -> f64 {
        let [(_, least), (_, most)] = self.ends();
        most / least
    }

    /// The first and the last point.
    fn ends(&self) -> [(f64, f64); 2] {
        [self.points[0], self.points[self.points.len() - 1]]
    }
}

/// Least squares of relative errors, so that small sizes count as much as large
/// ones. Neither part is negative, as no cost is.
fn line(points: &[(f64, f64)]) -> (f64, f64) {
    let weighted = || points.iter().map(|(x, y)| (*x, *y, y.powi(-2)));
    let (fixed, per) = least_squares(weighted());
    if fixed < 0.0 {
        let (xy, xx) = weighted().fold((0.0, 0.0), |(xy, xx), (x, y, w)| {
            (xy + w * x * y, xx + w * x * x)
        });
        return (0.0, xy / xx);
    }
    if per < 0.0 {
        let (y, n) = weighted().fold((0.0, 0.0), |(sum, n), (_, y, w)| (sum + w * y, n + w));
        return (y / n, 0.0);
    }
    (fixed, per)
}

/// The slope between logarithms, over the upper half of the points.
fn exponent(points: &[(f64, f64)]) -> f64 {
    let upper = &points[points.len() / 2..];
    least_squares(upper.iter().map(|(x, y)| (x.ln(), y.ln(), 1.0))).1
}

/// `a` and `b` of the line `a + b * x` through `(x, y, weight)`; level if there are
/// not two different `x`.
fn least_squares(points: impl Iterator<Item = (f64, f64, f64)> + Clone) -> (f64, f64) {
    let sum = |of: fn(f64, f64) -> f64| points.clone().map(|(x, y, w)| w * of(x, y)).sum::<f64>();
    let n = sum(|_, _| 1.0);
    let (mean_x, mean_y) = (sum(|x, _| x) / n, sum(|_, y| y) / n);
    let centred = points.clone().map(|(x, y, w)| (x - mean_x, y - mean_y, w));
    let (xy, xx) = centred.fold((0.0, 0.0), |(xy, xx), (x, y, w)| {
        (xy + w * x * y, xx + w * x * x)
    });
    let slope = if xx > 0.0 { xy / xx } else { 0.0 };
    (mean_y - slope * mean_x, slope)
}

/// A time of a unit such as `us/instantiate`, in the unit that suits it.
fn time(value: f64, unit: &str) -> String {
    let units = [("s", 1e9), ("ms", 1e6), ("us", 1e3), ("ns", 1.0)];
    let unit = unit.split('/').next().unwrap_or_default();
    let Some((_, factor)) = units.iter().find(|(name, _)| *name == unit) else {
        return format!("{value:.3} {unit}");
    };
    let ns = value * factor;
    let (name, factor) = units
        .iter()
        .find(|(_, factor)| ns >= *factor)
        .unwrap_or(&units[3]);
    let shown = ns / factor;
    let digits = 1 - (shown.log10().floor() as i32).clamp(-4, 1);
    format!("{shown:.*} {name}", digits as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZES: [f64; 6] = [1.0, 4.0, 16.0, 256.0, 4096.0, 65536.0];

    fn fit(unit: &'static str, cost: impl Fn(usize, f64) -> f64) -> Fit {
        let mut fit = Fit::new("series", "subject", unit, "bytes");
        for (i, x) in SIZES.into_iter().enumerate() {
            fit.add(x, cost(i, x));
        }
        fit
    }

    fn near(value: f64, expected: f64, tolerance: f64) {
        let off = (value / expected - 1.0).abs();
        assert!(off <= tolerance, "{value} is not {expected}");
    }

    #[test]
    fn exact_lines_are_recovered() {
        let fit = fit("ns/call", |_, x| 3.4 + 0.061 * x);
        near(fit.fixed, 3.4, 1e-9);
        near(fit.per, 0.061, 1e-9);
        assert!(fit.deviation < 1e-9);
        assert_eq!(fit.cost(), "3.4 ns + 0.061 ns per byte");
        assert_eq!(fit.warning(), "");
    }

    /// An error of 5% of the largest point is a thousand times the smallest.
    #[test]
    fn noise_moves_both_parts_a_little() {
        let noise = [1.05, 0.95, 1.03, 0.96, 0.97, 1.05];
        let fit = fit("ns/call", |i, x| noise[i] * (3.4 + 0.061 * x));
        near(fit.fixed, 3.4, 0.05);
        near(fit.per, 0.061, 0.05);
        assert!(fit.deviation < 0.1, "{}", fit.deviation);
    }

    #[test]
    fn what_is_no_line_has_an_exponent() {
        let quadratic = fit("ns/call", |_, x| 2.0 * x * x);
        near(quadratic.exponent, 2.0, 1e-9);
        assert_eq!(quadratic.warning(), "no line; at large sizes like x^2.00");
        let root = fit("ns/call", |_, x| x.sqrt());
        near(root.exponent, 0.5, 1e-9);
        let noisy = fit("ns/call", |i, _| if i % 2 == 0 { 10.0 } else { 18.0 });
        assert!(noisy.deviation > POOR);
        assert_eq!(noisy.warning(), "");
    }

    /// Small sizes do not hide how the large ones grow.
    #[test]
    fn exponents_are_of_the_upper_half() {
        let fit = fit("ns/call", |_, x| 1e4 + x * x);
        assert!((1.8..2.0).contains(&fit.exponent), "{}", fit.exponent);
    }

    #[test]
    fn no_cost_is_negative() {
        let bent = fit("ns/call", |_, x| x.powf(1.5));
        assert_eq!(bent.fixed, 0.0);
        assert!(bent.per > 0.0);
        let falling = fit("ns/call", |_, x| 5.0 - x.ln() / 10.0);
        assert_eq!(falling.per, 0.0);
        assert!((3.8..5.0).contains(&falling.fixed));
    }

    #[test]
    fn what_does_not_grow_is_said_so() {
        let fit = fit("us/instantiate", |_, _| 12.0);
        assert_eq!(fit.cost(), "12 us");
    }

    #[test]
    fn one_point_is_level() {
        let mut fit = Fit::new("series", "subject", "ns/call", "bytes");
        fit.add(16.0, 8.0);
        assert_eq!((fit.fixed, fit.per, fit.exponent), (8.0, 0.0, 0.0));
        assert_eq!(fit.deviation, 0.0);
    }

    #[test]
    fn times_are_shown_in_units_that_suit_them() {
        let fit = fit("ms/module", |_, x| 1.25 + 85e-6 * x);
        assert_eq!(fit.cost(), "1.2 ms + 85 ns per byte");
        assert_eq!(time(0.00042, "ns/call"), "0.00042 ns");
        assert_eq!(time(1234.0, "ms/module"), "1.2 s");
        assert_eq!(time(999.0, "us/instantiate"), "999 us");
    }
}
