//! What the tests of inline bodies share: building one from a closure, running
//! it, and telling what a trap meant.
#![allow(
    dead_code,
    unused_imports,
    reason = "every test file uses its own part"
)]

mod edges;
mod forms;
mod instrument;
mod native;
mod wire;

use std::any::TypeId;
use std::cell::RefCell;

use hostcall_link::inline::{self, Builder, Built, Target, build_module};
use hostcall_link::{HostPage, LinkOptions, Provider, Replacement, link};
use wasmi::{
    Engine, Extern, Func, Global, Instance, Linker, Memory, MemoryType, Module, Store, Val,
};

pub use edges::Edges;
pub use forms::{binary, unary};
pub use native::{Outcome, native};
pub use wire::{Wire, identical};

/// Where the first host state starts in the page.
pub const STATE: u32 = 16;

type Body = Box<dyn Fn(&Builder)>;

thread_local! {
    static BODY: RefCell<Option<Body>> = const { RefCell::new(None) };
}

fn current_body(b: &Builder) {
    BODY.with_borrow(|body| body.as_ref().expect("a body")(b));
}

/// Builds the function `f` from a closure.
pub fn build(body: impl Fn(&Builder) + 'static) -> Built {
    build_for(&narrow(), body)
}

pub fn build_for(target: &Target<'_>, body: impl Fn(&Builder) + 'static) -> Built {
    BODY.set(Some(Box::new(body)));
    let built = build_module("f", current_body, target).expect("a body that builds");
    validate(&built);
    built
}

/// The provider whose function `f` is built by a closure.
pub fn provider(body: impl Fn(&Builder) + 'static) -> Provider {
    BODY.set(Some(Box::new(body)));
    inline::build("f", current_body, &narrow()).expect("a body that builds")
}

fn validate(built: &Built) {
    let features = wasmparser::WasmFeatures::all();
    let valid = wasmparser::Validator::new_with_features(features).validate_all(&built.wasm);
    if let Err(error) = valid {
        let text = wasmprinter::print_bytes(&built.wasm).unwrap_or_default();
        panic!("{error}\n{text}");
    }
}

/// A guest with a 32-bit memory, and one host state.
pub fn narrow() -> Target<'static> {
    Target {
        wide: false,
        page_size_log2: 16,
        states: &|_: TypeId| Some(STATE),
    }
}

/// A guest with a 64-bit memory.
pub fn wide() -> Target<'static> {
    Target {
        wide: true,
        ..narrow()
    }
}

/// The text of the functions of a module, without its imports and exports.
pub fn text(built: &Built) -> String {
    let text = wasmprinter::print_bytes(&built.wasm).expect("a valid module");
    let mut functions = String::new();
    let mut inside = false;
    for line in text.lines() {
        inside |= line.starts_with("  (func ");
        if inside {
            functions.push_str(line.strip_prefix("  ").unwrap_or(line));
            functions.push('\n');
        }
        inside &= !line.starts_with("  )");
    }
    functions
}

/// An instance of a built module.
pub struct Machine {
    pub store: Store<Vec<Val>>,
    /// What traps mean, by the numbers of their notes.
    messages: Vec<&'static str>,
    instance: Instance,
    pub memory: Option<Memory>,
    pub page: Option<Memory>,
}

impl Machine {
    pub fn new(built: Built) -> Machine {
        Machine::with_host(built, |_, _| {})
    }

    /// `define` adds host functions.
    pub fn with_host(
        built: Built,
        define: impl FnOnce(&mut Store<Vec<Val>>, &mut Linker<Vec<Val>>),
    ) -> Machine {
        let note = |site: instrument::Site| {
            let mut traps = built.traps.iter();
            traps.position(|trap| (trap.function, trap.operator) == (site.function, site.operator))
        };
        let instrumented = instrument::instrument(&built.wasm, &note);
        let messages = built.traps.iter().map(|trap| trap.message).collect();
        Machine::start(&instrumented, messages, define)
    }

