//! Writes a picture to the terminal as another library does.

use std::io::{self, Write as _};
use std::path::PathBuf;

use anyhow::Result;
use clap::{Parser, ValueEnum};
use image::DynamicImage;
use ratatui::backend::{Backend as _, CrosstermBackend};
use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};
use ratatui::widgets::Widget as _;
use ratatui_image::picker::{Picker, ProtocolType};
use ratatui_image::{FontSize, Image, Resize};

/// Writes a picture to the terminal as another library does.
#[derive(Parser)]
struct Arguments {
    /// Which library.
    library: Library,
    /// How; viuer chooses by what the terminal answers.
    protocol: Protocol,
    /// A PNG file.
    file: PathBuf,
    /// Columns and rows that the picture covers.
    #[arg(num_args = 2, required = true)]
    cells: Vec<u16>,
    /// Width and height of a cell in pixels.
    #[arg(long, num_args = 2, required = true)]
    cell: Vec<u16>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Library {
    Viuer,
    RatatuiImage,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Protocol {
    Kitty,
    Iterm2,
    Sixel,
    Halfblocks,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let picture = image::open(&arguments.file)?;
    match arguments.library {
        Library::Viuer => viuer(&arguments, &picture),
        Library::RatatuiImage => ratatui_image(&arguments, picture),
    }
}

fn viuer(arguments: &Arguments, picture: &DynamicImage) -> Result<()> {
    let config = viuer::Config {
        truecolor: true,
        use_kitty: arguments.protocol == Protocol::Kitty,
        use_iterm: arguments.protocol == Protocol::Iterm2,
        width: Some(arguments.cells[0].into()),
        height: Some(arguments.cells[1].into()),
        ..viuer::Config::default()
    };
    viuer::print(picture, &config)?;
    Ok(())
}

fn ratatui_image(arguments: &Arguments, picture: DynamicImage) -> Result<()> {
    // The other constructors ask the terminal.
    #[expect(deprecated)]
    let mut picker = Picker::from_fontsize(FontSize::new(arguments.cell[0], arguments.cell[1]));
    picker.set_protocol_type(match arguments.protocol {
        Protocol::Kitty => ProtocolType::Kitty,
        Protocol::Iterm2 => ProtocolType::Iterm2,
        Protocol::Sixel => ProtocolType::Sixel,
        Protocol::Halfblocks => ProtocolType::Halfblocks,
    });
    let size = Size::new(arguments.cells[0], arguments.cells[1]);
    let protocol = picker.new_protocol(picture, size, Resize::Fit(None))?;
    let area = Rect::new(0, 0, size.width, size.height);
    let blank = Buffer::empty(area);
    let mut drawn = Buffer::empty(area);
    Image::new(&protocol).render(area, &mut drawn);
    let mut out = Vec::new();
    CrosstermBackend::new(&mut out).draw(blank.diff(&drawn).into_iter())?;
    io::stdout().write_all(&out)?;
    Ok(())
}
