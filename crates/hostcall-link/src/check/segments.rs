//! Element and data segments: the guest's, what the host page holds at first,
//! and a declaration of the functions that bodies take references of.

use wasmparser::{Data, DataKind, Element, ElementItems, ElementKind, Operator};

use super::Check;
use super::error::CheckError;
use super::relate::Scope;

impl<'a> Check<'_, 'a> {
    pub(super) fn segments(&mut self) -> Result<(), CheckError> {
        let input = self.input;
        for (position, left) in input.guest.elements.iter().enumerate() {
            let place = format!("element segment {position}");
            match input.linked.elements.get(position) {
                Some(right) => self.element(left, right, &place)?,
                None => return Err(CheckError::new(place, 0, "a segment", "none")),
            }
        }
        for added in &input.linked.elements[input.guest.elements.len()..] {
            if !matches!(added.kind, ElementKind::Declared) {
                let offset = added.range.start;
                let expected = "a declaration, or no more segments than the guest's";
                return Err(CheckError::new(
                    "an added element segment",
                    offset,
                    expected,
                    "another",
                ));
            }
        }
        for (position, left) in input.guest.data.iter().enumerate() {
            let place = format!("data segment {position}");
            match input.linked.data.get(position) {
                Some(right) => self.data(left, right, &place)?,
                None => return Err(CheckError::new(place, 0, "a segment", "none")),
            }
        }
        self.page_contents()
    }

    fn element(
        &mut self,
        left: &Element<'a>,
        right: &Element<'a>,
        place: &str,
    ) -> Result<(), CheckError> {
        let wrong = |what: &str| CheckError::new(place, right.range.start, what, "another");
        match (&left.kind, &right.kind) {
            (ElementKind::Passive, ElementKind::Passive)
            | (ElementKind::Declared, ElementKind::Declared) => {}
            (
                ElementKind::Active {
                    table_index: from,
                    offset_expr: left,
                },
                ElementKind::Active {
                    table_index: to,
                    offset_expr: right,
                },
            ) if from.unwrap_or(0) == to.unwrap_or(0) => {
                self.constant(&mut Scope::Guest, left, right, place)?;
            }
            _ => return Err(wrong("the guest's kind of segment, for the same table")),
        }
        match (&left.items, &right.items) {
            (ElementItems::Functions(left), ElementItems::Functions(right))
                if left.count() == right.count() =>
            {
                for (left, right) in left.clone().into_iter().zip(right.clone()) {
                    let (left, right) = (item(left, place)?, item(right, place)?);
                    self.guest_function(left, right)
                        .map_err(|error| error.within(place))?;
                }
                Ok(())
            }
            (ElementItems::Expressions(from, left), ElementItems::Expressions(to, right))
                if left.count() == right.count()
                    && self.input.guest.value((*from).into())
                        == self.input.linked.value((*to).into()) =>
            {
                for (left, right) in left.clone().into_iter().zip(right.clone()) {
                    let (left, right) = (item(left, place)?, item(right, place)?);
                    self.constant(&mut Scope::Guest, &left, &right, place)?;
                }
                Ok(())
            }
            _ => Err(wrong("as many items of the guest's type")),
        }
    }

    fn data(&mut self, left: &Data<'a>, right: &Data<'a>, place: &str) -> Result<(), CheckError> {
        match (&left.kind, &right.kind) {
            (DataKind::Passive, DataKind::Passive) => {}
            (
                DataKind::Active {
                    memory_index: from,
                    offset_expr: left,
                },
                DataKind::Active {
                    memory_index: to,
                    offset_expr: right,
                },
            ) if from == to => self.constant(&mut Scope::Guest, left, right, place)?,
            _ => {
                let expected = "the guest's kind of segment, for the same memory";
                return Err(CheckError::new(
                    place,
                    right.range.start,
                    expected,
                    "another",
                ));
            }
        }
        if left.data == right.data {
            return Ok(());
        }
        let at = left
            .data
            .iter()
            .zip(right.data)
            .take_while(|(left, right)| left == right)
            .count();
        let expected = format!("the guest's {} bytes", left.data.len());
        let found = format!("{} bytes, of which byte {at} differs", right.data.len());
        Err(CheckError::new(place, right.range.start, expected, found))
    }

    /// The host page begins as the options say, whatever the segments.
    fn page_contents(&self) -> Result<(), CheckError> {
        let added = &self.input.linked.data[self.input.guest.data.len()..];
        let init = self.input.options.page.iter().flat_map(|page| &page.init);
        let init = init.filter(|(_, bytes)| !bytes.is_empty());
        let mut expected: Vec<(u32, &[u8])> =
            init.map(|(offset, bytes)| (*offset, &bytes[..])).collect();
        for segment in added {
            let place = "what the host page holds at first";
            let found = self.page_segment(segment);
            let position = found.and_then(|found| expected.iter().position(|init| *init == found));
            match position {
                // In their order: one may write over another.
                Some(0) => drop(expected.remove(0)),
                _ if found.is_some_and(|(_, bytes)| bytes.is_empty()) => {}
                _ => {
                    let offset = segment.range.start;
                    let expected = format!("{:?}", expected.first());
                    return Err(CheckError::new(
                        place,
                        offset,
                        expected,
                        format!("{found:?}"),
                    ));
                }
            }
        }
        match expected.first() {
            None => Ok(()),
            Some(missing) => Err(CheckError::new(
                "what the host page holds at first",
                0,
                format!("{missing:?}"),
                "nothing",
            )),
        }
    }

    fn page_segment(&self, segment: &Data<'a>) -> Option<(u32, &'a [u8])> {
        let DataKind::Active {
            memory_index,
            offset_expr,
        } = &segment.kind
        else {
            return None;
        };
        let mut operators = offset_expr.get_operators_reader();
        let offset = match operators.read().ok()? {
            Operator::I32Const { value } => value as u32,
            _ => return None,
        };
        let ends = matches!(operators.read().ok()?, Operator::End);
        let there = Some(*memory_index) == self.input.page();
        (ends && there).then_some((offset, segment.data))
    }
}

fn item<T>(item: wasmparser::Result<T>, place: &str) -> Result<T, CheckError> {
    item.map_err(|error| CheckError::new(place, error.offset(), "an item", error.message()))
}
