//! Guests and providers made from arbitrary bytes. The fuzz targets include
//! this file, too.
#![allow(dead_code, reason = "every user needs its own part")]

pub mod behaviour;
mod body;
mod guest;
mod parts;
mod provider;
mod wrap;

use arbitrary::{Result, Unstructured};
use hostcall_link::{
    Budget, ExternType, FuncType, HostPage, LinkOptions, ModuleInfo, Provider, Replacement,
    Wrapper, stub,
};
use wasm_encoder::ValType;
use wasm_smith::{Config, Module};

/// What to link: a guest, and providers for some of its imports.
pub struct Case {
    pub guest: Vec<u8>,
    pub providers: Vec<Vec<u8>>,
    pub replaced: Vec<Replaced>,
    pub wrapped: Vec<Wrapped>,
    pub page: Option<HostPage>,
    pub budget: Budget,
}

/// An import, and the provider and the function that replace it.
pub struct Replaced {
    pub import: u32,
    pub provider: usize,
    pub function: String,
    pub call_sites: bool,
}

/// An import, and what stands around it: calls are counted, and passed on.
pub struct Wrapped {
    pub import: u32,
    pub ty: FuncType,
    /// Where calls are counted in the host page.
    pub counter: Option<u32>,
    pub call_sites: bool,
}

/// Which Wasm proposals a case may use.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Proposals {
    /// All that Wasmtime supports.
    All,
    /// Those that an interpreter supports, too.
    Few,
}

/// A function type of numbers, vectors and plain references.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    pub params: Vec<ValType>,
    pub results: Vec<ValType>,
}

impl Case {
    pub fn generate(u: &mut Unstructured<'_>, proposals: Proposals) -> Result<Case> {
        let offered = signatures(u, proposals)?;
        let guest = match u.arbitrary()? {
            true => guest::guest(u, proposals, &offered)?,
            false => smith(u, proposals, &offered)?,
        };
        let wanted = wanted(&guest);
        let mut case = Case {
            guest,
            providers: Vec::new(),
            replaced: Vec::new(),
            wrapped: Vec::new(),
            page: page(u)?,
            budget: budget(u)?,
        };
        for chunk in wanted.chunks(u.int_in_range(1..=3)?) {
            case.provide(u, proposals, chunk)?;
        }
        case.wrapped = wrap::wrapped(u, &case.guest, case.page.is_some())?;
        Ok(case)
    }

    /// Adds a provider for some of these imports, and sometimes an import that
    /// two of them share a function for.
    fn provide(
        &mut self,
        u: &mut Unstructured<'_>,
        proposals: Proposals,
        imports: &[(u32, Signature)],
    ) -> Result<()> {
        let signatures: Vec<Signature> = imports.iter().map(|(_, ty)| ty.clone()).collect();
        self.providers
            .push(provider::provider(u, proposals, &signatures)?);
        for (position, (import, signature)) in imports.iter().enumerate() {
            if u.ratio(1, 8)? {
                continue;
            }
            let same = signatures.iter().position(|it| it == signature);
            let shared = u.ratio(1, 8)?;
            let function = same.filter(|_| shared).unwrap_or(position);
            self.replaced.push(Replaced {
                import: *import,
                provider: self.providers.len() - 1,
                function: provider::name(function),
                call_sites: u.ratio(7, 8)?,
            });
        }
        Ok(())
    }

    /// The providers, read, and after them those of wrappers. Ours can all be.
    pub fn parsed(&self) -> Vec<Provider> {
        let providers = self.providers.iter();
        let parsed = providers.map(|provider| {
            Provider::parse(provider).unwrap_or_else(|error| panic!("{error}: {provider:02x?}"))
        });
        let wrappers = self.wrapped.iter().map(Wrapped::provider);
        parsed.chain(wrappers).collect()
    }

    pub fn options<'a>(&'a self, providers: &'a [Provider]) -> LinkOptions<'a> {
        let replacements = self.replaced.iter().map(|replaced| Replacement {
            import: replaced.import,
            provider: &providers[replaced.provider],
            function: &replaced.function,
            call_sites: replaced.call_sites,
        });
        let wrappers = self.wrapped.iter().zip(&providers[self.providers.len()..]);
        let wrappers = wrappers.map(|(wrapped, provider)| Wrapper {
            import: wrapped.import,
            provider,
            function: stub::FUNCTION,
            call_sites: wrapped.call_sites,
        });
        LinkOptions {
            replacements: replacements.collect(),
            wrappers: wrappers.collect(),
            page: self.page.clone(),
            budget: self.budget,
            ..LinkOptions::default()
        }
    }
}

/// The imports of a guest that a provider of ours can replace.
fn wanted(guest: &[u8]) -> Vec<(u32, Signature)> {
    let info = ModuleInfo::parse(guest).expect("wasm-smith makes valid modules");
    let imports = info.imports.iter();
    let wanted = imports.filter_map(|import| match &import.ty {
        ExternType::Func(ty) => {
            let values = |types: &[hostcall_link::ValType]| types.iter().map(value).collect();
            let (params, results) = (values(&ty.params), values(&ty.results));
            let (params, results): (Option<Vec<_>>, Option<Vec<_>>) = (params, results);
            let (params, results) = (params?, results?);
            Some((import.index, Signature { params, results }))
        }
        _ => None,
    });
    wanted.collect()
}

