//! What is to stand on the screen: cells of text, and pictures over them.

use std::sync::Arc;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::kitty::Transmission;
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

    pub(super) fn into_pictures(self) -> Vec<Placed> {
        self.pictures
    }
}
