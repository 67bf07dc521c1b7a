//! A terminal that understands kitty's pictures, as far as the explorer uses them.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use image::RgbImage;
use image::imageops;

/// A picture on the screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnScreen {
    /// (column, row) of the cell where it begins.
    pub at: (u16, u16),
    /// Its pixels.
    pub pixels: RgbImage,
}

/// What the terminal holds and shows.
#[derive(Debug, Default)]
pub struct Pictures {
    /// What was not understood yet.
    rest: Vec<u8>,
    cursor: (u16, u16),
    questions: usize,
    /// Whether a frame is on its way.
    pub drawing: bool,
    images: HashMap<u32, RgbImage>,
    placed: HashMap<(u32, u32), OnScreen>,
    /// The control data and base64 of a picture on its way.
    coming: Option<(HashMap<String, String>, String)>,
}

impl Pictures {
    /// Takes in what the program writes. Returns how often it asked whether a picture would be shown.
    pub fn process(&mut self, bytes: &[u8]) -> usize {
        self.take_in(bytes);
        std::mem::take(&mut self.questions)
    }

    fn take_in(&mut self, bytes: &[u8]) {
        self.rest.extend_from_slice(bytes);
        let rest = std::mem::take(&mut self.rest);
        let mut left = &rest[..];
        while let Some(start) = left.iter().position(|byte| *byte == 0x1b) {
            let sequence = &left[start..];
            let length = match sequence.get(1) {
                Some(b'_') => sequence.windows(2).position(|pair| pair == b"\x1b\\"),
                Some(b'[') => sequence[2..]
                    .iter()
                    .position(|byte| (0x40..0x7f).contains(byte))
                    .map(|at| at + 2),
                Some(_) => Some(1),
                None => None,
            };
            let Some(length) = length else {
                self.rest = sequence.to_vec();
                return;
            };
            match sequence {
                [0x1b, b'_', b'G', ..] => self.command(&sequence[3..length]),
                [0x1b, b'[', ..] if sequence[length] == b'H' => self.go(&sequence[2..length]),
                [0x1b, b'[', ..] => match &sequence[2..=length] {
                    b"?2026h" => self.drawing = true,
                    b"?2026l" => self.drawing = false,
                    _ => {}
                },
                _ => {}
            }
            left = &sequence[length + 1..];
        }
    }

    /// What is on the screen, from its upper left corner on.
    pub fn on_screen(&self) -> Vec<OnScreen> {
        let mut all: Vec<OnScreen> = self.placed.values().cloned().collect();
        all.sort_by_key(|picture| (picture.at.1, picture.at.0));
        all
    }

    /// Pictures that the terminal holds, shown or not.
    pub fn held(&self) -> usize {
        self.images.len()
    }

    fn go(&mut self, parameters: &[u8]) {
        let text = std::str::from_utf8(parameters).unwrap();
        let mut numbers = text.split(';').map(|number| number.parse().unwrap_or(1));
        let (row, column): (u16, u16) = (numbers.next().unwrap(), numbers.next().unwrap_or(1));
        self.cursor = (column - 1, row - 1);
    }

    fn command(&mut self, command: &[u8]) {
        let text = std::str::from_utf8(command).unwrap();
        let (control, data) = text.split_once(';').unwrap_or((text, ""));
        let pairs = control.split(',').map(|pair| pair.split_once('=').unwrap());
        let control: HashMap<String, String> = pairs
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect();
        if self.coming.is_some() || control.get("a").map(String::as_str) == Some("t") {
            let (_, sent) = self.coming.get_or_insert((control.clone(), String::new()));
            sent.push_str(data);
            if control["m"] == "0" {
                self.arrive();
            }
            return;
        }
        if !control.contains_key("a") {
            // The last piece of nothing: the program makes sure that no picture is on its way.
            assert_eq!(control["m"], "0");
            return;
        }
        let number = |key: &str| control.get(key).map(|value| value.parse::<u32>().unwrap());
        let image = number("i");
        match (control["a"].as_str(), control.get("d").map(String::as_str)) {
            ("q", _) => self.questions += 1,
            ("p", _) => {
                let id = image.unwrap();
                let whole = &self.images[&id];
                let [x, y, width, height] = ["x", "y", "w", "h"].map(|key| number(key).unwrap());
                assert!(x + width <= whole.width() && y + height <= whole.height());
                assert_eq!(control["C"], "1", "the cursor stays where it is");
                let pixels = imageops::crop_imm(whole, x, y, width, height).to_image();
                let at = self.cursor;
                let placement = number("p").unwrap();
                self.placed.insert((id, placement), OnScreen { at, pixels });
            }
            ("d", Some("i")) => {
                let placement = (image.unwrap(), number("p").unwrap());
                assert!(self.placed.remove(&placement).is_some(), "{placement:?}");
            }
            ("d", Some("I")) => {
                let gone = image.unwrap();
                self.placed.retain(|(id, _), _| *id != gone);
                assert!(self.images.remove(&gone).is_some(), "{gone}");
            }
            ("d", Some("A")) => {
                self.placed.clear();
                self.images.clear();
            }
            _ => panic!("{text}"),
        }
    }

    fn arrive(&mut self) {
        let (control, data) = self.coming.take().unwrap();
        assert_eq!(control["f"], "100", "a PNG");
        let file = STANDARD.decode(data).unwrap_or_default();
        // It may have been broken off when the program ended.
        let Ok(picture) = image::load_from_memory(&file) else {
            return;
        };
        let picture = picture.to_rgb8();
        self.images.insert(control["i"].parse().unwrap(), picture);
    }
}
