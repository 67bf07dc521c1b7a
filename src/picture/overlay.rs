//! A heatmap laid over its photo, as each system does it.

use image::RgbImage;

use super::{Colormap, MAX_PIXELS};
use crate::array::Array;
use crate::error::{Error, Result};
use crate::explain::cam::Dialect;
use crate::photo::{Region, resize};

/// How a heatmap is brought to the photo's size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Resize {
    /// As OpenCV's `INTER_LINEAR`.
    Linear,
    /// Each value as a block, as PyTorch's `interpolate` does: pixel i takes value `floor(i * h / H)`.
    Nearest,
}

/// How colours and photo become one picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Blend {
    /// `alpha * colour + photo`, rounded and saturating; the photo itself is not dimmed. The colour's level is `255
    /// * heat`, truncated; values outside 0..1 are clipped. From *Deep Learning with Python*, section 5.4.3, where
    /// OpenCV's `imwrite` does the rounding.
    Add,
    /// The resized heatmap, negative values set to 0, from its smallest to its largest value; then
    /// `alpha * colour + (1 - alpha) * photo`, divided by its largest value. pytorch-grad-cam's `show_cam_on_image`.
    Mix,
    /// `alpha * colour + (1 - alpha) * grey photo`, for heatmaps with a sign: -1 is the colormap's one end, 0 its
    /// middle, 1 its other end. After captum's `visualize_image_attr` with `blended_heat_map` and `sign="all"`.
    Gray,
}

/// One way to lay a heatmap over a photo.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Overlay {
    /// Of the heatmap.
    pub colormap: Colormap,
    /// The heatmap's weight, in 0..=1. In double precision, since OpenCV and NumPy blend in it.
    pub alpha: f64,
    /// Of the heatmap.
    pub resize: Resize,
    /// Of the two.
    pub blend: Blend,
}

impl Resize {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Linear, Self::Nearest];

    /// The word on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Linear => "linear",
            Self::Nearest => "nearest",
        }
    }
}

impl Blend {
    /// All three.
    pub const ALL: [Self; 3] = [Self::Add, Self::Mix, Self::Gray];

    /// The word on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Mix => "mix",
            Self::Gray => "gray",
        }
    }

    /// The values of a heatmap that it shows apart; what lies outside is clipped.
    pub fn range(self) -> [f32; 2] {
        match self {
            Self::Add => [0.0, 1.0],
            Self::Mix => [0.0, f32::INFINITY],
            Self::Gray => [-1.0, 1.0],
        }
    }
}

impl Overlay {
    /// What a system does. captum's own colours, red to white to green, are matplotlib's `coolwarm` here: what
    /// speaks for the class is red, what speaks against it blue.
    pub fn of(dialect: Dialect) -> Self {
        match dialect {
            Dialect::Book => Self {
                colormap: Colormap::Jet,
                alpha: 0.4,
                resize: Resize::Linear,
                blend: Blend::Add,
            },
            Dialect::PytorchGradCam => Self {
                colormap: Colormap::Jet,
                alpha: 0.5,
                resize: Resize::Linear,
                blend: Blend::Mix,
            },
            Dialect::Captum => Self {
                colormap: Colormap::Coolwarm,
                alpha: 0.5,
                resize: Resize::Nearest,
                blend: Blend::Gray,
            },
        }
    }

