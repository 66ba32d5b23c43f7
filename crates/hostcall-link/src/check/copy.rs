//! Functions that linking added, and what they call: copies of a provider's
//! functions.

use std::collections::HashSet;
use std::rc::Rc;

use super::Check;
use super::error::CheckError;
use super::expand::Site;
use super::input::Callee;
use super::module::{Locals, operators};
use super::renaming::{Home, Renaming, Rules};

impl<'a> Check<'_, 'a> {
    /// Whether `function` of the linked module is told to be a copy of `callee`.
    /// Whether that is true, [`added_functions`](Check::added_functions) finds out.
    pub(super) fn copied(&self, callee: Callee, function: u32) -> Result<(), CheckError> {
        let told = self.input.copy_of(function);
        if told == Some(callee) {
            return Ok(());
        }
        let (provider, index) = callee;
        Err(CheckError::new(
            format!("function {function}"),
            self.input.linked.code.start,
            format!("a copy of function {index} of provider {provider}"),
            told.map_or("another function".to_owned(), |(provider, index)| {
                format!("a copy of function {index} of provider {provider}")
            }),
        ))
    }

    /// Compares the functions that linking added with what they are copies of.
    pub(super) fn added_functions(&mut self) -> Result<(), CheckError> {
        let (first, end) = (self.input.first_added(), self.input.linked.function_count());
        let told = self.input.report.added.len();
        if told as u64 != u64::from(end.saturating_sub(first)) {
            let expected = format!("{told} functions after the guest's own, as told");
            let found = format!("functions {first} to {end}");
            let start = self.input.linked.code.start;
            return Err(CheckError::new(
                "the function section",
                start,
                expected,
                found,
            ));
        }
        for (function, root) in (first..).zip(&self.input.roots) {
            self.copied(root.callee, function)?;
        }
        for function in first..end {
            let Some(callee) = self.input.copy_of(function) else {
                let (expected, found) = ("a copy of a provider's function", "no such function");
                return Err(CheckError::new(
                    format!("function {function}"),
                    0,
                    expected,
                    found,
                ));
            };
            self.copy(callee, function)?;
        }
        Ok(())
    }

    fn copy(&mut self, callee: Callee, function: u32) -> Result<(), CheckError> {
        let input = self.input;
        let index = callee.1;
        let place = format!("function {function}, a copy of a provider's function {index}");
        let wrong = |expected: &str, found: &str| {
            CheckError::new(&*place, input.linked.code.start, expected, found)
        };
        self.step(&place)?;
        let body = input.body(callee);
        let body = body.ok_or_else(|| wrong("a function with a body", "none"))?;
        let added = function >= input.first_added();
        let copy = input.linked.body(function).filter(|_| added);
        let copy = copy.ok_or_else(|| wrong("a function that linking added", "another"))?;
        let signature = input.linked.signature(function);
        let read = |error| invalid(&place, error);
        let locals = Locals::read(&input.linked, &signature, copy).map_err(read)?;
        if signature != body.signature || !locals.starts_with(&body.locals) {
            return Err(wrong(
                &format!("{:?} with locals {:?}", body.signature, body.locals),
                &format!("{signature:?} with locals {locals:?}"),
            ));
        }
        let rules = Rules {
            first: body.locals.count(),
            linked: Rc::new(locals),
            busy: HashSet::new(),
        };
        let mut renaming = Renaming::new(&body, self.zeros(callee, &body), rules, Home::Function);
        let ops = operators(copy).map_err(read)?;
        let mut site = Site {
            ops: &ops,
            place: &place,
            chain: vec![callee],
        };
        let end = self.inside(&mut site, 0, callee, (&body, 0), &mut renaming)?;
        self.found.expanded.clear();
        match ops.get(end) {
            None => Ok(()),
            extra => Err(self.differs("the end".into(), extra, &place)),
        }
    }
}

pub(super) fn invalid(place: &str, error: crate::ParseError) -> CheckError {
    let offset = error.offset() as usize;
    CheckError::new(place, offset, "a valid body", error.message())
}
