//! The host side: reads the file, answers the guest, counts.

use hostcall::{Error, Host, HostModule, HostState, ImportCalls, Plan, host_module};
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// The guest, from `guests/wordcount/wordcount.c`.
const GUEST: &[u8] = include_bytes!("../../../../guests/wordcount/wordcount.wasm");

/// What the host functions work on.
pub struct Text {
    file: File,
    /// How often each word was reported.
    pub words: HashMap<String, u64>,
    /// Bytes read, as the guest last told.
    pub bytes: u64,
}

#[host_module(name = "text")]
impl Text {
    /// Fills the guest's own buffer: nothing is copied twice.
    fn read(&mut self, buffer: &mut [u8]) -> Result<u32, io::Error> {
        Ok(self.file.read(buffer)? as u32)
    }

    /// Whether the word with this FNV-1a hash is left out. Stands in the guest
    /// itself, with the table in the host page.
    #[hostcall(inline)]
    fn is_stop_word(stop_words: &StopWords, hash: u64) -> bool {
        let mut slot = (hash % SLOTS) as usize;
        while stop_words.hashes[slot] != 0 {
            if stop_words.hashes[slot] == hash {
                return true;
            }
            slot = (slot + 1) % SLOTS as usize;
        }
        false
    }

    /// Counts a word. Words wait in the guest, and are handed over before the next
    /// `read`, or when there are more of them than the queue holds.
    #[hostcall(deferred)]
    fn word(&mut self, word: &str) {
        match self.words.get_mut(word) {
            Some(times) => *times += 1,
            None => {
                self.words.insert(word.to_owned(), 1);
            }
        }
    }

    /// Waits with the words, so that progress is told when they have come.
    #[hostcall(deferred)]
    fn progress(&mut self, bytes: u64) {
        self.bytes = bytes;
    }
}

impl Text {
    /// A text that is still to be read.
    pub fn new(file: File) -> Text {
        Text {
            file,
            words: HashMap::new(),
            bytes: 0,
        }
    }

    /// Words that were counted, which are those that are no stop words.
    pub fn reported(&self) -> u64 {
        self.words.values().sum()
    }
}

/// What came out.
pub struct Count {
    /// All words, as the guest has counted them.
    pub words: u64,
    pub text: Text,
    pub plan: Plan,
    /// What the guest has called, in the order of its imports.
    pub calls: Vec<ImportCalls>,
    /// How often the guest has crossed to have words and progress handed over.
    pub drains: u64,
}

impl Count {
    /// Calls that the guest has made.
    pub fn calls(&self) -> u64 {
        self.calls.iter().map(|import| import.calls).sum()
    }

    /// How often that took the guest to the host.
    pub fn crossings(&self) -> u64 {
        let own: u64 = self.calls.iter().map(|import| import.crossings).sum();
        own + self.drains
    }

    /// The most frequent words, most frequent first, equals by alphabet.
    pub fn top(&self, n: usize) -> Vec<(&str, u64)> {
        let words = self.text.words.iter();
        let mut words: Vec<_> = words.map(|(word, times)| (word.as_str(), *times)).collect();
        words.sort_by(|(a, m), (b, n)| n.cmp(m).then(a.cmp(b)));
        words.truncate(n);
        words
    }
}

/// Runs the guest over a file.
pub fn count(path: &Path) -> Result<Count, Error> {
    let file = File::open(path).map_err(Error::msg)?;
    let mut host = Host::new();
    Text::add_to_host(&mut host, |text| text);
    host.count_calls(true);
    let program = host.program(GUEST)?;

    let mut instance = program.instantiate(Text::new(file))?;
    let words = instance
        .export::<(), u64>("count")?
        .call(&mut instance, ())?;
    Ok(Count {
        words,
        plan: program.plan().clone(),
        calls: instance.calls(),
        drains: instance.drains(),
        text: instance.into_state(),
    })
}

pub const STOP_WORDS: [&str; 32] = [
    "a", "an", "and", "are", "as", "at", "be", "but", "by", "can", "for", "from", "has", "have",
    "if", "in", "is", "it", "its", "no", "not", "of", "on", "or", "so", "that", "the", "this",
    "to", "was", "which", "with",
];

const SLOTS: u64 = 128;

/// Hashes of the stop words, each in the first free slot from `hash % SLOTS` on;
/// 0 is no hash.
#[derive(HostState)]
#[repr(C)]
pub struct StopWords {
    hashes: [u64; SLOTS as usize],
}

impl Default for StopWords {
    fn default() -> StopWords {
        let mut hashes = [0; SLOTS as usize];
        for word in STOP_WORDS {
            let hash = fnv1a(word.as_bytes());
            let mut slots = (hash..).map(|slot| (slot % SLOTS) as usize);
            let free = slots.find(|slot| hashes[*slot] == 0);
            hashes[free.expect("there are more slots than words")] = hash;
        }
        StopWords { hashes }
    }
}

/// FNV-1a, 64 bits, as the guest computes it.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3)
    })
}
