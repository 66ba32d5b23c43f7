//! Typed and dynamic host functions of one signature: the same core values and
//! memory give the same value or the same fault, and the same value gives the
//! same core values and memory.

mod common;

use common::*;
use hostcall::{
    Error, Fault, GuestType, Host, Instance, Lift, Lower, Program, Signature, Type, Value,
};
use proptest::prelude::*;
use proptest::test_runner::{TestError, TestRunner};
use std::fmt::Debug;

/// A Rust type with the values it stands for.
trait Sample:
    GuestType
    + for<'a> Lift<Value<'a> = Self>
    + for<'a> Lower<Value<'a> = Self>
    + Clone
    + Debug
    + Send
    + Sync
    + 'static
{
    fn value(&self) -> Value;
    fn any() -> BoxedStrategy<Self>;
}

macro_rules! scalars {
    ($($ty:ty: $variant:ident),*) => {$(
        impl Sample for $ty {
            fn value(&self) -> Value {
                Value::$variant(*self)
            }
            fn any() -> BoxedStrategy<$ty> {
                any::<$ty>().boxed()
            }
        }
    )*};
}

scalars! {
    bool: Bool, i8: S8, u8: U8, i16: S16, u16: U16, i32: S32, u32: U32, i64: S64, u64: U64,
    f32: F32, f64: F64, char: Char
}

impl Sample for String {
    fn value(&self) -> Value {
        Value::String(self.clone())
    }
    fn any() -> BoxedStrategy<String> {
        "[a-z🦀é]{0,5}".boxed()
    }
}

impl Sample for () {
    fn value(&self) -> Value {
        Value::Tuple(Vec::new())
    }
    fn any() -> BoxedStrategy<()> {
        Just(()).boxed()
    }
}

fn boxed(value: &impl Sample) -> Option<Box<Value>> {
    Some(Box::new(value.value()))
}

/// The payload of a case: none if the type is `()`.
fn payload<T: Sample>(value: &T) -> Option<Box<Value>> {
    (T::ty() != Type::Tuple(Vec::new())).then(|| Box::new(value.value()))
}

impl<T: Sample> Sample for Vec<T> {
    fn value(&self) -> Value {
        let values: Vec<_> = self.iter().map(T::value).collect();
        if T::ty() != Type::U8 {
            return Value::List(values);
        }
        let bytes = values.iter().map(|value| match value {
            Value::U8(byte) => *byte,
            other => panic!("{other:?}"),
        });
        Value::Bytes(bytes.collect())
    }
    fn any() -> BoxedStrategy<Vec<T>> {
        proptest::collection::vec(T::any(), 0..4).boxed()
    }
}

impl<T: Sample> Sample for Option<T> {
    fn value(&self) -> Value {
        Value::Option(self.as_ref().and_then(boxed))
    }
    fn any() -> BoxedStrategy<Option<T>> {
        proptest::option::of(T::any()).boxed()
    }
}

impl<T: Sample, E: Sample> Sample for Result<T, E> {
    fn value(&self) -> Value {
        Value::Result(self.as_ref().map(payload).map_err(payload))
    }
    fn any() -> BoxedStrategy<Result<T, E>> {
        prop_oneof![T::any().prop_map(Ok), E::any().prop_map(Err)].boxed()
    }
}

impl<T: Sample> Sample for [T; 3] {
    fn value(&self) -> Value {
        Value::Tuple(self.iter().map(T::value).collect())
    }
    fn any() -> BoxedStrategy<[T; 3]> {
        [T::any(), T::any(), T::any()].boxed()
    }
}

impl<A: Sample, B: Sample> Sample for (A, B) {
    fn value(&self) -> Value {
        Value::Tuple(vec![self.0.value(), self.1.value()])
    }
    fn any() -> BoxedStrategy<(A, B)> {
        (A::any(), B::any()).boxed()
    }
}

impl<A: Sample, B: Sample, C: Sample> Sample for (A, B, C) {
    fn value(&self) -> Value {
        Value::Tuple(vec![self.0.value(), self.1.value(), self.2.value()])
    }
    fn any() -> BoxedStrategy<(A, B, C)> {
        (A::any(), B::any(), C::any()).boxed()
    }
}

