//! Resampling, exact to the libraries that models were trained and explained with: [`pillow`] for photos, [`linear`]
//! (OpenCV's) for heatmaps.

mod axis;
mod linear;
mod nearest;
mod pixels;
mod resample;

use image::RgbImage;

pub use linear::linear;
pub(super) use pixels::Pixels;

use self::axis::Kernel;
use crate::model::Filter;

/// A part of a picture resized to `full`: `size` from `origin` on. All are (H,W). Only this part is computed.
pub(super) struct Window {
    /// The size of the whole resized picture.
    pub full: [usize; 2],
    /// The first row and column that are kept.
    pub origin: [usize; 2],
    /// How many are kept.
    pub size: [usize; 2],
}

impl Window {
    /// All of the picture.
    pub fn whole(size: [usize; 2]) -> Self {
        Self {
            full: size,
            origin: [0, 0],
            size,
        }
    }
}

/// Resizes to `size` (H,W) as Pillow 13's `Image.resize` does, bit for bit.
///
/// # Panics
/// If `size` has more than `u32::MAX` on a side, or its bytes don't fit into memory.
pub fn pillow(image: &RgbImage, size: [usize; 2], filter: Filter) -> RgbImage {
    window(&Pixels::of(image), &Window::whole(size), filter).into_rgb()
}

/// A part of what [`pillow`] gives for `window.full`. Planes don't mix, so that any number of them will do.
pub(super) fn window<const C: usize>(
    source: &Pixels<C>,
    window: &Window,
    filter: Filter,
) -> Pixels<'static, C> {
    let nothing = source.size.contains(&0) || window.size.contains(&0);
    match Kernel::of(filter) {
        _ if nothing => Pixels::black(window.size),
        None => nearest::nearest(source, window),
        Some(kernel) => resample::resample(source, window, kernel),
    }
}

#[cfg(test)]
mod tests {
    use super::{linear, pillow};
    use crate::golden::{self, Golden};
    use crate::model::Filter;
    use image::RgbImage;

    fn picture(golden: &Golden, name: &str) -> RgbImage {
        let (shape, bytes) = golden.u8(name);
        RgbImage::from_raw(shape[1] as u32, shape[0] as u32, bytes).unwrap()
    }

    /// The size at the end of a name such as `box/20x28`, (H,W).
    fn size(name: &str) -> [usize; 2] {
        let (_, size) = name.split_once('/').unwrap();
        let (height, width) = size.split_once('x').unwrap();
        [height, width].map(|side| side.parse().unwrap())
    }

    #[test]
    fn every_filter_gives_pillows_bytes() {
        let golden = golden::open("photo/resize.safetensors");
        let source = picture(&golden, "source");
        let filters = [
            ("nearest/", Filter::Nearest),
            ("bilinear/", Filter::Bilinear),
            ("bicubic/", Filter::Bicubic),
            ("lanczos/", Filter::Lanczos),
            ("box/", Filter::Box),
        ];
        for (prefix, filter) in filters {
            let mut names = golden.names();
            names.retain(|name| name.starts_with(prefix));
            assert_eq!(names.len(), 9, "{prefix}");
            for name in names {
                let resized = pillow(&source, size(&name), filter);
                assert!(resized == picture(&golden, &name), "{name}");
            }
        }
    }

    #[test]
    fn heatmaps_are_resized_as_by_opencv() {
        let golden = golden::open("photo/resize.safetensors");
        let heatmap = golden.f32("heatmap");
        let mut names = golden.names();
        names.retain(|name| name.starts_with("linear/"));
        assert_eq!(names.len(), 6);
        for name in names {
            let resized = linear(heatmap.values(), [14, 14], size(&name));
            let expected = golden.f32(&name);
            assert_eq!(resized.len(), expected.values().len(), "{name}");
            for (ours, theirs) in resized.iter().zip(expected.values()) {
                // Two roundings to f32 of values below 1.
                assert!((ours - theirs).abs() < 2.5e-7, "{name}: {ours} {theirs}");
            }
        }
    }

    #[test]
    fn the_smallest_sizes_work() {
        let dot = RgbImage::from_pixel(1, 1, image::Rgb([9, 8, 7]));
        let nothing = RgbImage::new(0, 0);
        for filter in [Filter::Nearest, Filter::Bilinear, Filter::Lanczos] {
            assert!(
                pillow(&dot, [2, 3], filter)
                    .pixels()
                    .all(|pixel| pixel.0 == [9, 8, 7])
            );
            assert_eq!(pillow(&dot, [0, 3], filter).dimensions(), (3, 0));
            assert!(
                pillow(&nothing, [2, 2], filter)
                    .iter()
                    .all(|byte| *byte == 0)
            );
        }
        assert_eq!(linear(&[0.5], [1, 1], [2, 2]), [0.5; 4]);
        assert!(linear(&[0.5], [1, 1], [0, 2]).is_empty());
    }
}
