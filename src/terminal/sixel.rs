//! DEC's sixels: bands of six rows, in which a byte is a column of one colour. VT3xx Graphics Programming, chapter 14.
//!
//! A band is drawn from left to right until nothing is left of it, each time with whatever colour a column still needs:
//! if possible the one at hand. What is drawn later covers what was there, so that a colour may spill over pixels that
//! are still to come, where that makes its columns alike: a run of them takes two or three bytes.

use std::cmp::Reverse;
use std::io::Write;

use super::cutout::Cutout;
use super::palette::Paletted;

/// As bytes that draw it from the cursor on; through its holes one sees what was there.
pub(super) fn encode(cutout: &Cutout, colors: u16) -> Vec<u8> {
    let mut picture = Paletted::of(cutout.picture(), colors);
    let mask = cutout.mask();
    sort(&mut picture, mask.as_deref());
    let mut out = Vec::with_capacity(picture.indices.len() / 2 + 4096);
    // 0;1: what isn't set stays as it was. Pixels are square.
    let (width, height) = (picture.width, picture.height);
    // Writing to memory doesn't fail.
    let _ = write!(out, "\x1bP0;1q\"1;1;{width};{height}");
    for (index, color) in picture.palette.iter().enumerate() {
        let [red, green, blue] = color.map(|value| (u32::from(value) * 100 + 127) / 255);
        let _ = write!(out, "#{index};2;{red};{green};{blue}");
    }
    let mut band = Band::new(width);
    for (index, rows) in picture.indices.chunks(6 * width.max(1)).enumerate() {
        let there = mask
            .as_ref()
            .map(|mask| &mask[index * 6 * width..][..rows.len()]);
        band.fill(rows, there);
        band.write(&mut out);
        out.push(b'-');
    }
    // No new row after the last.
    out.pop();
    out.extend_from_slice(b"\x1b\\");
    out
}

/// Keeps the colours that are seen, those that are seen most first: their names are short.
fn sort(picture: &mut Paletted, mask: Option<&[bool]>) {
    let mut counts = [0_usize; 256];
    for (pixel, &index) in picture.indices.iter().enumerate() {
        counts[usize::from(index)] += usize::from(mask.is_none_or(|mask| mask[pixel]));
    }
    let seen = (0..picture.palette.len()).filter(|&index| counts[index] > 0);
    let mut seen: Vec<usize> = seen.collect();
    seen.sort_by_key(|&index| Reverse(counts[index]));
    let mut names = [0; 256];
    for (name, &index) in seen.iter().enumerate() {
        names[index] = name as u8;
    }
    picture.palette = seen.iter().map(|&index| picture.palette[index]).collect();
    for index in &mut picture.indices {
        *index = names[usize::from(*index)];
    }
}

/// For a colour that comes again within so many columns, what is between them waits: another colour's name takes more
/// than a gap.
const REACH: usize = 12;

/// What is still to be drawn of six rows; the memory serves all bands of a picture.
struct Band {
    columns: Vec<Column>,
}

/// Six pixels, of which some colours are still to be drawn. Rows are bits, the uppermost the lowest.
#[derive(Clone, Copy, Default)]
struct Column {
    parts: [Part; 6],
    /// How many they are.
    count: usize,
    /// Those of all parts.
    rows: u8,
}

/// The pixels of a colour in a column.
#[derive(Clone, Copy, Default)]
struct Part {
    color: u8,
    rows: u8,
    /// The next column that has the colour, if there is one.
    next: Option<u32>,
}

/// Columns that one byte can draw.
#[derive(Clone, Copy, Default)]
struct Run {
    /// Rows that have to be set in one of them.
    rows: u8,
    /// Rows that may be set in all of them.
    free: u8,
    count: usize,
}

impl Band {
    fn new(width: usize) -> Self {
        Self {
            columns: vec![Column::default(); width],
        }
    }

