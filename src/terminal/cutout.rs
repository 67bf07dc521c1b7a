//! Pictures with holes, through which one sees what is behind them.

use image::RgbImage;
use image::imageops::{self, FilterType};

use super::palette::Paletted;
use crate::picture::{Indexed, Picture, Tile};

/// A picture of which only some rectangles are there.
#[derive(Clone, Debug)]
pub struct Cutout {
    picture: Picture,
    parts: Vec<Tile>,
    opacity: u8,
}

impl Cutout {
    /// All of a picture.
    pub fn whole(picture: Picture) -> Self {
        let all = Tile {
            x: 0,
            y: 0,
            width: picture.width() as usize,
            height: picture.height() as usize,
        };
        Self::new(picture, vec![all])
    }

    /// Parts of a picture, in pixels.
    pub fn new(picture: Picture, parts: Vec<Tile>) -> Self {
        Self {
            picture,
            parts,
            opacity: 255,
        }
    }

    /// What is there lets through what is behind it: 255 nothing, 0 all.
    #[must_use]
    pub fn with_opacity(self, opacity: u8) -> Self {
        Self { opacity, ..self }
    }

    /// With the colours that suit a picture of so many best, if it has more.
    #[must_use]
    pub fn with_colors(self, colors: u16) -> Self {
        let picture = match self.picture {
            Picture::Rgb(photo) => Picture::Rgb(Paletted::of_photo(&photo, colors).to_rgb()),
            picture @ Picture::Indexed(_) => picture,
        };
        Self { picture, ..self }
    }

    /// The picture, holes included.
    pub fn picture(&self) -> &Picture {
        &self.picture
    }

    /// The picture alone.
    pub fn into_picture(self) -> Picture {
        self.picture
    }

    /// What of it is there.
    pub fn parts(&self) -> &[Tile] {
        &self.parts
    }

    /// How much of what is behind it it hides where it is there.
    pub fn opacity(&self) -> u8 {
        self.opacity
    }

    /// (height, width) in pixels.
    pub fn size(&self) -> [usize; 2] {
        [
            self.picture.height() as usize,
            self.picture.width() as usize,
        ]
    }

    /// For each pixel whether it is there; nothing if all are.
    pub fn mask(&self) -> Option<Vec<bool>> {
        let [height, width] = self.size();
        let area: usize = self.parts.iter().map(|part| part.width * part.height).sum();
        if area == height * width {
            return None;
        }
        let mut mask = vec![false; height * width];
        for part in &self.parts {
            for y in part.y..part.y + part.height {
                mask[y * width + part.x..][..part.width].fill(true);
            }
        }
        Some(mask)
    }

    /// With a margin to the right and below, so that it covers whole cells of (height, width) pixels.
    #[must_use]
    pub fn padded(&self, cell: [u16; 2]) -> Self {
        let from = self.size();
        let to = [0, 1].map(|axis| from[axis].next_multiple_of(usize::from(cell[axis]).max(1)));
        if from == to {
            return self.clone();
        }
        let picture = match &self.picture {
            Picture::Indexed(levels) => {
                let mut pixels = vec![0; to[0] * to[1]];
                for (row, line) in levels.pixels().chunks_exact(from[1]).enumerate() {
                    pixels[row * to[1]..][..from[1]].copy_from_slice(line);
                }
                let (width, height) = (to[1] as u32, to[0] as u32);
                Indexed::new(width, height, pixels, levels.colormap()).into()
            }
            Picture::Rgb(photo) => {
                let mut padded = RgbImage::new(to[1] as u32, to[0] as u32);
                imageops::replace(&mut padded, photo, 0, 0);
                padded.into()
            }
        };
        Self {
            picture,
            ..self.clone()
        }
    }

    /// The same with fewer pixels: `to` (height, width) for each cell, of which it had `from`. It covers whole cells
    /// then.
    #[must_use]
    pub fn shrunk(&self, from: [u16; 2], to: [u16; 2]) -> Self {
        let padded = self.padded(from);
        let scaled = |length: usize, axis: usize| {
            (length * usize::from(to[axis])).div_ceil(usize::from(from[axis]).max(1))
        };
        let [height, width] = padded.size();
        let (tall, wide) = (scaled(height, 0), scaled(width, 1));
        let picture = match &padded.picture {
            Picture::Indexed(levels) => {
                let pixels = (0..tall).flat_map(|y| {
                    let row =
                        &levels.pixels()[(2 * y + 1) * height / (2 * tall) * width..][..width];
                    (0..wide).map(move |x| row[(2 * x + 1) * width / (2 * wide)])
                });
                let pixels = pixels.collect();
                Indexed::new(wide as u32, tall as u32, pixels, levels.colormap()).into()
            }
            Picture::Rgb(photo) => {
                imageops::resize(photo, wide as u32, tall as u32, FilterType::Triangle).into()
            }
        };
        let parts = padded.parts.iter().map(|part| {
            let (x, y) = (scaled(part.x, 1), scaled(part.y, 0));
            Tile {
                x,
                y,
                width: scaled(part.x + part.width, 1).min(wide) - x,
                height: scaled(part.y + part.height, 0).min(tall) - y,
            }
        });
        Self {
            picture,
            parts: parts.collect(),
            opacity: self.opacity,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::Colormap;

    fn tile(x: usize, y: usize, width: usize, height: usize) -> Tile {
        Tile {
            x,
            y,
            width,
            height,
        }
    }

    fn levels(cutout: &Cutout) -> &[u8] {
        match cutout.picture() {
            Picture::Indexed(levels) => levels.pixels(),
            Picture::Rgb(_) => panic!("levels"),
        }
    }

    #[test]
    fn a_margin_is_a_hole() {
        let map = Indexed::new(3, 1, vec![1, 2, 3], Colormap::Gray);
        let whole = Cutout::whole(map.into());
        assert_eq!(whole.mask(), None);
        let padded = whole.padded([2, 2]);
        assert_eq!(padded.size(), [2, 4]);
        assert_eq!(levels(&padded), [1, 2, 3, 0, 0, 0, 0, 0]);
        let there = [true, true, true, false, false, false, false, false];
        assert_eq!(padded.mask().unwrap(), there);
        assert_eq!(padded.padded([2, 2]).size(), [2, 4]);
        let photo = Cutout::whole(RgbImage::from_pixel(3, 1, image::Rgb([9; 3])).into());
        let padded = photo.padded([1, 2]);
        assert_eq!(padded.picture().to_rgb().as_raw()[6..], [9, 9, 9, 0, 0, 0]);
    }

    #[test]
    fn shrinking_keeps_the_places() {
        let pixels = (0..64).map(|index| if index % 8 < 4 { 10 } else { 200 });
        let map = Indexed::new(8, 8, pixels.collect(), Colormap::Gray);
        let parts = vec![tile(0, 0, 4, 4), tile(4, 4, 4, 4)];
        let small = Cutout::new(map.into(), parts).shrunk([4, 4], [2, 2]);
        assert_eq!(small.size(), [4, 4]);
        assert_eq!(levels(&small)[..4], [10, 10, 200, 200]);
        assert_eq!(small.parts(), [tile(0, 0, 2, 2), tile(2, 2, 2, 2)]);
    }
}
