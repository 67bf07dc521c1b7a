//! Pictures as the bytes that bring them to a terminal.

use std::io::Write as _;
use std::sync::atomic::{AtomicU32, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use image::Rgb;

use super::canvas::{Canvas, Protocol};
use super::cutout::Cutout;
use super::passthrough::wrapped;
use super::{png, sixel};
use crate::error::Result;
use crate::picture::{Picture, Tile, rgb_jpeg};

/// The longest piece of base64 that kitty's protocol allows.
const CHUNK: usize = 4096;

/// A picture as the bytes that bring it to the terminal.
#[derive(Debug, PartialEq, Eq)]
pub struct Transmission {
    pub(super) id: u32,
    pub(super) bytes: Vec<u8>,
    pub(super) protocol: Protocol,
    /// Whether it is placed by characters.
    pub(super) by_characters: bool,
    /// Whether its pixels are not the terminal's: it fills the cells that it covers.
    pub(super) stretched: bool,
    /// (height, width) of its pixels for a cell.
    pub(super) cell: [u16; 2],
    /// What of it is there.
    pub(super) parts: Vec<Tile>,
    size: [usize; 2],
}

impl Transmission {
    /// Encodes a picture for a canvas; its pixels fill cells of `cell` (height, width), which need not be the
    /// terminal's own.
    ///
    /// # Errors
    /// If the picture is empty.
    pub fn new(picture: &Cutout, canvas: Canvas, cell: [u16; 2]) -> Result<Self> {
        let id = next_id(canvas);
        let by_characters = canvas.protocol == Protocol::Kitty && canvas.tmux;
        let stretched = cell != canvas.cell;
        // It is held, and not yet shown.
        let held = format!("a=t,f=100,i={id},q=2");
        let bytes = match canvas.protocol {
            Protocol::Iterm2 => iterm2(picture, canvas, cell)?,
            Protocol::Sixel => sixel::encode(picture, canvas.colors),
            _ if by_characters => kitty(&held, &png::encode(&picture.padded(cell))?, true),
            _ if stretched => kitty(&held, &png::encode(&picture.padded(cell))?, false),
            _ => kitty(&held, &png::encode(picture)?, false),
        };
        let mut transmission = Self {
            id,
            bytes,
            protocol: canvas.protocol,
            by_characters,
            stretched,
            cell,
            parts: picture.parts().to_vec(),
            size: picture.size(),
        };
        if by_characters {
            let place = wrapped(&transmission.placement(false));
            transmission.bytes.extend(place);
        }
        Ok(transmission)
    }

    /// Makes characters show it, over as many cells as it covers. The answer says whether it is there.
    pub(super) fn placement(&self, answered: bool) -> Vec<u8> {
        let [rows, columns] = [0, 1].map(|axis| {
            let cell = usize::from(self.cell[axis].max(1));
            self.size[axis].div_ceil(cell)
        });
        let quiet = if answered { "" } else { ",q=2" };
        let id = self.id;
        format!("\x1b_Ga=p,U=1,i={id},c={columns},r={rows}{quiet}\x1b\\").into_bytes()
    }

    /// (height, width) in pixels.
    pub fn size(&self) -> [usize; 2] {
        self.size
    }

    /// (height, width) of its pixels for a cell.
    pub fn cell(&self) -> [u16; 2] {
        self.cell
    }

    /// On the wire.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Whether parts of it can be shown; otherwise it is drawn whole, or not at all.
    pub fn has_windows(&self) -> bool {
        self.protocol == Protocol::Kitty
    }
}

/// Tells pictures apart. Characters can name 255 in each of 256 ranges: which of these is left to chance, since another
/// program in tmux may use them too.
fn next_id(canvas: Canvas) -> u32 {
    static LAST: AtomicU32 = AtomicU32::new(0);
    let count = LAST.fetch_add(1, Ordering::Relaxed);
    if canvas.tmux {
        let range = (std::process::id().wrapping_mul(0x9e37_79b9) >> 24) + count / 255;
        (range % 255 + 1) << 24 | (count % 255 + 1)
    } else {
        count.wrapping_add(1).max(1)
    }
}

/// A PNG in pieces; `control` says what becomes of it.
pub(super) fn kitty(control: &str, file: &[u8], tmux: bool) -> Vec<u8> {
    let text = STANDARD.encode(file);
    let mut bytes = Vec::with_capacity(text.len() + text.len() / 128 + 64);
    let mut chunks = text.as_bytes().chunks(CHUNK).peekable();
    let mut control = format!("{control},");
    while let Some(chunk) = chunks.next() {
        let more = u8::from(chunks.peek().is_some());
        let mut piece = format!("\x1b_G{control}m={more};").into_bytes();
        piece.extend_from_slice(chunk);
        piece.extend_from_slice(b"\x1b\\");
        bytes.extend(if tmux { wrapped(&piece) } else { piece });
        "q=2,".clone_into(&mut control);
    }
    bytes
}

/// A file that fills whole cells, so that it doesn't matter what the terminal takes for a pixel. A photo is a JPEG
/// with a margin of the background's colour.
fn iterm2(picture: &Cutout, canvas: Canvas, cell: [u16; 2]) -> Result<Vec<u8>> {
    let padded = picture.padded(cell);
    let [height, width] = padded.size();
    let (rows, columns) = (height / usize::from(cell[0]), width / usize::from(cell[1]));
    let file = match padded.picture() {
        Picture::Rgb(photo) if padded.parts().len() == 1 => {
            let mut photo = photo.clone();
            let background = Rgb(canvas.background.unwrap_or_default());
            if let Some(mask) = padded.mask() {
                let pixels = photo.pixels_mut().zip(mask);
                for (pixel, _) in pixels.filter(|(_, there)| !there) {
                    *pixel = background;
                }
            }
            rgb_jpeg(&photo, &[])?
        }
        _ => png::encode(&padded)?,
    };
    let mut bytes = Vec::with_capacity(file.len() * 4 / 3 + 128);
    // Writing to memory doesn't fail.
    let _ = write!(
        bytes,
        "\x1b]1337;File=inline=1;size={};width={columns};height={rows};preserveAspectRatio=0;doNotMoveCursor=1:",
        file.len()
    );
    bytes.extend_from_slice(STANDARD.encode(file).as_bytes());
    bytes.push(0x07);
    Ok(if canvas.tmux { wrapped(&bytes) } else { bytes })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::{Colormap, Indexed};

    fn cutout(side: u32) -> Cutout {
        let levels = (0..side * side).map(|index| (index.wrapping_mul(0x9e37_79b9) >> 13) as u8);
        Cutout::whole(Indexed::new(side, side, levels.collect(), Colormap::Viridis).into())
    }

    fn canvas(protocol: Protocol, tmux: bool) -> Canvas {
        Canvas {
            protocol,
            cell: [20, 10],
            tmux,
            ..Canvas::HALF_BLOCKS
        }
    }

    fn text(picture: &Transmission) -> String {
        String::from_utf8_lossy(picture.bytes()).replace('\x1b', "^")
    }

    fn decoded(base64: &str) -> image::RgbaImage {
        let file = STANDARD.decode(base64).unwrap();
        image::load_from_memory(&file).unwrap().to_rgba8()
    }

    #[test]
    fn kittys_picture_is_sent_in_pieces_that_make_its_file() {
        let canvas = canvas(Protocol::Kitty, false);
        let picture = Transmission::new(&cutout(200), canvas, canvas.cell).unwrap();
        let text = text(&picture);
        let pieces: Vec<&str> = text
            .split("^\\")
            .filter(|piece| !piece.is_empty())
            .collect();
        assert!(pieces.len() > 2 && pieces[0].starts_with("^_Ga=t,f=100,i="));
        let data = |piece: &str| piece.split_once(';').unwrap().1.to_owned();
        assert!(pieces.iter().all(|piece| data(piece).len() <= CHUNK));
        assert!(pieces.last().unwrap().contains("m=0;"));
        let file: String = pieces.iter().map(|piece| data(piece)).collect();
        assert_eq!(decoded(&file).dimensions(), (200, 200));
        assert!(!picture.stretched && picture.size() == [200, 200]);
    }

    #[test]
    fn tmux_is_given_every_piece_by_itself() {
        let canvas = canvas(Protocol::Kitty, true);
        let picture = Transmission::new(&cutout(32), canvas, canvas.cell).unwrap();
        let text = text(&picture);
        assert!(text.starts_with("^Ptmux;^^_Ga=t,f=100,i="));
        // 32x32 pixels are in 4x2 cells of 10x20.
        assert!(text.contains("^Ptmux;^^_Ga=p,U=1,") && text.contains(",c=4,r=2,q=2^^\\^\\"));
        let data = text
            .split_once("m=0;")
            .unwrap()
            .1
            .split_once('^')
            .unwrap()
            .0;
        let sent = decoded(data);
        assert_eq!(sent.dimensions(), (40, 40));
        assert_eq!((sent[(31, 31)].0[3], sent[(32, 0)].0[3]), (255, 0));
        assert!(picture.id > 1 << 24 && picture.id & 0xff > 0);
    }

    #[test]
    fn iterm2s_picture_fills_its_cells() {
        let canvas = canvas(Protocol::Iterm2, false);
        let picture = Transmission::new(&cutout(32), canvas, canvas.cell).unwrap();
        let text = text(&picture);
        assert!(text.starts_with("^]1337;File=inline=1;size=") && text.ends_with('\x07'));
        assert!(text.contains(";width=4;height=2;preserveAspectRatio=0;"));
        let data = text.split_once(':').unwrap().1.trim_end_matches('\x07');
        assert_eq!(decoded(data).dimensions(), (40, 40));
        let photo = image::RgbImage::from_pixel(30, 20, Rgb([250, 10, 10]));
        let photo = Transmission::new(&Cutout::whole(photo.into()), canvas, canvas.cell).unwrap();
        let data = STANDARD.decode(
            super::tests::text(&photo)
                .split_once(':')
                .unwrap()
                .1
                .trim_end_matches('\x07'),
        );
        assert_eq!(
            image::guess_format(&data.unwrap()).unwrap(),
            image::ImageFormat::Jpeg
        );
    }
}