    fn fill(&mut self, rows: &[u8], there: Option<&[bool]>) {
        let width = self.columns.len();
        let mut next = [None; 256];
        for (x, column) in self.columns.iter_mut().enumerate().rev() {
            *column = Column::default();
            for (row, at) in (x..rows.len()).step_by(width).enumerate() {
                if there.is_none_or(|there| there[at]) {
                    column.add(rows[at], 1 << row);
                }
            }
            for part in &mut column.parts[..column.count] {
                part.next = next[usize::from(part.color)].replace(x as u32);
            }
        }
    }

    fn write(&mut self, out: &mut Vec<u8>) {
        let mut left: usize = self.columns.iter().map(|column| column.count).sum();
        while left > 0 {
            left -= self.pass(out);
            if left > 0 {
                out.push(b'$');
            }
        }
    }

    /// Once from left to right. Returns how many parts of columns were drawn.
    fn pass(&mut self, out: &mut Vec<u8>) -> usize {
        let (mut drawn, mut at_hand, mut waits_until) = (0, None, 0);
        let mut run = Run::default();
        for x in 0..self.columns.len() {
            let column = &mut self.columns[x];
            let free = column.rows;
            let part = (x >= waits_until).then(|| column.take(at_hand)).flatten();
            let Some(Part { color, rows, next }) = part else {
                run.extend(0, free, out);
                continue;
            };
            drawn += 1;
            if at_hand != Some(color) {
                std::mem::take(&mut run).write(out);
                out.push(b'#');
                write_number(usize::from(color), out);
                at_hand = Some(color);
            }
            run.extend(rows, free, out);
            let near = next
                .map(|next| next as usize)
                .filter(|next| next - x <= REACH);
            // An earlier pass may have drawn it.
            waits_until = near
                .filter(|&next| self.columns[next].has(color))
                .unwrap_or(0);
        }
        if run.rows > 0 {
            run.write(out);
        }
        drawn
    }
}

impl Column {
    fn parts(&self) -> &[Part] {
        &self.parts[..self.count]
    }

    fn add(&mut self, color: u8, row: u8) {
        let known = self.parts[..self.count].iter_mut();
        if let Some(part) = known.rev().find(|part| part.color == color) {
            part.rows |= row;
        } else {
            self.parts[self.count] = Part {
                color,
                rows: row,
                next: None,
            };
            self.count += 1;
        }
        self.rows |= row;
    }

    fn has(&self, color: u8) -> bool {
        self.parts().iter().any(|part| part.color == color)
    }

    /// The part of the colour at hand, else any.
    fn take(&mut self, at_hand: Option<u8>) -> Option<Part> {
        let same = |part: &Part| Some(part.color) == at_hand;
        let place = self.parts().iter().position(same).unwrap_or(0);
        let part = *self.parts().get(place)?;
        self.count -= 1;
        self.parts.swap(place, self.count);
        self.rows &= !part.rows;
        Some(part)
    }
}

impl Run {
    /// One column more, in which `rows` have to be set, and no others than `free`.
    fn extend(&mut self, rows: u8, free: u8, out: &mut Vec<u8>) {
        let both = Self {
            rows: self.rows | rows,
            free: self.free & free,
            count: self.count + 1,
        };
        if self.count > 0 && both.rows & !both.free == 0 {
            *self = both;
        } else {
            self.write(out);
            *self = Self {
                rows,
                free,
                count: 1,
            };
        }
    }

    fn write(self, out: &mut Vec<u8>) {
        let sixel = b'?' + self.rows;
        if self.count > 3 {
            out.push(b'!');
            write_number(self.count, out);
            out.push(sixel);
        } else {
            out.extend(std::iter::repeat_n(sixel, self.count));
        }
    }
}

