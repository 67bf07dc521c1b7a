//! A picture as the network is to see it, made from its Fourier spectrum: what a gradient ascent climbs on when the
//! result is to look like something. From Olah et al. 2017, *Feature Visualization*, and its library, lucid.
//!
//! Steps of equal size in a spectrum whose coefficients are scaled like a natural picture's, and in colours that are
//! independent of each other there, change all frequencies and colours alike; steps in pixels favour high frequencies.

use std::f64::consts::PI;

use burn_tch::TchTensor;
use tch::{Kind, Tensor as Torch};

use super::guard::guarded;
use super::tensor::channels_last;
use super::{Device, Tensor};
use crate::array::Array;
use crate::error::{Error, Result};

/// How red, green and blue vary together in ImageNet's photos: a root of their covariance; lucid's numbers.
const COLORS: [[f64; 3]; 3] = [[0.26, 0.09, 0.02], [0.27, 0.00, -0.05], [0.27, -0.09, 0.03]];

/// Adam's decay of the mean and of the mean square, and what keeps it from dividing by 0: Kingma & Ba 2015.
const ADAM: [f64; 3] = [0.9, 0.999, 1e-8];

/// The coefficients of a picture, and how far Adam has come with them.
#[derive(Debug)]
pub struct Spectrum {
    /// (planes, h, w/2+1, 2): the real and imaginary parts of one half; the other mirrors it.
    coefficients: Torch,
    /// Adam's means of the gradient and of its square.
    moments: [Torch; 2],
    /// The factor of each frequency, (h, w/2+1, 1).
    scale: Torch,
    /// From independent colours to red, green and blue, (3,3); none for a grey picture.
    colors: Option<Torch>,
    /// (h,w) of the picture.
    size: [usize; 2],
    steps: i32,
}

/// How the picture is held before the network: resampled bilinearly, with grey around it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Glimpse {
    /// (h,w) of what the network gets.
    pub size: [usize; 2],
    /// By how many pixels down and to the right the middle is off.
    pub offset: [f64; 2],
    /// Above 1 the picture is enlarged.
    pub zoom: f64,
    /// In radians.
    pub angle: f64,
}

/// How a picture's planes become the network's: plane `i` is `picture[order[i]] * factor[i] + shift[i]`, the picture
/// being red, green and blue (or grey) in 0..=1.
#[derive(Clone, Debug, PartialEq)]
pub struct Feed {
    /// As many planes as the picture has.
    pub order: Vec<i64>,
    /// One for each plane.
    pub factor: Vec<f64>,
    /// One for each plane.
    pub shift: Vec<f64>,
}

impl Spectrum {
    /// A picture of `size` (h,w) from the coefficients `start`, (planes, h, w/2+1, 2) with 1 or 3 planes.
    ///
    /// # Errors
    /// When the shape of `start` is another, or the device has no memory left.
    pub fn new(start: &Array, size: [usize; 2], device: Device) -> Result<Self> {
        let [height, width] = size;
        let planes = start.shape().first().copied().unwrap_or_default();
        let wanted = [planes, height, width / 2 + 1, 2];
        if start.shape() != wanted || ![1, 3].contains(&planes) || height == 0 || width == 0 {
            return Err(Error::request(format!(
                "a spectrum of a picture of {height}x{width} has the shape {wanted:?} with 1 or 3 planes, not {:?}",
                start.shape()
            )));
        }
        guarded(|| {
            let device = tch::Device::from(device.handle());
            let upload = |values: &[f32], shape: &[usize]| {
                let shape: Vec<i64> = shape.iter().map(|&side| side as i64).collect();
                Torch::from_slice(values).view(&shape[..]).to_device(device)
            };
            let coefficients = upload(start.values(), &wanted);
            let colors = (planes == 3).then(|| upload(&colors(), &[3, 3]));
            Ok(Self {
                moments: [coefficients.zeros_like(), coefficients.zeros_like()],
                scale: upload(&scale(size), &[height, width / 2 + 1, 1]),
                coefficients,
                colors,
                size,
                steps: 0,
            })
        })
    }

    #[cfg(test)]
    pub(super) fn coefficients(&self) -> &Torch {
        &self.coefficients
    }

    /// The picture, (1,planes,h,w), each value in 0..=1.
    ///
    /// # Errors
    /// When the device has no memory left.
    pub fn picture(&self) -> Result<Tensor> {
        guarded(|| {
            let picture = tch::no_grad(|| self.render(&self.coefficients));
            Ok(Tensor(TchTensor::new(picture)))
        })
    }

    /// What the network gets of the picture, (1,planes,h,w) of the glimpse's size.
    ///
    /// # Errors
    /// When the device has no memory left.
    pub fn seen(&self, glimpse: Glimpse, feed: &Feed) -> Result<Tensor> {
        guarded(|| {
            let seen = tch::no_grad(|| self.look(&self.coefficients, glimpse, feed));
            Ok(tensor(seen))
        })
    }

