//! The part of a photo that a network sees.

use image::RgbImage;

use super::prepare::center_crop;
use crate::model::{Fit, Preprocessing};

/// A rectangle of whole pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Region {
    /// Columns on its left.
    pub left: u32,
    /// Rows above it.
    pub top: u32,
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
}

impl Region {
    /// All of a picture.
    pub fn whole(picture: &RgbImage) -> Self {
        Self {
            left: 0,
            top: 0,
            width: picture.width(),
            height: picture.height(),
        }
    }

    /// What [`super::fitted`] shows of a photo: all of it where it is squashed, else the middle, to the nearest pixel.
    pub fn seen(photo: &RgbImage, preprocessing: &Preprocessing) -> Self {
        let Fit::CenterCrop { fraction } = preprocessing.fit else {
            return Self::whole(photo);
        };
        let from = [photo.height() as usize, photo.width() as usize];
        if from.contains(&0) {
            return Self::whole(photo);
        }
        let window = center_crop(from, preprocessing.size, fraction);
        let [(top, height), (left, width)] = [0, 1].map(|axis| {
            let pixels = |at: usize| {
                let at = at as f64 * from[axis] as f64 / window.full[axis] as f64;
                (at.round() as usize).min(from[axis])
            };
            let first = pixels(window.origin[axis]).min(from[axis] - 1);
            let end = pixels(window.origin[axis] + window.size[axis]).max(first + 1);
            // Within the photo, whose sides are u32.
            (first as u32, (end - first) as u32)
        });
        Self {
            left,
            top,
            width,
            height,
        }
    }

    /// The same part of the picture at another size, both (height, width). At least one pixel each way.
    #[must_use]
    pub fn scaled(self, from: [usize; 2], to: [usize; 2]) -> Self {
        let side = |start: u32, length: u32, from: usize, to: usize| {
            let at = |place: u32| {
                let place = f64::from(place) * to as f64 / from.max(1) as f64;
                (place.round() as u32).min(to as u32)
            };
            let first = at(start).min((to as u32).saturating_sub(1));
            (first, at(start + length).max(first + 1) - first)
        };
        let (top, height) = side(self.top, self.height, from[0], to[0]);
        let (left, width) = side(self.left, self.width, from[1], to[1]);
        Self {
            left,
            top,
            width,
            height,
        }
    }

    /// Whether all of it lies in a picture, and it isn't empty.
    pub fn fits(self, picture: &RgbImage) -> bool {
        let within = |start: u32, length: u32, whole: u32| {
            length > 0 && start.checked_add(length).is_some_and(|end| end <= whole)
        };
        within(self.left, self.width, picture.width())
            && within(self.top, self.height, picture.height())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(width: u32, height: u32, fit: Fit) -> [u32; 4] {
        let preprocessing = Preprocessing {
            fit,
            ..Preprocessing::book([224, 224])
        };
        let photo = RgbImage::new(width, height);
        let region = Region::seen(&photo, &preprocessing);
        assert!(region.fits(&photo), "{region:?}");
        [region.left, region.top, region.width, region.height]
    }

    #[test]
    fn at_another_size_it_stays_inside() {
        let photo = RgbImage::new(451, 300);
        assert_eq!(
            Region::whole(&photo).scaled([300, 451], [40, 60]),
            Region::whole(&RgbImage::new(60, 40))
        );
        let corner = Region {
            left: 449,
            top: 299,
            width: 2,
            height: 1,
        };
        for to in [[1, 1], [7, 900], [300, 451], [2000, 3]] {
            let small = RgbImage::new(to[1] as u32, to[0] as u32);
            let scaled = corner.scaled([300, 451], to);
            assert!(scaled.fits(&small), "{scaled:?} in {to:?}");
        }
    }

    #[test]
    fn a_crop_sees_the_middle() {
        assert_eq!(seen(451, 300, Fit::Squash), [0, 0, 451, 300]);
        let crop = |width, height, fraction| seen(width, height, Fit::CenterCrop { fraction });
        assert_eq!(crop(512, 512, 0.875), [32, 32, 448, 448]);
        assert_eq!(crop(1024, 512, 0.875), [288, 32, 448, 448]);
        assert_eq!(crop(512, 1024, 1.0), [0, 256, 512, 512]);
        // Whatever the proportions, there is a pixel.
        assert_eq!(crop(1, 1, 0.875), [0, 0, 1, 1]);
        assert_eq!(crop(1_000_000, 1, 1.0)[3], 1);
    }

    #[test]
    fn a_region_beyond_the_picture_does_not_fit() {
        let picture = RgbImage::new(4, 3);
        let fits = |left, top, width, height| {
            let region = Region {
                left,
                top,
                width,
                height,
            };
            region.fits(&picture)
        };
        assert!(fits(0, 0, 4, 3) && fits(3, 2, 1, 1));
        assert!(!fits(1, 0, 4, 3) && !fits(0, 1, 4, 3) && !fits(0, 0, 0, 3));
        assert!(!fits(u32::MAX, 0, 2, 1));
    }
}
