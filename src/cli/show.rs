//! `--show`: a picture printed in the terminal.

use std::io::{self, IsTerminal};

use anyhow::{Context, Result};

use crate::picture::Picture;

/// Prints a picture, small maps enlarged to be seen.
pub(super) fn show(picture: &Picture) -> Result<()> {
    const COLUMNS: u32 = 64;
    let interactive = io::stdout().is_terminal();
    let config = viuer::Config {
        absolute_offset: false,
        // A protocol's probe waits for an answer, which only a terminal gives.
        use_kitty: interactive,
        use_iterm: interactive,
        width: (picture.width() < COLUMNS).then_some(COLUMNS),
        ..viuer::Config::default()
    };
    let image = image::DynamicImage::ImageRgb8(picture.to_rgb());
    viuer::print(&image, &config).context("the picture can't be printed here")?;
    Ok(())
}
