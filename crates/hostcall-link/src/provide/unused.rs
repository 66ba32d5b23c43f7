//! Finds providers that a guest has no use for, and what may have been meant.

use std::collections::HashSet;
use std::fmt;

use crate::quote::Quoted;
use crate::report::{List, write_line};
use crate::suggest::{available, first_few, suggest};
use crate::{
    Available, Deferral, ExternType, HostItem, Import, ImportName, Inlining, ModuleInfo, Provides,
    Provision, Surface,
};

/// Functions of a provider that are compared with the guest's imports.
const COMPARED: usize = 64;
/// Suggestions for one provider.
const SUGGESTIONS: usize = 3;

/// A provider of whose functions the guest imports none.
///
/// Prints as both sides, what may have been meant and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unused {
    /// Its position among the provisions.
    pub provision: usize,
    /// The module that it provides.
    pub module: String,
    /// The names of its first functions.
    pub functions: Vec<String>,
    /// How many functions it has besides.
    pub more: usize,
    /// Functions that the guest imports from this module, or else the modules
    /// that it imports functions from.
    pub imports: Available,
    /// A function of the provider, and module and name of the import that may
    /// have been meant: at most 3.
    pub meant: Vec<(String, (String, String))>,
}

/// The providers of whose functions the guest imports none: perhaps a module or
/// a function is misspelt.
///
/// ```
/// use hostcall_link::{ModuleInfo, Provider, Provision, unused};
///
/// let math = wat::parse_str(r#"(module (func (export "double")))"#)?;
/// let guest = wat::parse_str(r#"(module (import "env" "double" (func)))"#)?;
/// let provision = Provision { module: "evn", provider: &Provider::parse(&math)? };
///
/// let unused = unused(&ModuleInfo::parse(&guest)?, &[provision]);
/// assert!(unused[0].to_string().contains("did you mean `env.double` by `evn.double`?"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn unused(info: &ModuleInfo, provisions: &[Provision<'_>]) -> Vec<Unused> {
    let imports = || functions(info).map(|import| (import.module.as_str(), import.name.as_str()));
    let imported: HashSet<(&str, &str)> = imports().collect();
    let provisions = provisions.iter().enumerate();
    let unused = provisions.filter(|(_, Provision { module, provider })| {
        let mut names = provider.functions().map(|(name, _)| name);
        !names.any(|name| imported.contains(&(module, name)))
    });
    let mut unused = unused.peekable();
    // A guest may have a million imports: they are copied if need be only.
    let wanted = match unused.peek() {
        Some(_) => wanted(info),
        None => return Vec::new(),
    };
    let unused = unused.map(|(position, provision)| explain(position, provision, &wanted));
    unused.collect()
}

fn functions(info: &ModuleInfo) -> impl Iterator<Item = &Import> {
    let imports = info.imports.iter();
    imports.filter(|import| matches!(import.ty, ExternType::Func(_)))
}

/// What the guest imports, as if it were on offer.
fn wanted(info: &ModuleInfo) -> Surface {
    let items = functions(info).map(|import| HostItem {
        module: import.module.clone(),
        name: import.name.clone(),
        provides: Provides::Func {
            signature: String::new(),
            forms: Vec::new(),
            inlining: Inlining::Impossible,
            deferral: Deferral::Unasked,
            waits: false,
        },
    });
    Surface {
        items: items.collect(),
        ..Surface::default()
    }
}

fn explain(position: usize, provision: &Provision<'_>, wanted: &Surface) -> Unused {
    let Provision { module, provider } = provision;
    let names = || provider.functions().map(|(name, _)| name);
    let (functions, more) = first_few(names());
    let meant = names().take(COMPARED).flat_map(|name| {
        let nearest = suggest(module, name, "function", wanted).into_iter().next();
        nearest.map(|import| (name.to_owned(), import))
    });
    Unused {
        provision: position,
        module: (*module).to_owned(),
        functions,
        more,
        imports: available(module, wanted),
        meant: meant.take(SUGGESTIONS).collect(),
    }
}

impl fmt::Display for Unused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the guest imports none of its functions")?;
        write_line(f, "guest", self.of_guest())?;
        write_line(f, "given", self.given())?;
        for (function, (module, name)) in &self.meant {
            let import = ImportName::new(module, name);
            let given = ImportName::new(&self.module, function);
            write_line(f, "", format!("did you mean `{import}` by `{given}`?"))?;
        }
        let advice = "name module and functions as the guest imports them, or leave it out";
        write_line(f, "help", advice)
    }
}

impl Unused {
    fn of_guest(&self) -> String {
        let module = Quoted(&self.module);
        match &self.imports {
            Available::Names { names, more } => {
                format!("imports {} from `{module}`", List(names, *more))
            }
            Available::Modules { names, .. } if names.is_empty() => {
                "imports no functions".to_owned()
            }
            Available::Modules { names, more } => {
                let modules = List(names, *more);
                format!("imports nothing from `{module}`, only from {modules}")
            }
        }
    }

    fn given(&self) -> String {
        let module = Quoted(&self.module);
        match self.functions.as_slice() {
            [] => format!("a module that exports no functions, as `{module}`"),
            functions => format!("{} as `{module}`", List(functions, self.more)),
        }
    }
}