#[derive(GuestType, Clone, Debug)]
struct Mixed {
    small: u8,
    wide_field: u64,
    text: String,
    r#type: Option<i16>,
}

impl Sample for Mixed {
    fn value(&self) -> Value {
        Value::Record(vec![
            self.small.value(),
            self.wide_field.value(),
            self.text.value(),
            self.r#type.value(),
        ])
    }
    fn any() -> BoxedStrategy<Mixed> {
        let fields = (u8::any(), u64::any(), String::any(), <Option<i16>>::any());
        let mixed = |(small, wide_field, text, r#type)| Mixed {
            small,
            wide_field,
            text,
            r#type,
        };
        fields.prop_map(mixed).boxed()
    }
}

#[derive(GuestType, Clone, Debug)]
enum Suit {
    Clubs,
    Hearts,
    Spades,
}

impl Sample for Suit {
    fn value(&self) -> Value {
        Value::Enum(self.clone() as u32)
    }
    fn any() -> BoxedStrategy<Suit> {
        prop_oneof![Just(Suit::Clubs), Just(Suit::Hearts), Just(Suit::Spades)].boxed()
    }
}

#[derive(GuestType, Clone, Debug)]
enum Shape {
    Empty,
    One(f32),
    Two(u64, char),
    Named { list: Vec<u16>, on: bool },
    Unit(()),
}

impl Sample for Shape {
    fn value(&self) -> Value {
        match self {
            Shape::Empty => Value::Variant(0, None),
            Shape::One(a) => Value::Variant(1, boxed(a)),
            Shape::Two(a, b) => Value::Variant(2, boxed(&(*a, *b))),
            Shape::Named { list, on } => {
                let fields = vec![list.value(), on.value()];
                Value::Variant(3, Some(Box::new(Value::Record(fields))))
            }
            Shape::Unit(unit) => Value::Variant(4, boxed(unit)),
        }
    }
    fn any() -> BoxedStrategy<Shape> {
        let named = (<Vec<u16>>::any(), bool::any());
        prop_oneof![
            Just(Shape::Empty),
            Just(Shape::Unit(())),
            f32::any().prop_map(Shape::One),
            (u64::any(), char::any()).prop_map(|(a, b)| Shape::Two(a, b)),
            named.prop_map(|(list, on)| Shape::Named { list, on }),
        ]
        .boxed()
    }
}

#[derive(GuestType, Clone, Debug)]
struct Newtype(Vec<u8>);

impl Sample for Newtype {
    fn value(&self) -> Value {
        self.0.value()
    }
    fn any() -> BoxedStrategy<Newtype> {
        <Vec<u8>>::any().prop_map(Newtype).boxed()
    }
}

#[derive(GuestType, Clone, Debug)]
struct Unit;

impl Sample for Unit {
    fn value(&self) -> Value {
        Value::Tuple(Vec::new())
    }
    fn any() -> BoxedStrategy<Unit> {
        Just(Unit).boxed()
    }
}

/// The core values of a type, from the definition of the canonical ABI.
fn flatten(ty: &Type, wide: bool) -> Vec<&'static str> {
    let word = if wide { "i64" } else { "i32" };
    match ty {
        Type::S64 | Type::U64 => vec!["i64"],
        Type::F32 => vec!["f32"],
        Type::F64 => vec!["f64"],
        Type::String | Type::List(_) => vec![word, word],
        Type::Record(fields) => fields
            .iter()
            .flat_map(|(_, ty)| flatten(ty, wide))
            .collect(),
        Type::Tuple(types) => types.iter().flat_map(|ty| flatten(ty, wide)).collect(),
        Type::Option(ty) => variant(&[Some(ty)], wide),
        Type::Result(ok, err) => variant(&[ok.as_deref(), err.as_deref()], wide),
        Type::Variant(cases) => {
            let payloads: Vec<_> = cases.iter().map(|(_, ty)| ty.as_ref()).collect();
            variant(&payloads, wide)
        }
        _ => vec!["i32"],
    }
}