fn value(ty: &hostcall_link::ValType) -> Option<ValType> {
    match ty {
        hostcall_link::ValType::I32 => Some(ValType::I32),
        hostcall_link::ValType::I64 => Some(ValType::I64),
        hostcall_link::ValType::F32 => Some(ValType::F32),
        hostcall_link::ValType::F64 => Some(ValType::F64),
        hostcall_link::ValType::V128 => Some(ValType::V128),
        hostcall_link::ValType::FuncRef => Some(ValType::FUNCREF),
        hostcall_link::ValType::ExternRef => Some(ValType::EXTERNREF),
        hostcall_link::ValType::Ref(_) => None,
    }
}

fn signatures(u: &mut Unstructured<'_>, proposals: Proposals) -> Result<Vec<Signature>> {
    let mut types = vec![
        ValType::I32,
        ValType::I64,
        ValType::F32,
        ValType::F64,
        ValType::I32,
        ValType::EXTERNREF,
        ValType::FUNCREF,
    ];
    types.extend((proposals == Proposals::All).then_some(ValType::V128));
    let count = u.int_in_range(1..=5)?;
    let mut signatures = Vec::new();
    for _ in 0..count {
        let params = u.int_in_range(0..=4)?;
        let results = u.int_in_range(0..=3)?;
        signatures.push(Signature {
            params: (0..params)
                .map(|_| u.choose(&types).copied())
                .collect::<Result<_>>()?,
            results: (0..results)
                .map(|_| u.choose(&types).copied())
                .collect::<Result<_>>()?,
        });
    }
    Ok(signatures)
}

/// A guest of wasm-smith's, that imports what is offered, or whatever it likes.
fn smith(u: &mut Unstructured<'_>, proposals: Proposals, offered: &[Signature]) -> Result<Vec<u8>> {
    let all = proposals == Proposals::All;
    let imports = imports(offered);
    let config = Config {
        available_imports: u.ratio(3, 4)?.then_some(imports),
        min_imports: 6,
        max_imports: 12,
        min_funcs: 3,
        max_funcs: 12,
        min_types: 3,
        max_types: 12,
        max_type_size: 200,
        max_instructions: 60,
        min_memories: 1,
        max_memories: 3,
        max_tables: 3,
        max_memory32_bytes: 1 << 20,
        max_memory64_bytes: 1 << 20,
        max_table_elements: 1000,
        memory_max_size_required: true,
        table_max_size_required: true,
        max_data_segments: 4,
        max_element_segments: 4,
        max_elements: 10,
        max_globals: 8,
        max_tags: 3,
        max_exports: 30,
        export_everything: true,
        bulk_memory_enabled: true,
        custom_page_sizes_enabled: true,
        exceptions_enabled: all,
        extended_const_enabled: true,
        gc_enabled: all,
        generate_custom_sections: true,
        memory64_enabled: true,
        multi_value_enabled: true,
        reference_types_enabled: true,
        relaxed_simd_enabled: all,
        saturating_float_to_int_enabled: true,
        sign_extension_ops_enabled: true,
        simd_enabled: all,
        tail_call_enabled: true,
        threads_enabled: all,
        wide_arithmetic_enabled: true,
        min_uleb_size: *u.choose(&[1, 1, 1, 2, 5])?,
        canonicalize_nans: true,
        ..Config::default()
    };
    Ok(Module::new(config, u)?.to_bytes())
}

/// A module that imports one function of each type, and not much else.
fn imports(offered: &[Signature]) -> Vec<u8> {
    let mut module = wasm_encoder::Module::new();
    let mut types = wasm_encoder::TypeSection::new();
    let mut imports = wasm_encoder::ImportSection::new();
    for (index, signature) in (0u32..).zip(offered) {
        let params = signature.params.iter().copied();
        types
            .ty()
            .function(params, signature.results.iter().copied());
        let ty = wasm_encoder::EntityType::Function(index);
        imports.import("env", &format!("f{index}"), ty);
    }
    let global = wasm_encoder::GlobalType {
        val_type: ValType::I32,
        mutable: true,
        shared: false,
    };
    imports.import("env", "global", global);
    module.section(&types).section(&imports);
    module.finish()
}

fn page(u: &mut Unstructured<'_>) -> Result<Option<HostPage>> {
    if u.ratio(1, 2)? {
        return Ok(None);
    }
    let size = *u.choose(&[1, 100, 65_536, 65_537, 200_000])?;
    let first = vec![u.arbitrary()?; u.int_in_range(0..=1)?];
    Ok(Some(HostPage {
        size,
        init: vec![(0, first), (size - 1, vec![7])],
    }))
}

fn budget(u: &mut Unstructured<'_>) -> Result<Budget> {
    let budget = Budget::default();
    Ok(Budget {
        body: *u.choose(&[budget.body, budget.body, 0, 10, 50, u32::MAX])?,
        function: *u.choose(&[budget.function, budget.function, 0, 100, 1000, u32::MAX])?,
    })
}
