//! A terminal that nobody looks at: its text, and the pictures over it.

use std::collections::HashMap;
use std::io::Write;
use std::sync::{Arc, Weak};

use image::RgbaImage;
use portable_pty::PtySize;
use tattoy_wezterm_term::color::ColorPalette;
use tattoy_wezterm_term::image::{ImageCell, ImageData, ImageDataType};
use tattoy_wezterm_term::{Line, Terminal, TerminalConfiguration, TerminalSize};

/// What begins and ends a frame, without the last letter.
const FRAME: &[u8] = b"\x1b[?2026";

/// Images that the emulator remembers by their pixels, whether they are of use or not.
const REMEMBERED: u32 = 16;

#[derive(Debug)]
struct Settings {
    kitty: bool,
}

impl TerminalConfiguration for Settings {
    fn color_palette(&self) -> ColorPalette {
        ColorPalette::default()
    }

    fn enable_kitty_graphics(&self) -> bool {
        self.kitty
    }
}

/// What is on the screen at one time.
pub struct Screen {
    /// The characters, row by row.
    pub cells: Vec<Vec<char>>,
    /// The pictures, transparent where there are none.
    pub pixels: RgbaImage,
    /// (width, height) of a cell in pixels.
    pub cell: (u32, u32),
}

impl Screen {
    /// The text, in lines.
    pub fn text(&self) -> String {
        let lines = self.cells.iter().map(String::from_iter);
        lines.collect::<Vec<_>>().join("\n")
    }

    /// The places of the pixels that belong to a picture.
    pub fn shown(&self) -> impl Iterator<Item = (u32, u32)> {
        let pixels = self.pixels.enumerate_pixels();
        pixels.filter_map(|(x, y, pixel)| (pixel.0[3] > 0).then_some((x, y)))
    }

    /// The smallest rectangle around all pictures: x, y, width, height.
    pub fn bounds(&self) -> Option<[u32; 4]> {
        let (left, top) = self.shown().reduce(|a, b| (a.0.min(b.0), a.1.min(b.1)))?;
        let (right, bottom) = self.shown().reduce(|a, b| (a.0.max(b.0), a.1.max(b.1)))?;
        Some([left, top, right - left + 1, bottom - top + 1])
    }

    /// The character over or under a pixel.
    pub fn character(&self, (x, y): (u32, u32)) -> char {
        self.cells[(y / self.cell.1) as usize][(x / self.cell.0) as usize]
    }
}

/// The emulator.
pub(crate) struct Emulator {
    terminal: Terminal,
    size: PtySize,
    /// Whether a frame is on its way.
    pub(crate) drawing: bool,
    /// How often something was taken in.
    pub(crate) taken_in: usize,
    /// The end of what came last.
    rest: Vec<u8>,
    /// Every image that was on the screen, and its size in bytes.
    seen: HashMap<[u8; 32], (Weak<ImageData>, usize)>,
}

impl Emulator {
    /// Its answers go to `mouth`.
    pub(crate) fn new(size: PtySize, kitty: bool, mouth: Box<dyn Write + Send>) -> Self {
        let settings = Arc::new(Settings { kitty });
        Self {
            terminal: Terminal::new(in_full(size), settings, "terminals", "1", mouth),
            size,
            drawing: false,
            taken_in: 0,
            rest: Vec::new(),
            seen: HashMap::new(),
        }
    }

    pub(crate) fn resize(&mut self, size: PtySize) {
        self.size = size;
        self.terminal.resize(in_full(size));
    }

    /// Takes in what the program writes.
    pub(crate) fn process(&mut self, bytes: &[u8]) {
        self.terminal.advance_bytes(bytes);
        self.taken_in += 1;
        self.rest.extend_from_slice(bytes);
        let mut marks = self.rest.windows(FRAME.len() + 1).rev();
        if let Some(mark) = marks.find(|window| window.starts_with(FRAME)) {
            self.drawing = mark.ends_with(b"h");
        }
        self.rest
            .drain(..self.rest.len().saturating_sub(FRAME.len()));
        for line in self.lines() {
            let images = line.visible_cells().map(|cell| cell.attrs().images());
            for image in images.flatten().flatten() {
                let data = image.image_data();
                let entry = (Arc::downgrade(data), data.len());
                self.seen.entry(data.hash()).or_insert(entry);
            }
        }
    }

