//! What pictures cost on the wire, in each protocol: bytes, and time to paint them.
//!
//! `cargo bench --bench wire` prints two tables: single pictures, from the library; and what the whole program writes for
//! a key. `-- --out DIR` leaves the numbers and the pictures in a folder, for `scripts/wire.py`, which sets what other
//! libraries write beside them.

#![allow(missing_docs)]

#[path = "../explorer/answers.rs"]
mod answers;
mod painted;
mod pictures;
#[path = "../explorer/spread.rs"]
#[allow(dead_code)]
mod spread;
mod steps;
#[path = "../explorer/terminal.rs"]
#[allow(dead_code)]
mod terminal;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Result;
use clap::Parser;
use convscope::engine::set_threads;
use convscope::terminal::Protocol;
use serde_json::{Value, json};

use self::pictures::Case;
use self::spread::Spread;
use self::steps::Step;

/// Measures what pictures cost on the wire.
#[derive(Parser)]
struct Arguments {
    /// Where numbers and pictures are left.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// cargo says this to every benchmark.
    #[arg(long, hide = true)]
    bench: bool,
}

const PROTOCOLS: [Protocol; 4] = [
    Protocol::Kitty,
    Protocol::Iterm2,
    Protocol::Sixel,
    Protocol::HalfBlocks,
];

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    set_threads(1);
    let cases = pictures::cases()?;
    let painted = paint(&cases)?;
    println!();
    let steps = walk()?;
    if let Some(out) = &arguments.out {
        fs::create_dir_all(out)?;
        for case in &cases {
            leave(case, out)?;
        }
        let numbers = json!({ "pictures": painted, "steps": steps });
        fs::write(out.join("wire.json"), numbers.to_string())?;
    }
    Ok(())
}

fn paint(cases: &[Case]) -> Result<Vec<Value>> {
    println!(
        "{:<41} {:<10} {:>10} {:>10} {:>8} {:>8}",
        "pictures: KiB, and ms on one thread", "protocol", "median", "most", "median", "most"
    );
    let mut lines = Vec::new();
    for case in cases {
        for protocol in PROTOCOLS {
            let painted = painted::measure(case, protocol)?;
            let [median, most] = ends(painted.bytes).map(kibibytes);
            let [quick, slow] = ends(painted.time).map(milliseconds);
            println!(
                "{:<41} {:<10} {median:>10.1} {most:>10.1} {quick:>8.1} {slow:>8.1}",
                case.what,
                protocol.name(),
            );
            lines.push(json!({
                "case": case.name,
                "what": case.what,
                "protocol": protocol.name(),
                "cells": case.cells,
                "cell": [case.cell[1], case.cell[0]],
                "bytes": ends(painted.bytes),
                "ms": [quick, slow],
            }));
        }
    }
    Ok(lines)
}

fn walk() -> Result<Vec<Value>> {
    let measured: Vec<Vec<Step>> = PROTOCOLS
        .map(steps::measure)
        .into_iter()
        .collect::<Result<_>>()?;
    print!("{:<41}", "the explorer at a key: KiB, median and most");
    for protocol in PROTOCOLS {
        print!(" {:>15}", protocol.name());
    }
    println!();
    let mut lines = Vec::new();
    for (index, Step { what, .. }) in measured[0].iter().enumerate() {
        print!("{what:<41}");
        let mut bytes = Vec::new();
        for (protocol, steps) in PROTOCOLS.iter().zip(&measured) {
            let each = ends(steps[index].bytes);
            let [median, most] = each.map(kibibytes);
            print!(" {:>15}", format!("{median:.1} {most:.1}"));
            bytes.push(json!({ "protocol": protocol.name(), "bytes": each }));
        }
        println!();
        lines.push(json!({ "what": what, "bytes": bytes }));
    }
    Ok(lines)
}

fn leave(case: &Case, out: &Path) -> Result<()> {
    for (index, file) in painted::files(case)?.into_iter().enumerate() {
        fs::write(out.join(format!("{}-{index}.png", case.name)), file)?;
    }
    Ok(())
}

fn ends<T>(spread: Spread<T>) -> [T; 2] {
    [spread.median, spread.most]
}

fn kibibytes(bytes: usize) -> f64 {
    bytes as f64 / 1024.0
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
