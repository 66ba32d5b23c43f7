//! Guest memory access against a slow model that is obviously right: bytes one
//! by one, addresses that cannot overflow.

mod common;

use common::*;
use hostcall::{Fault, Host, Instance, Value};
use proptest::prelude::*;
use std::cell::RefCell;
use std::ffi::CStr;

const SIZE: usize = PAGE as usize;

/// What was wrong with a call.
#[derive(Clone, Debug, PartialEq)]
enum Refusal {
    OutOfBounds,
    Misaligned,
    Utf8 { valid: u64 },
    MissingNul,
    Overlap,
}

impl Refusal {
    fn of(fault: &Fault) -> Refusal {
        match fault {
            Fault::OutOfBounds { .. } => Refusal::OutOfBounds,
            Fault::Misaligned { .. } => Refusal::Misaligned,
            Fault::Utf8 { valid, .. } => Refusal::Utf8 { valid: *valid },
            Fault::MissingNul { .. } => Refusal::MissingNul,
            Fault::Overlap { .. } => Refusal::Overlap,
            other => panic!("an unexpected fault: {other}"),
        }
    }
}

/// The model: memory as a list of bytes.
struct Model(Vec<u8>);

impl Model {
    /// The bytes of `count` elements of `size` bytes, aligned to `size`.
    fn read(&self, pointer: u64, count: u64, size: u128) -> Result<Vec<u8>, Refusal> {
        let (pointer, count) = (u128::from(pointer), u128::from(count));
        if !pointer.is_multiple_of(size) {
            return Err(Refusal::Misaligned);
        }
        if pointer + count * size > self.0.len() as u128 {
            return Err(Refusal::OutOfBounds);
        }
        let mut bytes = Vec::new();
        for at in pointer..pointer + count * size {
            bytes.push(self.0[at as usize]);
        }
        Ok(bytes)
    }

    fn text(&self, pointer: u64, length: u64) -> Result<Vec<u8>, Refusal> {
        let bytes = self.read(pointer, length, 1)?;
        // A decoder that knows nothing of `std`'s: the longest valid prefix.
        let mut valid = 0;
        while valid < bytes.len() {
            match sequence(&bytes[valid..]) {
                Some(length) => valid += length,
                None => {
                    return Err(Refusal::Utf8 {
                        valid: valid as u64,
                    });
                }
            }
        }
        Ok(bytes)
    }

    fn c_text(&self, pointer: u64) -> Result<Vec<u8>, Refusal> {
        self.read(pointer, 0, 1)?;
        let mut bytes = Vec::new();
        for at in pointer as usize..self.0.len() {
            match self.0[at] {
                0 => return Ok(bytes),
                byte => bytes.push(byte),
            }
        }
        Err(Refusal::MissingNul)
    }
}

/// Length of the UTF-8 sequence that `bytes` start with.
fn sequence(bytes: &[u8]) -> Option<usize> {
    let (length, low) = match bytes[0] {
        0..=0x7f => return Some(1),
        0xc0..=0xdf => (2, 0x80),
        0xe0..=0xef => (3, 0x800),
        0xf0..=0xf7 => (4, 0x1_0000),
        _ => return None,
    };
    let mut code = u32::from(bytes[0]) & (0x7f >> length);
    for i in 1..length {
        let byte = *bytes.get(i)?;
        if byte & 0xc0 != 0x80 {
            return None;
        }
        code = code << 6 | u32::from(byte & 0x3f);
    }
    let scalar = (0..0xd800).contains(&code) || (0xe000..0x11_0000).contains(&code);
    (code >= low && scalar).then_some(length)
}

type Seen = Vec<u8>;

fn little_endian<T: bytemuck::NoUninit>(values: &[T]) -> Vec<u8> {
    bytemuck::cast_slice(values).to_vec()
}

fn host() -> Host<Seen> {
    let mut host = Host::<Seen>::new();
    host.func_with_state("env", "str", |seen: &mut Seen, text: &str| {
        *seen = text.as_bytes().to_vec();
    });
    host.func_with_state("env", "u8", |seen: &mut Seen, list: &[u8]| {
        *seen = list.to_vec()
    });
    host.func_with_state("env", "u32", |seen: &mut Seen, list: &[u32]| {
        *seen = little_endian(list);
    });
    host.func_with_state("env", "u16", |seen: &mut Seen, list: &mut [u16]| {
        *seen = little_endian(list);
        list.iter_mut().for_each(|n| *n = !*n);
    });
    host.func_with_state("env", "f64", |seen: &mut Seen, list: Vec<f64>| {
        *seen = little_endian(&list);
    });
    host.func_with_state("env", "cstr", |seen: &mut Seen, text: &CStr, _: u32| {
        *seen = text.to_bytes().to_vec();
    });
    host
}

