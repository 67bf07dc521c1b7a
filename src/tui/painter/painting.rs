//! Pictures that fit their room, in the form that the terminal takes.

use std::sync::Arc;

use super::{Detail, PaintKey};
use crate::error::Result;
use crate::picture::{Picture, Tile};
use crate::terminal::{Canvas, Cutout, Protocol, Transmission};
use crate::tui::tiles::Tiles;

/// Colours of a rough picture.
const FEW: u16 = 16;

/// A rough picture has a third of the pixels each way.
const COARSE: u16 = 3;

/// A picture that fits its room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Painting {
    /// What it shows.
    pub key: PaintKey,
    /// What it is drawn from.
    pub sheets: Vec<Sheet>,
    /// Of a grid.
    pub tiles: Option<Tiles>,
    /// Where things are on the sheets.
    pub places: Places,
}

/// Pixels in the form that the terminal takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sheet {
    /// To be drawn as cells.
    Cells(Picture),
    /// To be sent to the terminal.
    Sent(Arc<Transmission>),
}

/// Where things are on the sheets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Places {
    /// The sheets are pictures beside each other.
    Beside,
    /// The sheets are pictures above each other, the first below all.
    Above,
    /// A grid's tiles are on one sheet, one below the other.
    Stack,
    /// In rows and columns, as many rows on each sheet as are in the room, so that what isn't looked at isn't sent.
    Pages {
        /// Columns of cells between the tiles, through which one sees what is behind; without, tiles are placed one by
        /// one.
        gap: usize,
    },
    /// Each row of tiles is a sheet, which can only be drawn as a whole.
    Rows,
    /// Each on a sheet of its own, as far as they are there.
    Own(Vec<Option<usize>>),
}

impl Sheet {
    /// A picture as a canvas takes it.
    ///
    /// # Errors
    /// If the picture is empty.
    pub fn new(picture: Cutout, canvas: Canvas, detail: Detail) -> Result<Self> {
        if canvas.protocol.is_text() {
            return Ok(Self::Cells(picture.into_picture()));
        }
        let sent = match (detail, canvas.protocol) {
            (Detail::Full, _) => Transmission::new(&picture, canvas, canvas.cell)?,
            // It can't be enlarged by the terminal.
            (Detail::Rough, Protocol::Sixel) => {
                let colors = canvas.colors.min(FEW);
                Transmission::new(&picture, Canvas { colors, ..canvas }, canvas.cell)?
            }
            (Detail::Rough, _) => {
                let cell = coarse(canvas);
                let small = picture.shrunk(canvas.cell, cell).with_colors(256);
                Transmission::new(&small, canvas, cell)?
            }
        };
        Ok(Self::Sent(Arc::new(sent)))
    }

    /// (height, width) in pixels.
    pub fn size(&self) -> [usize; 2] {
        match self {
            Self::Cells(picture) => [picture.height() as usize, picture.width() as usize],
            Self::Sent(picture) => picture.size(),
        }
    }

    /// (height, width) of its pixels for a cell.
    pub fn cell(&self, canvas: Canvas) -> [usize; 2] {
        let cell = match self {
            Self::Cells(_) => canvas.cell,
            Self::Sent(picture) => picture.cell(),
        };
        cell.map(|side| usize::from(side.max(1)))
    }

    fn bytes(&self) -> usize {
        let [height, width] = self.size();
        match self {
            Self::Cells(Picture::Indexed(_)) => height * width,
            Self::Cells(Picture::Rgb(_)) => 3 * height * width,
            Self::Sent(picture) => picture.bytes().len(),
        }
    }
}

/// (height, width) in pixels of a rough picture's cell.
pub(super) fn coarse(canvas: Canvas) -> [u16; 2] {
    canvas.cell.map(|side| (side / COARSE).max(1))
}

/// A row of tiles on a page, in pixels.
struct Page {
    sheet: usize,
    cell: [usize; 2],
    y: usize,
    tall: usize,
}

impl Painting {
    /// The sheet that shows a channel of a grid, and the tile of the channel on it; nothing if it isn't there yet, or
    /// rows are placed as a whole.
    pub fn tile(&self, channel: usize) -> Option<(usize, Tile)> {
        let tiles = self.tiles?;
        let [height, width] = tiles.pixels;
        let whole = |x, y| Tile {
            x,
            y,
            width,
            height,
        };
        match &self.places {
            Places::Stack => Some((0, whole(0, channel * height))),
            Places::Own(sheets) => Some(((*sheets.get(channel)?)?, whole(0, 0))),
            Places::Pages { gap: 0 } => {
                let page = self.page(channel / tiles.columns)?;
                let wide = page.cell[1] * usize::from(tiles.cells.width);
                let (x, y) = (channel % tiles.columns * wide, page.y);
                let tile = match self.key.detail {
                    Detail::Full => whole(x, y),
                    Detail::Rough => Tile {
                        x,
                        y,
                        width: wide,
                        height: page.tall,
                    },
                };
                Some((page.sheet, tile))
            }
            Places::Beside | Places::Above | Places::Rows | Places::Pages { .. } => None,
        }
    }

    /// The sheet that shows a whole row of a grid, and the row on it; nothing if tiles are placed one by one.
    pub fn row(&self, row: usize) -> Option<(usize, Tile)> {
        let whole = |sheet: usize| {
            let [height, width] = self.sheets.get(sheet)?.size();
            Some((width, height))
        };
        let (sheet, y, width, height) = match self.places {
            Places::Rows => {
                let (width, height) = whole(row)?;
                (row, 0, width, height)
            }
            Places::Pages { gap: 1.. } => {
                let page = self.page(row)?;
                let (width, height) = whole(page.sheet)?;
                (page.sheet, page.y, width, page.tall.min(height - page.y))
            }
            _ => return None,
        };
        let tile = Tile {
            x: 0,
            y,
            width,
            height,
        };
        Some((sheet, tile))
    }

    /// Where a row of tiles is on the pages: rows begin with whole cells.
    fn page(&self, row: usize) -> Option<Page> {
        let tiles = self.tiles.filter(|tiles| row < tiles.rows())?;
        let rows = tiles.rows_in_room.max(1);
        let sheet = row / rows;
        let cell = self.sheets.get(sheet)?.cell(self.key.canvas);
        let tall = cell[0] * usize::from(tiles.cells.height);
        Some(Page {
            sheet,
            cell,
            y: row % rows * tall,
            tall,
        })
    }

    /// Memory that the pixels take.
    pub fn bytes(&self) -> usize {
        self.sheets.iter().map(Sheet::bytes).sum()
    }
}
