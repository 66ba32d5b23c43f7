//! Runs the commands of every fixture in `tests/cli` and compares what they
//! print with the transcript beside it.
//!
//! A fixture is a guest (`NAME.wat`) or a list of commands (`NAME.test`). Lines
//! that start with `;; RUN: ` are commands of the `hostcall` program; `%` in
//! them is the fixture, `%/x` the file `x` beside it, `%guests` the folder of
//! guests, `%tmp` a folder for what it writes. `< FILE` gives standard input.
//! `;; SHOW: FILE` prints a file. `;; ENV: NAME=VALUE` sets a variable for all
//! commands of a fixture.
//!
//! `NAME.out` holds, for each command: `$` and the command, standard output,
//! standard error with `2> ` before each line, and `[STATUS]` unless it is 0.
//! `BLESS=1` rewrites it.

use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

#[test]
fn fixtures() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli");
    let entries = fs::read_dir(&folder).unwrap();
    let mut fixtures: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    fixtures.retain(|path| path.extension().is_some_and(|e| e == "wat" || e == "test"));
    fixtures.sort();
    assert!(!fixtures.is_empty());
    let wrong: Vec<String> = fixtures.iter().filter_map(|path| check(path)).collect();
    assert!(
        wrong.is_empty(),
        "{}\n\nBLESS=1 rewrites expectations",
        wrong.join("\n")
    );
}

/// What is wrong with a fixture, if anything is.
fn check(fixture: &Path) -> Option<String> {
    let text = fs::read_to_string(fixture).unwrap();
    let variables = text
        .lines()
        .filter_map(|line| line.strip_prefix(";; ENV: ")?.split_once('='));
    let variables: Vec<_> = variables.collect();
    let temporary = temporary(fixture);
    fs::create_dir_all(&temporary).unwrap();
    let transcripts = text.lines().filter_map(|line| {
        let shown = line.strip_prefix(";; SHOW: ");
        let run = line.strip_prefix(";; RUN: ");
        shown
            .map(|file| show(file, fixture))
            .or_else(|| Some(transcript(run?, fixture, &variables)))
    });
    let transcripts: Vec<String> = transcripts.collect();
    assert!(
        !transcripts.is_empty(),
        "{}: no `;; RUN: `",
        fixture.display()
    );
    let found = transcripts.join("\n");
    fs::remove_dir_all(&temporary).unwrap();
    let out = fixture.with_extension("out");
    if env::var_os("BLESS").is_some() {
        fs::write(&out, found).unwrap();
        return None;
    }
    let expected = fs::read_to_string(&out).unwrap_or_default();
    (expected != found).then(|| {
        let out = out.display();
        format!("{out} says\n\n{expected}\n\nbut the program printed\n\n{found}")
    })
}

/// The folder for what a fixture writes.
fn temporary(fixture: &Path) -> PathBuf {
    let name = fixture.file_name().unwrap();
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}

fn show(file: &str, fixture: &Path) -> String {
    let text = fs::read(path(file, fixture));
    let text = text.unwrap_or_else(|error| format!("{error}\n").into_bytes());
    format!("$ cat {file}\n{}", normal(&text, fixture))
}

fn transcript(line: &str, fixture: &Path, variables: &[(&str, &str)]) -> String {
    let output = run(line, fixture, variables);
    let stdout = normal(&output.stdout, fixture);
    let stderr = normal(&output.stderr, fixture);
    let mut text = format!("$ hostcall {line}\n{stdout}");
    if !text.ends_with('\n') {
        text += "\n[no newline]\n";
    }
    for line in stderr.lines() {
        text += format!("2> {line}").trim_end();
        text.push('\n');
    }
    match output.status.code() {
        Some(0) => {}
        Some(status) => text += &format!("[{status}]\n"),
        None => text += &format!("[{}]\n", output.status),
    }
    text
}

fn run(line: &str, fixture: &Path, variables: &[(&str, &str)]) -> Output {
    let folder = fixture.parent().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_hostcall"));
    command.current_dir(folder).stdin(Stdio::null());
    command.envs(variables.iter().copied());
    let mut words = words(line).into_iter();
    while let Some(word) = words.next() {
        if word == "<" {
            let input = folder.join(path(&words.next().unwrap(), fixture));
            command.stdin(File::open(input).unwrap());
        } else {
            command.arg(path(&word, fixture));
        }
    }
    command.output().unwrap()
}

/// A word of a command, with what `%` stands for in it.
fn path(word: &str, fixture: &Path) -> String {
    let Some(rest) = word.strip_prefix('%') else {
        return word.to_owned();
    };
    let guests = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../guests");
    let folders = [("guests", guests), ("tmp", temporary(fixture))];
    for (name, folder) in folders {
        if let Some(rest) = rest.strip_prefix(name) {
            return format!("{}{rest}", folder.display());
        }
    }
    match rest.strip_prefix('/') {
        Some(file) => file.to_owned(),
        None => fixture.file_name().unwrap().to_str().unwrap().to_owned(),
    }
}

/// Splits at spaces, except within quotes.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for c in line.chars() {
        match (c, quote) {
            (' ', None) => words.extend(word.take()),
            ('\'' | '"', None) => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (c, Some(open)) if c == open => quote = None,
            (c, _) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

/// Output without what differs from machine to machine, or from run to run.
fn normal(output: &[u8], fixture: &Path) -> String {
    let folder = format!("{}/", fixture.parent().unwrap().display());
    let guests = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../guests");
    let text = String::from_utf8_lossy(output)
        .replace(&folder, "")
        .replace(&guests.display().to_string(), "%guests")
        .replace(&temporary(fixture).display().to_string(), "%tmp")
        .replace(env!("CARGO_PKG_VERSION"), "VERSION");
    without_times(&text)
}

/// Replaces the time that a call is said to have taken.
fn without_times(text: &str) -> String {
    let mut parts = text.split("and took ");
    let mut normal = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find(';').unwrap_or(part.len());
        normal += "and took TIME";
        normal += &part[end..];
    }
    normal
}
