//! Linked modules in other engines, beside the same code in the guest, and the guest
//! with a host function.

use super::Suite;
use super::inline::{Bodies, Guests, add_guests, clamp_guests, mix64_guests};
use crate::harness::{Case, Comparison, Unit};
use crate::peers::{self, Engine, Functions, Work};
use hostcall::{Host, HostModule};
use wasmtime::Result;

pub const SUITE: Suite = Suite {
    name: "portable",
    cases,
};

fn cases(_: &wasmtime::Engine) -> Result<Vec<Case>> {
    let mut cases = Vec::new();
    for (body, guests) in [
        ("add", add_guests()),
        ("clamp", clamp_guests()),
        ("mix64", mix64_guests()),
    ] {
        for (name, engine) in peers::engines() {
            let case_name = format!("portable/{body}-{name}");
            // As long as the program lives, like those of other cases.
            cases.push(case(case_name.leak(), name, engine, &guests)?);
        }
    }
    Ok(cases)
}

fn case(case: &'static str, name: &'static str, engine: Engine, guests: &Guests) -> Result<Case> {
    let importing = wat::parse_str(&guests.importing)?;
    let own = wat::parse_str(&guests.own)?;
    let mut host = Host::new();
    Bodies::add_to_host(&mut host, |bodies| bodies);
    let program = host.program(&importing)?;
    let work = Work::Run(Functions::Inline);
    Ok(Case {
        name: case,
        unit: Unit::NS_PER_CALL,
        subjects: vec![
            engine("hostcall", work, program.linked())?,
            engine("guest", work, &own)?,
            engine(name, work, &importing)?,
        ],
        comparisons: vec![Comparison::to("guest", None), Comparison::to(name, None)],
        growth: None,
    })
}
