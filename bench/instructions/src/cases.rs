//! What is counted.

/// Subjects of a case: `hostcall` first, whose figures are checked, and what to read
/// them beside.
pub struct Counted {
    pub suite: &'static str,
    pub case: &'static str,
    pub subjects: &'static [&'static str],
    /// Operations: so many that what comes once, like entering the guest, disappears.
    pub count: u64,
    /// What they are divided by, if not by operations.
    pub per: u64,
    /// What share two counts may differ by.
    pub tolerance: f64,
}

/// These counts repeat, but for what comes once.
const EXACT: f64 = 0.03;

/// A quarter may be spent in `malloc` and `memcpy`, and what these do depends on their
/// version, on the processor and on addresses.
const ALLOCATES: f64 = 0.10;

const fn counted(
    suite: &'static str,
    case: &'static str,
    subjects: &'static [&'static str],
    count: u64,
) -> Counted {
    Counted {
        suite,
        case,
        subjects,
        count,
        per: count,
        tolerance: EXACT,
    }
}

const WASMTIME: &[&str] = &["hostcall", "wasmtime"];
const CACHED: &[&str] = &["hostcall", "wasmtime-cached"];

pub const ALL: &[Counted] = &[
    counted("call", "call/scalar", WASMTIME, 10_000),
    counted(
        "call",
        "call/string",
        &["hostcall", "wasmtime-cached", "wasmtime-get-export"],
        10_000,
    ),
    counted("call", "call/struct-flat", CACHED, 10_000),
    counted("call", "call/struct-pointer", CACHED, 10_000),
    counted("call", "call/slice-mut", CACHED, 1_000),
    counted("export", "export/typed", WASMTIME, 10_000),
    counted("export", "export/dynamic", WASMTIME, 10_000),
    counted(
        "inline",
        "inline/add",
        &["hostcall", "guest", "wasmtime"],
        100_000,
    ),
    counted(
        "inline",
        "inline/memcpy",
        &["hostcall", "guest", "wasmtime-cached"],
        100_000,
    ),
    counted("inline", "inline/state", WASMTIME, 100_000),
    counted("deferred", "deferred/sample", WASMTIME, 100_000),
    counted("deferred", "deferred/string", CACHED, 100_000),
    counted("map", "map/add", WASMTIME, 65_536),
    counted("async", "async/ready", WASMTIME, 10_000),
    Counted {
        tolerance: ALLOCATES,
        ..counted("async", "async/wait", WASMTIME, 10_000)
    },
    Counted {
        tolerance: ALLOCATES,
        ..counted("link", "instantiate", WASMTIME, 1_000)
    },
    // Instructions per byte of the module.
    Counted {
        per: include_bytes!("../../../guests/sqlite/sqlite.wasm").len() as u64,
        ..counted("link", "link/bytes", &["hostcall"], 1)
    },
];