    /// A step of Adam, of about `rate`, along the gradient that `gradient` finds at what the network gets. Where it
    /// finds none the picture stays as it is, and the step isn't counted.
    ///
    /// # Errors
    /// Those of `gradient`, and when the device has no memory left.
    pub fn climb(
        &mut self,
        glimpse: Glimpse,
        feed: &Feed,
        rate: f64,
        gradient: impl FnOnce(&Tensor) -> Result<Option<Tensor>>,
    ) -> Result<()> {
        let (leaf, input) = guarded(|| {
            tch::with_grad(|| {
                let leaf = self.coefficients.detach().copy().set_requires_grad(true);
                let input = self.look(&leaf, glimpse, feed);
                Ok((leaf, input))
            })
        })?;
        let Some(found) = gradient(&tensor(input.detach()))? else {
            return Ok(());
        };
        guarded(|| {
            let gradient = tch::with_grad(|| pulled_back(&leaf, &input, &found.0.tensor));
            tch::no_grad(|| self.adam(&gradient, rate));
            Ok(())
        })
    }

    fn adam(&mut self, gradient: &Torch, rate: f64) {
        let [first, second, epsilon] = ADAM;
        self.steps += 1;
        let [mean, square] = &mut self.moments;
        *mean = &*mean * first + gradient * (1.0 - first);
        *square = &*square * second + gradient.square() * (1.0 - second);
        let rate = rate * (1.0 - second.powi(self.steps)).sqrt() / (1.0 - first.powi(self.steps));
        self.coefficients = &self.coefficients + &*mean / (square.sqrt() + epsilon) * rate;
    }

    /// (1,planes,h,w).
    fn render(&self, coefficients: &Torch) -> Torch {
        let [height, width] = self.size.map(|side| side as i64);
        let spectrum = (coefficients * &self.scale).view_as_complex();
        // A quarter: lucid's, for a start that is nearly grey.
        let planes = spectrum.fft_irfft2([height, width].as_slice(), [-2, -1], "backward") / 4.0;
        let colored = match &self.colors {
            Some(colors) => colors.matmul(&planes.view([3, height * width])),
            None => planes,
        };
        colored.sigmoid().view([1, -1, height, width])
    }

    fn look(&self, coefficients: &Torch, glimpse: Glimpse, feed: &Feed) -> Torch {
        const GREY: f64 = 0.5;
        let picture = self.render(coefficients);
        let (kind, device) = (Kind::Float, picture.device());
        let [height, width] = glimpse.size;
        let matrix = Torch::from_slice(&glimpse.matrix(self.size))
            .view([1, 2, 3])
            .to_kind(kind)
            .to_device(device);
        let size = [1, picture.size()[1], height as i64, width as i64];
        let places = Torch::affine_grid_generator(&matrix, size, false);
        // Bilinear, and zeros beyond the border.
        let seen = (picture - GREY).grid_sampler(&places, 0, 0, false) + GREY;
        let order = Torch::from_slice(&feed.order).to_device(device);
        let column = |values: &[f64]| {
            Torch::from_slice(values)
                .to_kind(kind)
                .view([1, -1, 1, 1])
                .to_device(device)
        };
        seen.index_select(1, &order) * column(&feed.factor) + column(&feed.shift)
    }
}

impl Glimpse {
    /// Where in a picture of `picture` (h,w) each place of the glimpse is read, both counted from -1 to 1.
    fn matrix(&self, picture: [usize; 2]) -> [f64; 6] {
        let [height, width] = self.size.map(|side| side as f64);
        let [rows, columns] = picture.map(|side| side as f64);
        let (sin, cos) = self.angle.sin_cos();
        let [down, right] = self.offset;
        [
            cos * width / columns / self.zoom,
            -sin * height / columns / self.zoom,
            2.0 * right / columns,
            sin * width / rows / self.zoom,
            cos * height / rows / self.zoom,
            2.0 * down / rows,
        ]
    }

    /// An angle in degrees as [`Self::angle`] has it.
    pub fn degrees(angle: f64) -> f64 {
        angle * PI / 180.0
    }
}

/// The gradient at the leaf, from the one at what was made from it.
fn pulled_back(leaf: &Torch, input: &Torch, gradient: &Torch) -> Torch {
    let sum = (input * gradient).sum(Kind::Float);
    let mut found = Torch::run_backward(&[sum], &[leaf], false, false);
    found.swap_remove(0)
}

fn tensor(value: Torch) -> Tensor {
    Tensor(channels_last(TchTensor::new(value)))
}

/// The colours' matrix, its longest column of length 1.
fn colors() -> [f32; 9] {
    let column = |j: usize| COLORS.iter().map(|row| row[j] * row[j]).sum::<f64>().sqrt();
    let longest = (0..3).map(column).fold(0.0, f64::max);
    let mut matrix = [0.0; 9];
    for (value, entry) in matrix.iter_mut().zip(COLORS.as_flattened()) {
        *value = (entry / longest) as f32;
    }
    matrix
}

/// `sqrt(h w) / max(f, 1 / max(h, w))` for each frequency f of the half spectrum: energy that falls as in photos,
/// and a picture whose contrast doesn't depend on its size.
fn scale([height, width]: [usize; 2]) -> Vec<f32> {
    let lowest = 1.0 / height.max(width) as f64;
    let unitary = ((height * width) as f64).sqrt();
    let frequency = |index: usize, side: usize| index.min(side - index) as f64 / side as f64;
    let mut factors = Vec::with_capacity(height * (width / 2 + 1));
    for y in 0..height {
        for x in 0..=width / 2 {
            let f = frequency(y, height).hypot(frequency(x, width));
            factors.push((unitary / f.max(lowest)) as f32);
        }
    }
    factors
}
