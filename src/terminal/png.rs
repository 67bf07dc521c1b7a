//! PNG files for the wire: small, quickly made, with holes where a picture has them.

use miniz_oxide::deflate::core::{
    CompressionStrategy, CompressorOxide, TDEFLFlush, compress, create_comp_flags_from_zip_params,
};
use png::{BitDepth, ColorType, Compression, Encoder, EncodingError, Filter, Writer, chunk};

use super::cutout::Cutout;
use crate::error::{Error, Result};
use crate::picture::{Indexed, Picture};

/// What stands before a row: that it is as it is, or the difference from the one above (PNG, section 9.2).
const AS_IT_IS: u8 = 0;
const UP: u8 = 2;

/// A picture's file; levels keep their colormap as a palette.
///
/// # Errors
/// If the picture is empty.
pub(super) fn encode(cutout: &Cutout) -> Result<Vec<u8>> {
    let mask = cutout.mask();
    let written = match (cutout.picture(), mask) {
        (Picture::Indexed(levels), mask) => of_levels(cutout, levels, mask.as_deref()),
        (Picture::Rgb(photo), None) if cutout.opacity() == 255 => {
            of_colors(cutout, ColorType::Rgb, photo.as_raw())
        }
        (Picture::Rgb(photo), mask) => {
            let mut pixels = Vec::with_capacity(photo.as_raw().len() / 3 * 4);
            for (index, pixel) in photo.pixels().enumerate() {
                let there = mask.as_ref().is_none_or(|mask| mask[index]);
                let [red, green, blue] = if there { pixel.0 } else { [0; 3] };
                let opacity = if there { cutout.opacity() } else { 0 };
                pixels.extend([red, green, blue, opacity]);
            }
            of_colors(cutout, ColorType::Rgba, &pixels)
        }
    };
    written.map_err(|error| Error::request(format!("the picture can't be written as PNG: {error}")))
}

/// Colours, three or four bytes each.
fn of_colors(cutout: &Cutout, color: ColorType, pixels: &[u8]) -> Result<Vec<u8>, EncodingError> {
    write(cutout, color, &Palette::default(), |writer| {
        writer.write_image_data(pixels)
    })
}

/// Levels, with the colours of those that are there.
fn of_levels(
    cutout: &Cutout,
    levels: &Indexed,
    mask: Option<&[bool]>,
) -> Result<Vec<u8>, EncodingError> {
    let palette = Palette::of(levels, mask, cutout.opacity());
    let there = |index: usize| mask.is_none_or(|mask| mask[index]);
    let pixels = levels.pixels().iter().enumerate();
    let pixels = pixels.map(|(index, &level)| {
        let index = there(index).then(|| palette.indices[usize::from(level)]);
        index.unwrap_or_default()
    });
    let pixels: Vec<u8> = pixels.collect();
    let width = levels.width() as usize;
    write(cutout, ColorType::Indexed, &palette, |writer| {
        writer.write_chunk(chunk::IDAT, &smaller(&pixels, width))
    })
}

/// Rows as they are or as differences, whichever is smaller; that depends on the map. Of a large one a quarter tells.
fn smaller(pixels: &[u8], width: usize) -> Vec<u8> {
    const LARGE: usize = 1 << 18;
    let both = |pixels: &[u8]| {
        [false, true].map(|differences| compressed(&filtered(pixels, width, differences)))
    };
    if pixels.len() <= LARGE {
        let [plain, differences] = both(pixels);
        return if plain.len() <= differences.len() {
            plain
        } else {
            differences
        };
    }
    let quarter = pixels.len() / width.max(1) / 4 * width;
    let [plain, differences] = both(&pixels[quarter..2 * quarter]);
    compressed(&filtered(pixels, width, differences.len() < plain.len()))
}

