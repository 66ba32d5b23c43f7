//! Plans the imports of guests by what a host offers.

use crate::error::Error;
use crate::host::Host;
use hostcall_link::{Binding, HostItem, Import, LinkError, ModuleInfo, Plan, Surface, plan};

/// What a host offers to one guest.
pub(super) struct Offered<'h, T: 'static> {
    host: &'h Host<T>,
    /// Whether the guest's pointers are 64 bits wide.
    wide: bool,
    /// Behind the host's own items, those of WASI; in the order of their names.
    wasi: &'h [HostItem],
}

impl<'h, T: 'static> Offered<'h, T> {
    pub fn new(host: &'h Host<T>, info: &ModuleInfo, wide: bool) -> Result<Self, Error> {
        #[cfg(feature = "wasi")]
        let wasi = crate::wasi::items(host, info)?;
        #[cfg(not(feature = "wasi"))]
        let (wasi, _) = (&[], info);
        Ok(Offered { host, wide, wasi })
    }

    /// Plans imports by those items only that have their names: a host may have many
    /// more.
    pub fn plan(&self, info: &ModuleInfo) -> Result<Plan, LinkError> {
        let items = self.named(&info.imports);
        let surface = self.surface(&items, &info.imports);
        let Ok(mut plan) = plan(info, &surface) else {
            // Messages say what the guest may have meant, of all that there is.
            let all: Vec<usize> = (0..self.host.items.len() + self.wasi.len()).collect();
            return plan(info, &self.surface(&all, &info.imports));
        };
        for planned in &mut plan.imports {
            if let Binding::Item { item, .. } = &mut planned.binding {
                *item = items[*item];
            }
        }
        Ok(plan)
    }

    /// The items by whose names there are imports, in order.
    fn named(&self, imports: &[Import]) -> Vec<usize> {
        let mut items = Vec::with_capacity(imports.len());
        for Import { module, name, .. } in imports {
            items.extend_from_slice(self.host.items_by_name(module, name));
            items.extend(self.wasi_item(module, name));
        }
        items.sort_unstable();
        items.dedup();
        items
    }

    fn wasi_item(&self, module: &str, name: &str) -> Option<usize> {
        let found = self
            .wasi
            .binary_search_by(|item| item.name.as_str().cmp(name));
        let position = found
            .ok()
            .filter(|item| self.wasi[*item].module == module)?;
        Some(self.host.items.len() + position)
    }

    /// Some of the items, and what else there is for these imports.
    fn surface(&self, items: &[usize], imports: &[Import]) -> Surface {
        let host = self.host;
        let items = items.iter().map(|item| match host.items.get(*item) {
            Some(item) => host.offer(item, self.wide),
            None => self.wasi[*item - host.items.len()].clone(),
        });
        let optional = imports
            .iter()
            .filter(|import| host.optional.contains(&import.module, &import.name))
            .map(|import| (import.module.clone(), import.name.clone()));
        Surface {
            items: items.collect(),
            optional: optional.collect(),
            catch_all: host.catch_all.is_some(),
            open: false,
        }
    }
}
