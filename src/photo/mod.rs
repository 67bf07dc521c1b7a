//! Photos: an image file becomes 8-bit pixels, and pixels become a network's input.
//!
//! [`load`] opens a picture, or a tensor that a `.npy` file holds; [`prepare`] does a model's
//! [`Preprocessing`](crate::model::Preprocessing) exactly as Pillow and NumPy would, and [`fitted`] gives the same
//! picture before the arithmetic, to be shown. [`resize`] has the resampling alone.

mod decode;
mod jpeg;
mod prepare;
mod region;
pub mod resize;
mod seen;
mod source;

pub use prepare::{fitted, prepare};
pub use region::Region;
pub use seen::seen;
pub use source::{Photo, Source, load, open};