/// A zlib stream in which bytes stand for themselves or repeat the one before them. Maps are noise and runs: to look for
/// other things that come again takes ten times as long, and finds less.
fn compressed(data: &[u8]) -> Vec<u8> {
    let strategy = CompressionStrategy::RLE as i32;
    let flags = create_comp_flags_from_zip_params(6, 1, strategy);
    let mut compressor = CompressorOxide::new(flags);
    let mut out = vec![0; data.len() + data.len() / 8 + 1024];
    // There is room for what can't be made smaller.
    let (_, _, written) = compress(&mut compressor, data, &mut out, TDEFLFlush::Finish);
    out.truncate(written);
    out
}

/// Rows as they are, or as differences from those above. One that is like the one above, as most rows of an enlarged map
/// are, is nothing but zeros in any case.
fn filtered(pixels: &[u8], width: usize, differences: bool) -> Vec<u8> {
    let mut rows = Vec::with_capacity(pixels.len() + pixels.len() / width.max(1));
    let blank = vec![0; width];
    let mut above = &blank[..];
    for row in pixels.chunks_exact(width.max(1)) {
        if differences || row == above {
            rows.push(UP);
            rows.extend(row.iter().zip(above).map(|(a, b)| a.wrapping_sub(*b)));
        } else {
            rows.push(AS_IT_IS);
            rows.extend_from_slice(row);
        }
        above = row;
    }
    rows
}

/// The colours of the levels that are there.
struct Palette {
    colors: Vec<[u8; 3]>,
    /// What is beyond the end is opaque.
    opacities: Vec<u8>,
    /// Of each level.
    indices: [u8; 256],
}

impl Default for Palette {
    fn default() -> Self {
        Self {
            colors: Vec::new(),
            opacities: Vec::new(),
            indices: [0; 256],
        }
    }
}

impl Palette {
    /// If there are holes, they are the first colour; if all levels are there as well, 1 is drawn as 0, which nobody can
    /// tell apart.
    fn of(levels: &Indexed, mask: Option<&[bool]>, opacity: u8) -> Self {
        let mut there = [false; 256];
        for (index, &level) in levels.pixels().iter().enumerate() {
            there[usize::from(level)] |= mask.is_none_or(|mask| mask[index]);
        }
        let mut palette = Self::default();
        if mask.is_some() {
            palette.colors.push([0; 3]);
            palette.opacities.push(0);
            there[1] &= there.contains(&false);
            palette.indices[1] = 1;
        }
        let colormap = levels.colormap().palette();
        for level in (0..256).filter(|&level| there[level]) {
            palette.indices[level] = palette.colors.len() as u8;
            palette.colors.push(colormap[level]);
        }
        if opacity < 255 {
            palette.opacities.resize(palette.colors.len(), opacity);
        }
        palette
    }
}

