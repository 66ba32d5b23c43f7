//! Whether times depend on contents, as far as statistics can tell: the method of
//! "Dude, is my code constant time?" (Reparaz, Balasch, Verbauwhede, 2017).
//!
//! The work is measured for inputs of two classes, one fixed and one random, in
//! random order, so that whatever else the machine does falls on both alike. If
//! their mean times differ by more than chance explains, contents leak.

use crate::harness::Unit;
use std::time::Duration;
use wasmtime::Result;

pub type Input = [u8; 32];

/// Chance hardly ever gives more: once in 100,000 tests.
pub const THRESHOLD: f64 = 4.5;

/// Measurements without which a test says nothing.
const ENOUGH: u64 = 10_000;

/// Of Welch's t, the means' difference in terms of its standard error.
pub const UNIT: Unit = Unit {
    name: "|t|",
    factor: 1.0,
    verdict: Some(|t| {
        if t > THRESHOLD {
            "leaks"
        } else {
            "no leak found"
        }
    }),
};

/// What measurements of one kind of work go on from.
pub struct Test {
    fixed: Input,
    random: SplitMix64,
}

impl Test {
    pub fn new(fixed: Input) -> Test {
        Test {
            fixed,
            random: SplitMix64(0x6475_6465_6374),
        }
    }

    /// |t| of `count` times [`ENOUGH`] measurements of `work`.
    pub fn run(
        &mut self,
        count: u64,
        mut work: impl FnMut(&Input) -> Result<Duration>,
    ) -> Result<f64> {
        // All inputs are made before anything is measured: making them takes a time
        // that depends on the class.
        let inputs: Vec<_> = (0..count * ENOUGH).map(|_| self.input()).collect();
        let times = inputs.iter().map(|(class, input)| {
            let took = work(input)?;
            Ok((*class, took.as_secs_f64()))
        });
        Ok(largest_t(times.collect::<Result<_>>()?))
    }

    fn input(&mut self) -> (Class, Input) {
        if self.random.next() & 1 == 0 {
            return (Class::Fixed, self.fixed);
        }
        let mut input = Input::default();
        for word in input.as_chunks_mut().0 {
            *word = self.random.next().to_le_bytes();
        }
        (Class::Random, input)
    }
}

#[derive(Clone, Copy)]
enum Class {
    Fixed,
    Random,
}

/// The largest |t| of all crops.
///
/// Interrupts and the like make some measurements take much longer, which hides
/// small differences. So the slowest are left out, more and more of them, and
/// each crop is tested. Which are slow is asked of both classes together.
fn largest_t(mut times: Vec<(Class, f64)>) -> f64 {
    times.sort_by(|(_, a), (_, b)| a.total_cmp(b));
    let crops = crops(times.len());
    let mut classes = [Moments::default(); 2];
    let mut largest = 0.0_f64;
    for (i, (class, time)) in times.into_iter().enumerate() {
        classes[class as usize].add(time);
        if crops.binary_search(&(i + 1)).is_ok() {
            largest = largest.max(t(classes).abs());
        }
    }
    largest
}

const CROPS: i32 = 100;

/// How many of `count` measurements each crop keeps, in ascending order: from 7%,
/// closer and closer to all, and all.
fn crops(count: usize) -> Vec<usize> {
    let kept = |i| 1.0 - 0.5_f64.powf(10.0 * f64::from(i) / f64::from(CROPS));
    let crops = (1..=CROPS).map(|i| (count as f64 * kept(i)) as usize);
    crops.chain([count]).collect()
}

/// Mean and variance of one class, by Welford's method.
#[derive(Clone, Copy, Default)]
struct Moments {
    count: f64,
    mean: f64,
    squares: f64,
}

impl Moments {
    fn add(&mut self, value: f64) {
        self.count += 1.0;
        let from_old = value - self.mean;
        self.mean += from_old / self.count;
        self.squares += from_old * (value - self.mean);
    }

    /// The square of the mean's standard error.
    fn squared_error(&self) -> f64 {
        self.squares / (self.count - 1.0) / self.count
    }
}

/// Measurements of a class below which nothing is said about a crop.
const FEW: f64 = 100.0;

/// Welch's t; 0 if there is nothing to tell the classes apart by.
fn t([a, b]: [Moments; 2]) -> f64 {
    let difference = a.mean - b.mean;
    if a.count < FEW || b.count < FEW || difference == 0.0 {
        return 0.0;
    }
    difference / (a.squared_error() + b.squared_error()).sqrt()
}

/// Small random numbers, the same in every run: Steele, Lea and Flood's generator.
struct SplitMix64(u64);

impl SplitMix64 {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Times of alternating classes, spread over 0 to 63, and `slower` for the fixed one.
    fn times(slower: f64) -> Vec<(Class, f64)> {
        let mut random = SplitMix64(1);
        let mut time = || (random.next() % 64) as f64;
        (0..5000)
            .flat_map(|_| [(Class::Fixed, time() + slower), (Class::Random, time())])
            .collect()
    }

    #[test]
    fn equal_distributions_pass_and_a_shift_does_not() {
        assert!(largest_t(times(0.0)) < THRESHOLD);
        assert!(largest_t(times(4.0)) > THRESHOLD);
    }

    #[test]
    fn outliers_do_not_hide_a_shift() {
        let mut times = times(4.0);
        for (i, (_, time)) in times.iter_mut().enumerate() {
            if i % 61 == 0 {
                *time *= 1e6;
            }
        }
        assert!(largest_t(times) > THRESHOLD);
    }

    #[test]
    fn t_is_that_of_welch() {
        let mut classes = [Moments::default(); 2];
        for i in 0..200 {
            classes[0].add(f64::from(i % 2));
            classes[1].add(f64::from(i % 4));
        }
        // Means 0.5 and 1.5; variances 50 / 199 and 250 / 199.
        let expected = -1.0 / ((50.0 + 250.0) / 199.0 / 200.0_f64).sqrt();
        assert!((t(classes) - expected).abs() < 1e-9);
    }
}
