//! DEC's sixels: rows of six pixels, colour by colour. VT3xx Graphics Programming, chapter 14.

use std::io::Write;

use super::cutout::Cutout;
use super::palette::Paletted;

/// As bytes that draw it from the cursor on; through its holes one sees what was there.
pub(super) fn encode(cutout: &Cutout, colors: u16) -> Vec<u8> {
    let picture = Paletted::of(cutout.picture(), colors);
    let mask = cutout.mask();
    let mut out = Vec::with_capacity(picture.indices.len() / 2 + 4096);
    // 0;1: what isn't set stays as it was. Pixels are square.
    let (width, height) = (picture.width, picture.height);
    // Writing to memory doesn't fail.
    let _ = write!(out, "\x1bP0;1q\"1;1;{width};{height}");
    for (index, color) in used(&picture, mask.as_deref()) {
        let [red, green, blue] = color.map(|value| (u32::from(value) * 100 + 127) / 255);
        let _ = write!(out, "#{index};2;{red};{green};{blue}");
    }
    let mut bands = Bands::new();
    for (band, rows) in picture.indices.chunks(6 * width.max(1)).enumerate() {
        let there = mask
            .as_ref()
            .map(|mask| &mask[band * 6 * width..][..rows.len()]);
        bands.write(rows, there, width, &mut out);
        out.push(b'-');
    }
    // No new row after the last.
    out.pop();
    out.extend_from_slice(b"\x1b\\");
    out
}

/// The colours that are seen.
fn used(picture: &Paletted, mask: Option<&[bool]>) -> impl Iterator<Item = (usize, [u8; 3])> {
    let mut seen = [false; 256];
    for (pixel, &index) in picture.indices.iter().enumerate() {
        seen[usize::from(index)] |= mask.is_none_or(|mask| mask[pixel]);
    }
    let colors = picture.palette.iter().copied().enumerate();
    colors.filter(move |(index, _)| seen[*index])
}

/// Makes bands of six rows; the memory serves all of a picture.
struct Bands {
    /// What each colour has been written so far.
    lines: Vec<Line>,
    /// Colours that are in the band.
    open: Vec<u8>,
}

#[derive(Clone, Default)]
struct Line {
    text: Vec<u8>,
    /// The sixel at the end, and how often it stands there.
    run: (u8, usize),
    /// Where the line ends.
    end: usize,
}

impl Line {
    fn push(&mut self, bits: u8, x: usize) {
        if x > self.end {
            self.repeat(0, x - self.end);
        }
        self.repeat(bits, 1);
        self.end = x + 1;
    }

    fn repeat(&mut self, bits: u8, count: usize) {
        if self.run.0 == bits {
            self.run.1 += count;
        } else {
            self.close();
            self.run = (bits, count);
        }
    }

    fn close(&mut self) {
        let (bits, count) = self.run;
        let sixel = b'?' + bits;
        if count > 3 {
            let _ = write!(self.text, "!{count}");
            self.text.push(sixel);
        } else {
            self.text.extend(std::iter::repeat_n(sixel, count));
        }
        self.run = (0, 0);
    }
}

impl Bands {
    fn new() -> Self {
        Self {
            lines: vec![Line::default(); 256],
            open: Vec::new(),
        }
    }

    fn write(&mut self, rows: &[u8], there: Option<&[bool]>, width: usize, out: &mut Vec<u8>) {
        let height = rows.len() / width.max(1);
        for x in 0..width {
            // Of a column at most six colours, each with its rows.
            let mut column: [(u8, u8); 6] = [(0, 0); 6];
            let mut count = 0;
            for y in 0..height {
                let at = y * width + x;
                if there.is_some_and(|there| !there[at]) {
                    continue;
                }
                let color = rows[at];
                let known = column[..count].iter_mut().find(|known| known.0 == color);
                if let Some(known) = known {
                    known.1 |= 1 << y;
                } else {
                    column[count] = (color, 1 << y);
                    count += 1;
                }
            }
            for &(color, bits) in &column[..count] {
                let line = &mut self.lines[usize::from(color)];
                if line.end == 0 {
                    self.open.push(color);
                }
                line.push(bits, x);
            }
        }
        for (index, color) in self.open.drain(..).enumerate() {
            let line = &mut self.lines[usize::from(color)];
            line.close();
            if index > 0 {
                out.push(b'$');
            }
            let _ = write!(out, "#{color}");
            out.append(&mut line.text);
            line.end = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::{Colormap, Indexed, Tile};

    fn text(bytes: Vec<u8>) -> String {
        String::from_utf8(bytes).unwrap().replace('\x1b', "^")
    }

    #[test]
    fn runs_and_bands() {
        let mut pixels = vec![0; 5 * 7];
        pixels[2] = 255;
        let map = Indexed::new(5, 7, pixels, Colormap::Gray);
        let sixels = text(encode(&Cutout::whole(map.into()), 256));
        let body = "#0~~}~~$#255??@-#0!5@";
        assert_eq!(
            sixels,
            format!("^P0;1q\"1;1;5;7#0;2;0;0;0#255;2;100;100;100{body}^\\")
        );
    }

    #[test]
    fn holes_are_not_drawn() {
        let map = Indexed::new(4, 1, vec![9, 9, 9, 9], Colormap::Gray);
        let part = |x| Tile {
            x,
            y: 0,
            width: 1,
            height: 1,
        };
        let cutout = Cutout::new(map.into(), vec![part(0), part(3)]);
        let sixels = text(encode(&cutout, 256));
        assert!(sixels.ends_with("#9@??@^\\"), "{sixels}");
    }
}
