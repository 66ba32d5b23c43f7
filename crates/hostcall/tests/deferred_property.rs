//! Random guests do the same with deferring on and off, with queues of random
//! sizes: the host sees the same calls in the same order, exports return the
//! same, and memory holds the same.

mod queues;

use hostcall::{Error, Frame, Instance};
use proptest::prelude::*;
use queues::*;
use std::fmt::Write as _;
use std::hash::{DefaultHasher, Hash, Hasher};

/// What a guest does.
#[derive(Clone, Debug)]
enum Op {
    /// A call of a function that takes one number.
    One(&'static str, u8),
    /// The same, and its result is written to memory.
    Result(&'static str, u8),
    Wide(i64, i32),
    Text(Place),
    Owned(Place),
    Mixed(Place, u8, Place),
    Dynamic(u8, Place),
    Sample(u8, i32),
    Small(u8, u32, i32),
    /// Through a table.
    Indirect(u8, u8),
    Write(u16, [u8; 4]),
    Fill(Place, u8),
    Grow,
    Trap,
    BadText(u32, u32),
    Repeat(u8, Vec<Op>),
}

/// Some bytes of memory: where, and how many.
type Place = (u16, u16);

/// What handlers read and nothing writes: they run later than they were called.
const FIXED: u32 = 8192;
/// Where results go.
const RESULTS: u32 = 16384;

fn place() -> impl Strategy<Value = Place> {
    let short = (0..200_u16, 0..24_u16);
    let long = (0..200_u16, 0..600_u16);
    prop_oneof![4 => short, 1 => long]
}

/// Calls of functions that do not run the guest.
fn leaf() -> impl Strategy<Value = Op> {
    let one = prop::sample::select(vec!["free", "note", "guest", "unknown"]);
    let result = prop::sample::select(vec!["plain", "get", "find"]);
    prop_oneof![
        6 => (one, any::<u8>()).prop_map(|(name, n)| Op::One(name, n)),
        2 => (result, 0..20_u8).prop_map(|(name, n)| Op::Result(name, n)),
        2 => any::<(i64, i32)>().prop_map(|(a, b)| Op::Wide(a, b)),
        4 => place().prop_map(Op::Text),
        2 => place().prop_map(Op::Owned),
        2 => (place(), any::<u8>(), place()).prop_map(|(a, n, b)| Op::Mixed(a, n, b)),
        2 => (any::<u8>(), place()).prop_map(|(n, text)| Op::Dynamic(n, text)),
        5 => any::<(u8, i32)>().prop_map(|(a, b)| Op::Sample(a, b)),
        5 => any::<(u8, u32, i32)>().prop_map(|(a, b, c)| Op::Small(a, b, c)),
        2 => (0..4_u8, any::<u8>()).prop_map(|(at, n)| Op::Indirect(at, n)),
    ]
}

/// What may end a function.
fn end() -> impl Strategy<Value = Op> {
    let last = (65_530..65_537_u32, 7..20_u32);
    let last = last.prop_map(|(at, length)| Op::BadText(at, length));
    prop_oneof![1 => last, 2 => any_end()]
}

/// The same whatever the size of memory.
fn any_end() -> impl Strategy<Value = Op> {
    let beyond = any::<(u32, u32)>();
    let beyond = beyond.prop_map(|(at, length)| Op::BadText(at | 1 << 31, length | 1 << 31));
    prop_oneof![2 => Just(Op::Trap), 1 => beyond]
}

/// Calls of host functions that call the export `again`.
fn reentry(names: &'static [&'static str]) -> impl Strategy<Value = Op> {
    (prop::sample::select(names), any::<u8>()).prop_map(|(name, n)| Op::One(name, n))
}

/// What works on memory, so that what comes before must have been copied.
fn memory() -> impl Strategy<Value = Op> {
    let byte = 0x20..0x7f_u8;
    prop_oneof![
        3 => (0..200_u16, prop::array::uniform4(byte.clone())).prop_map(|(at, bytes)| Op::Write(at, bytes)),
        2 => (place(), byte).prop_map(|(place, byte)| Op::Fill(place, byte)),
        1 => Just(Op::Grow),
    ]
}

fn ops(names: &'static [&'static str]) -> impl Strategy<Value = Vec<Op>> {
    let op = prop_oneof![12 => leaf(), 3 => memory(), 3 => reentry(names)];
    let several = prop::collection::vec(op.clone(), 0..6);
    let repeat = (0..12_u8, several).prop_map(|(times, ops)| Op::Repeat(times, ops));
    let op = prop_oneof![20 => op, 3 => repeat, 1 => end()];
    prop::collection::vec(op, 0..25)
}

