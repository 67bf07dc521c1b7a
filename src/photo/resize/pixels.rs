//! Pixels of any number of bytes: resampling treats each byte alone.

use std::borrow::Cow;

use image::RgbImage;

/// A picture with C bytes a pixel.
pub(in crate::photo) struct Pixels<'a, const C: usize> {
    /// (H,W).
    pub size: [usize; 2],
    /// Row after row.
    pub values: Cow<'a, [[u8; C]]>,
}

impl<'a> Pixels<'a, 3> {
    /// A view of an image.
    pub fn of(image: &'a RgbImage) -> Self {
        let (values, _) = image.as_raw().as_chunks();
        Self {
            size: [image.height() as usize, image.width() as usize],
            values: Cow::Borrowed(values),
        }
    }

    /// As an image.
    ///
    /// # Panics
    /// If a side is beyond `u32`.
    pub fn into_rgb(self) -> RgbImage {
        let [height, width] = self
            .size
            .map(|side| u32::try_from(side).expect("sides within u32"));
        let bytes = self.values.into_owned().into_flattened();
        RgbImage::from_raw(width, height, bytes).expect("as many pixels as the size says")
    }
}

impl<const C: usize> Pixels<'_, C> {
    /// Zeros.
    pub fn black(size: [usize; 2]) -> Self {
        let values = Cow::Owned(vec![[0; C]; size[0] * size[1]]);
        Self { size, values }
    }

    /// Each pixel replaced.
    pub fn map<const D: usize>(&self, pixel: impl Fn(&[u8; C]) -> [u8; D]) -> Pixels<'static, D> {
        Pixels {
            size: self.size,
            values: self.values.iter().map(pixel).collect(),
        }
    }

    /// The pixels of a row.
    pub fn row(&self, index: usize) -> &[[u8; C]] {
        let width = self.size[1];
        &self.values[index * width..][..width]
    }
}
