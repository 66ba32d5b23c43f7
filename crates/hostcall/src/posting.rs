//! Posted calls: what host functions ask of the guest, for when it has come
//! back.

use crate::call::{check_owner, export_error};
use crate::error::{Error, ErrorKind};
use crate::export::{DynExport, resolve_dynamic};
use crate::guest::Guest;
use crate::instance::Instance;
use crate::limits::{LimitExceeded, LimitKind};
use crate::reach::Reach;
use crate::ty::{Signature, Type};
use crate::value::Value;
use hostcall_link::{FuncType, ValType};
use std::collections::VecDeque;

/// How many posted calls there may be, if the host does not say.
pub(crate) const POSTED: usize = 1024;

/// What became of a call that was posted; see [`Guest::post`] and
/// [`Instance::take_posted`].
#[derive(Debug)]
#[non_exhaustive]
pub struct Posted {
    /// Name of the export.
    pub name: String,
    /// What it returned.
    ///
    /// # Errors
    ///
    /// What any call of the export would fail with.
    pub result: Result<Vec<Value>, Error>,
}

/// The posted calls of an instance.
#[derive(Default)]
pub(crate) struct Posts {
    waiting: VecDeque<PostedCall>,
    /// Whether one is being made.
    running: bool,
    outcomes: Vec<Posted>,
}

struct PostedCall {
    export: DynExport,
    args: Vec<Value>,
}

impl Posts {
    #[inline(always)]
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    fn len(&self) -> usize {
        self.waiting.len() + usize::from(self.running) + self.outcomes.len()
    }

    fn next(&mut self) -> Option<PostedCall> {
        let next = self.waiting.pop_front();
        self.running = next.is_some();
        next
    }

    fn done(&mut self, name: &str, result: Result<Vec<Value>, Error>) {
        self.running = false;
        let name = name.to_owned();
        self.outcomes.push(Posted { name, result });
    }
}

/// Makes the calls that were posted, in order, and those that they post.
///
/// While a call that was dropped is unwound none is made: they wait for the next.
pub(crate) fn make_posted(reach: &mut dyn Reach) {
    while !reach.is_unwinding()
        && let Some(call) = reach.posts().and_then(Posts::next)
    {
        let result = call.make(reach);
        if let Some(posts) = reach.posts() {
            posts.done(call.export.name(), result);
        }
    }
}

impl PostedCall {
    fn make(&self, reach: &mut dyn Reach) -> Result<Vec<Value>, Error> {
        let results = self.export.signature().results();
        let mut results: Vec<_> = results.iter().map(Value::zero).collect();
        reach.usable()?;
        match self.export.call_raw(reach, &self.args, &mut results) {
            Ok(()) => Ok(results),
            Err(error) => Err(reach.failed(error, self.export.name())),
        }
    }
}

impl<T> Guest<'_, T> {
    /// Has the guest's export `name` called with `args` later: after the call of
    /// the guest that the host is making has ended, failed or not, and before it
    /// returns to the host. Posted calls are made in order; those that they post
    /// come after them.
    ///
    /// This never runs the guest here, so every host function may do it. What comes
    /// of the calls, [`Instance::take_posted`] gives.
    ///
    /// ```
    /// use hostcall::{Guest, Host, Value};
    ///
    /// let mut host = Host::<()>::new();
    /// host.func("env", "visit", |guest: &mut Guest<'_, ()>, n: u32| {
    ///     guest.post("visit_done", [Value::from(n)])
    /// });
    /// let program = host.program(
    ///     br#"(module
    ///         (import "env" "visit" (func $visit (param i32)))
    ///         (global $done (mut i32) (i32.const 0))
    ///         (func (export "visit_done") (param i32) (result i32)
    ///             (global.set $done (i32.add (global.get $done) (local.get 0)))
    ///             (global.get $done))
    ///         (func (export "main") (result i32)
    ///             (call $visit (i32.const 2))
    ///             (call $visit (i32.const 3))
    ///             (global.get $done)))"#,
    /// )?;
    /// let mut instance = program.instantiate(())?;
    /// let main = instance.export::<(), i32>("main")?;
    /// assert_eq!(main.call(&mut instance, ())?, 0);
    /// for (posted, done) in instance.take_posted().into_iter().zip([2, 5]) {
    ///     assert_eq!(posted.result?, [Value::S32(done)]);
    /// }
    /// # Ok::<(), hostcall::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If there is no such function, or it does not take such values; if there are
    /// as many posted calls and outcomes that nobody has taken as
    /// [`Limits::posted`](crate::Limits::posted) allows; and in a plain Wasmtime
    /// linker, where nobody would make the call.
    pub fn post(&mut self, name: &str, args: impl Into<Vec<Value>>) -> Result<(), Error> {
        let most = self.limits().posted.unwrap_or(POSTED);
        let Some(posts) = self.reach().posts() else {
            return Err(unhosted());
        };
        if posts.len() >= most {
            return Err(full(posts.len(), most));
        }
        let args = args.into();
        let export = self.posted_export(name, &args)?;
        if let Some(posts) = self.reach().posts() {
            posts.waiting.push_back(PostedCall { export, args });
        }
        Ok(())
    }

    /// The export, if it takes such values.
    fn posted_export(&mut self, name: &str, args: &[Value]) -> Result<DynExport, Error> {
        let func = self.func(name)?;
        let reach = self.reach();
        for arg in args {
            if let Value::Func(func) = arg {
                check_owner(&func.0, reach.owner())?;
            }
        }
        let signature = signature(&reach.func_type(&func), args, reach.wide());
        let signature = signature.map_err(|why| {
            export_error(format!("`{}` cannot be posted: {why}", name.escape_debug()))
        })?;
        resolve_dynamic(reach, func, name, &[], Some(signature))
    }
}

