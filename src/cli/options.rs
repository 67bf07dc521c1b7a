//! Options that several commands share.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use crate::engine::{Device, DeviceChoice, set_threads};
use crate::model::{ChannelOrder, Filter, Fit, Overrides};
use crate::picture::{Colormap, Style};
use crate::terminal::Protocol;

/// How to compute.
#[derive(Args, Debug)]
pub(super) struct Computing {
    /// auto, cpu, cuda or cuda:N.
    #[arg(long, value_name = "DEVICE", default_value = "auto")]
    device: DeviceChoice,
    /// Threads to compute with on the CPU; all cores if not given.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
}

impl Computing {
    /// The device asked for, not opened yet; and the number of threads is set.
    pub(super) fn choice(&self) -> DeviceChoice {
        if let Some(threads) = self.threads {
            set_threads(usize::from(threads));
        }
        self.device
    }

    pub(super) fn device(&self) -> Result<Device> {
        Ok(Device::open(self.choice())?)
    }
}

/// How an image becomes the input; each option overrides the model's card.
#[derive(Args, Debug)]
#[command(next_help_heading = "Preprocessing (overrides the model's card)")]
pub(super) struct Preparing {
    /// Size of the input: one number, or HEIGHTxWIDTH.
    #[arg(long, value_name = "SIZE", value_parser = size)]
    size: Option<[usize; 2]>,
    /// squash, or center-crop: the middle of the picture, 0.875 of the shorter side.
    #[arg(long, value_name = "FIT", value_parser = fit)]
    fit: Option<Fit>,
    /// nearest, bilinear, bicubic, lanczos or box.
    #[arg(long, value_name = "FILTER", value_parser = filter)]
    filter: Option<Filter>,
    /// rgb, bgr or grey.
    #[arg(long, value_name = "ORDER", value_parser = color_order)]
    color_order: Option<ChannelOrder>,
    /// Factor for pixels in 0..255; a fraction like 1/255 will do.
    #[arg(long, value_name = "FACTOR", value_parser = factor)]
    scale: Option<f64>,
    /// Subtracted after scaling: one number, or three separated by commas.
    #[arg(long, value_name = "MEAN", value_parser = triple, allow_hyphen_values = true)]
    mean: Option<[f64; 3]>,
    /// Divided by, last: one number, or three separated by commas.
    #[arg(long, value_name = "STD", value_parser = divisors)]
    std: Option<[f64; 3]>,
    /// Don't turn photos as their EXIF data say; Keras doesn't.
    #[arg(long)]
    pub(super) no_exif: bool,
}

impl Preparing {
    pub(super) fn overrides(&self) -> Overrides {
        Overrides {
            size: self.size,
            fit: self.fit,
            filter: self.filter,
            channels: self.color_order,
            scale: self.scale,
            mean: self.mean,
            std: self.std,
        }
    }
}

/// A protocol, or none for the best that the terminal has.
#[derive(Clone, Copy, Debug)]
pub(super) struct ProtocolChoice(pub(super) Option<Protocol>);

pub(super) fn protocol(text: &str) -> Result<ProtocolChoice, String> {
    let known = Protocol::ALL
        .into_iter()
        .find(|protocol| protocol.name() == text);
    if known.is_none() && text != "auto" {
        return Err("expected auto, kitty, iterm2, sixel, quadrants or halfblocks".to_owned());
    }
    Ok(ProtocolChoice(known))
}

/// How feature maps are drawn.
#[derive(Args, Debug)]
pub(super) struct Drawing {
    /// book: each channel standardised; minmax: from its smallest to its largest value. Default: book for
    /// grids, minmax for single channels.
    #[arg(long, value_name = "STYLE", value_parser = |text: &str| Style::by_name(text))]
    pub(super) style: Option<Style>,
    /// viridis, magma, inferno, plasma, cividis, turbo, gray, coolwarm, jet or mpl-jet.
    #[arg(long, value_name = "NAME", default_value = "viridis", value_parser = |text: &str| Colormap::by_name(text))]
    pub(super) colormap: Colormap,
    /// Channels in a row of a grid.
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..))]
    pub(super) columns: u16,
}

/// Where results go.
#[derive(Args, Debug)]
pub(super) struct Saving {
    /// A picture's file (.png or .jpg), or a folder for several.
    #[arg(short, long, value_name = "PATH")]
    pub(super) output: Option<PathBuf>,
    /// Replace files that exist already.
    #[arg(long)]
    pub(super) overwrite: bool,
    /// Don't say what was written.
    #[arg(short, long)]
    pub(super) quiet: bool,
}

/// More would fill the memory before it told anything.
const LARGEST_SIDE: usize = 16384;

fn size(text: &str) -> Result<[usize; 2], String> {
    let side = |text: &str| {
        text.trim()
            .parse()
            .ok()
            .filter(|side| (1..=LARGEST_SIDE).contains(side))
    };
    let sides = match text.split_once(['x', 'X']) {
        Some((height, width)) => side(height)
            .zip(side(width))
            .map(|(height, width)| [height, width]),
        None => side(text).map(|side| [side, side]),
    };
    sides.ok_or_else(|| format!("expected a number or HEIGHTxWIDTH, each from 1 to {LARGEST_SIDE}"))
}

fn fit(text: &str) -> Result<Fit, String> {
    match text {
        "squash" => Ok(Fit::Squash),
        "center-crop" => Ok(Fit::CenterCrop { fraction: 0.875 }),
        _ => Err("expected squash or center-crop".to_owned()),
    }
}

fn filter(text: &str) -> Result<Filter, String> {
    match text {
        "nearest" => Ok(Filter::Nearest),
        "bilinear" => Ok(Filter::Bilinear),
        "bicubic" => Ok(Filter::Bicubic),
        "lanczos" => Ok(Filter::Lanczos),
        "box" => Ok(Filter::Box),
        _ => Err("expected nearest, bilinear, bicubic, lanczos or box".to_owned()),
    }
}

fn color_order(text: &str) -> Result<ChannelOrder, String> {
    match text {
        "rgb" => Ok(ChannelOrder::Rgb),
        "bgr" => Ok(ChannelOrder::Bgr),
        "grey" | "gray" => Ok(ChannelOrder::Grey),
        _ => Err("expected rgb, bgr or grey".to_owned()),
    }
}

fn number(text: &str) -> Option<f64> {
    text.trim()
        .parse()
        .ok()
        .filter(|value: &f64| value.is_finite())
}

fn factor(text: &str) -> Result<f64, String> {
    let value = match text.split_once('/') {
        Some((above, below)) => number(above)
            .zip(number(below))
            .map(|(above, below)| above / below),
        None => number(text),
    };
    value
        .filter(|value| value.is_finite() && *value != 0.0)
        .ok_or_else(|| "expected a number other than 0, or a fraction like 1/255".to_owned())
}

fn divisors(text: &str) -> Result<[f64; 3], String> {
    let values = triple(text)?;
    if values.contains(&0.0) {
        return Err("can't be 0: pixels are divided by it".to_owned());
    }
    Ok(values)
}

fn triple(text: &str) -> Result<[f64; 3], String> {
    let values: Option<Vec<f64>> = text.split(',').map(number).collect();
    match values.as_deref() {
        Some(&[value]) => Ok([value; 3]),
        Some(&[a, b, c]) => Ok([a, b, c]),
        _ => Err("expected one number, or three separated by commas".to_owned()),
    }
}