fn write(
    cutout: &Cutout,
    color: ColorType,
    palette: &Palette,
    body: impl FnOnce(&mut Writer<&mut Vec<u8>>) -> Result<(), EncodingError>,
) -> Result<Vec<u8>, EncodingError> {
    let mut file = Vec::new();
    let [height, width] = cutout.size();
    let mut encoder = Encoder::new(&mut file, width as u32, height as u32);
    encoder.set_color(color);
    encoder.set_depth(BitDepth::Eight);
    if color == ColorType::Indexed {
        encoder.set_palette(palette.colors.as_flattened());
    }
    if !palette.opacities.is_empty() {
        encoder.set_trns(&palette.opacities[..]);
    }
    encoder.set_compression(Compression::Fast);
    encoder.set_filter(Filter::Adaptive);
    let mut writer = encoder.write_header()?;
    body(&mut writer)?;
    writer.finish()?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use image::{Rgb, RgbImage};

    use super::*;
    use crate::picture::{Colormap, Tile};

    fn decoded(cutout: &Cutout) -> image::RgbaImage {
        image::load_from_memory(&encode(cutout).unwrap())
            .unwrap()
            .to_rgba8()
    }

    #[test]
    fn every_map_comes_back() {
        // Noise in which each level comes half as often as the one before; and all alike.
        let noise = |x: u32, y: u32| {
            let mixed = (x * 0x9e37 + y * 0x85eb_ca6b).wrapping_mul(0xc2b2_ae35) >> 7;
            (mixed.trailing_zeros() * 13) as u8
        };
        for (width, height, coarse) in [(1, 1, 1), (500, 300, 1), (576, 576, 9), (7, 600, 600)] {
            let pixels =
                (0..height).flat_map(|y| (0..width).map(move |x| (x / coarse, y / coarse)));
            let pixels = pixels.map(|(x, y)| noise(x, y)).collect();
            let map = Indexed::new(width, height, pixels, Colormap::Viridis);
            let wanted = map.to_rgb();
            let found = decoded(&Cutout::whole(map.into()));
            assert_eq!(image::DynamicImage::from(found).to_rgb8(), wanted);
        }
    }

    #[test]
    fn only_what_is_there_has_a_colour() {
        let part = Tile {
            x: 0,
            y: 0,
            width: 3,
            height: 1,
        };
        let map = Indexed::new(4, 1, vec![9, 200, 9, 70], Colormap::Gray);
        let file = encode(&Cutout::new(map.into(), vec![part])).unwrap();
        let chunk = |name: &[u8]| {
            let start = file.windows(4).position(|window| window == name).unwrap();
            let length = u32::from_be_bytes(file[start - 4..start].try_into().unwrap());
            file[start + 4..][..length as usize].to_vec()
        };
        assert_eq!(chunk(b"PLTE"), [0, 0, 0, 9, 9, 9, 200, 200, 200]);
        assert_eq!(chunk(b"tRNS"), [0]);
        let nothing = Indexed::new(2, 1, vec![3, 4], Colormap::Gray);
        let seen = decoded(&Cutout::new(nothing.into(), vec![]));
        assert!(seen.pixels().all(|pixel| pixel.0[3] == 0));
    }

    #[test]
    fn holes_can_be_seen_through() {
        let part = Tile {
            x: 1,
            y: 0,
            width: 255,
            height: 1,
        };
        let map = Indexed::new(256, 1, (0..=255).collect(), Colormap::Viridis);
        let colors = map.to_rgb();
        let cutout = Cutout::new(map.into(), vec![part]);
        let seen = decoded(&cutout);
        assert_eq!(seen[(0, 0)].0[3], 0);
        for x in 1..256 {
            let [red, green, blue] = colors[(x, 0)].0;
            assert_eq!(seen[(x, 0)].0, [red, green, blue, 255]);
        }
        let photo = RgbImage::from_pixel(256, 1, Rgb([1, 2, 3]));
        let seen = decoded(&Cutout::new(photo.into(), vec![part]));
        assert_eq!((seen[(0, 0)].0[3], seen[(9, 0)].0), (0, [1, 2, 3, 255]));
    }

    #[test]
    fn where_all_levels_are_in_use_two_become_one() {
        let pixels = (0..=255).chain([7; 256]).collect();
        let map = Indexed::new(256, 2, pixels, Colormap::Gray);
        let colors = map.to_rgb();
        let part = Tile {
            x: 0,
            y: 0,
            width: 256,
            height: 1,
        };
        let seen = decoded(&Cutout::new(map.into(), vec![part]));
        assert_eq!(seen[(1, 0)].0, [0, 0, 0, 255]);
        for x in 2..256 {
            let [red, green, blue] = colors[(x, 0)].0;
            assert_eq!(seen[(x, 0)].0, [red, green, blue, 255]);
        }
        assert_eq!(seen[(5, 1)].0[3], 0);
    }

    #[test]
    fn a_veil_lets_light_through() {
        let map = Indexed::new(2, 1, vec![0, 255], Colormap::Gray);
        let seen = decoded(&Cutout::whole(map.into()).with_opacity(102));
        assert_eq!(
            (seen[(0, 0)].0, seen[(1, 0)].0),
            ([0, 0, 0, 102], [255, 255, 255, 102])
        );
    }
}
