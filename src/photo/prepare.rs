//! A model's preprocessing: proportions, planes, arithmetic.

use image::RgbImage;

use super::resize::{self, Pixels, Window};
use crate::array::Array;
use crate::model::{ChannelOrder, Fit, Preprocessing};

/// A centre crop of less than this share of the picture is a slip in the model's card.
const LEAST_FRACTION: f64 = 1.0 / 16.0;

/// The picture as a network's input, (C,H,W): fitted as by [`fitted`], its planes in the network's order, each
/// value `(pixel * scale - mean) / std`, computed in `f64` and rounded once.
pub fn prepare(image: &RgbImage, preprocessing: &Preprocessing) -> Array {
    let fitted = fitted(image, preprocessing);
    let [height, width] = preprocessing.size;
    let planes: &[usize] = match preprocessing.channels {
        ChannelOrder::Rgb => &[0, 1, 2],
        ChannelOrder::Bgr => &[2, 1, 0],
        // All three bytes are the same.
        ChannelOrder::Grey => &[0],
    };
    let mut values = Vec::with_capacity(planes.len() * height * width);
    for (plane, byte) in planes.iter().enumerate() {
        let table = table(preprocessing, plane);
        values.extend(
            fitted
                .pixels()
                .map(|pixel| table[usize::from(pixel.0[*byte])]),
        );
    }
    Array::new([planes.len(), height, width], values)
}

/// The picture that the network sees, before the arithmetic: (H,W) pixels, squashed or cropped. Grey is Pillow's `L`,
/// taken before resizing as Keras does, in all three bytes.
///
/// A centre crop follows torchvision's `Resize(side)` and `CenterCrop`. Where the input isn't square, the picture is
/// resized just so far that both its sides reach the input's divided by the fraction.
pub fn fitted(image: &RgbImage, preprocessing: &Preprocessing) -> RgbImage {
    let size = preprocessing.size;
    let window = match preprocessing.fit {
        Fit::Squash => Window::whole(size),
        Fit::CenterCrop { fraction } => {
            let from = [image.height() as usize, image.width() as usize];
            center_crop(from, size, fraction)
        }
    };
    let filter = preprocessing.filter;
    let pixels = Pixels::of(image);
    match preprocessing.channels {
        ChannelOrder::Grey => {
            let grey = pixels.map(luma);
            let grey = resize::window(&grey, &window, filter);
            grey.map(|[luma]| [*luma; 3]).into_rgb()
        }
        _ => resize::window(&pixels, &window, filter).into_rgb(),
    }
}

/// What [`Preprocessing`] makes of each of the 256 bytes in `plane`.
fn table(preprocessing: &Preprocessing, plane: usize) -> [f32; 256] {
    let mean = preprocessing.mean[plane];
    let std = preprocessing.std[plane];
    std::array::from_fn(|byte| ((byte as f64 * preprocessing.scale - mean) / std) as f32)
}

