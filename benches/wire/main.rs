//! What pictures cost on the wire: bytes and time for each protocol.
//!
//! `cargo bench --bench wire` prints the tables; with `-- --out DIR` the numbers and the pictures are also left in a
//! folder, for `scripts/wire.py`, which sets other programs' beside them.

#![allow(missing_docs)]

mod painted;
mod pictures;
#[path = "../explorer/spread.rs"]
#[allow(dead_code)]
mod spread;

use std::fs;
use std::path::PathBuf;

use anyhow::Result;
use clap::Parser;
use convscope::engine::set_threads;
use convscope::terminal::Protocol;
use serde_json::json;

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
    let mut rows = Vec::new();
    for case in pictures::cases()? {
        for protocol in PROTOCOLS {
            let painted = painted::measure(&case, protocol)?;
            let kib = |bytes: usize| bytes as f64 / 1024.0;
            println!(
                "{:<45} {:<10} {:>8.1} {:>8.1} {:>8.1} ms {:>8.1}",
                case.what,
                protocol.name(),
                kib(painted.bytes.median),
                kib(painted.bytes.most),
                painted.time.median.as_secs_f64() * 1e3,
                painted.time.most.as_secs_f64() * 1e3
            );
            rows.push(json!({
                "case": case.name, "what": case.what, "protocol": protocol.name(),
            }));
        }
        if let Some(out) = &arguments.out {
            fs::create_dir_all(out)?;
            for (index, file) in painted::files(&case)?.into_iter().enumerate() {
                fs::write(out.join(format!("{}-{index}.png", case.name)), file)?;
            }
        }
    }
    Ok(())
}
