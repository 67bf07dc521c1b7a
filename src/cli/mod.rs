//! The operations without a screen: what the explorer does, as subcommands for scripts.

mod maps;
mod options;
mod predict;
mod session;
mod summary;

use std::io::{self, IsTerminal};
use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, Parser, Subcommand};

use crate::formats::shipped;
use crate::tui;
use options::{Computing, Preparing};
use session::Session;

/// Look into a convolutional network: its layers, its activations, and what it sees in a photo.
///
/// Without a subcommand the explorer opens; with no model either, on the model and photos that come with
/// convscope.
#[derive(Debug, Parser)]
#[command(name = "convscope", version, args_conflicts_with_subcommands = true)]
pub struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    explore: Explore,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show a model's layers: shapes, parameters, multiply-adds, receptive fields.
    Summary(summary::Summary),
    /// Show the top classes of one or more images.
    Predict(predict::Predict),
    /// Save or show activations: one channel, the grid of a layer, all layers, or the raw numbers.
    Maps(maps::Maps),
}

#[derive(Debug, Args)]
struct Explore {
    /// A model file: Keras .h5, or .safetensors with its card.
    model: Option<PathBuf>,
    /// Photos, or .npy tensors of shape (C,H,W); the photos that come with convscope if none is given.
    images: Vec<PathBuf>,
    /// Where the explorer saves pictures.
    #[arg(long, value_name = "DIR", default_value = ".")]
    output_dir: PathBuf,
    #[command(flatten)]
    computing: Computing,
    #[command(flatten)]
    preparing: Preparing,
}

/// Does what the command line asks for.
///
/// # Errors
/// With a message for people that names what was wrong and what would be right.
pub fn run(arguments: Arguments) -> Result<()> {
    match arguments.command {
        Some(Command::Summary(summary)) => summary.run(),
        Some(Command::Predict(predict)) => predict.run(),
        Some(Command::Maps(maps)) => maps.run(),
        None => explore(arguments.explore),
    }
}

fn explore(explore: Explore) -> Result<()> {
    let Explore {
        model,
        mut images,
        output_dir,
        computing,
        preparing,
    } = explore;
    let model = match model {
        Some(model) => model,
        None => shipped::shipped()?.model,
    };
    if images.is_empty() {
        images = shipped::shipped()
            .map(|shipped| shipped.photos)
            .unwrap_or_default();
    }
    if io::stdout().is_terminal() && io::stdin().is_terminal() {
        return tui::run(tui::Setup {
            model,
            images,
            output_dir,
            device: computing.choice(),
            overrides: preparing.overrides(),
            exif: !preparing.no_exif,
        });
    }
    // Nobody to press keys: say what the explorer would have opened on.
    let session = Session::open(&model, &preparing, &computing)?;
    summary::print(&session.model, session.model.input_size())?;
    if let Some(image) = images.first() {
        println!();
        predict::print(&session, image, !preparing.no_exif, 5)?;
    }
    Ok(())
}
