//! Exports are called for each element, and the host page says how far that got.

use wasmi::{Error, Func};

use super::machine::{Export, Machine};
use crate::stub::drivers::{fold_module, map_module};
use crate::stub::{Batch, Fields, Queue, fields};
use crate::{FuncType, ValType};

const BATCH: Batch = Batch {
    progress: 8,
    input: 64,
    output: 4096,
};
const QUEUE: Queue = Queue {
    control: 32,
    start: 48,
    size: 0,
};
const ALL: [ValType; 5] = [
    ValType::I32,
    ValType::F64,
    ValType::F32,
    ValType::I64,
    ValType::I32,
];

struct Driven {
    machine: Machine,
    driver: Func,
}

impl Driven {
    fn new(wasm: &[u8], export: Export) -> Driven {
        let mut machine = Machine::new("1", QUEUE);
        machine.page().fill(0xEE);
        let driver = machine.function(wasm, Some(export));
        Driven { machine, driver }
    }

    fn run(&mut self, count: u64) -> Result<u32, Error> {
        self.machine.call(self.driver, &[count])?;
        Ok(self.machine.word(BATCH.progress))
    }

    fn write(&mut self, address: u32, types: &[ValType], element: u32, values: &[u64]) {
        let Fields { offsets, size } = fields(types);
        for ((ty, offset), value) in types.iter().zip(offsets).zip(values) {
            let address = (address + element * size + offset) as usize;
            let bytes = &value.to_le_bytes()[..bytes(ty)];
            self.machine.page()[address..address + bytes.len()].copy_from_slice(bytes);
        }
    }

    fn read(&mut self, types: &[ValType], element: u32) -> Vec<u64> {
        let Fields { offsets, size } = fields(types);
        let places = types.iter().zip(offsets);
        let page = self.machine.page();
        let read = |(ty, offset): (&ValType, u32)| {
            let address = (BATCH.output + element * size + offset) as usize;
            let mut wide = [0; 8];
            wide[..bytes(ty)].copy_from_slice(&page[address..address + bytes(ty)]);
            u64::from_le_bytes(wide)
        };
        places.map(read).collect()
    }
}

fn bytes(ty: &ValType) -> usize {
    match ty {
        ValType::I32 | ValType::F32 => 4,
        _ => 8,
    }
}

/// An element with bits everywhere.
fn element(types: &[ValType], number: u32) -> Vec<u64> {
    let values = (1..).zip(types);
    let values = values.map(|(position, ty)| {
        let value = 0x8123_4567_89AB_CDEF_u64.rotate_left(number * 8 + position);
        value >> (64 - 8 * bytes(ty))
    });
    values.collect()
}

#[test]
fn fields_are_those_of_a_c_struct() {
    let found = fields(&ALL);
    assert_eq!(found.offsets, [0, 8, 16, 24, 32]);
    assert_eq!(found.size, 40);
    let floats = fields(&[ValType::F32, ValType::F32, ValType::I32]);
    assert_eq!((floats.offsets, floats.size), (vec![0, 4, 8], 12));
    assert_eq!(fields(&[]), Fields::default());
}

#[test]
fn every_type_goes_in_and_out() {
    let mut turned = ALL;
    turned.reverse();
    let ty = FuncType::new(ALL, turned.clone());
    let wasm = map_module("turn", &ty, &BATCH);
    let mut driven = Driven::new(&wasm, |_, args| Ok(args.iter().rev().copied().collect()));
    for number in 0..20 {
        driven.write(BATCH.input, &ALL, number, &element(&ALL, number));
    }
    assert_eq!(driven.run(20).unwrap(), 20);
    for number in 0..20 {
        let mut expected = element(&ALL, number);
        expected.reverse();
        assert_eq!(driven.read(&turned, number), expected);
    }
    let behind = BATCH.output + 20 * fields(&turned).size;
    assert_eq!(driven.machine.word(behind), 0xEEEE_EEEE);
}

#[test]
fn one_type_at_a_time() {
    for ty in ALL {
        let types = [ty.clone()];
        let wasm = map_module("same", &FuncType::new(types.clone(), types.clone()), &BATCH);
        let mut driven = Driven::new(&wasm, |_, args| Ok(args.to_vec()));
        for number in 0..3 {
            driven.write(BATCH.input, &types, number, &element(&types, number));
        }
        assert_eq!(driven.run(3).unwrap(), 3);
        for number in 0..3 {
            assert_eq!(driven.read(&types, number), element(&types, number));
        }
    }
}

