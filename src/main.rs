//! The program: see `convscope --help`.

use std::io;
use std::process::ExitCode;

use convscope::cli::{self, Arguments};
use convscope::engine;

fn main() -> ExitCode {
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

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let kind = error.downcast_ref::<io::Error>().map(io::Error::kind);
    kind == Some(io::ErrorKind::BrokenPipe)
}
