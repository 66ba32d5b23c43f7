//! The user's functions, and the two ways to call them for many rows.

use crate::csv::Row;
use hostcall::{Error, Host, Instance};

/// The guest, from `guests/pricing/pricing.c`.
const GUEST: &[u8] = include_bytes!("../../../../guests/pricing/pricing.wasm");

/// How many values there were, their mean, and the sum of their squared
/// distances from it.
pub type Moments = (f64, f64, f64);

pub struct Udf {
    instance: Instance<()>,
}

impl Udf {
    pub fn new() -> Result<Udf, Error> {
        let mut host = Host::new();
        host.map_export("price").map_export("acc");
        let mut instance = host.program(GUEST)?.instantiate(())?;
        // A reactor of WASI wants that first.
        let initialize = instance.export::<(), ()>("_initialize")?;
        initialize.call(&mut instance, ())?;
        Ok(Udf { instance })
    }

    /// Calls `price` from the host, for each row.
    pub fn call(&mut self, rows: &[Row], prices: &mut [f64]) -> Result<(), Error> {
        let price = self.instance.export::<Row, f64>("price")?;
        for (row, result) in rows.iter().zip(prices) {
            *result = price.call(&mut self.instance, *row)?;
        }
        Ok(())
    }

    /// Has the guest call `price` for each row.
    pub fn map(&mut self, rows: &[Row], prices: &mut [f64]) -> Result<(), Error> {
        self.instance.map("price", rows, prices)
    }

    /// Has the guest fold all prices into their moments.
    pub fn moments(&mut self, prices: &[f64]) -> Result<Moments, Error> {
        let mut moments = Moments::default();
        self.instance.fold("acc", &mut moments, prices)?;
        Ok(moments)
    }
}
