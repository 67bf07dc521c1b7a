//! A tensor as a picture, to be shown where there is no photo.

use image::{Rgb, RgbImage};

use crate::array::Array;
use crate::model::ChannelOrder;

/// A tensor (C,H,W) from its smallest to its largest value: three planes as colours in the network's order, else the
/// first one in grey. Infinities don't count in the range and NaN is black; an array of another rank is an empty
/// picture.
pub fn seen(tensor: &Array, order: ChannelOrder) -> RgbImage {
    let [channels, height, width] = tensor.shape()[..] else {
        return RgbImage::new(0, 0);
    };
    let finite = || tensor.values().iter().copied().filter(|v| v.is_finite());
    let low = finite().fold(f32::INFINITY, f32::min);
    let high = finite().fold(f32::NEG_INFINITY, f32::max);
    let byte = |value: f32| ((value - low) / (high - low) * 255.0).round() as u8;
    let planes = match (channels, order) {
        (3, ChannelOrder::Bgr) => [2, 1, 0],
        (3, _) => [0, 1, 2],
        _ => [0; 3],
    };
    RgbImage::from_fn(width as u32, height as u32, |x, y| {
        let at = y as usize * width + x as usize;
        Rgb(planes.map(|plane| byte(tensor.at(plane)[at])))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tensor_is_seen_in_its_range() {
        let array = Array::new([3, 1, 1], vec![-1.0, 0.0, 1.0]);
        assert_eq!(seen(&array, ChannelOrder::Rgb).as_raw(), &[0, 128, 255]);
        assert_eq!(seen(&array, ChannelOrder::Bgr).as_raw(), &[255, 128, 0]);
        let flat = Array::new([1, 1, 2], vec![3.0, 3.0]);
        assert_eq!(seen(&flat, ChannelOrder::Grey).as_raw(), &[0; 6]);
        let odd = Array::new([1, 1, 3], vec![f32::NAN, 0.0, 2.0]);
        assert_eq!(
            seen(&odd, ChannelOrder::Grey).as_raw(),
            &[0, 0, 0, 0, 0, 0, 255, 255, 255]
        );
    }
}
