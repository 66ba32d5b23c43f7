//! Functions around imports, of which nothing is to be seen.

use arbitrary::{Result, Unstructured};
use hostcall_link::{ExternType, FuncType, ModuleInfo, Provider, ValType, stub};

use super::Wrapped;

/// Where calls are counted: away from what the page holds at first.
const COUNTERS: u32 = 1024;

impl Wrapped {
    pub fn provider(&self) -> Provider {
        stub::wrapper(self.import, &self.ty, None, self.counter)
    }
}

/// Wraps some imports of a guest, all, or none.
pub fn wrapped(u: &mut Unstructured<'_>, guest: &[u8], page: bool) -> Result<Vec<Wrapped>> {
    let mut wrapped = Vec::new();
    if !u.ratio(2, 3)? {
        return Ok(wrapped);
    }
    let some: bool = u.arbitrary()?;
    for (import, ty) in imports(guest) {
        if !some || u.arbitrary()? {
            wrapped.push(Wrapped {
                import,
                ty,
                counter: (page && u.arbitrary()?).then_some(COUNTERS + 8 * import),
                call_sites: u.ratio(7, 8)?,
            });
        }
    }
    Ok(wrapped)
}

/// The imports of a guest that can have a wrapper: their types mean the same in
/// every module.
fn imports(guest: &[u8]) -> Vec<(u32, FuncType)> {
    let info = ModuleInfo::parse(guest).expect("wasm-smith makes valid modules");
    let imports = info.imports.into_iter();
    let functions = imports.filter_map(|import| match import.ty {
        ExternType::Func(ty) => Some((import.index, ty)),
        _ => None,
    });
    let plain = |ty: &ValType| !matches!(ty, ValType::Ref(_));
    functions
        .filter(|(_, ty)| ty.params.iter().chain(&ty.results).all(plain))
        .collect()
}