const NAMES: [(&str, u128); 6] = [
    ("str", 1),
    ("u8", 1),
    ("u32", 4),
    ("u16", 2),
    ("f64", 8),
    ("cstr", 1),
];

fn guest(wide: bool) -> Instance<Seen> {
    let parts = NAMES.map(|(name, _)| {
        let params = match (wide, name) {
            (true, "cstr") => "i64 i32",
            (true, _) => "i64 i64",
            _ => "i32 i32",
        };
        forward(name, name, params, "")
    });
    let (imports, exports): (Vec<_>, Vec<_>) = parts.into_iter().unzip();
    let memory = if wide { MEMORY64 } else { MEMORY };
    let guest = format!(
        "(module {} {memory} {})",
        imports.concat(),
        exports.concat()
    );
    instance(&host(), &guest, Vec::new())
}

thread_local! {
    static GUESTS: RefCell<[Instance<Seen>; 2]> = RefCell::new([guest(false), guest(true)]);
}

fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(cases)
    }
}

/// Addresses and lengths near everything that matters.
fn near(wide: bool) -> impl Strategy<Value = u64> {
    let edges = if wide {
        vec![0, 64, PAGE, 1 << 32, 1 << 60, 1 << 61, 1 << 63, u64::MAX]
    } else {
        vec![0, 64, PAGE, 1 << 30, 1 << 31, u64::from(u32::MAX)]
    };
    let edge = (proptest::sample::select(edges), -24_i64..24);
    let edge = edge.prop_map(|(edge, by)| edge.saturating_add_signed(by));
    let narrow = move |n: u64| if wide { n } else { n.min(u32::MAX.into()) };
    prop_oneof![3 => edge, 1 => 0..PAGE, 2 => 0..40_u64].prop_map(narrow)
}

fn patch() -> impl Strategy<Value = (usize, Vec<u8>)> {
    let place = prop_oneof![0..200_usize, SIZE - 80..SIZE - 48];
    let text = proptest::string::string_regex("[a-é€🦀\u{0}]{0,12}").expect("a pattern");
    let bytes = prop_oneof![
        text.prop_map(String::into_bytes),
        proptest::collection::vec(any::<u8>(), 0..48),
        Just(vec![b'x'; 48]),
    ];
    (place, bytes)
}

fn word(wide: bool, n: u64) -> Value {
    if wide { x(n) } else { w(n as u32) }
}

proptest! {
    #![proptest_config(cases(600))]

    #[test]
    fn one_borrow(
        (wide, pointer, length) in any::<bool>()
            .prop_flat_map(|wide| (Just(wide), near(wide), near(wide))),
        patches in proptest::collection::vec(patch(), 0..4),
        end in any::<bool>(),
    ) {
        GUESTS.with_borrow_mut(|guests| {
            let guest = &mut guests[usize::from(wide)];
            let mut model = Model(vec![0; SIZE]);
            for (at, bytes) in &patches {
                let bytes = &bytes[..bytes.len().min(SIZE - at)];
                model.0[*at..at + bytes.len()].copy_from_slice(bytes);
            }
            if end {
                model.0[SIZE - 1] = b'z';
            }
            for (name, size) in NAMES {
                poke(guest, 0, &model.0);
                let expected = match name {
                    "str" => model.text(pointer, length),
                    "cstr" => model.c_text(pointer),
                    _ => model.read(pointer, length, size),
                };
                let second = if name == "cstr" { w(0) } else { word(wide, length) };
                let called = guest.call(name, &[word(wide, pointer), second]);
                let found = match &called {
                    Ok(_) => Ok(guest.state().clone()),
                    Err(error) => Err(Refusal::of(error.fault().expect("a fault"))),
                };
                prop_assert_eq!(&found, &expected, "{} {:#x} {:#x}", name, pointer, length);
                let mut after = model.0.clone();
                if name == "u16" && expected.is_ok() {
                    let range = pointer as usize..(pointer + 2 * length) as usize;
                    after[range].iter_mut().for_each(|byte| *byte = !*byte);
                }
                prop_assert!(bytes(guest, 0, SIZE) == after, "{} changed memory", name);
            }
            Ok(())
        })?;
    }
}

/// Short lengths, among them zero.
fn length() -> impl Strategy<Value = u64> {
    prop_oneof![1 => Just(0), 3 => 0..24_u64]
}

/// Two borrows of one call.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Str,
    Words,
    Bytes,
    Shorts,
    Text,
}

impl Kind {
    const ALL: [Kind; 5] = [
        Kind::Str,
        Kind::Words,
        Kind::Bytes,
        Kind::Shorts,
        Kind::Text,
    ];

