//! What the explorer should show: the pictures that the program's commands make, enlarged, in their places.

use std::process::Command;

use image::{Pixel, RgbImage, RgbaImage, imageops};

use crate::emulator::Screen;
use crate::{MODEL, Protocol, expect, program, root};

/// Feature maps, and how they are to be arranged.
pub enum Expected {
    /// One, as large as it can be.
    Channel(RgbImage),
    /// All channels of a layer, as far as they are in the room.
    Grid(Vec<RgbImage>),
}

/// The picture that a command makes of an image.
pub fn made(command: &str, image: &str, options: &[&str]) -> RgbImage {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("made.png");
    let mut made = Command::new(program());
    made.args([command, MODEL, image, "-q"])
        .args(options)
        .arg("-o")
        .arg(&file);
    made.env("OMP_NUM_THREADS", "1").current_dir(root());
    let status = made.status().expect("the program");
    assert!(status.success(), "{made:?}: {status}");
    image::open(file).expect("a picture").to_rgb8()
}

impl Expected {
    /// A channel of a layer.
    pub fn channel(image: &str, layer: &str, channel: &str, look: &[&str]) -> Self {
        let which = ["--layer", layer, "--channel", channel];
        Self::Channel(made("maps", image, &[&which, look].concat()))
    }

    /// The grid of a layer whose maps are squares.
    pub fn grid(image: &str, layer: &str, look: &[&str]) -> Self {
        let which = ["--layer", layer, "--columns", "1"];
        let column = made("maps", image, &[&which, look].concat());
        let side = column.width();
        let tops = (0..column.height()).step_by(side as usize);
        Self::Grid(
            tops.map(|y| imageops::crop_imm(&column, 0, y, side, side).to_image())
                .collect(),
        )
    }

    /// What the screen says that it shows, of one of `images`.
    pub fn told_by(screen: &Screen, images: &[&str]) -> Self {
        let room = Room::of(screen).expect("a pane");
        let image = number(screen, 0, "image ").map_or(0, |number| number - 1);
        let [colormap, style, ..] = &room.below[..] else {
            panic!("{:?}", room.below)
        };
        let look = ["--colormap", colormap, "--style", style];
        match room.heading.split_once(" channel ") {
            Some((layer, channel)) => Self::channel(images[image], layer, channel, &look),
            None => Self::grid(images[image], &room.heading, &look),
        }
    }

    /// Compares it with the screen of a terminal with a protocol. Otherwise returns what is wrong.
    pub fn check(&self, screen: &Screen, protocol: Protocol) -> Result<(), String> {
        let room = Room::of(screen).ok_or("no pane")?;
        let expected = match self {
            Self::Channel(map) => room.channel(screen, map, protocol.step),
            Self::Grid(maps) => room.grid(screen, maps)?,
        };
        let pairs = screen.pixels.enumerate_pixels().zip(expected.pixels());
        let mut wrong = pairs.filter(|((.., ours), theirs)| {
            let mut levels = ours.0.iter().zip(theirs.0);
            ours.0[3] != theirs.0[3]
                || levels.any(|(one, other)| one.abs_diff(other) > protocol.levels)
        });
        let first = wrong.next();
        let others = wrong.count();
        expect(first.is_none(), || {
            format!("{first:?} is wrong, and {others} others")
        })?;
        let covered = screen.shown().find(|at| screen.character(*at) != ' ');
        expect(covered.is_none(), || format!("text under {covered:?}"))
    }
}

/// The channel that the status tells.
pub fn channel(screen: &Screen) -> Option<usize> {
    number(screen, screen.cells.len() - 2, "  channel ")
}

/// A number before a slash, after some words in a row of the screen.
fn number(screen: &Screen, row: usize, words: &str) -> Option<usize> {
    let row = String::from_iter(&screen.cells[row]);
    row.split_once(words)?.1.split_once('/')?.0.parse().ok()
}

/// The pane with the picture.
struct Room {
    heading: String,
    /// The words in its lower border.
    below: Vec<String>,
    /// Where it begins, in cells.
    at: [u32; 2],
    /// (width, height) in cells.
    size: [u32; 2],
}