    /// Lays a heatmap (h,w) of any resolution over a part of a photo; the rest of the photo stays as it is. NaN
    /// counts as the lowest value.
    ///
    /// # Errors
    /// If `heatmap` doesn't have two axes, holds no values or too many, or `region` isn't within the photo.
    pub fn lay(self, heatmap: &Array, photo: &RgbImage, region: Region) -> Result<RgbImage> {
        if !region.fits(photo) {
            return Err(Error::request(format!(
                "a region of {}x{} pixels at ({}, {}) doesn't fit a photo of {}x{}",
                region.width,
                region.height,
                region.left,
                region.top,
                photo.width(),
                photo.height()
            )));
        }
        let levels = self.levels(heatmap, [region.height as usize, region.width as usize])?;
        let mut picture = photo.clone();
        let palette = self.colormap.palette();
        match self.blend {
            Blend::Add => {
                let weighted =
                    palette.map(|colour| colour.map(|part| self.alpha * f64::from(part)));
                paint(&mut picture, region, &levels, |level, part, channel| {
                    (weighted[level][channel] + f64::from(part)).round_ties_even() as u8
                });
            }
            Blend::Mix => {
                // In single precision and in this order, as the package does.
                let alpha = self.alpha as f32;
                let sum = |level: usize, part: u8, channel: usize| {
                    alpha * (f32::from(palette[level][channel]) / 255.0)
                        + (1.0 - alpha) * (f32::from(part) / 255.0)
                };
                let mut largest = 0.0_f32;
                paint(&mut picture, region, &levels, |level, part, channel| {
                    largest = largest.max(sum(level, part, channel));
                    part
                });
                paint(&mut picture, region, &levels, |level, part, channel| {
                    (255.0 * (sum(level, part, channel) / largest)) as u8
                });
            }
            Blend::Gray => {
                gray(&mut picture, region);
                paint(&mut picture, region, &levels, |level, part, channel| {
                    let colour = f64::from(palette[level][channel]);
                    (self.alpha * colour + (1.0 - self.alpha) * f64::from(part)).round() as u8
                });
            }
        }
        Ok(picture)
    }

    /// The colormap's level for each pixel of a heatmap brought to `size` (H,W).
    ///
    /// # Errors
    /// If `heatmap` doesn't have two axes, or holds no values or too many.
    pub fn levels(self, heatmap: &Array, size: [usize; 2]) -> Result<Vec<u8>> {
        let from = match *heatmap.shape() {
            [height, width] if height > 0 && width > 0 => [height, width],
            ref other => {
                return Err(Error::request(format!(
                    "a heatmap has shape (h,w), not {other:?}"
                )));
            }
        };
        if from[0].saturating_mul(size[1]) > MAX_PIXELS {
            return Err(Error::request(format!(
                "a heatmap of {}x{} is too large for a photo of {}x{}",
                from[1], from[0], size[1], size[0]
            )));
        }
        let heat = match self.resize {
            Resize::Linear => resize::linear(heatmap.values(), from, size),
            Resize::Nearest => nearest(heatmap.values(), from, size),
        };
        // Casting clips, and makes NaN 0.
        Ok(match self.blend {
            Blend::Add => heat.iter().map(|value| (255.0 * value) as u8).collect(),
            Blend::Mix => {
                let heat = stretched(heat);
                heat.iter().map(|value| (255.0 * value) as u8).collect()
            }
            // matplotlib's 256 equal steps.
            Blend::Gray => {
                let level = |value: &f32| ((value + 1.0) / 2.0 * 256.0) as u8;
                heat.iter().map(level).collect()
            }
        })
    }
}

/// From its smallest to its largest value, `(x - min) / (1e-7 + max - min)`: the end of pytorch-grad-cam's
/// `scale_cam_image`. Negative values and NaN are 0 before.
fn stretched(mut heat: Vec<f32>) -> Vec<f32> {
    let mut min = f32::INFINITY;
    let mut max = 0.0_f32;
    for value in &mut heat {
        *value = value.max(0.0);
        min = min.min(*value);
        max = max.max(*value);
    }
    let span = 1e-7 + (max - min);
    for value in &mut heat {
        *value = (*value - min) / span;
    }
    heat
}

fn nearest(map: &[f32], from: [usize; 2], to: [usize; 2]) -> Vec<f32> {
    let picks = |axis: usize| (0..to[axis]).map(move |at| at * from[axis] / to[axis]);
    let columns: Vec<usize> = picks(1).collect();
    picks(0)
        .flat_map(|row| {
            columns
                .iter()
                .map(move |column| map[row * from[1] + column])
        })
        .collect()
}