/// What the export `again` does: nothing with memory that changes.
fn again(names: &'static [&'static str]) -> impl Strategy<Value = Vec<Op>> {
    let op = prop_oneof![10 => leaf(), 2 => reentry(names), 1 => any_end()];
    prop::collection::vec(op, 0..6)
}

#[derive(Clone, Debug)]
struct Guest {
    first: Vec<Op>,
    second: Vec<Op>,
    again: Vec<Op>,
}

/// Guests whose handlers pass on what goes wrong, or do not care. Not both: what
/// comes after a failure is then kept, and delivered later than it would be.
fn guests(names: &'static [&'static str]) -> impl Strategy<Value = Guest> {
    let all = (ops(names), ops(names), again(names));
    all.prop_map(|(first, second, again)| Guest {
        first,
        second,
        again,
    })
}

/// Writes functions as text.
struct Writer {
    text: String,
    /// Added to addresses.
    base: u32,
    results: u32,
}

impl Writer {
    fn ops(&mut self, ops: &[Op]) {
        for op in ops {
            self.op(op);
            self.text.push('\n');
        }
    }

    fn place(&self, (at, length): Place) -> String {
        format!(
            "(i32.const {}) (i32.const {length})",
            self.base + u32::from(at)
        )
    }

    fn op(&mut self, op: &Op) {
        let text = match op {
            Op::One(name, n) => format!("(call ${name} (i32.const {n}))"),
            Op::Result(name, n) => {
                self.results += 4;
                let at = RESULTS + self.base + self.results % 1024;
                format!("(i32.store (i32.const {at}) (call ${name} (i32.const {n})))")
            }
            Op::Wide(a, b) => format!("(call $wide (i64.const {a}) (f64.const {b}))"),
            Op::Text(place) => format!("(call $text {})", self.place(*place)),
            Op::Owned(place) => format!("(call $owned {})", self.place(*place)),
            Op::Mixed(a, n, b) => {
                let list = self.place((b.0 & !1, b.1 / 2));
                format!("(call $mixed {} (i32.const {n}) {list})", self.place(*a))
            }
            Op::Dynamic(n, place) => {
                format!("(call $dynamic (i32.const {n}) {})", self.place(*place))
            }
            Op::Sample(a, b) => format!("(call $sample (i32.const {a}) (f64.const {b}))"),
            Op::Small(a, b, c) => {
                format!("(call $small (i32.const {a}) (i32.const {b}) (i32.const {c}))")
            }
            Op::Indirect(at, n) => {
                format!("(call_indirect (param i32) (i32.const {n}) (i32.const {at}))")
            }
            Op::Write(at, bytes) => format!(
                "(i32.store (i32.const {at}) (i32.const {}))",
                i32::from_le_bytes(*bytes)
            ),
            Op::Fill((at, length), byte) => {
                format!("(memory.fill (i32.const {at}) (i32.const {byte}) (i32.const {length}))")
            }
            Op::Grow => "(drop (memory.grow (i32.const 1)))".to_owned(),
            Op::Trap => "(if (global.get $yes) (then (unreachable)))".to_owned(),
            Op::BadText(at, length) => {
                format!(
                    "(call $text (i32.const {}) (i32.const {}))",
                    *at as i32, *length as i32
                )
            }
            Op::Repeat(times, ops) => return self.repeat(*times, ops),
        };
        self.text.push_str(&text);
    }

    fn repeat(&mut self, times: u8, ops: &[Op]) {
        let label = self.text.len();
        write!(
            self.text,
            "(local.set $i (i32.const {times})) (block $out{label} (loop $again{label}
            (br_if $out{label} (i32.eqz (local.get $i)))
            (local.set $i (i32.sub (local.get $i) (i32.const 1)))
            (call $note (local.get $i))"
        )
        .expect("strings have room");
        self.ops(ops);
        write!(self.text, "(br $again{label})))").expect("strings have room");
    }
}

fn function(export: &str, params: &str, base: u32, ops: &[Op]) -> String {
    let mut writer = Writer {
        text: String::new(),
        base,
        results: 0,
    };
    writer.ops(ops);
    let text = writer.text;
    format!("(func (export \"{export}\") {params} (local $i i32) {text} (i32.const {base}))")
}

