//! Arbitrary valid modules stay valid when some of their imports are replaced,
//! and arbitrary bytes give errors.

mod common;

use common::linking::{linked_with, try_link};
use hostcall_link::{
    Budget, ExternType, FuncType, HostPage, LinkOptions, ModuleInfo, Provider, Replacement, ValType,
};
use wasm_smith::{Config, Module};

/// A generator of numbers that is the same on every machine.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut value = self.0;
        value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        value ^ (value >> 31)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.next() as u8).collect()
    }
}

fn config() -> Config {
    Config {
        min_imports: 8,
        min_funcs: 3,
        min_types: 4,
        max_types: 12,
        max_memories: 3,
        max_tables: 3,
        generate_custom_sections: true,
        custom_page_sizes_enabled: true,
        wide_arithmetic_enabled: true,
        min_uleb_size: 1,
        ..Config::default()
    }
}

fn guest(random: &mut Random) -> Option<Vec<u8>> {
    let bytes = random.bytes(4096);
    let mut input = arbitrary::Unstructured::new(&bytes);
    let module = Module::new(config(), &mut input).ok()?;
    Some(module.to_bytes())
}

/// A function in text form, of a form chosen at random.
fn body(ty: &FuncType, position: usize, random: &mut Random) -> Option<String> {
    let types = ty.params.iter().chain(&ty.results);
    let named = |ty: &ValType| ty.to_string().contains(|c: char| c.is_ascii_digit());
    let is_ref = |ty: &ValType| ty.to_string().starts_with("(ref");
    if types.clone().any(|ty| is_ref(ty) && named(ty)) {
        return None;
    }
    let list = |types: &[ValType]| -> String { types.iter().map(|ty| format!(" {ty}")).collect() };
    let head = format!(
        "(func $f{position} (export \"{position}\") (param{}) (result{})",
        list(&ty.params),
        list(&ty.results)
    );
    let value = |ty: &ValType| -> String {
        match ty {
            ValType::V128 => "(v128.const i64x2 1 2)".to_owned(),
            ValType::FuncRef => "(ref.null func)".to_owned(),
            ValType::ExternRef => "(ref.null extern)".to_owned(),
            ValType::Ref(text) if text.starts_with("(ref null ") => {
                let heap = text.trim_start_matches("(ref null ");
                format!("(ref.null {}", heap)
            }
            ValType::Ref(_) => "(unreachable)".to_owned(),
            number => format!("({number}.const 7)"),
        }
    };
    let results: String = ty.results.iter().map(value).collect();
    let gets: String = (0..ty.params.len())
        .map(|it| format!("(local.get {it})"))
        .collect();
    let drops = "(drop)".repeat(ty.params.len());
    let (n, m) = (ty.params.len(), ty.params.len() + 1);
    let args: String = ty.params.iter().map(value).collect();
    let text = match random.below(6) {
        0 => format!("{gets}{drops}{results}"),
        1 => format!(
            "(local i32 i64) (if (i32.eqz (local.get {n})) (then {results} (return))) (local.set {m} (i64.const 1)) {results}"
        ),
        2 => format!(
            "(global.set $g (i32.add (global.get $g) (i32.const 1))) (block (br_if 1 {results} (global.get $g)) {}) {results}",
            "(drop)".repeat(ty.results.len())
        ),
        3 => format!("{args} (return_call $f{position})"),
        4 => format!(
            "(call $helper (i32.const 3)) (drop) (if (global.get $g) (then {args} (call $f{position}) {})) {results}",
            "(drop)".repeat(ty.results.len())
        ),
        _ => format!("(drop (ref.func $f{position})) {args} (call $f{position})"),
    };
    Some(format!("{head} {text})\n"))
}

fn provider(info: &ModuleInfo, random: &mut Random) -> Provider {
    let mut text = String::from(
        "(module (global $g (mut i32) (i32.const 0))
            (func $helper (param i32) (result i32)
                (if (result i32) (local.get 0)
                    (then (call $helper (i32.sub (local.get 0) (i32.const 1))))
                    (else (i32.const 1))))\n",
    );
    for (position, import) in info.imports.iter().enumerate() {
        if let ExternType::Func(ty) = &import.ty {
            text += &body(ty, position, random).unwrap_or_default();
        }
    }
    text += ")";
    let bytes = wat::parse_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    Provider::parse(&bytes).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn options<'a>(info: &ModuleInfo, provider: &'a Provider, random: &mut Random) -> LinkOptions<'a> {
    let functions: Vec<&str> = provider.functions().map(|it| it.0).collect();
    let mut replacements = Vec::new();
    for function in functions {
        if random.below(4) > 0 {
            replacements.push(Replacement {
                import: function.parse().unwrap(),
                provider,
                function,
                call_sites: random.below(5) > 0,
            });
        }
    }
    let page = HostPage {
        size: 70_000,
        init: vec![(8, vec![1, 2, 3])],
    };
    LinkOptions {
        replacements,
        memory: (!info.memories.is_empty()).then_some(0),
        page: (random.below(2) == 0).then_some(page),
        budget: Budget {
            body: [0, 5, 50, 200][random.below(4) as usize],
            function: [0, 20, 5_000][random.below(3) as usize],
        },
        ..LinkOptions::default()
    }
}

#[test]
fn arbitrary_modules_stay_valid() {
    let mut random = Random(3);
    let (mut linked, mut inlined) = (0, 0);
    let rounds = std::env::var("ROUNDS").map_or(150, |text| text.parse().unwrap());
    for _ in 0..rounds {
        let Some(guest) = guest(&mut random) else {
            continue;
        };
        let info = ModuleInfo::parse(&guest).unwrap();
        let provider = provider(&info, &mut random);
        let options = options(&info, &provider, &mut random);
        let done = linked_with(&guest, &options);
        linked += done.replaced.len();
        inlined += done.replaced.iter().map(|it| it.expanded).sum::<u32>();
    }
    assert!(linked > 50, "{linked} imports were replaced");
    assert!(inlined > 10, "{inlined} calls were inlined");
}

#[test]
fn damaged_modules_give_errors_or_valid_modules() {
    let mut random = Random(4);
    for _ in 0..20 {
        let Some(guest) = guest(&mut random) else {
            continue;
        };
        let info = ModuleInfo::parse(&guest).unwrap();
        let provider = provider(&info, &mut random);
        let options = options(&info, &provider, &mut random);
        for _ in 0..50 {
            let mut damaged = guest.clone();
            let at = random.below(damaged.len() as u64) as usize;
            damaged[at] = random.next() as u8;
            if try_link(&damaged, &options).is_ok() {
                linked_with(&damaged, &options);
            }
        }
    }
}