fn write_number(number: usize, out: &mut Vec<u8>) {
    if number >= 10 {
        write_number(number / 10, out);
    }
    out.push(b'0' + (number % 10) as u8);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::{Colormap, Indexed, Tile};

    fn text(bytes: &[u8]) -> String {
        String::from_utf8_lossy(bytes).replace('\x1b', "^")
    }

    fn part(x: usize, y: usize, width: usize, height: usize) -> Tile {
        Tile {
            x,
            y,
            width,
            height,
        }
    }

    /// Which colours a terminal would show, in percent.
    fn drawn(sixels: &[u8], [height, width]: [usize; 2]) -> Vec<Option<Vec<u8>>> {
        let text = std::str::from_utf8(sixels).unwrap();
        let mut pixels = vec![None; height.next_multiple_of(6) * width];
        let mut colors = std::collections::HashMap::new();
        let (mut x, mut y, mut color) = (0, 0, "0");
        let mut rest = &text[text.find("\"1;1;").unwrap() + 1..text.len() - 2];
        rest = rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == ';');
        while let Some(command) = rest.chars().next() {
            rest = &rest[1..];
            let numbers = rest.find(|c: char| !c.is_ascii_digit() && c != ';');
            let (number, after) = rest.split_at(numbers.unwrap_or(rest.len()));
            let mut count = 1;
            let sixel = match command {
                '#' => {
                    let (name, definition) = number.split_once(";2;").unwrap_or((number, ""));
                    if !definition.is_empty() {
                        let parts = definition.split(';').map(|part| part.parse().unwrap());
                        colors.insert(name, parts.collect::<Vec<u8>>());
                    }
                    (color, rest) = (name, after);
                    continue;
                }
                '$' | '-' => {
                    (x, y) = (0, if command == '-' { y + 6 } else { y });
                    continue;
                }
                '!' => {
                    count = number.parse().unwrap();
                    rest = &after[1..];
                    after.as_bytes()[0]
                }
                sixel => sixel as u8,
            };
            for _ in 0..count {
                for row in (0..6).filter(|row| (sixel - b'?') >> row & 1 == 1) {
                    pixels[(y + row) * width + x] = Some(colors[color].clone());
                }
                x += 1;
            }
        }
        assert!(pixels[height * width..].iter().all(Option::is_none));
        pixels.truncate(height * width);
        pixels
    }

    #[test]
    fn runs_and_bands() {
        let mut pixels = vec![0; 5 * 7];
        pixels[2] = 255;
        let map = Indexed::new(5, 7, pixels, Colormap::Gray);
        let sixels = encode(&Cutout::whole(map.into()), 256);
        // Black is drawn where white is to come.
        let body = "#0!5~$??#1@-#0!5@";
        assert_eq!(
            text(&sixels),
            format!("^P0;1q\"1;1;5;7#0;2;0;0;0#1;2;100;100;100{body}^\\")
        );
    }

    #[test]
    fn holes_are_not_drawn() {
        let map = Indexed::new(4, 1, vec![9, 9, 9, 9], Colormap::Gray);
        let cutout = Cutout::new(map.into(), vec![part(0, 0, 1, 1), part(3, 0, 1, 1)]);
        let sixels = text(&encode(&cutout, 256));
        assert!(sixels.ends_with("#0@??@^\\"), "{sixels}");
    }

    #[test]
    fn every_pixel_is_drawn_as_it_is() {
        let (width, height) = (61, 45);
        let noise = |x: u32, y: u32| (x * 7919 + y * 104_729 + x * y * 31) % 97;
        for coarse in [1, 2, 9] {
            let pixels = (0..height).flat_map(|y| {
                // Mostly dark, as a map behind a ReLU is.
                (0..width).map(move |x| noise(x / coarse, y / coarse).saturating_sub(50) as u8 * 5)
            });
            let map = Indexed::new(width, height, pixels.collect(), Colormap::Viridis);
            let colors = map.to_rgb();
            let parts = vec![part(1, 2, 30, 40), part(40, 0, 21, 33)];
            let cutout = Cutout::new(map.into(), parts);
            let mask = cutout.mask().unwrap();
            let found = drawn(&encode(&cutout, 256), cutout.size());
            for (index, (found, color)) in found.iter().zip(colors.pixels()).enumerate() {
                let percent = |value: u8| ((u32::from(value) * 100 + 127) / 255) as u8;
                let wanted = mask[index].then(|| color.0.map(percent).to_vec());
                assert_eq!(*found, wanted, "{coarse}: pixel {index}");
            }
        }
    }
}
