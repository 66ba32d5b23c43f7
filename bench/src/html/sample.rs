//! A report that has something of everything, made up.

use crate::fit::Fit;
use crate::peers::Absent;
use crate::report::{Ratio, Report, Row};

pub fn report() -> Report {
    let mut report = Report::new();
    report.rows = ROWS.into_iter().map(row).collect();
    report.ratios = vec![
        ratio("call/string", "wasmtime-get-export", 0.143, Some(0.25)),
        ratio("call/string", "wasmtime-cached", 1.234, Some(1.1)),
        ratio("call/string", "v8", 0.0456, None),
    ];
    report.fits = ["hostcall", "wasmtime"].map(fit).into();
    report.absent = vec![Absent {
        subject: "wasmer",
        why: "no <engine> & \"no\" luck".to_owned(),
    }];
    report
}

const ROWS: [(&str, &str, &str, f64); 12] = [
    ("inline/add", "hostcall", "ns/call", 0.287),
    ("inline/add", "wasmtime", "ns/call", 4.213),
    ("call/string", "hostcall", "ns/call", 10.92),
    ("call/string", "wasmtime-get-export", "ns/call", 77.38),
    ("call/string", "wasmtime-cached", "ns/call", 10.69),
    ("call/string", "v8", "ns/call", 239.5),
    ("call/string", "<b>&\"new\"", "ns/call", 1234.5),
    ("link/bytes", "hostcall", "ms/module", 23.83),
    ("link/bytes", "compile", "ms/module", 2248.99),
    ("growth/string/16", "hostcall", "ns/call", 11.87),
    ("ct/eq", "hostcall", "|t|", 1.69),
    ("ct/early-exit", "hostcall", "|t|", 543.52),
];

fn row((case, subject, unit, median): (&'static str, &'static str, &'static str, f64)) -> Row {
    Row {
        case,
        subject,
        unit,
        median,
        min: median * 0.81,
        p90: median * 1.33,
        rounds: 101,
        verdict: "",
    }
}

fn ratio(case: &'static str, to: &'static str, median: f64, at_most: Option<f64>) -> Ratio {
    Ratio {
        case,
        of: "hostcall",
        to,
        median,
        min: median * 0.71,
        max: median * 1.57,
        at_most,
    }
}

fn fit(subject: &'static str) -> Fit {
    let mut fit = Fit::new("growth/string", subject, "ns/call", "bytes");
    for x in [16.0, 256.0, 4096.0, 65536.0, 1048576.0] {
        fit.add(x, 9.0 + 0.031 * x);
    }
    fit
}
