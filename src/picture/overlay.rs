//! A heatmap laid over its photo.

use image::RgbImage;

use super::Colormap;
use crate::array::Array;
use crate::error::{Error, Result};
use crate::photo::resize;

/// `alpha * heat + photo`, rounded and saturating; the photo itself is not dimmed. From *Deep Learning with
/// Python*, section 5.4.3, where OpenCV's `imwrite` does the rounding.
///
/// `heatmap` is (h,w) with values in 0..1, at any resolution: it is resized to the photo as OpenCV's
/// `INTER_LINEAR` does, and each value's level is `255 * value`, truncated. Values outside are clipped, and
/// NaN is 0. `alpha` is in double precision, since OpenCV and NumPy blend in it.
///
/// # Errors
/// If `heatmap` doesn't have two axes, or holds no values.
pub fn overlay(
    heatmap: &Array,
    photo: &RgbImage,
    colormap: Colormap,
    alpha: f64,
) -> Result<RgbImage> {
    let from = match *heatmap.shape() {
        [height, width] if height > 0 && width > 0 => [height, width],
        ref other => {
            return Err(Error::request(format!(
                "a heatmap has shape (h,w), not {other:?}"
            )));
        }
    };
    let to = [photo.height() as usize, photo.width() as usize];
    let heat = resize::linear(heatmap.values(), from, to);
    let weighted = colormap
        .palette()
        .map(|colour| colour.map(|part| alpha * f64::from(part)));

    let mut blend = photo.clone();
    for (pixel, &value) in blend.pixels_mut().zip(&heat) {
        let colour = weighted[usize::from((255.0 * value) as u8)];
        for (part, heat) in pixel.0.iter_mut().zip(colour) {
            *part = (heat + f64::from(*part)).round_ties_even() as u8;
        }
    }
    Ok(blend)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::golden;

    #[test]
    fn the_books_overlays_come_out_as_opencv_makes_them() {
        let golden = golden::open("keras/vgg_chelsea_gradcam.safetensors");
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/demo/chelsea.png");
        let photo = image::open(path).unwrap().to_rgb8();

        for case in ["logit_cat", "logit_dog", "softmax_cat", "softmax_dog"] {
            let heatmap = golden.f32(&format!("gradcam_{case}/heatmap"));
            let (_, expected) = golden.u8(&format!("gradcam_{case}/overlay_rgb"));
            let ours = overlay(&heatmap, &photo, Colormap::Jet, 0.4).unwrap();

            assert!(*ours.as_raw() == expected, "{case}");
        }
    }

    #[test]
    fn the_sum_saturates_and_halves_go_to_even() {
        let heatmap = Array::new([1, 1], vec![1.0]);
        let photo = RgbImage::from_raw(2, 1, vec![200, 3, 2, 0, 0, 0]).unwrap();
        let gray = |alpha| overlay(&heatmap, &photo, Colormap::Gray, alpha).unwrap();

        assert_eq!(gray(0.0), photo);
        // 0.5 * 255 = 127.5
        assert_eq!(gray(0.5).as_raw(), &[255, 130, 130, 128, 128, 128]);
    }

    #[test]
    fn values_outside_are_clipped() {
        let heatmap = Array::new([1, 3], vec![f32::NAN, -1.0, 7.0]);
        let photo = RgbImage::new(3, 1);
        let blend = overlay(&heatmap, &photo, Colormap::Gray, 1.0).unwrap();
        assert_eq!(blend.as_raw(), &[0, 0, 0, 0, 0, 0, 255, 255, 255]);
    }

    #[test]
    fn a_heatmap_needs_two_axes() {
        let photo = RgbImage::new(1, 1);
        for shape in [&[1, 2, 2][..], &[0, 2], &[4]] {
            let refused = overlay(&Array::zeros(shape), &photo, Colormap::Jet, 0.4);
            assert!(refused.unwrap_err().to_string().contains("has shape (h,w)"));
        }
    }
}
