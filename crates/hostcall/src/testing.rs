//! Tests of your own inline functions.

use crate::error::Error;
use crate::export::DynExport;
use crate::host::{Host, HostFunc, HostModule, Item};
use crate::inline::Body;
use crate::instance::Instance;
use crate::program::Program;
use crate::value::Value;
use crate::{BodyTrap, Trap, ValType};
use hostcall_link::FuncType;
use std::fmt::Write;
use wasmtime::{Config, Engine, Memory};

/// Calls of each function.
const CASES: u32 = 256;
/// Fuel of one call; what runs longer is left out.
const FUEL: u64 = 100_000;
/// Bytes of stack for guests: recursion that ends there is left out, before it
/// could end the host's own stack.
const STACK: usize = 64 << 10;

/// Checks that every `#[hostcall(inline)]` function of a host module gives the
/// same in all its forms: native, as a body at a call, and as a function that
/// is called in the guest.
///
/// Each function is called with edge values and with random ones, the same in
/// every run. Results are compared bit for bit, except that any NaN is like any
/// other; so are traps, guest memory, and the host page. `state` makes the
/// state for functions that call other host functions by `self`. Calls that run
/// for very long are left out.
///
/// ```
/// use hostcall::host_module;
///
/// struct App;
///
/// #[host_module(name = "env")]
/// impl App {
///     #[hostcall(inline)]
///     fn clamp(x: i32, low: i32, high: i32) -> i32 {
///         if x < low { low } else if x > high { high } else { x }
///     }
/// }
///
/// hostcall::testing::inline_functions_agree(|| App);
/// ```
///
/// # Panics
///
/// If they do not agree: the message names the function, its arguments, and
/// what each form gave. Also if the module has no inline function.
pub fn inline_functions_agree<M: HostModule>(state: impl Fn() -> M) {
    let funcs = Funcs::of::<M>();
    assert!(
        !funcs.0.is_empty(),
        "the host module has no inline function"
    );
    let [expanded, called, native] = [Form::Expanded, Form::Called, Form::Native];
    let mut forms = [expanded, called, native].map(|form| Running::new(form, &funcs, &state));
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    for (index, (name, ty)) in funcs.0.iter().enumerate() {
        for case in 0..CASES {
            let args: Vec<_> = ty.params.iter().map(|ty| random.value(ty, case)).collect();
            let outcomes = call_all(&mut forms, index, &args);
            if outcomes.contains(&Outcome::Endless) {
                // The forms stopped at different points.
                forms.iter_mut().for_each(|form| form.restart(state()));
                continue;
            }
            compare(name, &args, &outcomes);
            compare_memories(name, &args, &forms);
        }
    }
}

/// Calls all forms, but not the native one, which nothing could stop, if the
/// others do not end.
fn call_all<M: HostModule>(
    [expanded, called, native]: &mut [Running<M>; 3],
    index: usize,
    args: &[Value],
) -> [Outcome; 3] {
    let expanded = expanded.call(index, args, FUEL);
    if expanded == Outcome::Endless {
        return [expanded, Outcome::Endless, Outcome::Endless];
    }
    // Calls cost some fuel, too.
    let called = called.call(index, args, 8 * FUEL);
    if called == Outcome::Endless {
        return [expanded, called, Outcome::Endless];
    }
    [expanded, called, native.call(index, args, FUEL)]
}

fn compare(name: &str, args: &[Value], [expanded, called, native]: &[Outcome; 3]) {
    assert!(
        native == expanded && native == called,
        "`{name}({})` differs: its native form gives {native:?}, its body at a call {expanded:?}, its \
         body as a function {called:?}",
        list(args)
    );
}

fn compare_memories<M: HostModule>(name: &str, args: &[Value], forms: &[Running<M>; 3]) {
    let [expanded, called, native] = forms.each_ref().map(Running::memories);
    assert!(
        native == expanded && native == called,
        "after `{name}({})`, the native form and the body have left guest memory or the host page \
         different",
        list(args)
    );
}

fn list(args: &[Value]) -> String {
    let args: Vec<_> = args.iter().map(Value::to_string).collect();
    args.join(", ")
}

/// The inline functions of a module, with their core types.
struct Funcs(Vec<(String, FuncType)>);

