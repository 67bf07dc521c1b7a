//! How long the explorer keeps its user waiting: the real program in a pseudo-terminal, one thread.
//!
//! `cargo bench --bench explorer` measures on a plain terminal and on one that shows kitty's pictures;
//! `-- --terminal kitty` on one of them, `-- --quick` in a minute. Times include what the kernel and the reading
//! thread here take; a second job on the machine is in them too.

#![allow(missing_docs)]

mod answers;
mod busy;
mod opening;
mod slow;
mod spread;
mod terminal;
mod walk;

use std::time::Duration;

use anyhow::Result;
use clap::Parser;

use self::terminal::Kind;

/// Times the explorer in a pseudo-terminal.
#[derive(Parser)]
struct Arguments {
    /// Few rounds: to see that it works.
    #[arg(long)]
    quick: bool,
    /// The terminal that it runs in; both if not given.
    #[arg(long, value_name = "KIND")]
    terminal: Option<Kind>,
    /// cargo says this to every benchmark.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let kinds = arguments
        .terminal
        .map_or(Kind::ALL.to_vec(), |kind| vec![kind]);
    let [rounds, steps, presses, seconds] = if arguments.quick {
        [1, 20, 20, 2]
    } else {
        [5, 500, 100, 10]
    };
    for kind in kinds {
        println!("{}, one thread", kind.description());
        opening::measure(kind, rounds as usize)?;
        walk::measure(kind, steps as usize)?;
        busy::measure(kind, presses as usize)?;
        slow::measure(kind, Duration::from_secs(seconds))?;
        println!();
    }
    Ok(())
}
