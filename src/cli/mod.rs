//! The operations without a screen: what the explorer does, as subcommands for scripts.

mod aside;
mod cam;
mod choice;
mod doctor;
mod each;
mod fetch;
mod filters;
mod maps;
mod models;
mod options;
mod overlay;
mod predict;
mod session;
mod show;
mod summary;
mod target;

use std::io::{self, IsTerminal};
use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, Parser, Subcommand};

use crate::fetch::resolve;
use crate::formats::shipped;
use crate::tui;
use options::{Computing, Preparing};
use session::Session;

/// Look into a convolutional network: its layers, its activations, and what it sees in a photo.
///
/// Without a subcommand the explorer opens; with no model either, on the model and photos that come with
/// convscope. Where there is no terminal, the model's summary and the top classes are printed instead.
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
    /// Show where the evidence for a class lies: Grad-CAM heatmaps and their overlays on the photo.
    Cam(cam::Cam),
    /// Show what filters look for: patterns by gradient ascent, or the weights themselves.
    Filters(filters::Filters),
    /// Lay a saved heatmap over a photo.
    Overlay(overlay::OverlayCommand),
    /// List the models that can be fetched by name, and where those lie that are.
    Models(models::Models),
    /// Fetch a model by its name or its address, checked by the publisher's checksum if there is one; prints where it is.
    Fetch(fetch::Fetch),
    /// Show what was found: device, libtorch, terminal, how pictures are drawn and why, folders.
    Doctor(doctor::Doctor),
}

#[derive(Debug, Args)]
struct Explore {
    /// A model file (Keras .h5, or .safetensors with its card), or the name of a fetched model.
    model: Option<PathBuf>,
    /// Photos, or .npy tensors of shape (C,H,W); the photos that come with convscope if none is given.
    images: Vec<PathBuf>,
    /// Where the explorer saves pictures.
    #[arg(long, value_name = "DIR", default_value = ".")]
    output_dir: PathBuf,
    /// dark, light, default (fit for both), monochrome, one of your own in ~/.config/convscope/themes, or a .toml
    /// file; by the terminal's background if not given.
    #[arg(long, value_name = "NAME")]
    theme: Option<String>,
    /// How pictures are drawn: auto, kitty, iterm2, sixel, quadrants or halfblocks.
    #[arg(long, value_name = "PROTOCOL", default_value = "auto", value_parser = options::protocol)]
    protocol: options::ProtocolChoice,
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
        Some(Command::Cam(cam)) => cam.run(),
        Some(Command::Filters(filters)) => filters.run(),
        Some(Command::Overlay(overlay)) => overlay.run(),
        Some(Command::Models(models)) => models.run(),
        Some(Command::Fetch(fetch)) => fetch.run(),
        Some(Command::Doctor(doctor)) => doctor.run(),
        None => explore(arguments.explore),
    }
}

fn explore(explore: Explore) -> Result<()> {
    let Explore {
        model,
        mut images,
        output_dir,
        theme,
        protocol,
        computing,
        preparing,
    } = explore;
    let model = match model {
        Some(model) => resolve(&model)?,
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
            theme,
            protocol: protocol.0,
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