impl Funcs {
    fn of<M: HostModule>() -> Funcs {
        let mut host = Host::<M>::new();
        M::add_to_host(&mut host, |state| state);
        let funcs = host.items.iter().filter_map(|item: &Item<M>| {
            let func: &HostFunc<M> = item.func()?;
            let Some(Body::Rust(_)) = func.body else {
                return None;
            };
            let (ty, _) = func.forms(false).into_iter().next()?;
            Some((format!("{}.{}", item.module, item.name), ty))
        });
        Funcs(funcs.collect())
    }

    /// A guest that calls each of them, directly and by a table.
    fn guest(&self) -> String {
        let mut imports = String::new();
        let mut exports = String::new();
        for (i, (name, ty)) in self.0.iter().enumerate() {
            let (module, name) = name.split_once('.').unwrap_or(("", name));
            let params = tys("param", &ty.params);
            let ty_text = format!("{params}{}", tys("result", &ty.results));
            let args: String = (0..ty.params.len())
                .map(|i| format!("(local.get {i})"))
                .collect();
            let _ = write!(
                imports,
                "(import \"{}\" \"{}\" (func $f{i} {ty_text}))",
                module.escape_default(),
                name.escape_default()
            );
            let _ = write!(
                exports,
                "(func (export \"direct{i}\") {ty_text} (call $f{i} {args}))
                 (func (export \"table{i}\") {ty_text} (call_indirect {ty_text} {args} (i32.const {i})))"
            );
        }
        let count = self.0.len();
        let elements: String = (0..count).map(|i| format!(" $f{i}")).collect();
        format!(
            "(module {imports} (memory (export \"memory\") 1) (table {count} funcref)
                (elem (i32.const 0) func{elements}) {exports})"
        )
    }
}

fn tys(keyword: &str, types: &[ValType]) -> String {
    let types: String = types.iter().map(|ty| format!(" {ty}")).collect();
    format!("({keyword}{types})")
}

#[derive(Clone, Copy, PartialEq)]
enum Form {
    Native,
    Expanded,
    Called,
}

/// An instance in which the functions have one form.
struct Running<M: 'static> {
    form: Form,
    program: Program<M>,
    instance: Instance<M>,
    memory: Memory,
    exports: Vec<DynExport>,
}

impl<M: HostModule> Running<M> {
    fn new(form: Form, funcs: &Funcs, state: impl Fn() -> M) -> Running<M> {
        let made = Running::try_new(form, funcs, state());
        made.unwrap_or_else(|error| panic!("cannot run the inline functions: {error}"))
    }

    fn try_new(form: Form, funcs: &Funcs, state: M) -> Result<Running<M>, Error> {
        let mut config = Config::new();
        config.consume_fuel(true).max_wasm_stack(STACK);
        let engine = Engine::new(&config).map_err(Error::wasmtime)?;
        let mut host = Host::with_engine(engine);
        M::add_to_host(&mut host, |state| state);
        host.inlining(form != Form::Native);
        let program = host.program(funcs.guest().as_bytes())?;
        let (instance, memory, exports) = start(&program, form, state)?;
        Ok(Running {
            form,
            program,
            instance,
            memory,
            exports,
        })
    }

    /// Goes on with a fresh instance.
    fn restart(&mut self, state: M) {
        match start(&self.program, self.form, state) {
            Ok((instance, memory, exports)) => {
                self.instance = instance;
                self.memory = memory;
                self.exports = exports;
            }
            Err(error) => panic!("cannot run the inline functions: {error}"),
        }
    }

    fn call(&mut self, index: usize, args: &[Value], fuel: u64) -> Outcome {
        let export = &self.exports[index];
        let mut results: Vec<_> = export
            .signature()
            .results()
            .iter()
            .map(Value::zero)
            .collect();
        let fueled = self.instance.store_mut().set_fuel(fuel);
        fueled.expect("the engine counts fuel");
        match export.call(&mut self.instance, args, &mut results) {
            Ok(()) => Outcome::Results(results.iter().map(bits).collect()),
            Err(error) => Outcome::of(&error),
        }
    }

    /// Guest memory and host page.
    fn memories(&self) -> [&[u8]; 2] {
        let store = &self.instance.store;
        let page = store.data().page;
        [
            self.memory.data(store),
            page.map_or(&[], |page| page.data(store)),
        ]
    }
}

