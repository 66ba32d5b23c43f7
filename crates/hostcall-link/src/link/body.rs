//! Rewrites one body of the guest while it is validated.
//!
//! Three operators name functions: `call`, `return_call` and `ref.func`. All
//! bytes between them are copied as they are.

use std::ops::Range;

use wasmparser::{BinaryReader, FuncValidator, FunctionBody, ValidatorResources};

use super::code::{Bodies, Code, Site};
use super::fresh::FreshLocals;
use super::leb;
use super::number::Numbers;
use super::template::Template;
use super::{Context, InlinedRange, RewriteError, TrapSite};
use crate::Inlined;

const TRY: u8 = 0x06;
const RETURN: u8 = 0x0f;
const CALL: u8 = 0x10;
const RETURN_CALL: u8 = 0x12;
const TRY_TABLE: u8 = 0x1f;
const REF_FUNC: u8 = 0xd2;

/// Bytes that all expansions together may add to a module.
const MAX_GROWTH: usize = 64 << 20;
/// A body is left alone when it comes near the length that engines accept.
const LONG_BODY: usize = 7_000_000;

/// Writes bodies one after the other, without allocating for each.
pub(super) struct BodyWriter<'w> {
    guest: &'w [u8],
    numbers: &'w Numbers,
    bodies: &'w Bodies,
    /// Operators that one function may gain.
    budget: u32,
    pub(super) code: Code,
    grown: usize,
    /// The operators of the body being written.
    operators: Vec<u8>,
    /// Its declarations of locals.
    locals: Vec<u8>,
    fresh: FreshLocals,
    /// How many declarations of locals the guest's body has, and where.
    declared: (u32, Range<usize>),
    /// The first byte that is not copied yet.
    copied: usize,
    /// Where the guest's body ends.
    end: usize,
    /// Operators that the body may still gain.
    left: u32,
    /// Whether it may catch exceptions.
    catches: bool,
    /// Whether it gains blocks.
    gains_blocks: bool,
    /// How many ranges and traps there were before.
    before: (usize, usize),
}

