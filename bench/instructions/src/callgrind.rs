//! Counting, by `hostcall-bench --once` under callgrind.

use crate::baseline::Counts;
use crate::cases::ALL;
use crate::{Result, bench, gungraun_main};
use serde_json::Value;
use std::env;
use std::process::{Command, Stdio};

/// Counts all cases, a process for each subject.
pub fn count() -> Result<Counts> {
    let counting = Command::new(env::current_exe()?)
        .args([gungraun_main::ASKED, "--bench", "--parallel=auto"])
        .env(gungraun_main::BENCH, bench::build()?)
        .stderr(Stdio::inherit())
        .output()?;
    if !counting.status.success() {
        return Err("counting failed".into());
    }
    let lines = str::from_utf8(&counting.stdout)?.lines();
    let summaries = lines.map(serde_json::from_str);
    counts(&summaries.collect::<serde_json::Result<Vec<_>>>()?)
}

/// Takes them out of gungraun's summaries.
fn counts(summaries: &[Value]) -> Result<Counts> {
    let mut counts = Counts::new();
    for counted in ALL {
        for subject in counted.subjects {
            let total = total(summaries, &id(counted.case), &id(subject))
                .ok_or_else(|| format!("{}: `{subject}` was not counted", counted.case))?;
            let each = total as f64 / counted.per as f64;
            let case = counts.entry(counted.case.to_owned()).or_default();
            // Digits beyond are of what comes once.
            case.insert((*subject).to_owned(), (each * 100.0).round() / 100.0);
        }
    }
    Ok(counts)
}

fn total(summaries: &[Value], case: &str, subject: &str) -> Option<u64> {
    let mut of_case = summaries.iter().filter(|s| s["function_name"] == case);
    let summary = of_case.find(|summary| summary["id"] == subject)?;
    let total = summary.pointer("/profiles/0/data/total/metrics/Ir/values/new")?;
    total.as_u64()
}

/// A name as gungraun accepts it.
pub fn id(name: &str) -> String {
    name.replace(['/', '-'], "_")
}
