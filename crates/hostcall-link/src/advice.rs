//! What to do next about an import that the host lacks.

/// A line of advice about a missing import, from the module it names, and from
/// whether the host has that module.
pub(crate) fn missing(module: &str, offered: bool, kind: &str) -> &'static str {
    match module {
        "wasi_snapshot_preview1" if offered => {
            "WASI preview 1 has no such function: see what the guest was built with"
        }
        "wasi_snapshot_preview1" => {
            "enable WASI on the host: `Host::wasi`, or `hostcall run`, which has it"
        }
        "wasi_unstable" => {
            "the guest was built for an early WASI: build it again, for `wasm32-wasip1`"
        }
        "wbg" | "__wbindgen_placeholder__" => {
            "the guest was built with wasm-bindgen, for JavaScript: build it without"
        }
        "GOT.func" | "GOT.mem" => {
            "the guest was built for dynamic linking: build it without `-shared` or `-pie`"
        }
        "gojs" | "go" => "the guest was built for JavaScript: build it with GOOS=wasip1",
        _ if module.starts_with("wasi:") => {
            "the guest was built to become a component: build it for `wasm32-wasip1`"
        }
        _ => missing_kind(kind),
    }
}

fn missing_kind(kind: &str) -> &'static str {
    match kind {
        "function" => {
            "register a host function by this name, make the import optional, or set a catch-all"
        }
        "tag" => "a host cannot offer exception tags: define the tag in the guest",
        _ => "offer it under this name, or build the guest so that it defines its own",
    }
}