impl Guest {
    fn text(&self) -> String {
        let first = function("first", "(result i32)", 0, &self.first);
        let second = function("second", "(result i32)", 0, &self.second);
        let again = function("again", "(param i32)", FIXED, &self.again);
        let again = again
            .strip_suffix(&format!("(i32.const {FIXED}))"))
            .expect("its end");
        let letters: String = ('a'..='z').cycle().take(1000).collect();
        guest(&format!(
            "(global $yes i32 (i32.const 1))
            (table funcref (elem $free $note $guest $unknown))
            (data (i32.const 0) \"{letters}\") (data (i32.const {FIXED}) \"{letters}\")
            {first} {second} {again} (call $note (local.get 0)))"
        ))
    }
}

/// What there is to see of a guest.
#[derive(Debug, PartialEq)]
struct Outcome {
    log: Vec<String>,
    results: Vec<Result<i32, Failure>>,
    /// A hash of it. Not compared where a deferred call fails: the guest has gone
    /// on.
    memory: Option<u64>,
}

#[derive(Debug, PartialEq)]
struct Failure {
    trap: Option<hostcall::Trap>,
    fault: Option<hostcall::Fault>,
    import: Option<(String, String)>,
    refused: Option<usize>,
    kind: String,
    /// Not compared where it is late.
    backtrace: Vec<Frame>,
}

impl Failure {
    fn of(error: &Error) -> Failure {
        let import = error.import();
        let mut failure = Failure {
            trap: error.trap(),
            fault: error.fault().cloned(),
            import: import.map(|(module, name)| (module.to_owned(), name.to_owned())),
            refused: error.downcast_ref().map(|Refused(number)| *number),
            kind: format!("{:?}", std::mem::discriminant(error.kind())),
            backtrace: error.backtrace().to_vec(),
        };
        if failure.is_late() {
            failure.backtrace.clear();
        }
        failure
    }

    /// Whether it is not known before the guest has gone on.
    fn is_late(&self) -> bool {
        self.import.is_some() && self.fault.is_none()
    }
}

fn outcome(text: &str, queue: Option<u32>, inlining: bool, fails: Option<Fails>) -> Outcome {
    let app = App::default();
    let mut host = host(&app);
    host.inlining(inlining);
    match queue {
        Some(size) => host.queue_size(size),
        None => host.deferring(false),
    };
    let program = host.program(text.as_bytes());
    let program = program.unwrap_or_else(|error| panic!("{error}\n{text}"));
    app.seen().fails = fails;
    let instance = program.instantiate(app.clone()).expect("it instantiates");
    run(instance, &app)
}

fn run(mut instance: Instance<App>, app: &App) -> Outcome {
    let mut results = Vec::new();
    let mut late = false;
    for name in ["first", "second", "first"] {
        let export = instance.export::<(), i32>(name).expect("it is exported");
        let result = export.call(&mut instance, ());
        results.push(result.map_err(|error| Failure::of(&error)));
        late = matches!(results.last(), Some(Err(failure)) if failure.is_late());
        if late {
            break;
        }
        assert_eq!(instance.undelivered(), []);
    }
    let mut hasher = DefaultHasher::new();
    instance.guest(|guest| guest.memory().expect("it has memory").hash(&mut hasher));
    Outcome {
        log: app.take(),
        results,
        memory: (!late).then(|| hasher.finish()),
    }
}

fn queue() -> impl Strategy<Value = u32> {
    prop_oneof![0..200_u32, prop::sample::select(QUEUES)]
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 60,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn guests_do_the_same_with_a_queue(
        guest in guests(&["later", "now"]),
        queue in queue(),
        inlining in any::<bool>(),
    ) {
        let text = guest.text();
        let expected = outcome(&text, None, inlining, None);
        prop_assert_eq!(outcome(&text, Some(queue), inlining, None), expected, "{}", text);
    }

    #[test]
    fn guests_do_the_same_though_handlers_go_on(
        guest in guests(&["calm", "now"]),
        queue in queue(),
        inlining in any::<bool>(),
    ) {
        let text = guest.text();
        let expected = outcome(&text, None, inlining, None);
        prop_assert_eq!(outcome(&text, Some(queue), inlining, None), expected, "{}", text);
    }

    /// All that the host sees until a call fails.
    #[test]
    fn guests_do_the_same_until_a_call_fails(
        guest in guests(&["later", "now"]),
        queue in queue(),
        at in 1..60_usize,
        panics in any::<bool>(),
    ) {
        let text = guest.text();
        let fails = Some(Fails { at, panics });
        let expected = outcome(&text, None, true, fails);
        prop_assert_eq!(outcome(&text, Some(queue), true, fails), expected, "{}", text);
    }
}
