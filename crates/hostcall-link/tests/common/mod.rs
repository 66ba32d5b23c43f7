//! What the tests share: short ways to describe guests and hosts.
#![allow(dead_code, reason = "every test file uses its own part")]

pub mod linking;
pub mod refusals;

use hostcall_link::{
    Deferral, FuncType, HostItem, Inlining, ModuleInfo, Plan, Provides, Surface, ValType, plan,
};

/// The description of a guest in text form.
pub fn info(wat: &str) -> ModuleInfo {
    ModuleInfo::parse(&bytes(wat)).expect("a valid guest")
}

pub fn bytes(wat: &str) -> Vec<u8> {
    wat::parse_str(wat).expect("valid text")
}

/// `func_type("i32 i32", "i64")`.
pub fn func_type(params: &str, results: &str) -> FuncType {
    FuncType::new(val_types(params), val_types(results))
}

fn val_types(text: &str) -> Vec<ValType> {
    let words = text.split_whitespace();
    words.map(|word| ValType::from(word.to_owned())).collect()
}

pub fn item(module: &str, name: &str, provides: Provides) -> HostItem {
    HostItem {
        module: module.into(),
        name: name.into(),
        provides,
    }
}

/// A host function with one core type.
pub fn function(module: &str, name: &str, signature: &str, form: FuncType) -> HostItem {
    function_of(module, name, signature, vec![form])
}

pub fn function_of(module: &str, name: &str, signature: &str, forms: Vec<FuncType>) -> HostItem {
    let signature = signature.into();
    item(
        module,
        name,
        Provides::Func {
            signature,
            forms,
            inlining: Inlining::Impossible,
            deferral: Deferral::Unasked,
            waits: false,
        },
    )
}

pub fn surface(items: impl IntoIterator<Item = HostItem>) -> Surface {
    Surface {
        items: items.into_iter().collect(),
        ..Surface::default()
    }
}

/// A host with a few functions of a logging kind.
pub fn logging_host() -> Surface {
    let pointers = vec![func_type("i32 i32", ""), func_type("i64 i64", "")];
    surface([
        function_of("env", "log", "func(text: string)", pointers),
        function("env", "now_ms", "func() -> u64", func_type("", "i64")),
        function(
            "math",
            "hypot",
            "func(x: f64, y: f64) -> f64",
            func_type("f64 f64", "f64"),
        ),
    ])
}

pub fn planned(wat: &str, surface: &Surface) -> Plan {
    plan(&info(wat), surface).expect("a guest that links")
}

/// The message about a guest that does not link.
pub fn refused(wat: &str, surface: &Surface) -> String {
    plan(&info(wat), surface)
        .expect_err("a guest that does not link")
        .to_string()
}
