//! The wordcount example, against a count in plain Rust.

#[path = "../examples/wordcount/text.rs"]
mod text;

use hostcall::{Crossing, ErrorKind, Fault};
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Counts as the guest should.
fn expected(text: &[u8]) -> (u64, HashMap<String, u64>) {
    let in_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'\'' || *byte >= 0x80;
    let (mut words, mut times) = (0, HashMap::new());
    for word in text
        .split(|byte| !in_word(byte))
        .filter(|word| !word.is_empty())
    {
        let word = String::from_utf8(word.to_ascii_lowercase()).expect("the text is UTF-8");
        words += 1;
        if !text::STOP_WORDS.contains(&word.as_str()) {
            *times.entry(word).or_insert(0) += 1;
        }
    }
    (words, times)
}

/// A file that is removed when the test ends.
struct Temporary(PathBuf);

impl Temporary {
    fn new(name: &str, contents: &[u8]) -> Temporary {
        let path = std::env::temp_dir().join(format!("hostcall-{}-{name}", std::process::id()));
        fs::write(&path, contents).unwrap();
        Temporary(path)
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// Appends the sources and documents under `dir`.
fn collect(dir: &Path, text: &mut Vec<u8>) {
    let mut entries: Vec<_> = fs::read_dir(dir)
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    entries.sort();
    for path in entries {
        let extension = path.extension().and_then(|extension| extension.to_str());
        if path.is_dir() && !path.ends_with("target") && !path.ends_with(".git") {
            collect(&path, text);
        } else if let Some("rs" | "md" | "toml" | "c") = extension {
            text.extend(fs::read(&path).unwrap());
        }
    }
}

/// The repository's own text, as often as it takes to have more than a
/// megabyte.
fn repository_text() -> Vec<u8> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut once = Vec::new();
    collect(&root, &mut once);
    assert!(once.len() > 100_000, "the repository has text");
    let mut text = Vec::new();
    while text.len() <= 1 << 20 {
        text.extend(&once);
        // A word that is longer than the guest's chunks, in another place
        // each time.
        text.extend(std::iter::repeat_n("wörd".as_bytes(), 30_000 + text.len() % 7).flatten());
        text.push(b'\n');
    }
    text
}

#[test]
fn counts_a_real_text() {
    let text = repository_text();
    let file = Temporary::new("text", &text);
    let count = text::count(&file.0).unwrap();
    let (words, times) = expected(&text);
    assert_eq!(count.words, words);
    assert_eq!(count.text.words, times);
    assert_eq!(count.text.bytes, text.len() as u64);
    let imports = count.plan.imports.iter();
    let crossings = imports.map(|import| (&*import.import.name, import.crossing.unwrap()));
    let crossings: HashMap<_, _> = crossings.collect();
    let expected = [
        ("read", Crossing::Call),
        ("is_stop_word", Crossing::Inline),
        ("word", Crossing::Deferred),
        ("progress", Crossing::Deferred),
    ];
    assert_eq!(crossings, HashMap::from(expected));
    assert_eq!(calls(&count, "word").0, count.text.reported());
    let top = count.top(10);
    assert_eq!(top.len(), 10);
    assert!(top.is_sorted_by_key(|(_, times)| std::cmp::Reverse(*times)));
}

/// How often an import was called, and how often that was a crossing.
fn calls(count: &text::Count, name: &str) -> (u64, u64) {
    let import = count.calls.iter().find(|import| import.name == name);
    let import = import.expect("it is imported");
    (import.calls, import.crossings)
}

#[test]
fn few_calls_cross() {
    let text = repository_text();
    let file = Temporary::new("crossings", &text);
    let count = text::count(&file.0).unwrap();
    let (words, times) = expected(&text);
    let long = times.keys().filter(|word| word.len() > 32 << 10);
    let long: u64 = long.map(|word| times[word]).sum();
    assert!(long > 0, "some words are larger than the queue");
    let reported = times.values().sum();
    assert_eq!(calls(&count, "is_stop_word"), (words, 0));
    assert_eq!(calls(&count, "word"), (reported, long));
    let (reads, crossings) = calls(&count, "read");
    assert_eq!(reads, crossings);
    assert_eq!(
        calls(&count, "progress"),
        (reads - 1, 0),
        "the last read gives 0"
    );

    // Before a read, before a long word, and when the queue is full: a word
    // takes 16 bytes, and as many as it has, rounded up.
    let bytes: usize = times
        .iter()
        .filter(|(word, _)| word.len() <= 32 << 10)
        .map(|(word, times)| (16 + word.len().next_multiple_of(8)) * *times as usize)
        .sum();
    let full = bytes as u64 / (30 << 10);
    assert!(count.drains >= reads - 1 && count.drains <= reads + long + full);
    assert_eq!(count.calls(), words + reported + 2 * reads - 1);
    assert_eq!(count.crossings(), reads + long + count.drains);
    assert!(count.crossings() * 100 < count.calls());
}

#[test]
fn counts_an_empty_file() {
    let file = Temporary::new("empty", b"");
    let count = text::count(&file.0).unwrap();
    assert_eq!(count.words, 0);
    assert!(count.text.words.is_empty());
    assert_eq!(count.text.bytes, 0);
}

#[test]
fn refuses_text_that_is_not_utf8() {
    let file = Temporary::new("latin1", b"caf\xe9 au lait");
    let error = text::count(&file.0).err().unwrap();
    assert_eq!(error.import(), Some(("text", "word")));
    assert_eq!(error.argument(), Some("word: string"));
    assert!(
        matches!(
            error.fault(),
            Some(Fault::Utf8 {
                length: 4,
                valid: 3,
                ..
            })
        ),
        "{error}"
    );
    assert!(
        error
            .to_string()
            .contains("are not UTF-8: byte 3 is invalid"),
        "{error}"
    );
}

#[test]
fn reports_a_missing_file() {
    let error = text::count(Path::new("no/such/file")).err().unwrap();
    assert!(matches!(error.kind(), ErrorKind::Message(_)));
    assert!(error.to_string().contains("No such file"), "{error}");
}

#[test]
fn keeps_the_type_of_a_read_error() {
    // A directory can be opened, but not read.
    let error = text::count(&std::env::temp_dir()).err().unwrap();
    let source = error
        .downcast_ref::<std::io::Error>()
        .expect("an io::Error");
    assert_eq!(source.kind(), std::io::ErrorKind::IsADirectory);
    assert!(
        error
            .to_string()
            .starts_with("host function `text.read` failed: "),
        "{error}"
    );
}

#[test]
fn all_forms_of_the_inlined_test_agree() {
    let file = Temporary::new("forms", b"");
    hostcall::testing::inline_functions_agree(|| {
        text::Text::new(fs::File::open(&file.0).expect("it was just written"))
    });
}