/// Each part of each pixel of a region anew, from its level, its value and its channel.
fn paint(
    picture: &mut RgbImage,
    region: Region,
    levels: &[u8],
    mut part: impl FnMut(usize, u8, usize) -> u8,
) {
    each(picture, region, |at, pixel| {
        let level = usize::from(levels[at]);
        for (channel, value) in pixel.iter_mut().enumerate() {
            *value = part(level, *value, channel);
        }
    });
}

/// The mean of a pixel's parts in each of them.
fn gray(picture: &mut RgbImage, region: Region) {
    each(picture, region, |_, pixel| {
        let sum: u32 = pixel.iter().copied().map(u32::from).sum();
        // A mean of bytes is a byte.
        *pixel = [((2 * sum + 3) / 6) as u8; 3];
    });
}

/// Visits a region's pixels row by row, counting them.
fn each(picture: &mut RgbImage, region: Region, mut visit: impl FnMut(usize, &mut [u8; 3])) {
    let [left, top, width, height] =
        [region.left, region.top, region.width, region.height].map(|side| side as usize);
    let row_length = picture.width() as usize;
    let (pixels, _) = picture.as_chunks_mut::<3>();
    let rows = pixels.chunks_exact_mut(row_length).skip(top).take(height);
    for (row, pixels) in rows.enumerate() {
        for (column, pixel) in pixels[left..left + width].iter_mut().enumerate() {
            visit(row * width + column, pixel);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::golden;

    fn demo(name: &str) -> RgbImage {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/demo");
        image::open(format!("{folder}/{name}")).unwrap().to_rgb8()
    }

    fn whole(overlay: Overlay, heatmap: &Array, photo: &RgbImage) -> RgbImage {
        overlay.lay(heatmap, photo, Region::whole(photo)).unwrap()
    }

    /// Of one system, in shades of gray.
    fn shades(dialect: Dialect, alpha: f64) -> Overlay {
        Overlay {
            colormap: Colormap::Gray,
            alpha,
            ..Overlay::of(dialect)
        }
    }

    #[test]
    fn the_books_overlays_come_out_as_opencv_makes_them() {
        let golden = golden::open("keras/vgg_chelsea_gradcam.safetensors");
        let photo = demo("chelsea.png");
        for case in ["logit_cat", "logit_dog", "softmax_cat", "softmax_dog"] {
            let heatmap = golden.f32(&format!("gradcam_{case}/heatmap"));
            let (_, expected) = golden.u8(&format!("gradcam_{case}/overlay_rgb"));
            let ours = whole(Overlay::of(Dialect::Book), &heatmap, &photo);
            assert!(*ours.as_raw() == expected, "{case}");
        }
    }

    /// The map at the input's size, from the map at the layer's resolution.
    #[test]
    fn pytorch_grad_cams_map_is_stretched_once_more() {
        for photo in ["chelsea", "panda"] {
            let golden = golden::open(&format!("torch/efficientnet_lite0__{photo}.safetensors"));
            let raw = golden.f32("cam.GradCAM.raw");
            let heat = stretched(raw.into_values());
            let found = stretched(resize::linear(&heat, [7, 7], [224, 224]));
            let wanted = golden.f32("cam.GradCAM.final");
            assert_eq!(found.len(), wanted.values().len());
            for (ours, theirs) in found.iter().zip(wanted.values()) {
                // A few roundings to f32 of values below 1.
                assert!((ours - theirs).abs() < 1e-6, "{ours} {theirs}");
            }
        }
    }

    #[test]
    fn the_sum_saturates_and_halves_go_to_even() {
        let heatmap = Array::new([1, 1], vec![1.0]);
        let photo = RgbImage::from_raw(2, 1, vec![200, 3, 2, 0, 0, 0]).unwrap();
        let gray = |alpha| whole(shades(Dialect::Book, alpha), &heatmap, &photo);
        assert_eq!(gray(0.0), photo);
        // 0.5 * 255 = 127.5
        assert_eq!(gray(0.5).as_raw(), &[255, 130, 130, 128, 128, 128]);
    }

    /// By hand: levels 0 and 255, halves of photo and heat, all divided by the largest, (51 + 255) / 2.
    #[test]
    fn a_mix_is_divided_by_its_largest_value() {
        let heatmap = Array::new([1, 2], vec![-3.0, 0.25]);
        let photo = RgbImage::from_raw(2, 1, vec![0, 51, 102, 0, 51, 0]).unwrap();
        let ours = whole(shades(Dialect::PytorchGradCam, 0.5), &heatmap, &photo);
        assert_eq!(ours.as_raw(), &[0, 42, 85, 212, 255, 212]);
    }

    #[test]
    fn a_signed_heatmap_lies_on_a_gray_photo() {
        let heatmap = Array::new([1, 3], vec![-1.0, 0.0, 1.0]);
        let photo = RgbImage::from_raw(6, 1, [0, 10, 80].repeat(6)).unwrap();
        let ours = whole(shades(Dialect::Captum, 0.5), &heatmap, &photo);
        // In blocks; the photo's mean is 30, and the levels are 0, 128 and 255.
        let wanted = [15, 15, 79, 79, 143, 143].map(|value| [value; 3]);
        assert_eq!(ours.as_raw(), wanted.as_flattened());
        let colours = Overlay::of(Dialect::Captum);
        let ours = whole(colours, &heatmap, &RgbImage::new(3, 1));
        let [against, for_it] = [ours.get_pixel(0, 0), ours.get_pixel(2, 0)];
        assert!(against[2] > against[0] && for_it[0] > for_it[2]);
    }

    #[test]
    fn blocks_are_pytorchs() {
        // torch.nn.functional.interpolate([0, 1, 2], size=7, mode="nearest")
        let found = nearest(&[0.0, 1.0, 2.0], [1, 3], [1, 7]);
        assert_eq!(found, [0.0, 0.0, 0.0, 1.0, 1.0, 2.0, 2.0]);
    }

    #[test]
    fn outside_of_the_region_the_photo_stays() {
        let heatmap = Array::new([1, 1], vec![1.0]);
        let photo = RgbImage::from_pixel(4, 3, image::Rgb([9, 9, 9]));
        let region = Region {
            left: 1,
            top: 1,
            width: 2,
            height: 1,
        };
        for dialect in Dialect::ALL {
            let ours = Overlay::of(dialect).lay(&heatmap, &photo, region).unwrap();
            let changed: Vec<_> = ours
                .enumerate_pixels()
                .filter(|(.., pixel)| pixel.0 != [9; 3])
                .map(|(x, y, _)| (x, y))
                .collect();
            assert_eq!(changed, [(1, 1), (2, 1)], "{dialect:?}");
        }
        let beyond = Region { left: 3, ..region };
        let refused = Overlay::of(Dialect::Book).lay(&heatmap, &photo, beyond);
        assert_eq!(
            refused.unwrap_err().to_string(),
            "a region of 2x1 pixels at (3, 1) doesn't fit a photo of 4x3"
        );
    }

    #[test]
    fn values_outside_are_clipped() {
        let photo = RgbImage::new(3, 1);
        let heatmap = Array::new([1, 3], vec![f32::NAN, -9.0, 7.0]);
        for dialect in Dialect::ALL {
            let blend = whole(shades(dialect, 1.0), &heatmap, &photo);
            assert_eq!(
                blend.as_raw(),
                &[0, 0, 0, 0, 0, 0, 255, 255, 255],
                "{dialect:?}"
            );
        }
    }

    #[test]
    fn a_heatmap_needs_two_axes_and_bounds() {
        let photo = RgbImage::new(1000, 1);
        let overlay = Overlay::of(Dialect::Book);
        let refusal = |shape: &[usize]| {
            let refused = overlay.lay(&Array::zeros(shape), &photo, Region::whole(&photo));
            refused.unwrap_err().to_string()
        };
        for shape in [&[1, 2, 2][..], &[0, 2], &[4]] {
            assert!(refusal(shape).contains("has shape (h,w)"));
        }
        assert_eq!(
            refusal(&[200_000, 1]),
            "a heatmap of 1x200000 is too large for a photo of 1000x1"
        );
    }
}
