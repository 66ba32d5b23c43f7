//! Whether comparing with a secret tells how much of it was right.

use super::Suite;
use crate::dudect::{self, Input, Test};
use crate::guests::looping;
use crate::harness::{Case, Subject};
use hostcall::{Host, HostModule, Secret, ct, host_module};
use std::hint::black_box;
use std::time::{Duration, Instant};
use wasmtime::{Engine, Result};

pub const SUITE: Suite = Suite { name: "ct", cases };

fn cases(engine: &Engine) -> Result<Vec<Case>> {
    Ok(vec![
        case("ct/eq", engine, "check", ct::eq)?,
        case("ct/early-exit", engine, "check_early", early_exit)?,
    ])
}

const SECRET: Input = *b"7f83b1657ff1fc53b92dc18148a1d65d";

/// All but the last byte are right: both classes of input are refused, so that
/// the answers do not tell them apart.
const NEARLY: Input = {
    let mut nearly = SECRET;
    nearly[31] ^= 1;
    nearly
};

/// Comparisons in one measurement, which makes it long beside the clock's own time.
const REPEATS: u64 = 16;

struct Vault {
    token: Secret,
}

#[host_module(name = "env")]
impl Vault {
    fn check(&self, token: &[u8]) -> bool {
        self.token.matches(token)
    }

    fn check_early(&self, token: &[u8]) -> bool {
        early_exit(self.token.expose(), token)
    }
}

/// The comparison that must not be used.
fn early_exit(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    for (a, b) in a.iter().zip(b) {
        if a != b {
            return false;
        }
    }
    true
}

fn case(
    name: &'static str,
    engine: &Engine,
    import: &str,
    eq: fn(&[u8], &[u8]) -> bool,
) -> Result<Case> {
    Ok(Case {
        name,
        unit: dudect::UNIT,
        subjects: vec![hostcall(engine, import)?, native(eq)],
        comparisons: Vec::new(),
        growth: None,
    })
}

/// `compare` says how long it took, and how often the input was accepted.
fn subject(
    name: &'static str,
    mut compare: impl FnMut(&Input) -> Result<(Duration, u64)> + 'static,
) -> Subject {
    let mut test = Test::new(NEARLY);
    Subject::measuring(name, move |count| {
        let mut accepted = 0;
        let t = test.run(count, |input| {
            let (took, times) = compare(input)?;
            accepted += times;
            Ok(took)
        })?;
        let (_, right) = compare(&SECRET)?;
        Ok((t, [right, accepted]))
    })
}

/// The guest asks the host.
fn hostcall(engine: &Engine, import: &str) -> Result<Subject> {
    let guest = looping(
        Some(&format!(
            r#""{import}" (func $check (param i32 i32) (result i32))"#
        )),
        "(local.set $sum (i32.add
            (local.get $sum)
            (call $check (i32.const 64) (i32.const 32))))",
    );
    let mut host = Host::with_engine(engine.clone());
    Vault::add_to_host(&mut host, |vault| vault);
    let token = Secret::from(&SECRET);
    let program = host.program(guest.as_bytes())?;
    let mut instance = program.instantiate(Vault { token })?;
    let run = instance.export::<u64, u64>("run")?;
    Ok(subject("hostcall", move |input| {
        instance.guest(|guest| guest.memory().map(|m| m[64..96].copy_from_slice(input)))?;
        let start = Instant::now();
        let accepted = run.call(&mut instance, REPEATS)?;
        Ok((start.elapsed(), accepted))
    }))
}

/// The same comparison without a guest.
fn native(eq: fn(&[u8], &[u8]) -> bool) -> Subject {
    let mut memory = Input::default();
    subject("native", move |input| {
        memory.copy_from_slice(input);
        let start = Instant::now();
        let compared = (0..REPEATS).map(|_| u64::from(eq(black_box(&SECRET), black_box(&memory))));
        let accepted = compared.sum();
        Ok((start.elapsed(), accepted))
    })
}
