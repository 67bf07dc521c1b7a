//! How an image becomes a network's input; carried out by [`crate::photo`].

/// The order of the colour planes that the network was trained on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChannelOrder {
    /// Red first.
    Rgb,
    /// Blue first: Caffe's nets, VGG in Keras among them.
    Bgr,
    /// One plane, luma.
    Grey,
}

/// How a picture of other proportions is brought to the input's size.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fit {
    /// Both sides are resized, whatever becomes of the proportions.
    Squash,
    /// The shorter side is resized to the input's side divided by `fraction`, then the middle is cut out:
    /// 0.875 is 224 out of 256.
    CenterCrop {
        /// In (0, 1].
        fraction: f64,
    },
}

/// How a picture is resampled; Pillow's filters of these names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filter {
    /// The nearest pixel.
    Nearest,
    /// A triangle, widened when shrinking.
    Bilinear,
    /// Cubic (a = -0.5), widened when shrinking.
    Bicubic,
    /// Lanczos with three lobes, widened when shrinking.
    Lanczos,
    /// The mean over the covered area.
    Box,
}

/// From 8-bit pixels to floats: resize, order the planes, then `(pixel * scale - mean) / std` for each.
#[derive(Clone, Debug, PartialEq)]
pub struct Preprocessing {
    /// (H,W) of the input.
    pub size: [usize; 2],
    /// Proportions.
    pub fit: Fit,
    /// Resampling.
    pub filter: Filter,
    /// Which plane comes first; [`ChannelOrder::Grey`] has one plane.
    pub channels: ChannelOrder,
    /// Factor for pixels in 0..=255.
    pub scale: f64,
    /// Per plane, in the network's order.
    pub mean: [f64; 3],
    /// Per plane, in the network's order.
    pub std: [f64; 3],
}

/// What a user wants otherwise than a model's file and card say; `None` leaves it as it is. The fields are
/// those of [`Preprocessing`].
#[derive(Clone, Debug, Default, PartialEq)]
#[allow(missing_docs)]
pub struct Overrides {
    pub size: Option<[usize; 2]>,
    pub fit: Option<Fit>,
    pub filter: Option<Filter>,
    pub channels: Option<ChannelOrder>,
    pub scale: Option<f64>,
    pub mean: Option<[f64; 3]>,
    pub std: Option<[f64; 3]>,
}

impl Preprocessing {
    /// With some of it changed.
    #[must_use]
    pub fn with(&self, overrides: &Overrides) -> Self {
        Self {
            size: overrides.size.unwrap_or(self.size),
            fit: overrides.fit.unwrap_or(self.fit),
            filter: overrides.filter.unwrap_or(self.filter),
            channels: overrides.channels.unwrap_or(self.channels),
            scale: overrides.scale.unwrap_or(self.scale),
            mean: overrides.mean.unwrap_or(self.mean),
            std: overrides.std.unwrap_or(self.std),
        }
    }

    /// The book's: squashed by nearest neighbour, RGB in 0..=1.
    pub fn book(size: [usize; 2]) -> Self {
        Self {
            size,
            fit: Fit::Squash,
            filter: Filter::Nearest,
            channels: ChannelOrder::Rgb,
            scale: 1.0 / 255.0,
            mean: [0.0; 3],
            std: [1.0; 3],
        }
    }

    /// How many planes the input has.
    pub fn planes(&self) -> usize {
        match self.channels {
            ChannelOrder::Grey => 1,
            _ => 3,
        }
    }

    /// One line for people: what happens to an image.
    pub fn describe(&self) -> String {
        let [height, width] = self.size;
        let fit = match self.fit {
            Fit::Squash => "squashed".to_owned(),
            Fit::CenterCrop { fraction } => format!("centre crop {fraction}"),
        };
        let filter = format!("{:?}", self.filter).to_lowercase();
        let planes = match self.channels {
            ChannelOrder::Rgb => "RGB",
            ChannelOrder::Bgr => "BGR",
            ChannelOrder::Grey => "grey",
        };
        let list = |values: [f64; 3]| {
            if values.iter().all(|value| *value == values[0]) {
                format!("{}", values[0])
            } else {
                format!("({}, {}, {})", values[0], values[1], values[2])
            }
        };
        let scaled = if (self.scale - 1.0 / 255.0).abs() < 1e-12 {
            "pixels / 255".to_owned()
        } else if self.scale == 1.0 {
            "pixels".to_owned()
        } else {
            format!("pixels * {}", self.scale)
        };
        let mut values = if self.mean == [0.0; 3] {
            scaled
        } else {
            format!("{scaled} - {}", list(self.mean))
        };
        if self.std != [1.0; 3] {
            values = format!("({values}) / {}", list(self.std));
        }
        format!("{width}x{height} {planes}, {fit} ({filter}), {values}")
    }
}
