//! Calls an export with arguments from the command line.

use super::has_func;
use crate::inspect::signature_of;
use crate::name::Name;
use crate::value_text::{self, Notation};
use anyhow::{Result, anyhow, bail};
use hostcall::{ExternType, Instance, ModuleInfo, Signature, Value};
use std::io::{self, Write};

/// Calls the export `name` and prints each of its results on a line.
pub async fn invoke(
    instance: &mut Instance<()>,
    name: &str,
    signature: Option<&Signature>,
    args: &[String],
) -> Result<()> {
    let export = match signature {
        Some(signature) => instance.export_with(name, signature.clone())?,
        None => instance.export_dynamic(name)?,
    };
    let callee = match signature {
        Some(signature) => Callee::typed(name, signature),
        None => Callee::core(name, export.signature(), instance.program().info()),
    };
    let args = callee.arguments(args)?;
    initialize(instance, name).await?;
    let types = export.signature().results();
    let mut results: Vec<_> = types.iter().map(Value::zero).collect();
    export.call_async(instance, &args, &mut results).await?;
    let mut out = io::stdout().lock();
    for (value, ty) in results.iter().zip(types) {
        writeln!(out, "{}", value_text::print(value, ty))?;
    }
    Ok(())
}

/// Calls `_initialize`, which a reactor wants before anything else.
async fn initialize(instance: &mut Instance<()>, name: &str) -> Result<()> {
    const INITIALIZE: &str = "_initialize";
    if name != INITIALIZE && has_func(instance.program().info(), INITIALIZE) {
        let initialize = instance.export::<(), ()>(INITIALIZE)?;
        initialize.call_async(instance, ()).await?;
    }
    Ok(())
}

/// What is called, as it is shown to a reader.
struct Callee<'s> {
    signature: &'s Signature,
    notation: Notation,
    /// Its name and type.
    text: String,
    /// Its parameters.
    params: Vec<String>,
}

impl<'s> Callee<'s> {
    fn typed(name: &str, signature: &'s Signature) -> Callee<'s> {
        let params = signature.params().iter();
        Callee {
            signature,
            notation: Notation::Interface,
            text: format!("{}: {signature}", Name::new(name)),
            params: params.map(|(name, ty)| format!("{name}: {ty}")).collect(),
        }
    }

    fn core(name: &str, signature: &'s Signature, info: &ModuleInfo) -> Callee<'s> {
        let mut callee = Callee {
            signature,
            notation: Notation::Core,
            text: Name::new(name).to_string(),
            params: Vec::new(),
        };
        let export = info.exports.iter().find(|export| export.name == name);
        if let Some((export, ExternType::Func(ty))) = export.map(|export| (export, &export.ty)) {
            let names = info.params_of(export.index);
            callee.text += &signature_of(ty, names);
            let params = ty.params.iter().enumerate();
            let name = |i: usize| names.get(i).cloned().flatten();
            let param = |(i, ty)| match name(i) {
                Some(name) => format!("{}: {ty}", Name::new(&name)),
                None => format!("{ty}"),
            };
            callee.params = params.map(param).collect();
        }
        callee
    }

    fn arguments(&self, args: &[String]) -> Result<Vec<Value>> {
        let params = self.signature.params();
        if params.len() != args.len() {
            bail!(
                "`{}` takes {}, found {}",
                self.text,
                count(params.len(), "argument"),
                args.len()
            );
        }
        let args = args.iter().zip(params).zip(&self.params).enumerate();
        let args = args.map(|(i, ((text, (_, ty)), param))| {
            value_text::parse(text, ty, self.notation)
                .map_err(|why| anyhow!("argument {} of {} (`{param}`): {why}", i + 1, params.len()))
        });
        args.collect()
    }
}

fn count(n: usize, what: &str) -> String {
    match n {
        0 => format!("no {what}s"),
        1 => format!("1 {what}"),
        _ => format!("{n} {what}s"),
    }
}