#[test]
fn no_elements() {
    let ty = FuncType::new([ValType::I32], [ValType::I32]);
    let never: Export = |_, _| Err(Error::new("called"));
    let mut map = Driven::new(&map_module("f", &ty, &BATCH), never);
    assert_eq!(map.run(0).unwrap(), 0);
    let mut fold = Driven::new(&fold_module("f", &ty, &BATCH), never);
    assert_eq!(fold.run(0).unwrap(), 0);
    assert_eq!(fold.machine.word(BATCH.output), 0xEEEE_EEEE);
}

/// Notes in the output, which the driver does not use, what `progress` is.
fn tick(page: &mut [u8], args: &[u64]) -> Result<Vec<u64>, Error> {
    assert!(args.is_empty());
    let done = page[BATCH.progress as usize];
    page[BATCH.output as usize + usize::from(done)] = done;
    Ok(Vec::new())
}

#[test]
fn neither_parameters_nor_results() {
    for module in [map_module, fold_module] {
        let wasm = module("tick", &FuncType::default(), &BATCH);
        let mut driven = Driven::new(&wasm, tick);
        assert_eq!(driven.run(4).unwrap(), 4);
        assert_eq!(driven.machine.word(BATCH.output), 0x0302_0100);
        assert_eq!(driven.machine.word(BATCH.output + 4), 0xEEEE_EEEE);
    }
}

fn double_until_3(_: &mut [u8], args: &[u64]) -> Result<Vec<u64>, Error> {
    match args[0] {
        3 => Err(Error::new("three")),
        other => Ok(vec![other * 2]),
    }
}

#[test]
fn a_map_that_traps() {
    let types = [ValType::I32];
    let ty = FuncType::new(types.clone(), types.clone());
    let mut driven = Driven::new(&map_module("f", &ty, &BATCH), double_until_3);
    for number in 0..6 {
        driven.write(BATCH.input, &types, number, &[number.into()]);
    }
    assert_eq!(driven.run(6).unwrap_err().to_string(), "three");
    assert_eq!(driven.machine.word(BATCH.progress), 3);
    let output = (0..4).map(|number| driven.read(&types, number)[0]);
    assert_eq!(output.collect::<Vec<_>>(), [0, 2, 4, 0xEEEE_EEEE]);
}

/// Sum and product of an `i64` and an `i32`, and how many there were.
fn accumulate(_: &mut [u8], args: &[u64]) -> Result<Vec<u64>, Error> {
    let [sum, product, count, x, y] = *args else {
        panic!("{args:?}");
    };
    match x {
        0 => Err(Error::new("zero")),
        _ => Ok(vec![sum + x + y, product * x * y, count + 1]),
    }
}

fn folded(elements: &[[u64; 2]]) -> Driven {
    let results = [ValType::I32, ValType::I64, ValType::I32];
    let rest = [ValType::I64, ValType::I32];
    let params = results.iter().chain(&rest).cloned();
    let ty = FuncType::new(params, results.clone());
    let mut driven = Driven::new(&fold_module("f", &ty, &BATCH), accumulate);
    driven.write(BATCH.output, &results, 0, &[10, 2, 7]);
    for (number, values) in (0..).zip(elements) {
        driven.write(BATCH.input, &rest, number, values);
    }
    driven
}

#[test]
fn several_accumulators() {
    let mut driven = folded(&[[1, 2], [3, 4], [5, 6]]);
    assert_eq!(driven.run(3).unwrap(), 3);
    let results = [ValType::I32, ValType::I64, ValType::I32];
    assert_eq!(driven.read(&results, 0), [31, 1440, 10]);
}

#[test]
fn a_fold_that_traps() {
    let mut driven = folded(&[[1, 2], [3, 4], [0, 6], [7, 8]]);
    assert_eq!(driven.run(4).unwrap_err().to_string(), "zero");
    assert_eq!(driven.machine.word(BATCH.progress), 2);
    let results = [ValType::I32, ValType::I64, ValType::I32];
    assert_eq!(driven.read(&results, 0), [20, 48, 9]);
}

#[test]
fn a_fold_without_an_accumulator() {
    let ty = FuncType::new([ValType::I32], []);
    let mut driven = Driven::new(&fold_module("f", &ty, &BATCH), |_, _| Ok(Vec::new()));
    assert_eq!(driven.run(2).unwrap(), 2);
}

#[test]
#[should_panic(expected = "the parameters begin with the results")]
fn folds_give_what_they_take() {
    fold_module("f", &FuncType::new([ValType::I32], [ValType::I64]), &BATCH);
}

#[test]
#[should_panic(expected = "a value of type externref has no place in memory")]
fn elements_are_numbers() {
    map_module("f", &FuncType::new([ValType::ExternRef], []), &BATCH);
}