fn variant(payloads: &[Option<&Type>], wide: bool) -> Vec<&'static str> {
    let mut flat = vec!["i32"];
    for payload in payloads.iter().flatten() {
        for (i, ty) in flatten(payload, wide).into_iter().enumerate() {
            match flat.get_mut(i + 1) {
                None => flat.push(ty),
                Some(seen) if *seen == ty => {}
                Some(seen) if matches!((*seen, ty), ("i32", "f32") | ("f32", "i32")) => {
                    *seen = "i32";
                }
                Some(seen) => *seen = "i64",
            }
        }
    }
    flat
}

/// What the host functions of a type share.
struct State<T> {
    seen: Option<Value>,
    give: Option<T>,
}

/// A guest of both worlds, in one pointer width.
struct Both<T: 'static> {
    program: Program<State<T>>,
    flat: Vec<&'static str>,
    wide: bool,
}

fn host<T: Sample>() -> Host<State<T>> {
    let mut host = Host::<State<T>>::new();
    let ty = T::ty();
    let take = Signature::new([("v", ty.clone())], []);
    let results = (ty != Type::Tuple(Vec::new())).then(|| ty.clone());
    let give = Signature::new([] as [(&str, Type); 0], results);
    host.func_with_state("env", "take-typed", |state: &mut State<T>, value: T| {
        state.seen = Some(value.value());
    });
    host.func_dynamic("env", "take-dynamic", take, |guest, args, _| {
        guest.state_mut().seen = Some(args[0].clone());
        Ok::<_, Error>(())
    });
    host.func_with_state(
        "env",
        "give-typed",
        |state: &mut State<T>| -> Result<T, Error> { Ok(state.give.clone().expect("it is set")) },
    );
    host.func_dynamic("env", "give-dynamic", give, |guest, _, results| {
        let value = guest.state().give.as_ref().expect("it is set").value();
        if let Some(result) = results.first_mut() {
            *result = value;
        }
        Ok::<_, Error>(())
    });
    host
}