impl<T> Instance<T> {
    /// What has become of the calls that host functions have posted, in order; see
    /// [`Guest::post`]. A call that trapped is among them, and has not failed the
    /// call that it came after.
    pub fn take_posted(&mut self) -> Vec<Posted> {
        std::mem::take(&mut self.store.data_mut().posts.outcomes)
    }

    /// Makes the calls that were posted.
    #[inline(always)]
    pub(crate) fn make_posted(&mut self) {
        if !self.store.data().posts.is_empty() {
            make_posted(&mut self.reach());
        }
    }
}

/// An interface of a function of type `found` that takes such values.
fn signature(found: &FuncType, args: &[Value], wide: bool) -> Result<Signature, String> {
    let (mut params, mut flat) = (Vec::new(), Vec::new());
    for (i, arg) in args.iter().enumerate() {
        let ty = match (arg, found.params.get(flat.len())) {
            (Value::Option(None), Some(ValType::FuncRef)) => Some(nullable(Type::FuncRef)),
            (Value::Option(None), Some(ValType::ExternRef)) => Some(nullable(Type::ExternRef)),
            _ => type_of(arg),
        };
        let ty = ty.ok_or_else(|| {
            format!("argument {i}, {arg}, does not tell its type; pass numbers, strings, lists")
        })?;
        ty.flatten(wide, &mut flat);
        params.push((format!("p{i}"), ty));
    }
    let results = FuncType {
        params: Vec::new(),
        results: found.results.clone(),
    };
    let results = Signature::from_core(&results)
        .ok_or_else(|| format!("it has type {found}, whose references have no values"))?;
    Ok(Signature::new(params, results.results))
}

fn nullable(ty: Type) -> Type {
    Type::Option(Box::new(ty))
}

/// The type of a value, where that tells it.
fn type_of(value: &Value) -> Option<Type> {
    let all = |values: &[Value]| values.iter().map(type_of).collect::<Option<Vec<_>>>();
    Some(match value {
        Value::Bool(_) => Type::Bool,
        Value::S8(_) => Type::S8,
        Value::U8(_) => Type::U8,
        Value::S16(_) => Type::S16,
        Value::U16(_) => Type::U16,
        Value::S32(_) => Type::S32,
        Value::U32(_) => Type::U32,
        Value::S64(_) => Type::S64,
        Value::U64(_) => Type::U64,
        Value::F32(_) => Type::F32,
        Value::F64(_) => Type::F64,
        Value::Char(_) => Type::Char,
        Value::V128(_) => Type::V128,
        Value::String(_) => Type::String,
        Value::Bytes(_) => Type::List(Box::new(Type::U8)),
        Value::List(items) => {
            let types = all(items)?;
            let first = types.first()?.clone();
            let same = types.iter().all(|ty| *ty == first);
            same.then(|| Type::List(Box::new(first)))?
        }
        Value::Tuple(values) => Type::Tuple(all(values)?),
        Value::Record(values) => {
            let types = all(values)?.into_iter().enumerate();
            Type::Record(types.map(|(i, ty)| (format!("f{i}"), ty)).collect())
        }
        Value::Func(_) => Type::FuncRef,
        Value::Object(_) => Type::ExternRef,
        Value::Variant(..) | Value::Enum(_) | Value::Option(_) | Value::Result(_) => return None,
    })
}

#[cold]
fn full(used: usize, allowed: usize) -> Error {
    Error::of(ErrorKind::Limit(LimitExceeded {
        limit: LimitKind::Posted,
        allowed: allowed as u64,
        used: used as u64 + 1,
    }))
}

#[cold]
fn unhosted() -> Error {
    export_error(
        "calls can be posted in guests linked by `Host::program` only: in a plain Wasmtime linker \
         nobody makes them"
            .to_owned(),
    )
}
