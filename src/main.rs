//! The program: see `convscope --help`.

use std::io;
use std::panic;
use std::process::ExitCode;

use convscope::cli::{self, Arguments};
use convscope::engine;
use signal_hook::low_level;

fn main() -> ExitCode {
    end_when_nothing_can_be_printed();
    engine::settle_environment();
    let arguments = <Arguments as clap::Parser>::parse();
    match cli::run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever read our output has seen enough.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("convscope: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// What `println!` can't write it can only panic about.
fn end_when_nothing_can_be_printed() {
    let show = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        let message = info.payload_as_str().unwrap_or_default();
        match message.strip_prefix("failed printing to stdout: ") {
            Some(why) if why.starts_with("Broken pipe") => low_level::exit(0),
            Some(why) => {
                eprintln!("convscope: standard output: {why}");
                low_level::exit(1);
            }
            None => show(info),
        }
    }));
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let kind = error.downcast_ref::<io::Error>().map(io::Error::kind);
    kind == Some(io::ErrorKind::BrokenPipe)
}