impl<T: Sample> Both<T> {
    fn new(host: &Host<State<T>>, wide: bool) -> Both<T> {
        let flat = flatten(&T::ty(), wide);
        assert_eq!(flat.len(), T::FLAT, "{}", T::ty());
        let all = flat.join(" ");
        let word = if wide { "i64" } else { "i32" };
        let mut parts = Vec::new();
        for how in ["typed", "dynamic"] {
            let name = |what: &str| format!("{what}-{how}");
            parts.push(forward(&name("take"), &name("take"), &all, ""));
            parts.push(forward(&name("give"), &name("give"), "", &all));
            if flat.len() > 1 {
                // The same import under the type of its other form.
                let import =
                    format!(r#"(import "env" "give-{how}" (func $store-{how} (param {word})))"#);
                let export = format!(
                    r#"(func (export "store-{how}") (call $store-{how} ({word}.const 64)))"#
                );
                parts.push((import, export));
            }
        }
        let (imports, exports): (Vec<_>, Vec<_>) = parts.into_iter().unzip();
        let items = if wide {
            format!("{MEMORY64}{BUMP64}")
        } else {
            format!("{MEMORY}{BUMP}")
        };
        let guest = format!("(module {} {items} {})", imports.concat(), exports.concat());
        let program = match host.program(guest.as_bytes()) {
            Ok(program) => program,
            Err(error) => panic!("{}: {error}\n{guest}", T::ty()),
        };
        Both {
            program,
            flat,
            wide,
        }
    }

    fn instance(&self, give: Option<T>) -> Instance<State<T>> {
        let state = State { seen: None, give };
        self.program.instantiate(state).expect("it starts")
    }

    /// Both give the same value or the same fault.
    fn takes_alike(&self, cores: &[u64], memory: &[u8]) -> Result<(), TestCaseError> {
        let args: Vec<_> = self
            .flat
            .iter()
            .zip(cores)
            .map(|(ty, core)| match *ty {
                "i64" => x(*core),
                "f32" => Value::F32(f32::from_bits(*core as u32)),
                "f64" => Value::F64(f64::from_bits(*core)),
                _ => w(*core as u32),
            })
            .collect();
        let [typed, dynamic] = ["take-typed", "take-dynamic"].map(|name| {
            let mut guest = self.instance(None);
            poke(&mut guest, 0, memory);
            let result = guest.call(name, &args);
            let result = result.map(|_| guest.state_mut().seen.take());
            result.map_err(|error| match error.fault() {
                Some(fault) => fault.clone(),
                None => panic!("{}: {error}", T::ty()),
            })
        });
        prop_assert_eq!(exact(&typed), exact(&dynamic), "{} {}", T::ty(), self.wide);
        Ok(())
    }

    /// Both give the guest the same.
    fn gives_alike(&self, value: &T) -> Result<(), TestCaseError> {
        for what in ["give", "store"] {
            if what == "store" && self.flat.len() < 2 {
                continue;
            }
            let [typed, dynamic] = ["typed", "dynamic"].map(|how| {
                let mut guest = self.instance(Some(value.clone()));
                let results = guest
                    .call(&format!("{what}-{how}"), &[])
                    .expect("it is given");
                (exact(&results), bytes(&mut guest, 0, PAGE as usize))
            });
            prop_assert_eq!(&typed.0, &dynamic.0, "{} {:?}", T::ty(), value);
            prop_assert!(
                typed.1 == dynamic.1,
                "{} {:?} {}",
                T::ty(),
                value,
                self.wide
            );
        }
        Ok(())
    }

    /// What is given and taken again is the same.
    fn round_trips(&self, value: &T) -> Result<(), TestCaseError> {
        let mut guest = self.instance(Some(value.clone()));
        let results = guest.call("give-typed", &[]).expect("it is given");
        guest.call("take-typed", &results).expect("it is taken");
        let seen = guest.state_mut().seen.take().expect("it was taken");
        prop_assert_eq!(exact(&seen), exact(&value.value()));
        Ok(())
    }
}

/// Text that tells all values apart, but for the payloads of NaNs.
fn exact(value: &impl Debug) -> String {
    format!("{value:?}")
}

/// Bytes that make sense as small lengths, addresses, tags and text.
fn memory() -> impl Strategy<Value = Vec<u8>> {
    let word = prop_oneof![
        4 => 0..4_u32,
        4 => (0..64_u32).prop_map(|n| n * 8),
        1 => any::<u32>(),
        1 => Just(0x6162_6364),
        1 => PAGE as u32 - 16..PAGE as u32 + 16,
    ];
    let words = proptest::collection::vec(word, 128);
    words.prop_map(|words| words.into_iter().flat_map(u32::to_le_bytes).collect())
}

fn core() -> impl Strategy<Value = u64> {
    prop_oneof![
        4 => 0..4_u64,
        4 => (0..64_u64).prop_map(|n| n * 8),
        1 => 0..0x300_u64,
        1 => any::<u64>(),
        1 => PAGE - 16..PAGE + 16,
    ]
}

fn check<T: Sample>() {
    // The text of a type says all about it.
    let text = T::ty().to_string();
    assert_eq!(text.parse::<Type>().expect(&text), T::ty());
    let signature = Signature::new([("a-name", T::ty())], [T::ty()]);
    assert_eq!(
        signature.to_string().parse::<Signature>().expect(&text),
        signature
    );

    let host = host::<T>();
    for wide in [false, true] {
        let both = Both::<T>::new(&host, wide);
        let mut runner = TestRunner::new(ProptestConfig {
            failure_persistence: None,
            ..ProptestConfig::with_cases(48)
        });
        let cores = proptest::collection::vec(core(), T::FLAT);
        let taken = runner.run(&(cores, memory()), |(cores, memory)| {
            both.takes_alike(&cores, &memory)
        });
        report(taken);
        let mut runner = TestRunner::new(ProptestConfig {
            failure_persistence: None,
            ..ProptestConfig::with_cases(16)
        });
        let given = runner.run(&T::any(), |value| {
            both.gives_alike(&value)?;
            both.round_trips(&value)
        });
        report(given);
    }
}

fn report<V: Debug>(result: Result<(), TestError<V>>) {
    if let Err(error) = result {
        panic!("{error}");
    }
}

macro_rules! tests {
    ($($name:ident: $($ty:ty),*;)*) => {$(
        #[test]
        fn $name() {
            $(check::<$ty>();)*
        }
    )*};
}

tests! {
    integers: i8, u8, i16, u16, i32, u32, i64, u64;
    floats_bool_char: f32, f64, bool, char;
    text: String, Option<String>, (String, u8), Result<String, u64>;
    lists: Vec<u8>, Vec<u32>, Vec<f64>, Vec<bool>, Vec<char>, Vec<String>, Vec<Vec<u16>>;
    lists_of_compounds: Vec<(u8, u64)>, Vec<Option<u32>>, Vec<Result<u8, ()>>, Vec<[i16; 3]>;
    options: Option<u8>, Option<u64>, Option<Option<bool>>, Option<()>, Option<(u8, f32)>;
    results: Result<u8, u64>, Result<f32, f64>, Result<(), ()>, Result<f32, i32>,
        Result<(), char>, Result<Vec<u8>, f64>, Result<Option<f64>, (u32, u32)>;
    tuples: (), (u8, u64), (u8, (u16, f64), u8), ((), u32), [u64; 3], [Option<u8>; 3],
        (f32, [bool; 3]);
    derived: Mixed, Suit, Shape, Newtype, Unit;
    lists_of_derived: Vec<Mixed>, Vec<Suit>, Vec<Shape>, Vec<Newtype>, Vec<Unit>, Vec<()>;
    nested: Option<Shape>, Result<Mixed, Shape>, (Shape, Shape), [Mixed; 3],
        Vec<Result<Vec<Shape>, Option<Mixed>>>, Option<Unit>, Result<Unit, Suit>;
}

/// A byte costs a byte on the dynamic path, too.
#[test]
fn large_lists_of_bytes() {
    let mut host = Host::<usize>::new();
    host.func_with_state("env", "typed", |seen: &mut usize, list: Vec<u8>| {
        *seen = list.len()
    });
    let signature = "func(list: list<u8>)".parse().expect("a signature");
    host.func_dynamic("env", "dynamic", signature, |guest, args, _| {
        let Value::Bytes(list) = &args[0] else {
            unreachable!()
        };
        *guest.state_mut() = list.len();
        Ok::<_, Error>(())
    });
    let (import_t, typed) = forward("typed", "typed", "i32 i32", "");
    let (import_d, dynamic) = forward("dynamic", "dynamic", "i32 i32", "");
    let memory = r#"(memory (export "memory") 80)"#;
    let guest = format!("(module {import_t} {import_d} {memory} {typed} {dynamic})");
    let mut guest = instance(&host, &guest, 0);
    for name in ["typed", "dynamic"] {
        if let Err(error) = guest.call(name, &[w(0), w(5 << 20)]) {
            assert_ne!(
                error.fault(),
                Some(&Fault::TooLarge { limit: 128 << 20 }),
                "{name}"
            );
        }
        assert_eq!(std::mem::take(guest.state_mut()), 5 << 20, "{name}");
    }
}

#[test]
fn names_survive_the_text_of_a_type() {
    #[derive(GuestType)]
    #[allow(dead_code, non_snake_case, reason = "names that Rust allows")]
    struct Names {
        snake_case: u8,
        r#fn: u8,
        record: u8,
        list: u8,
        X: u8,
        n2: u8,
        camelCase: u8,
    }
    let text = Names::ty().to_string();
    assert_eq!(text.parse::<Type>().expect(&text), Names::ty());
}

#[test]
fn strange_names_survive_the_text_of_a_type() {
    #[derive(GuestType)]
    #[allow(dead_code, reason = "names that Rust allows")]
    struct Strange {
        größe: u8,
        _0: u8,
        __: u8,
    }
    let text = Strange::ty().to_string();
    assert_eq!(text.parse::<Type>().expect(&text), Strange::ty());
}
