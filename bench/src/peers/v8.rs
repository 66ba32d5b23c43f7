//! V8, in a Node process of its own for every subject, so that each is optimised
//! for its case only. The script takes the times, without what the pipe costs.

use super::Work;
use crate::harness::{Outcome, Subject};
use serde::Serialize;
use std::io::{BufRead, BufReader, Lines, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::LazyLock;
use wasmtime::error::Context;
use wasmtime::{Result, bail, format_err};

const SCRIPT: &str = include_str!("v8.mjs");

/// V8's version, or why it is absent.
pub fn version() -> &'static Result<String, String> {
    static VERSION: LazyLock<Result<String, String>> = LazyLock::new(|| {
        let started = Node::start().and_then(|mut node| node.get());
        started.map_err(|error| format!("{error:#}"))
    });
    &VERSION
}

#[derive(Serialize)]
struct Request<'a> {
    #[serde(flatten)]
    work: Work,
    wasm: &'a [u8],
}

pub fn subject(name: &'static str, work: Work, wasm: &[u8]) -> Result<Subject> {
    let mut node = Node::start()?;
    let _version = node.get()?;
    node.put(&serde_json::to_string(&Request { work, wasm })?)?;
    let _warm = node.get()?;
    Ok(Subject::measuring(name, move |count| {
        node.put(&count.to_string())?;
        let (seconds, outcome) = answer(&node.get()?)?;
        Ok((seconds / count as f64, outcome))
    }))
}

fn answer(line: &str) -> Result<(f64, Outcome)> {
    let words: Vec<_> = line.split(' ').collect();
    let [seconds, result, state] = words[..] else {
        bail!("`node` answers `{line}`");
    };
    Ok((seconds.parse()?, [result.parse()?, state.parse()?]))
}

struct Node {
    process: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
}

impl Node {
    fn start() -> Result<Node> {
        let mut command = Command::new("node");
        command.args(["--input-type=module", "--eval", SCRIPT]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().context("cannot start `node`")?;
        let (input, output) = (process.stdin.take(), process.stdout.take());
        Ok(Node {
            input: input.expect("it is piped"),
            output: BufReader::new(output.expect("it is piped")).lines(),
            process,
        })
    }

    fn put(&mut self, line: &str) -> Result<()> {
        Ok(writeln!(self.input, "{line}")?)
    }

    fn get(&mut self) -> Result<String> {
        match self.output.next() {
            Some(line) => Ok(line?),
            None => Err(format_err!("`node` failed: {}", self.process.wait()?)),
        }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // Nothing is lost if it has ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