impl<'w> BodyWriter<'w> {
    pub(super) fn new(context: &Context<'w, '_>, bodies: &'w Bodies) -> BodyWriter<'w> {
        let options = context.options;
        BodyWriter {
            guest: context.guest.bytes,
            numbers: context.numbers,
            bodies,
            budget: options.budget.function,
            code: Code {
                replaced: vec![Inlined::default(); options.replacements.len()],
                ..Code::default()
            },
            grown: 0,
            operators: Vec::new(),
            locals: Vec::new(),
            fresh: FreshLocals::default(),
            declared: (0, 0..0),
            copied: 0,
            end: 0,
            left: 0,
            catches: false,
            gains_blocks: false,
            before: (0, 0),
        }
    }

    pub(super) fn finish(self) -> Code {
        self.code
    }

    /// Validates and writes one body. Returns its new length.
    pub(super) fn body(
        &mut self,
        validator: &mut FuncValidator<ValidatorResources>,
        body: &FunctionBody<'_>,
    ) -> Result<usize, RewriteError> {
        let mut reader = body.get_binary_reader();
        let declared = self.declarations(&reader)?;
        validator.read_locals(&mut reader)?;
        self.declared = (declared.0, declared.1..reader.original_position());
        self.start(
            validator.len_locals(),
            reader.original_position()..body.range().end,
        );
        while !reader.eof() {
            let at = reader.original_position();
            reader.visit_operator(&mut validator.visitor(at))??;
            // The first byte tells these operators from all others.
            match self.guest[at] {
                CALL | RETURN_CALL | REF_FUNC => self.function_operator(at),
                TRY | TRY_TABLE => self.catches = true,
                _ => {}
            }
        }
        reader.finish_expression(&validator.visitor(reader.original_position()))?;
        self.copy(self.end);
        Ok(self.append(validator.index()))
    }

    /// How many declarations of locals follow, and where.
    fn declarations(&self, reader: &BinaryReader<'_>) -> Result<(u32, usize), RewriteError> {
        let mut reader = reader.clone();
        let count = reader.read_var_u32()?;
        Ok((count, reader.original_position()))
    }

    fn start(&mut self, locals: u32, operators: Range<usize>) {
        self.operators.clear();
        self.fresh.start(locals, &self.bodies.values);
        self.copied = operators.start;
        self.end = operators.end;
        self.left = self.budget;
        self.catches = false;
        self.gains_blocks = false;
        self.before = (self.code.ranges.len(), self.code.traps.len());
    }

    /// Copies what comes before `end`.
    fn copy(&mut self, end: usize) {
        let bytes = &self.guest[self.copied..end];
        self.operators.extend_from_slice(bytes);
        self.copied = end;
    }

    /// Rewrites the operator at `at`, which names a function.
    fn function_operator(&mut self, at: usize) {
        let Some((function, length)) = leb::read_u32(&self.guest[at + 1..self.end]) else {
            return;
        };
        let opcode = self.guest[at];
        self.copy(at);
        self.copied = at + 1 + length;
        let bodies = self.bodies;
        let site = bodies.sites.get(function as usize).and_then(Option::as_ref);
        if let Some(site) = site.filter(|_| opcode != REF_FUNC) {
            let expanded = self.expand(site, opcode == RETURN_CALL);
            self.count(site, expanded);
            if expanded {
                return;
            }
        }
        self.operators.push(opcode);
        let function = self.numbers.function(function);
        leb::write_u32(&mut self.operators, function);
    }

    /// Puts the body in the place of a call if it may stand there.
    fn expand(&mut self, site: &Site, is_tail: bool) -> bool {
        let Some(template) = &site.template else {
            return false;
        };
        // A tail call leaves the function first: its handlers do not see what
        // the callee throws, and its frame is gone when the callee calls on.
        let stays = is_tail && (site.tails || self.catches && site.throws);
        if stays || !self.affords(template) || !self.fresh.provide(template) {
            return false;
        }
        self.left -= template.operators;
        self.grown += template.max_length;
        self.gains_blocks |= template.has_blocks;
        self.write(template, site.root);
        if is_tail {
            self.operators.push(RETURN);
        }
        true
    }

    /// Counts a call of an import that is replaced.
    fn count(&mut self, site: &Site, expanded: bool) {
        if let Some(replacement) = site.replacement {
            let replaced = &mut self.code.replaced[replacement as usize];
            replaced.call_sites += 1;
            replaced.expanded += u32::from(expanded && site.has_body);
        }
    }

    fn affords(&self, template: &Template) -> bool {
        let length = self.operators.len() + (self.end - self.copied);
        template.operators <= self.left
            && self.grown + template.max_length <= MAX_GROWTH
            && length + template.max_length <= LONG_BODY
    }

    /// Writes an expansion. Offsets count from the first operator of the body
    /// until the body is complete.
    fn write(&mut self, template: &Template, root: u32) {
        let start = self.operators.len() as u32;
        let (fresh, traps) = (&self.fresh, &mut self.code.traps);
        template.write(
            &mut self.operators,
            |local| fresh.index(template.locals[local as usize]),
            |offset, message| {
                let offset = offset as u32;
                traps.push(TrapSite {
                    offset,
                    root,
                    message,
                });
            },
        );
        let end = self.operators.len() as u32;
        self.code.ranges.push(InlinedRange { start, end, root });
    }

    /// Appends the finished body to the code section.
    fn append(&mut self, function: u32) -> usize {
        self.locals.clear();
        let (count, declared) = &self.declared;
        let declared = &self.guest[declared.clone()];
        let types = &self.bodies.values;
        self.fresh
            .declare(&mut self.locals, *count, declared, types);
        let length = self.locals.len() + self.operators.len();
        let content = &mut self.code.content;
        leb::write_u32(content, length as u32);
        content.extend_from_slice(&self.locals);
        let base = content.len() as u32;
        content.extend_from_slice(&self.operators);
        let (ranges, traps) = self.before;
        for range in &mut self.code.ranges[ranges..] {
            range.start += base;
            range.end += base;
        }
        for trap in &mut self.code.traps[traps..] {
            trap.offset += base;
        }
        if self.gains_blocks {
            self.code.gained_blocks.push(function);
        }
        length
    }
}
