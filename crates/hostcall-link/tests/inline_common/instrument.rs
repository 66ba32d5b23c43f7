//! Makes a module tell which trap is next: before every operator that has a
//! note, its number goes into a global.

use wasm_encoder::reencode::{self, Reencode, RoundtripReencoder};
use wasm_encoder::{
    CodeSection, ConstExpr, ExportKind, ExportSection, GlobalSection, GlobalType, Instruction,
    Module, SectionId, ValType,
};

pub const GLOBAL: &str = "next trap";

type Result<T = ()> = std::result::Result<T, reencode::Error>;

/// Where an operator is.
#[derive(Clone, Copy)]
pub struct Site {
    /// Among the functions that the module defines.
    pub function: u32,
    pub operator: u32,
    /// In bytes.
    pub offset: u32,
}

/// `note` gives the number of the note of an operator that has one.
pub fn instrument(wasm: &[u8], note: &dyn Fn(Site) -> Option<usize>) -> Vec<u8> {
    let mut instrument = Instrument { note, function: 0 };
    let mut module = Module::new();
    let parser = wasmparser::Parser::new(0);
    let parsed = instrument.parse_core_module(&mut module, parser, wasm);
    parsed.expect("a valid module");
    module.finish()
}

struct Instrument<'a> {
    note: &'a dyn Fn(Site) -> Option<usize>,
    function: u32,
}

impl Reencode for Instrument<'_> {
    type Error = std::convert::Infallible;

    fn intersperse_section_hook(
        &mut self,
        module: &mut Module,
        _after: Option<SectionId>,
        before: Option<SectionId>,
    ) -> Result {
        if before == Some(SectionId::Export) {
            let mut globals = GlobalSection::new();
            let ty = GlobalType {
                val_type: ValType::I32,
                mutable: true,
                shared: false,
            };
            globals.global(ty, &ConstExpr::i32_const(-1));
            module.section(&globals);
        }
        Ok(())
    }

    fn parse_export_section(
        &mut self,
        exports: &mut ExportSection,
        section: wasmparser::ExportSectionReader<'_>,
    ) -> Result {
        exports.export(GLOBAL, ExportKind::Global, 0);
        reencode::utils::parse_export_section(self, exports, section)
    }

    fn parse_function_body(
        &mut self,
        code: &mut CodeSection,
        func: wasmparser::FunctionBody<'_>,
    ) -> Result {
        let mut body = self.new_function_with_parsed_locals(&func)?;
        let operators = func.get_operators_reader()?.into_iter_with_offsets();
        for (operator, item) in (0..).zip(operators) {
            let (item, offset) = item?;
            let site = Site {
                function: self.function,
                operator,
                offset: offset as u32,
            };
            if let Some(note) = (self.note)(site) {
                body.instruction(&Instruction::I32Const(note as i32));
                body.instruction(&Instruction::GlobalSet(0));
            }
            body.instruction(&RoundtripReencoder.instruction(item)?);
        }
        code.function(&body);
        self.function += 1;
        Ok(())
    }
}