/// ITU-R 601 luma in 16-bit fixed point, as Pillow's `L`.
fn luma(pixel: &[u8; 3]) -> [u8; 1] {
    let [red, green, blue] = pixel.map(u32::from);
    let luma = (red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16;
    // The three factors add up to 1 << 16.
    [luma as u8]
}

/// The part of the resized picture that is kept. All sizes are (H,W).
pub(super) fn center_crop(from: [usize; 2], size: [usize; 2], fraction: f64) -> Window {
    let fraction = fraction.clamp(LEAST_FRACTION, 1.0);
    let least = size.map(|side| (side as f64 / fraction).round() as usize);
    let from = from.map(|side| side.max(1));
    // Sides are at most some millions: the products below fit.
    let by_height = least[0] * from[1] >= least[1] * from[0];
    let full = if by_height {
        [least[0], least[0] * from[1] / from[0]]
    } else {
        [least[1] * from[0] / from[1], least[1]]
    };
    let origin = std::array::from_fn(|axis| {
        let spare = full[axis] - size[axis];
        // Python's round(), which torchvision uses, goes to the even neighbour.
        (spare as f64 / 2.0).round_ties_even() as usize
    });
    Window { full, origin, size }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use image::RgbImage;

    use super::{center_crop, fitted, prepare};
    use crate::golden::{self, Golden};
    use crate::model::{ChannelOrder, Filter, Fit, Preprocessing};

    fn demo(name: &str) -> RgbImage {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("demo")
            .join(name);
        crate::photo::open(&path, true).unwrap().image
    }

    /// Stored as (H,W,3), or a batch of one.
    fn picture(golden: &Golden, name: &str) -> RgbImage {
        let (shape, bytes) = golden.u8(name);
        let [.., height, width, 3] = shape[..] else {
            panic!("{name}: {shape:?}");
        };
        RgbImage::from_raw(width as u32, height as u32, bytes).unwrap()
    }

    /// Values of a stored (1,H,W,3) input, in the order (3,H,W).
    fn channels_first(golden: &Golden) -> Vec<f32> {
        let input = golden.f32("input");
        let pixels = input.values().as_chunks::<3>().0;
        let plane = |index: usize| pixels.iter().map(move |pixel| pixel[index]);
        (0..3).flat_map(plane).collect()
    }

    fn vgg() -> Preprocessing {
        Preprocessing {
            channels: ChannelOrder::Bgr,
            scale: 1.0,
            mean: [103.939, 116.779, 123.68],
            ..Preprocessing::book([224, 224])
        }
    }

    fn efficientnet_lite() -> Preprocessing {
        Preprocessing {
            filter: Filter::Bilinear,
            scale: 1.0,
            mean: [127.0; 3],
            std: [128.0; 3],
            ..Preprocessing::book([224, 224])
        }
    }

    #[test]
    fn the_books_input_is_kerass() {
        let golden = golden::open("keras/book_chelsea.safetensors");
        let input = prepare(&demo("chelsea.png"), &Preprocessing::book([150, 150]));
        assert_eq!(input.shape(), [3, 150, 150]);
        assert_eq!(input.values(), channels_first(&golden));
    }

    #[test]
    fn vggs_input_is_kerass() {
        let golden = golden::open("keras/vgg_chelsea.safetensors");
        let chelsea = demo("chelsea.png");
        assert!(fitted(&chelsea, &vgg()) == picture(&golden, "input_rgb_u8"));

        let input = prepare(&chelsea, &vgg());
        assert_eq!(input.shape(), [3, 224, 224]);
        for (ours, theirs) in input.values().iter().zip(channels_first(&golden)) {
            // Keras rounds the mean to f32 first: half a unit in its last place, and the difference's.
            assert!((ours - theirs).abs() < 1.2e-5, "{ours} {theirs}");
        }
    }

    #[test]
    fn efficientnets_input_is_torchs() {
        let golden = golden::open("torch/efficientnet_lite0__chelsea.safetensors");
        let input = prepare(&demo("chelsea.png"), &efficientnet_lite());
        assert_eq!(input.values(), golden.f32("input").values());
    }

    #[test]
    fn a_jpeg_comes_within_two_levels_of_libjpegs() {
        let golden = golden::open("torch/efficientnet_lite0__panda.safetensors");
        let input = prepare(&demo("panda.jpg"), &efficientnet_lite());
        let expected = golden.f32("input");
        let pairs = input.values().iter().zip(expected.values());
        let levels: Vec<f32> = pairs
            .map(|(ours, theirs)| 128.0 * (ours - theirs).abs())
            .collect();
        // Decoders round chroma differently: up to 4 levels in this photo, before resizing averages.
        let most = levels.iter().copied().fold(0.0, f32::max);
        let mean = levels.iter().sum::<f32>() / levels.len() as f32;
        assert!(most <= 2.0 && mean < 0.2, "{most} {mean}");
    }

    #[test]
    fn a_centre_crop_is_torchvisions() {
        let golden = golden::open("photo/crop.safetensors");
        for name in ["wide", "tall"] {
            let source = picture(&golden, name);
            for side in [23, 21, 20] {
                let preprocessing = Preprocessing {
                    fit: Fit::CenterCrop {
                        fraction: 20.0 / f64::from(side),
                    },
                    filter: Filter::Bicubic,
                    ..Preprocessing::book([20, 20])
                };
                let expected = picture(&golden, &format!("{name}/20of{side}"));
                assert!(fitted(&source, &preprocessing) == expected, "{name} {side}");
            }
        }
    }

    #[test]
    fn an_oblong_input_is_cut_from_the_least_picture_that_covers_it() {
        // 100 x 300 to 20 x 40 at one half: 40 x 80 must be covered, and 40 x 120 is.
        let window = center_crop([100, 300], [20, 40], 0.5);
        assert_eq!((window.full, window.origin), ([40, 120], [10, 40]));
        let window = center_crop([300, 100], [20, 40], 0.5);
        assert_eq!((window.full, window.origin), ([240, 80], [110, 20]));
        // 224 of 256, and a card's fraction need not be exact.
        assert_eq!(center_crop([500, 500], [224, 224], 0.875).full, [256, 256]);
        assert_eq!(center_crop([500, 500], [299, 299], 0.874).full, [342, 342]);
    }

    #[test]
    fn grey_is_pillows_luma() {
        let golden = golden::open("photo/crop.safetensors");
        let preprocessing = Preprocessing {
            channels: ChannelOrder::Grey,
            filter: Filter::Bilinear,
            scale: 1.0,
            ..Preprocessing::book([20, 20])
        };
        let input = prepare(&picture(&golden, "wide"), &preprocessing);
        assert_eq!(input.shape(), [1, 20, 20]);
        let (_, expected) = golden.u8("wide/grey20");
        let expected: Vec<_> = expected.into_iter().map(f32::from).collect();
        assert_eq!(input.values(), expected);
    }

    #[test]
    fn only_the_window_of_an_extreme_crop_is_computed() {
        // Whole, the resized picture would have 224 million pixels in a row.
        let line = RgbImage::from_pixel(1_000_000, 1, image::Rgb([1, 2, 3]));
        let preprocessing = Preprocessing {
            fit: Fit::CenterCrop { fraction: 1.0 },
            filter: Filter::Lanczos,
            ..Preprocessing::book([224, 224])
        };
        let fitted = fitted(&line, &preprocessing);
        assert!(fitted.pixels().all(|pixel| pixel.0 == [1, 2, 3]));
    }
}