    /// Bytes of the images that were ever on the screen, and of those that are still held, shown or not. Not to be asked
    /// in the middle of an escape sequence.
    pub(crate) fn memory(&mut self) -> (usize, usize) {
        // Pictures of one pixel take the place of what is only remembered.
        for number in 0..REMEMBERED {
            let (id, letter) = (u32::MAX - number, char::from(b'A' + number as u8));
            let picture = format!("\x1b_Ga=t,f=24,s=1,v=1,i={id},q=2;AAA{letter}\x1b\\");
            self.terminal.advance_bytes(picture);
        }
        let all = self.seen.values().map(|(_, bytes)| bytes).sum();
        let held = self.seen.values().filter_map(|(image, _)| image.upgrade());
        (all, held.map(|image| image.len()).sum())
    }

    pub(crate) fn screen(&self) -> Screen {
        let (columns, rows) = (usize::from(self.size.cols), usize::from(self.size.rows));
        let (width, height) = (self.size.pixel_width.into(), self.size.pixel_height.into());
        let cell = (width / columns as u32, height / rows as u32);
        let mut cells = vec![vec![' '; columns]; rows];
        let mut pixels = RgbaImage::new(width, height);
        let mut decoded = HashMap::new();
        for (y, line) in self.lines().iter().enumerate() {
            for each in line.visible_cells() {
                let x = each.cell_index();
                cells[y][x] = each.str().chars().next().unwrap_or(' ');
                for image in each.attrs().images().unwrap_or_default() {
                    let data = image.image_data();
                    let whole = decoded.entry(data.hash()).or_insert_with(|| decode(data));
                    let corner = [x as u32 * cell.0, y as u32 * cell.1];
                    draw(&image, whole, corner, &mut pixels);
                }
            }
        }
        Screen {
            cells,
            pixels,
            cell,
        }
    }

    fn lines(&self) -> Vec<Line> {
        let screen = self.terminal.screen();
        screen.lines_in_phys_range(screen.phys_range(&(0..self.size.rows.into())))
    }
}

fn in_full(size: PtySize) -> TerminalSize {
    TerminalSize {
        rows: size.rows.into(),
        cols: size.cols.into(),
        pixel_width: size.pixel_width.into(),
        pixel_height: size.pixel_height.into(),
        dpi: 96,
    }
}

fn decode(data: &ImageData) -> RgbaImage {
    let decoded = data.data().clone().decode();
    let ImageDataType::Rgba8 {
        data,
        width,
        height,
        ..
    } = decoded
    else {
        panic!("{decoded:?}")
    };
    RgbaImage::from_raw(width, height, data).expect("four bytes a pixel")
}

/// Draws the part of an image that is in the cell at `x` and `y`.
fn draw(image: &ImageCell, whole: &RgbaImage, [x, y]: [u32; 2], pixels: &mut RgbaImage) {
    let (from, to, (left, top, ..)) = (image.top_left(), image.bottom_right(), image.padding());
    let across = |part: f32| (part * whole.width() as f32).round() as u32;
    let down = |part: f32| (part * whole.height() as f32).round() as u32;
    for (row, theirs) in (0..).zip(down(*from.y)..down(*to.y)) {
        for (column, other) in (0..).zip(across(*from.x)..across(*to.x)) {
            let pixel = *whole.get_pixel(other, theirs);
            if pixel.0[3] > 0 {
                pixels.put_pixel(
                    x + u32::from(left) + column,
                    y + u32::from(top) + row,
                    pixel,
                );
            }
        }
    }
}