impl Room {
    /// The pane on the right, nothing if it isn't there.
    fn of(screen: &Screen) -> Option<Self> {
        let top = screen.cells.get(1)?;
        let left = top.iter().rposition(|character| *character == '╭')?;
        let right = top.iter().rposition(|character| *character == '╮')?;
        let bottom = (2..screen.cells.len()).find(|row| screen.cells[*row][left] != '│')?;
        let inside = left + 1..right;
        let border = |row: usize| Some(String::from_iter(screen.cells[row].get(inside.clone())?));
        let below = border(bottom)?.replace([',', '─'], " ");
        Some(Self {
            heading: border(1)?.split('─').next()?.trim().to_owned(),
            below: below.split_whitespace().map(str::to_owned).collect(),
            at: [inside.start as u32, 2],
            size: [inside.len() as u32, bottom as u32 - 2],
        })
    }

    /// A map in the middle, enlarged by the largest factor.
    fn channel(&self, screen: &Screen, map: &RgbImage, step: u32) -> RgbaImage {
        let (cell, [width, height]) = (screen.cell, self.size);
        let tallest = height * cell.1 / step * step;
        let factor = (width * cell.0 / map.width()).min(tallest / map.height());
        let column = self.at[0] + (width - (factor * map.width()).div_ceil(cell.0)) / 2;
        let row = self.at[1] + (height - (factor * map.height()).div_ceil(cell.1)) / 2;
        let mut pixels = RgbaImage::new(screen.pixels.width(), screen.pixels.height());
        put(map, factor, [column * cell.0, row * cell.1], &mut pixels);
        pixels
    }

    /// Tiles of the size that is seen, with a cell between them; around the channel at hand are the cursor's corners.
    fn grid(&self, screen: &Screen, maps: &[RgbImage]) -> Result<RgbaImage, String> {
        let (cell, side) = (screen.cell, maps[0].width());
        let (x, y) = screen.shown().next().ok_or("no picture")?;
        let line = (x..screen.pixels.width()).map(|x| screen.pixels.get_pixel(x, y));
        let tile = line.take_while(|pixel| pixel.0[3] > 0).count() as u32;
        let factor = tile / side;
        expect(factor * side == tile, || {
            format!("{tile} pixels for {side}")
        })?;
        let step = [tile.div_ceil(cell.0) + 1, tile.div_ceil(cell.1) + 1];
        let columns = ((self.size[0] - 1) / step[0]).min(maps.len() as u32);
        let rows = (self.size[1] - 1) / step[1];
        let left = self.at[0] + (self.size[0] - columns * step[0] - 1) / 2 + 1;
        let mut pairs = self.below.windows(2);
        let first = pairs.find(|words| words[1] == "to");
        let first = first.map_or(0, |words| words[0].parse().unwrap_or(0));
        let mut pixels = RgbaImage::new(screen.pixels.width(), screen.pixels.height());
        let visible = (first..maps.len()).take((columns * rows) as usize);
        for (index, number) in (0..).zip(visible) {
            let (column, row) = (index % columns * step[0], index / columns * step[1]);
            let [x, y] = [(left + column) * cell.0, (self.at[1] + 1 + row) * cell.1];
            put(&maps[number], factor, [x, y], &mut pixels);
            let upper = screen.character((x - 1, y - 1));
            let lower = (x + (step[0] - 1) * cell.0, y + (step[1] - 1) * cell.1);
            let framed = (upper, screen.character(lower)) == ('┌', '┘');
            let cursor = channel(screen) == Some(number);
            expect(framed == cursor, || format!("{framed} at channel {number}"))?;
        }
        Ok(pixels)
    }
}

/// Draws a map, each pixel a square.
fn put(map: &RgbImage, factor: u32, [x, y]: [u32; 2], pixels: &mut RgbaImage) {
    let (width, height) = (factor * map.width(), factor * map.height());
    let square = |x: u32, y: u32| map.get_pixel(x / factor, y / factor).to_rgba();
    let large = RgbaImage::from_fn(width, height, square);
    imageops::replace(pixels, &large, x.into(), y.into());
}
