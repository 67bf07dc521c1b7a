//! `convscope doctor`: what was found on this machine and this terminal, and what follows from it.

mod computing;
mod libtorch;
mod paths;
mod terminal;

use std::io::{self, Write};

use anyhow::Result;
use clap::Args;
use serde_json::json;

use super::options::{self, ProtocolChoice};
use computing::Computing;
use terminal::Terminal;

const VERSION: &str = env!("CARGO_PKG_VERSION");

#[derive(Args, Debug)]
#[command(after_help = "\
JSON: {\"version\", \"computing\": {\"device\", \"threads\", \"cuda\": {\"available\", \"devices\", \"why\"}, \
\"libtorch\": {\"version\", \"folder\"}}, \"terminal\": {...} or null, \"paths\": [{\"name\", \"path\", \"exists\", \
\"writable\"}]}; the README has them all.")]
pub(super) struct Doctor {
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
    /// As if the explorer were started with it: auto, kitty, iterm2, sixel, quadrants or halfblocks.
    #[arg(long, value_name = "PROTOCOL", default_value = "auto", value_parser = options::protocol)]
    protocol: ProtocolChoice,
}

/// A line: what it is about, and what there is to say.
type Row = (&'static str, String);

impl Doctor {
    pub(super) fn run(self) -> Result<()> {
        // The terminal comes first: nothing is printed while it is asked.
        let terminal = terminal::look(self.protocol.0)?;
        let computing = Computing::look();
        let places = paths::look();
        let mut out = io::stdout().lock();
        if self.json {
            let report = json!({
                "version": VERSION,
                "computing": computing.json(),
                "terminal": terminal.as_ref().map(Terminal::json),
                "paths": places.iter().map(paths::Place::json).collect::<Vec<_>>(),
            });
            serde_json::to_writer_pretty(&mut out, &report).map_err(io::Error::from)?;
            writeln!(out)?;
            return Ok(());
        }
        writeln!(out, "convscope {VERSION}")?;
        section(&mut out, "Computing", &computing.rows())?;
        let rows = terminal.as_ref().map_or_else(
            || {
                vec![(
                    "none",
                    "standard input and output are not a terminal's".to_owned(),
                )]
            },
            Terminal::rows,
        );
        section(&mut out, "Terminal", &rows)?;
        let rows: Vec<Row> = places.iter().map(paths::Place::row).collect();
        section(&mut out, "Folders", &rows)?;
        Ok(())
    }
}

/// A title, and lines in two columns.
fn section(out: &mut impl Write, title: &str, rows: &[Row]) -> io::Result<()> {
    const WIDTH: usize = 12;
    writeln!(out, "\n{title}")?;
    for (name, text) in rows {
        writeln!(out, "  {name:<WIDTH$}{text}")?;
    }
    Ok(())
}
