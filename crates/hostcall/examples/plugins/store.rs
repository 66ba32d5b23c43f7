//! A key-value store on disk, which tenants share and none sees the others in.
//!
//! To be on disk a value has to be flushed, which takes as long for one as for many.
//! So one task writes: while it flushes, puts gather, and go into its next
//! transaction together. Those who wait for that do not hold a thread.

use hostcall::Errno;
use redb::{Database, ReadableDatabase, ReadableTable, Table, TableDefinition};
use std::fmt;
use std::num::NonZeroI32;
use std::path::Path;
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};
use tokio::task::spawn_blocking;

/// A tenant's number is part of the key, and no text in a key can change it.
const VALUES: TableDefinition<'_, (u32, &str), &[u8]> = TableDefinition::new("values");
/// How many bytes the keys and values of a tenant take.
const USED: TableDefinition<'_, u32, u64> = TableDefinition::new("used");

/// Puts in a transaction at most, and how many more may be waiting.
const GROUP: usize = 1024;

/// What a guest can do something about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    NotFound,
    QuotaExceeded,
    /// The value does not fit into the guest's buffer.
    TooLong,
}

impl Errno for Refused {
    fn errno(&self) -> NonZeroI32 {
        let code = match self {
            Refused::NotFound => 1,
            Refused::QuotaExceeded => 2,
            Refused::TooLong => 3,
        };
        NonZeroI32::new(code).expect("no code is 0")
    }
}

/// What a guest can do nothing about. All puts of a transaction share it.
#[derive(Clone, Debug)]
pub struct Broken(Arc<redb::Error>);

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the store is broken: {}", self.0)
    }
}

impl std::error::Error for Broken {}

impl<E: Into<redb::Error>> From<E> for Broken {
    fn from(error: E) -> Broken {
        Broken(Arc::new(error.into()))
    }
}

type Written = Result<(), Refused>;

struct Put {
    tenant: u32,
    key: String,
    value: Vec<u8>,
    done: oneshot::Sender<Result<Written, Broken>>,
}

/// A handle: clones share the store.
#[derive(Clone)]
pub struct Store {
    database: Arc<Database>,
    puts: mpsc::Sender<Put>,
}

impl Store {
    /// Makes a store whose tenants may have `quota` bytes each. It is closed when
    /// the last handle is dropped.
    pub fn create(path: &Path, quota: u64) -> Result<Store, Broken> {
        let database = Arc::new(Database::create(path)?);
        // So that there is something to read.
        commit(&database, quota, &[])?;
        let (puts, waiting) = mpsc::channel(GROUP);
        let written = database.clone();
        spawn_blocking(move || write(&written, quota, waiting));
        Ok(Store { database, puts })
    }

    /// Does not wait: what is read often is in the store's cache.
    pub fn get(&self, tenant: u32, key: &str) -> Result<Option<Vec<u8>>, Broken> {
        let values = self.database.begin_read()?.open_table(VALUES)?;
        let value = values.get((tenant, key))?;
        Ok(value.map(|value| value.value().to_vec()))
    }

    /// Returns when the value is on disk. If the future is dropped before, the
    /// value may get there or not.
    pub async fn put(&self, tenant: u32, key: &str, value: &[u8]) -> Result<Written, Broken> {
        let (done, written) = oneshot::channel();
        let put = Put {
            tenant,
            key: key.to_owned(),
            value: value.to_owned(),
            done,
        };
        let sent = self.puts.send(put).await;
        assert!(sent.is_ok(), "the writer is there while there is a handle");
        written.await.expect("the writer answers")
    }

    /// All that a tenant has.
    pub fn entries(&self, tenant: u32) -> Result<Vec<(String, Vec<u8>)>, Broken> {
        let values = self.database.begin_read()?.open_table(VALUES)?;
        let mut entries = Vec::new();
        for entry in values.range((tenant, "")..)? {
            let (key, value) = entry?;
            let (owner, key) = key.value();
            if owner != tenant {
                break;
            }
            entries.push((key.to_owned(), value.value().to_vec()));
        }
        Ok(entries)
    }
}

/// The task that writes, until there is no handle any more.
fn write(database: &Database, quota: u64, mut waiting: mpsc::Receiver<Put>) {
    let mut puts = Vec::new();
    while waiting.blocking_recv_many(&mut puts, GROUP) > 0 {
        let mut written = commit(database, quota, &puts).map(Vec::into_iter);
        for put in puts.drain(..) {
            let answer = match &mut written {
                Ok(written) => Ok(written.next().expect("there is one for each put")),
                Err(broken) => Err(broken.clone()),
            };
            // Nobody may be waiting any more.
            let _ = put.done.send(answer);
        }
    }
}

/// One transaction, and what became of each put in it.
fn commit(database: &Database, quota: u64, puts: &[Put]) -> Result<Vec<Written>, Broken> {
    let transaction = database.begin_write()?;
    let mut values = transaction.open_table(VALUES)?;
    let mut used = transaction.open_table(USED)?;
    let written = puts
        .iter()
        .map(|put| apply(&mut values, &mut used, quota, put))
        .collect::<Result<_, _>>()?;
    drop((values, used));
    transaction.commit()?;
    Ok(written)
}

fn apply(
    values: &mut Table<'_, (u32, &str), &[u8]>,
    used: &mut Table<'_, u32, u64>,
    quota: u64,
    put: &Put,
) -> Result<Written, Broken> {
    let key = (put.tenant, &*put.key);
    let size = |value: &[u8]| (put.key.len() + value.len()) as u64;
    let before = values.get(key)?.map_or(0, |old| size(old.value()));
    let all = used.get(put.tenant)?.map_or(0, |used| used.value());
    let all = all - before + size(&put.value);
    if all > quota {
        return Ok(Err(Refused::QuotaExceeded));
    }
    values.insert(key, &*put.value)?;
    used.insert(put.tenant, all)?;
    Ok(Ok(()))
}
