//! How fast linking is. Run by hand, optimised:
//! `cargo test --release -p hostcall-link --test link_speed -- --ignored --nocapture`,
//! with `GUEST` set to the path of a large module for numbers that mean more.

mod common;

use std::time::{Duration, Instant};

use common::linking::try_link;
use hostcall_link::{ExternType, LinkOptions, ModuleInfo, Provider, Replacement, ValType};

/// A module of some megabytes.
fn guest() -> Vec<u8> {
    let mut text = String::from(r#"(module (import "env" "f" (func $f (param i32) (result i32)))"#);
    for position in 0..4_000 {
        text += &format!("(func $f{position} (param i32 i32) (result i32) (local i32 i64)");
        for line in 0..40 {
            text += &format!(
                "(local.set 2 (i32.add (local.get 1) (i32.mul (local.get 0) (i32.const {line}))))"
            );
        }
        text += "(call $f (local.get 2)))";
    }
    text += ")";
    common::bytes(&text)
}

/// Functions for all imports that return zero.
fn provider(info: &ModuleInfo) -> Provider {
    let mut text = String::from("(module");
    for import in &info.imports {
        if let ExternType::Func(ty) = &import.ty {
            let list =
                |types: &[ValType]| -> String { types.iter().map(|ty| format!(" {ty}")).collect() };
            let zeros = ty.results.iter().map(|ty| format!("({ty}.const 0)"));
            text += &format!(
                r#"(func (export "{}") (param{}) (result{}) {})"#,
                import.index,
                list(&ty.params),
                list(&ty.results),
                zeros.collect::<String>()
            );
        }
    }
    text += ")";
    Provider::parse(&common::bytes(&text)).unwrap()
}

#[test]
#[ignore = "a measurement"]
fn megabytes_per_second() {
    let path = std::env::var_os("GUEST");
    let guest = path.map_or_else(guest, |path| std::fs::read(path).unwrap());
    let info = ModuleInfo::parse(&guest).unwrap();
    let provider = provider(&info);
    let names: Vec<&str> = provider.functions().map(|it| it.0).collect();
    let replacements = names.iter().map(|name| Replacement {
        import: name.parse().unwrap(),
        provider: &provider,
        function: name,
        call_sites: true,
    });
    let options = LinkOptions {
        replacements: replacements.collect(),
        ..LinkOptions::default()
    };
    let best = |run: &dyn Fn()| -> Duration {
        let times = (0..20).map(|_| {
            let start = Instant::now();
            run();
            start.elapsed()
        });
        times.min().unwrap_or_default()
    };
    let link = best(&|| drop(try_link(&guest, &options).unwrap()));
    let validate = best(&|| {
        let features = wasmparser::WasmFeatures::all();
        let mut validator = wasmparser::Validator::new_with_features(features);
        validator.validate_all(&guest).unwrap();
    });
    let megabytes = guest.len() as f64 / 1e6;
    println!(
        "{megabytes:.2} MB: linked in {link:?}, {:.0} MB/s; validation alone takes {validate:?}",
        megabytes / link.as_secs_f64()
    );
}