type Started<M> = (Instance<M>, Memory, Vec<DynExport>);

/// An instance whose memory is filled, and its exports.
fn start<M>(program: &Program<M>, form: Form, state: M) -> Result<Started<M>, Error> {
    let mut instance = program.instantiate_with(state, |store| store.set_fuel(FUEL))?;
    let name = if form == Form::Called {
        "table"
    } else {
        "direct"
    };
    let funcs = program.plan().imports.len();
    let exports = (0..funcs).map(|i| instance.export_dynamic(&format!("{name}{i}")));
    let exports = exports.collect::<Result<_, Error>>()?;
    let memory = instance
        .wasmtime_instance()
        .get_memory(&mut instance.store, "memory");
    let memory = memory.expect("the guest exports it");
    fill(memory.data_mut(&mut instance.store));
    Ok((instance, memory, exports))
}

/// Something for loads to find.
fn fill(memory: &mut [u8]) {
    let mut random = Random(1);
    for chunk in memory.chunks_mut(8) {
        let bytes = random.next().to_le_bytes();
        chunk.copy_from_slice(&bytes[..chunk.len()]);
    }
}

/// What came out of a call.
#[derive(Debug, PartialEq)]
enum Outcome {
    /// Bits, any NaN as one.
    Results(Vec<u64>),
    /// It trapped with this message.
    Trap(&'static str),
    /// Another error.
    Error(String),
    /// It was stopped.
    Endless,
}

impl Outcome {
    fn of(error: &Error) -> Outcome {
        let message = error.downcast_ref().map(BodyTrap::message);
        match (message, error.trap()) {
            (Some(message), _) => Outcome::Trap(message),
            (None, Some(Trap::OutOfFuel)) => Outcome::Endless,
            (None, Some(Trap::StackOverflow)) => Outcome::Endless,
            _ => Outcome::Error(crate::error::headline(error)),
        }
    }
}

fn bits(value: &Value) -> u64 {
    match value {
        Value::S32(v) => *v as u32 as u64,
        Value::S64(v) => *v as u64,
        Value::F32(v) if v.is_nan() => f32::NAN.to_bits().into(),
        Value::F32(v) => v.to_bits().into(),
        Value::F64(v) if v.is_nan() => f64::NAN.to_bits(),
        Value::F64(v) => v.to_bits(),
        other => unreachable!("a scalar has a number as its core value, not {other}"),
    }
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Small numbers and limits in turn with random bits.
    fn value(&mut self, ty: &ValType, case: u32) -> Value {
        let bits = self.next();
        let special = case % 4 != 3;
        match ty {
            ValType::I32 if special => Value::S32(self.integer(32) as i32),
            ValType::I32 => Value::S32(bits as i32),
            ValType::I64 if special => Value::S64(self.integer(64)),
            ValType::I64 => Value::S64(bits as i64),
            ValType::F32 if special => Value::F32(self.float() as f32),
            ValType::F32 => Value::F32(f32::from_bits(bits as u32)),
            ValType::F64 if special => Value::F64(self.float()),
            ValType::F64 => Value::F64(f64::from_bits(bits)),
            other => unreachable!("a scalar has no parameter of type {other}"),
        }
    }

    fn integer(&mut self, width: u32) -> i64 {
        let bits = self.next();
        let power = 1_i64 << (bits >> 8 & u64::from(width - 1));
        let near = (bits >> 16 & 3) as i64 - 1;
        match bits & 3 {
            0 => (bits >> 32 & 0xff) as i64,
            1 => power.wrapping_add(near),
            2 => power.wrapping_neg().wrapping_add(near),
            _ => (bits >> 32 & 0xffff) as i64,
        }
    }

    fn float(&mut self) -> f64 {
        const EDGES: [f64; 12] = [
            0.0,
            -0.0,
            1.0,
            -1.0,
            0.5,
            f64::INFINITY,
            f64::NEG_INFINITY,
            f64::NAN,
            f64::MAX,
            f64::MIN_POSITIVE,
            f64::EPSILON,
            4_294_967_296.0,
        ];
        let bits = self.next();
        match bits & 1 {
            0 => EDGES[(bits >> 8) as usize % EDGES.len()],
            _ => ((bits >> 8) as i32 as f64) / 256.0,
        }
    }
}
