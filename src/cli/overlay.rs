//! `convscope overlay`.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use clap::Args;
use clap::error::ErrorKind;

use super::choice::choice;
use super::options::Saving;
use super::show::Showing;
use crate::array::{Array, npy};
use crate::error::Error;
use crate::explain::cam::Dialect;
use crate::photo::{self, Region};
use crate::picture::{self, Blend, Colormap, Format, Overlay, Picture, Provenance, Resize};

/// How a heatmap is laid over a photo.
#[derive(Args, Debug)]
pub(super) struct Laying {
    /// The system to follow: the book (Deep Learning with Python), pytorch-grad-cam or captum. Single options
    /// override it.
    #[arg(long, value_name = "NAME", default_value = "book", value_parser = choice(&Dialect::ALL, Dialect::name))]
    pub(super) dialect: Dialect,
    /// The heatmap's weight, from 0 to 1; 0.4 in the book, 0.5 elsewhere.
    #[arg(long, value_name = "ALPHA", value_parser = alpha)]
    alpha: Option<f64>,
    /// viridis, magma, inferno, plasma, cividis, turbo, gray, coolwarm, jet or mpl-jet. Default: jet, and coolwarm
    /// for captum.
    #[arg(long, value_name = "NAME", value_parser = |text: &str| Colormap::by_name(text))]
    colormap: Option<Colormap>,
    /// How the heatmap is enlarged; captum's is nearest, the others' linear.
    #[arg(long, value_name = "KIND", value_parser = choice(&Resize::ALL, Resize::name))]
    resize: Option<Resize>,
    /// add: colours on top of the photo (book); mix: both weighted, the brightest made white (pytorch-grad-cam);
    /// gray: signed, on a gray photo (captum).
    #[arg(long, value_name = "KIND", value_parser = choice(&Blend::ALL, Blend::name))]
    blend: Option<Blend>,
}

impl Laying {
    /// The dialect's way with the single options over it.
    pub(super) fn overlay(&self) -> Overlay {
        let dialect = Overlay::of(self.dialect);
        Overlay {
            colormap: self.colormap.unwrap_or(dialect.colormap),
            alpha: self.alpha.unwrap_or(dialect.alpha),
            resize: self.resize.unwrap_or(dialect.resize),
            blend: self.blend.unwrap_or(dialect.blend),
        }
    }
}

#[derive(Args, Debug)]
pub(super) struct OverlayCommand {
    /// A heatmap as .npy: (h,w) or (1,h,w), at any resolution.
    heatmap: PathBuf,
    /// The photo, or - for standard input.
    image: PathBuf,
    /// The part of the photo that the heatmap covers, in pixels; all of it if not given.
    #[arg(long, value_name = "LEFT,TOP,WIDTH,HEIGHT", value_parser = region)]
    region: Option<Region>,
    #[command(flatten)]
    showing: Showing,
    /// Don't turn the photo as its EXIF data say.
    #[arg(long)]
    no_exif: bool,
    #[command(flatten)]
    laying: Laying,
    #[command(flatten)]
    saving: Saving,
}

impl OverlayCommand {
    pub(super) fn run(self) -> Result<()> {
        if !self.showing.show && self.saving.output.is_none() {
            // Wrong usage, as clap tells it.
            let words = "where to? -o FILE saves the overlay, --show prints it\n";
            clap::Error::raw(ErrorKind::MissingRequiredArgument, words).exit();
        }
        let format = self.saving.output.as_deref().map(Format::from_path);
        let format = format.transpose()?;
        let heatmap = open(&self.heatmap)?;
        let overlay = self.laying.overlay();
        self.say_what_is_clipped(&heatmap, overlay.blend);
        let photo = photo::open(&self.image, !self.no_exif)?.image;
        let region = self.region.unwrap_or_else(|| Region::whole(&photo));
        let picture = Picture::Rgb(overlay.lay(&heatmap, &photo, region)?);
        if let (Some(path), Some(format)) = (&self.saving.output, format) {
            let provenance = describe(&self.laying, overlay)
                .with("heatmap", self.heatmap.display().to_string())
                .with("image", self.image.display().to_string());
            let bytes = picture::encode(&picture, format, provenance.pairs())?;
            let size = format!("{}x{}", picture.width(), picture.height());
            self.saving.save(path, &bytes, &size)?;
        }
        if self.showing.show {
            self.showing.print(&picture)?;
        }
        Ok(())
    }

    fn say_what_is_clipped(&self, heatmap: &Array, blend: Blend) {
        let [low, high] = blend.range();
        let values = heatmap.values();
        let outside = |value: &&f32| **value < low || **value > high;
        let count = values.iter().filter(outside).count();
        if count > 0 && !self.saving.quiet {
            let [min, max] =
                [f32::min, f32::max].map(|of| values.iter().copied().fold(values[0], of));
            let wanted = if high.is_finite() {
                format!("between {low} and {high}")
            } else {
                "negative".to_owned()
            };
            let are = if high.is_finite() { "are not" } else { "are" };
            eprintln!(
                "convscope: {count} of {} values {are} {wanted} and were clipped: the heatmap goes from {min} to {max}",
                values.len()
            );
        }
    }
}

/// What every overlay's file says of how it was laid.
pub(super) fn describe(laying: &Laying, overlay: Overlay) -> Provenance {
    let command: Vec<String> = env::args_os()
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    Provenance::default()
        .with("dialect", laying.dialect.name())
        .with("colormap", overlay.colormap.name())
        .with("alpha", overlay.alpha.to_string())
        .with("command", command.join(" "))
}

/// Reads a heatmap, (h,w), and refuses what can't be one.
fn open(path: &Path) -> Result<Array> {
    let array = npy::read(path)?;
    let shape = match *array.shape() {
        [height, width] | [1, height, width] if height > 0 && width > 0 => [height, width],
        ref other => bail!(Error::file(
            path,
            format!("has shape {other:?}, where a heatmap's (h,w) or (1,h,w) was expected")
        )),
    };
    let broken = array
        .values()
        .iter()
        .filter(|value| !value.is_finite())
        .count();
    if broken > 0 {
        bail!(Error::file(
            path,
            format!(
                "{broken} of its {} values are NaN or infinite, and a heatmap's are finite",
                array.values().len()
            )
        ));
    }
    Ok(array.reshaped(shape))
}

fn alpha(text: &str) -> Result<f64, String> {
    let value = text.trim().parse().ok();
    value
        .filter(|value| (0.0..=1.0).contains(value))
        .ok_or_else(|| "expected a number from 0 to 1".to_owned())
}

fn region(text: &str) -> Result<Region, String> {
    let numbers: Option<Vec<u32>> = text
        .split(',')
        .map(|part| part.trim().parse().ok())
        .collect();
    match numbers.as_deref() {
        Some(&[left, top, width, height]) if width > 0 && height > 0 => Ok(Region {
            left,
            top,
            width,
            height,
        }),
        _ => Err("expected LEFT,TOP,WIDTH,HEIGHT in pixels".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_on_the_command_line() {
        assert_eq!(alpha("0.25"), Ok(0.25));
        for text in ["", "-0.1", "1.5", "nan", "inf"] {
            assert!(alpha(text).is_err(), "{text}");
        }
        let found = region("32, 0,448,512").map(|r| [r.left, r.top, r.width, r.height]);
        assert_eq!(found, Ok([32, 0, 448, 512]));
        for text in ["", "1,2,3", "0,0,0,5", "-1,0,2,2", "1,2,3,4,5"] {
            assert!(region(text).is_err(), "{text}");
        }
    }
}
