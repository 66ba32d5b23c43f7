//! Why a call, or waiting for an instance, was refused.

use crate::error::Site;
use crate::export::REFERENCE;
use std::fmt;

/// What was refused because it would have come back to what is at work already,
/// in [`ErrorKind::Reentrancy`](crate::ErrorKind::Reentrancy).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reentrancy {
    /// From the outermost call to what was refused.
    chain: Vec<String>,
    missing: Missing,
    why: Why,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Why {
    /// A host function called its guest.
    Call {
        caller: String,
        allowed: u32,
        /// What it could post instead.
        post: Option<String>,
        /// Whether it is in a guest of [`Host`](crate::Host).
        hosted: bool,
    },
    /// The chain holds this instance.
    Held(String),
    /// What holds this instance waits for the chain.
    Crossed(String),
}

/// What the chain lacks, until the error has come out of the calls that know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Missing {
    Nothing,
    /// The outermost call for certain, which so many others are in.
    Outermost(usize),
    /// The host functions that the first links have called: for each of these links
    /// the export, if it is a call of one.
    Sites(Vec<Option<String>>),
}

/// Links of a chain that are shown, half of them from each end.
const SHOWN: usize = 8;
/// What stands for those between them, and for what is not known.
const LEFT_OUT: &str = "...";

impl Reentrancy {
    /// `calls` are the host functions and what they call, the refused one first
    /// and the outermost last.
    pub(crate) fn nested(
        outermost: Option<String>,
        calls: &[(&Site, &str)],
        allowed: u32,
        hosted: bool,
    ) -> Reentrancy {
        // A backtrace may be cut off, and a function be exported under two names.
        let missing = Missing::Outermost(calls.len() - 1);
        let mut chain = vec![outermost.unwrap_or_else(|| LEFT_OUT.to_owned())];
        let end = calls.len().saturating_sub(SHOWN / 4);
        for (i, (site, callee)) in calls.iter().enumerate().rev() {
            if i >= end || i < SHOWN / 4 {
                chain.extend([site_link(site), link(callee)]);
            } else if i == end - 1 {
                chain.push(LEFT_OUT.to_owned());
            }
        }
        let (site, callee) = calls[0];
        let post = (hosted && callee != REFERENCE).then(|| link(callee));
        let why = Why::Call {
            caller: site_link(site),
            allowed,
            post,
            hosted,
        };
        Reentrancy {
            chain,
            missing,
            why,
        }
    }

    /// Waiting for `instance` would be for itself. The first links are what the
    /// chain of calls holds, with the exports that it calls; if there are others, they
    /// hold `instance`.
    pub(crate) fn waiting(
        chain: Vec<String>,
        own: Vec<Option<String>>,
        instance: &str,
    ) -> Reentrancy {
        let instance = link(instance);
        let why = match chain.len() - 1 == own.len() {
            true => Why::Held(instance),
            false => Why::Crossed(instance),
        };
        Reentrancy {
            chain,
            missing: Missing::Sites(own),
            why,
        }
    }

    /// The chain of calls: names of exports and host functions (`env.visit`), from
    /// the outermost call to what was refused. `...` stands for what is left out of
    /// a long one.
    pub fn chain(&self) -> &[String] {
        &self.chain
    }

    /// The error has come out of a call of `export`, by the host function `site`.
    pub(crate) fn passed(&mut self, export: &str, site: Option<&Site>) {
        match (&mut self.missing, site) {
            (Missing::Outermost(0), _) => {
                self.chain[0] = link(export);
                self.missing = Missing::Nothing;
            }
            (Missing::Outermost(calls), _) => *calls -= 1,
            (Missing::Sites(open), Some(site)) => {
                // What the host function has locked, it has locked in this call.
                while open.pop_if(|call| call.is_none()).is_some() {}
                let known = open
                    .last()
                    .is_some_and(|call| call.as_deref() == Some(export));
                self.chain.insert(open.len(), site_link(site));
                match known {
                    true => drop(open.pop()),
                    false => self.chain.insert(open.len(), link(export)),
                }
            }
            _ => {}
        }
    }
}

impl fmt::Display for Reentrancy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "re-entrant call refused: {}", self.chain.join(" -> "))?;
        match &self.why {
            Why::Call {
                caller,
                allowed: 0,
                post,
                hosted,
            } => {
                write!(f, "; declare `{caller}` with `#[hostcall(reentrant)]`")?;
                if *hosted {
                    f.write_str(" or `Host::reentrant`")?;
                }
                match post {
                    Some(callee) => {
                        write!(f, ", or post the call: `guest.post(\"{callee}\", ..)`")
                    }
                    None => Ok(()),
                }
            }
            Why::Call {
                caller, allowed, ..
            } => write!(f, "; `{caller}` may call the guest to a depth of {allowed}"),
            Why::Held(instance) => write!(f, "; this chain of calls holds `{instance}` already"),
            Why::Crossed(instance) => write!(
                f,
                "; what holds `{instance}` waits for this chain of calls, so neither would go on"
            ),
        }
    }
}

impl std::error::Error for Reentrancy {}

fn site_link(site: &Site) -> String {
    format!("{}.{}", link(&site.module), link(&site.name))
}

/// A name in a chain. Guests choose names.
pub(crate) fn link(name: &str) -> String {
    const LONGEST: usize = 60;
    let mut text = name[..name.floor_char_boundary(LONGEST)]
        .escape_debug()
        .to_string();
    if name.len() > LONGEST {
        text.push_str(LEFT_OUT);
    }
    text
}
