//! The process that gungraun starts callgrind from, once for each subject.

use crate::callgrind::id;
use crate::cases::{ALL, Counted};
use gungraun::{
    Bench, BinaryBenchmark, BinaryBenchmarkConfig, Callgrind, Command, EntryPoint,
    binary_benchmark_group, main,
};
use std::env;

/// The argument that the process is known by.
pub const ASKED: &str = "--output-format=json";

/// Names the program of the benchmarks to it.
pub const BENCH: &str = "HOSTCALL_BENCH";

fn benchmark(counted: &Counted) -> BinaryBenchmark {
    let mut benchmark = BinaryBenchmark::new(id(counted.case));
    for subject in counted.subjects {
        let command = Command::new(env::var(BENCH).unwrap_or_default())
            .args([counted.suite, "--once", counted.case, subject])
            .arg(counted.count.to_string())
            .build();
        benchmark.bench(Bench::new(id(subject)).command(command));
    }
    benchmark
}

fn config() -> BinaryBenchmarkConfig {
    let mut callgrind = Callgrind::with_args(["--cache-sim=no"]);
    callgrind.entry_point(EntryPoint::Custom("*once::watched*".to_owned()));
    let mut config = BinaryBenchmarkConfig::default();
    config.tool(callgrind);
    config
}

binary_benchmark_group!(
    name = hot_paths,
    benchmarks = |group| {
        group.binary_benchmarks(ALL.iter().map(benchmark));
    }
);

main!(config = config(), binary_benchmark_groups = hot_paths);

/// What the macro makes is private.
pub fn run() {
    main();
}
