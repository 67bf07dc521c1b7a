//! What is to stand on the screen: cells of text, and pictures over them.

use std::sync::Arc;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::transmission::Transmission;
use crate::picture::Tile;

/// A part of a picture in its place.
#[derive(Clone, Debug)]
pub struct Placed {
    /// The picture.
    pub picture: Arc<Transmission>,
    /// Which part of it, in pixels.
    pub window: Tile,
    /// The cells it covers; it begins in their upper left corner.
    pub area: Rect,
    /// Whether it lies above other pictures.
    pub above: bool,
}

/// Text, and the pictures over it.
#[derive(Debug)]
pub struct Frame<'a> {
    /// The text.
    pub buffer: &'a mut Buffer,
    pictures: Vec<Placed>,
}

impl<'a> Frame<'a> {
    /// Without pictures.
    pub fn new(buffer: &'a mut Buffer) -> Self {
        Self {
            buffer,
            pictures: Vec::new(),
        }
    }

    /// Puts a picture in its place, over what is in the cells there.
    pub fn place(&mut self, placed: Placed) {
        self.pictures.push(placed);
    }

    /// Takes away the pictures that something else is drawn over.
    pub fn uncover(&mut self, area: Rect) {
        self.pictures.retain(|placed| !placed.area.intersects(area));
    }

    /// The pictures.
    pub fn pictures(&self) -> &[Placed] {
        &self.pictures
    }

    /// Those that the terminal holds, and those that are drawn where the cursor is.
    pub(super) fn into_pictures(self) -> (Vec<Placed>, Vec<Placed>) {
        let held = |placed: &Placed| placed.picture.has_windows();
        self.pictures.into_iter().partition(held)
    }
}
