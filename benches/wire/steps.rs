//! What the whole program writes for a key, in a pseudo-terminal: text, pictures and their places.

use std::time::Duration;

use anyhow::{Context, Result};
use convscope::terminal::Protocol;

use super::terminal::{DOWN, ENTER, Kind, RIGHT, Terminal, UP};

const BOOK: [&str; 2] = ["weights/cats_and_dogs_small_2.h5", "demo/chelsea.png"];
const VGG: [&str; 2] = ["weights/vgg16_cats_dogs.safetensors", "demo/chelsea.png"];
const LITE: [&str; 2] = ["weights/efficientnet_lite0.safetensors", "demo/polar_bear.jpg"];

const PATIENCE: Duration = Duration::from_secs(5);