    fn size(self) -> u128 {
        match self {
            Kind::Words => 4,
            Kind::Shorts => 2,
            _ => 1,
        }
    }

    fn mutable(self) -> bool {
        matches!(self, Kind::Bytes | Kind::Shorts)
    }

    fn name(self) -> String {
        format!("{self:?}").to_lowercase()
    }
}

/// Registers a function for every pair of kinds.
macro_rules! pairs {
    ($host:expr; $($a:ident $ta:ty),*; $all:tt) => {
        $(pairs!(@one $host; $a $ta; $all);)*
    };
    (@one $host:expr; $a:ident $ta:ty; [$($b:ident $tb:ty),*]) => {
        $($host.func("env", &format!("{}-{}", Kind::$a.name(), Kind::$b.name()), {
            |_: $ta, _: u32, _: $tb, _: u32| {}
        });)*
    };
}

fn pairs() -> Instance<()> {
    let mut host = Host::<()>::new();
    pairs!(
        host;
        Str &str, Words &[u32], Bytes &mut [u8], Shorts &mut [u16], Text &CStr;
        [Str &str, Words &[u32], Bytes &mut [u8], Shorts &mut [u16], Text &CStr]
    );
    let one = |kind| if kind == Kind::Text { "i32" } else { "i32 i32" };
    let mut imports = String::new();
    let mut exports = String::new();
    for a in Kind::ALL {
        for b in Kind::ALL {
            let name = format!("{}-{}", a.name(), b.name());
            let params = format!("{} i32 {} i32", one(a), one(b));
            let (import, export) = forward(&name, &name, &params, "");
            imports += &import;
            exports += &export;
        }
    }
    instance(&host, &format!("(module {imports} {MEMORY} {exports})"), ())
}

thread_local! {
    static PAIRS: RefCell<Instance<()>> = RefCell::new(pairs());
}

/// The range of a borrow, or what is wrong with it alone.
fn range(model: &Model, kind: Kind, at: u64, len: u64) -> Result<(u64, u64), Refusal> {
    Ok(match kind {
        Kind::Str => (at, model.text(at, len)?.len() as u64),
        Kind::Text => (at, model.c_text(at)?.len() as u64 + 1),
        _ => (at, model.read(at, len, kind.size())?.len() as u64),
    })
}

proptest! {
    #![proptest_config(cases(12_000))]

    #[test]
    fn two_borrows(
        a in proptest::sample::select(&Kind::ALL[..]),
        b in proptest::sample::select(&Kind::ALL[..]),
        (at_a, len_a, at_b, len_b) in (0..48_u64, length(), 0..48_u64, length()),
        place in prop_oneof![Just(0), Just(PAGE - 48)],
        text in "[a-z\u{0}]{48}",
    ) {
        PAIRS.with_borrow_mut(|guest| {
            let mut model = Model(vec![0; SIZE]);
            model.0[place as usize..][..48].copy_from_slice(text.as_bytes());
            poke(guest, place as usize, text.as_bytes());
            let mut args = Vec::new();
            for (kind, at, len) in [(a, at_a, len_a), (b, at_b, len_b)] {
                args.push(w((place + at) as u32));
                if kind != Kind::Text {
                    args.push(w(len as u32));
                }
                args.push(w(0));
            }
            let first = range(&model, a, place + at_a, len_a);
            let second = range(&model, b, place + at_b, len_b);
            let expected = match (first, second) {
                (Err(refusal), _) | (Ok(_), Err(refusal)) => Err(refusal),
                (Ok(first), Ok(second)) => {
                    let disjoint = first.1 == 0
                        || second.1 == 0
                        || first.0 + first.1 <= second.0
                        || second.0 + second.1 <= first.0;
                    match disjoint || !(a.mutable() || b.mutable()) {
                        true => Ok(()),
                        false => Err(Refusal::Overlap),
                    }
                }
            };
            let called = guest.call(&format!("{}-{}", a.name(), b.name()), &args);
            let found = match &called {
                Ok(_) => Ok(()),
                Err(error) => Err(Refusal::of(error.fault().expect("a fault"))),
            };
            // Where a NUL-terminated string runs into a mutable borrow, the
            // search ends: either is true.
            let same = found == expected
                || (b == Kind::Text
                    && a.mutable()
                    && found == Err(Refusal::MissingNul)
                    && expected == Err(Refusal::Overlap));
            prop_assert!(same, "{:?} {:?} {:?}: {:?}, not {:?}", a, b, args, found, expected);
            poke(guest, place as usize, &[0; 48]);
            Ok(())
        })?;
    }
}