    /// A guest whose export `f` calls its import `env` `f`, for which `provider`
    /// has the body.
    pub fn linked(guest: &[u8], provider: &Provider, call_sites: bool) -> Machine {
        let replacement = Replacement {
            import: 0,
            provider,
            function: "f",
            call_sites,
        };
        let options = LinkOptions {
            replacements: vec![replacement],
            memory: Some(0),
            page: Some(HostPage {
                size: 65536,
                init: Vec::new(),
            }),
            ..LinkOptions::default()
        };
        let linked = link(guest, &options).expect("a guest that links");
        let note = |site: instrument::Site| {
            linked
                .traps
                .iter()
                .position(|trap| trap.offset == site.offset)
        };
        let instrumented = instrument::instrument(&linked.bytes, &note);
        let messages = linked.traps.iter().map(|trap| trap.message).collect();
        let mut machine = Machine::start(&instrumented, messages, |_, _| {});
        machine.page = machine.instance.get_memory(&machine.store, "hostcall:page");
        machine
    }

    fn start(
        instrumented: &[u8],
        messages: Vec<&'static str>,
        define: impl FnOnce(&mut Store<Vec<Val>>, &mut Linker<Vec<Val>>),
    ) -> Machine {
        let engine = Engine::default();
        let module = Module::new(&engine, instrumented).expect("a valid module");
        let mut store = Store::new(&engine, Vec::new());
        let mut linker = Linker::new(&engine);
        define(&mut store, &mut linker);
        let memory = import_memory(&module, "hostcall:guest", &mut store, &mut linker);
        let page = import_memory(&module, "hostcall:host", &mut store, &mut linker);
        let instance = linker.instantiate_and_start(&mut store, &module);
        let instance = instance.expect("an instance");
        Machine {
            store,
            messages,
            instance,
            memory,
            page,
        }
    }

    /// Calls `f`; a trap gives its message.
    pub fn run<R: Wire>(&mut self, args: &[Val]) -> Outcome<R> {
        let results = self.call(args, R::RESULTS)?;
        Ok(R::from_results(&results))
    }

    fn call(&mut self, args: &[Val], results: usize) -> Result<Vec<Val>, String> {
        let f: Func = self.instance.get_func(&self.store, "f").expect("f");
        let mut out = vec![Val::I32(0); results];
        self.trap_global()
            .set(&mut self.store, Val::I32(-1))
            .expect("a mutable global");
        match f.call(&mut self.store, args, &mut out) {
            Ok(()) => Ok(out),
            Err(error) => Err(self.meaning(&error)),
        }
    }

    fn meaning(&mut self, error: &wasmi::Error) -> String {
        let Val::I32(note) = self.trap_global().get(&self.store) else {
            unreachable!("the global is an i32");
        };
        let message = usize::try_from(note)
            .ok()
            .and_then(|note| self.messages.get(note));
        message.map_or_else(
            || format!("without a note: {error}"),
            |text| (*text).to_owned(),
        )
    }

    fn trap_global(&self) -> Global {
        self.instance
            .get_global(&self.store, instrument::GLOBAL)
            .expect("the global")
    }

    pub fn bytes(&self) -> &[u8] {
        self.memory.expect("a memory").data(&self.store)
    }

    pub fn page_bytes(&mut self) -> &mut [u8] {
        self.page.expect("a page").data_mut(&mut self.store)
    }
}

/// One page of memory, if the module imports one.
fn import_memory(
    module: &Module,
    from: &str,
    store: &mut Store<Vec<Val>>,
    linker: &mut Linker<Vec<Val>>,
) -> Option<Memory> {
    let import = module.imports().find(|import| import.module() == from)?;
    let ty = import.ty().memory().expect("a memory");
    let ty = match ty.is_64() {
        true => MemoryType::new64(1, None),
        false => MemoryType::new(1, None),
    };
    let memory = Memory::new(&mut *store, ty).expect("a memory");
    let defined = linker.define(import.module(), import.name(), Extern::Memory(memory));
    defined.expect("one definition");
    Some(memory)
}
