//! `--show`: pictures printed in the terminal, among the lines of the shell.

use std::cell::OnceCell;
use std::io::{self, IsTerminal};

use anyhow::{Context, Result};
use clap::Args;
use image::DynamicImage;

use super::aside;
use super::options::{ProtocolChoice, protocol};
use crate::picture::Picture;
use crate::terminal::{Canvas, Choice, ColorDepth, Protocol, Screen, Traits, print};

/// Where nobody looks, lines are taken to be so long.
const COLUMNS: u16 = 80;

/// Whether and how pictures are printed.
#[derive(Args, Debug)]
pub(super) struct Showing {
    /// Print the picture in the terminal.
    #[arg(long)]
    pub(super) show: bool,
    /// How --show prints: auto, kitty, iterm2, sixel, quadrants or halfblocks. What is named is printed into a file or
    /// pipe as well.
    #[arg(long, value_name = "PROTOCOL", default_value = "auto", value_parser = protocol, requires = "show")]
    protocol: ProtocolChoice,
    #[arg(skip)]
    printer: OnceCell<Printer>,
}

#[derive(Clone, Copy, Debug)]
struct Printer {
    canvas: Canvas,
    depth: ColorDepth,
    columns: u16,
}

impl Showing {
    /// Prints a picture.
    ///
    /// # Errors
    /// If the terminal can't be asked or written to, or the picture is empty.
    pub(super) fn print(&self, picture: &Picture) -> Result<()> {
        let printer = if let Some(printer) = self.printer.get() {
            *printer
        } else {
            let printer = Printer::new(self.protocol.0)?;
            *self.printer.get_or_init(|| printer)
        };
        printer.print(picture)
    }
}

impl Printer {
    fn new(wanted: Option<Protocol>) -> Result<Self> {
        if !io::stdout().is_terminal() {
            // Nobody answers for what will read it.
            let protocol = wanted.unwrap_or(Protocol::HalfBlocks);
            return Ok(Self {
                canvas: Canvas::new(protocol, &Traits::default()),
                depth: ColorDepth::detect(),
                columns: COLUMNS,
            });
        }
        let traits = aside::traits()?.unwrap_or_default();
        let depth = ColorDepth::detect().seen_in(&traits);
        Ok(Self {
            canvas: Choice::new(wanted, depth, &traits).canvas,
            depth,
            columns: Screen::size()?.width,
        })
    }

    fn print(self, picture: &Picture) -> Result<()> {
        let failed = "the picture can't be printed here";
        let colorful = self.depth != ColorDepth::Monochrome;
        if self.canvas.protocol == Protocol::HalfBlocks && colorful {
            return self.halfblocks(picture).context(failed);
        }
        let answered = io::stdin().is_terminal() && io::stdout().is_terminal();
        let mut out = io::stdout().lock();
        print(
            picture,
            self.canvas,
            self.depth,
            self.columns,
            answered,
            &mut out,
        )
        .context(failed)
    }

    /// Small maps are enlarged to be seen.
    fn halfblocks(self, picture: &Picture) -> viuer::ViuResult {
        const ENLARGED: u32 = 64;
        let width = picture.width().max(ENLARGED).min(self.columns.into());
        let config = viuer::Config {
            absolute_offset: false,
            use_kitty: false,
            use_iterm: false,
            truecolor: self.depth == ColorDepth::Full,
            width: Some(width),
            ..viuer::Config::default()
        };
        viuer::print(&DynamicImage::ImageRgb8(picture.to_rgb()), &config).map(drop)
    }
}
