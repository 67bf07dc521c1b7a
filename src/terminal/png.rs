//! PNG files for the wire: small, quickly made, with holes where a picture has them.

use png::{BitDepth, ColorType, Compression, Encoder, EncodingError, Filter};

use super::cutout::Cutout;
use crate::error::{Error, Result};
use crate::picture::{Indexed, Picture};

/// A picture's file; levels keep their colormap as a palette.
///
/// # Errors
/// If the picture is empty.
pub(super) fn encode(cutout: &Cutout) -> Result<Vec<u8>> {
    let mask = cutout.mask();
    let written = match (cutout.picture(), mask) {
        (Picture::Indexed(levels), mask) => of_levels(cutout, levels, mask.as_deref()),
        (Picture::Rgb(photo), None) if cutout.opacity() == 255 => {
            write(cutout, ColorType::Rgb, photo.as_raw(), &[], &[])
        }
        (Picture::Rgb(photo), mask) => {
            let mut pixels = Vec::with_capacity(photo.as_raw().len() / 3 * 4);
            for (index, pixel) in photo.pixels().enumerate() {
                let there = mask.as_ref().is_none_or(|mask| mask[index]);
                let [red, green, blue] = if there { pixel.0 } else { [0; 3] };
                let opacity = if there { cutout.opacity() } else { 0 };
                pixels.extend([red, green, blue, opacity]);
            }
            write(cutout, ColorType::Rgba, &pixels, &[], &[])
        }
    };
    written.map_err(|error| Error::request(format!("the picture can't be written as PNG: {error}")))
}

/// A hole is a level that isn't in use; if all are, 1 is drawn as 0, which nobody can tell apart.
fn of_levels(
    cutout: &Cutout,
    levels: &Indexed,
    mask: Option<&[bool]>,
) -> Result<Vec<u8>, EncodingError> {
    let palette = levels.colormap().palette();
    let opacity = cutout.opacity();
    let Some(mask) = mask else {
        let opacities = if opacity == 255 {
            vec![]
        } else {
            vec![opacity; 256]
        };
        let palette = palette.as_flattened();
        return write(
            cutout,
            ColorType::Indexed,
            levels.pixels(),
            palette,
            &opacities,
        );
    };
    let mut used = [false; 256];
    for (&level, &there) in levels.pixels().iter().zip(mask) {
        used[usize::from(level)] |= there;
    }
    let hole = used.iter().position(|used| !used).unwrap_or(1);
    let pixels = levels.pixels().iter().zip(mask).map(|(&level, &there)| {
        if !there {
            hole as u8
        } else if usize::from(level) == hole {
            0
        } else {
            level
        }
    });
    let pixels: Vec<u8> = pixels.collect();
    // What is beyond the table's end is opaque.
    let mut opacities = vec![opacity; if opacity == 255 { hole + 1 } else { 256 }];
    opacities[hole] = 0;
    write(
        cutout,
        ColorType::Indexed,
        &pixels,
        palette.as_flattened(),
        &opacities,
    )
}

fn write(
    cutout: &Cutout,
    color: ColorType,
    pixels: &[u8],
    palette: &[u8],
    opacities: &[u8],
) -> Result<Vec<u8>, EncodingError> {
    let mut file = Vec::new();
    let [height, width] = cutout.size();
    let mut encoder = Encoder::new(&mut file, width as u32, height as u32);
    encoder.set_color(color);
    encoder.set_depth(BitDepth::Eight);
    if color == ColorType::Indexed {
        encoder.set_palette(palette);
    }
    if !opacities.is_empty() {
        encoder.set_trns(opacities);
    }
    encoder.set_compression(Compression::Fast);
    encoder.set_filter(Filter::Adaptive);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(pixels)?;
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
        // Level 0 is free for the hole.
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
