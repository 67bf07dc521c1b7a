//! What the screen says. Pictures are compared elsewhere; here a cell of one is a cell of one.

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::style::Modifier;

use super::*;
use crate::terminal::{ColorDepth, Frame};
use crate::tui::theme::{NAMES, Theme};
use crate::tui::view::{Looks, view};

/// A small terminal, the usual one, a large one, and a wall.
const SIZES: [(u16, u16); 4] = [(40, 12), (80, 24), (120, 40), (300, 90)];

/// The screens that a user sees most, and the keys that lead there.
const SCREENS: [(&str, &str); 9] = [
    ("summary", ""),
    ("grid", "jj\rll"),
    ("channel", "jj\rll\r"),
    ("head", "G\r"),
    ("heatmap", "4jjl"),
    ("find", "4/d"),
    ("filter", "jjj5l"),
    ("patterns", "jj6"),
    ("help", "?"),
];

fn screen(width: u16, height: u16, keys: &str) -> Explorer {
    let mut explorer = Explorer::settled(width, height);
    for key in keys.chars() {
        explorer.code(match key {
            '\r' => KeyCode::Enter,
            character => KeyCode::Char(character),
        });
        explorer.settle();
    }
    explorer
}

fn drawn(explorer: &Explorer, depth: ColorDepth) -> TestBackend {
    drawn_in(explorer, depth, None)
}

fn drawn_in(explorer: &Explorer, depth: ColorDepth, theme: Option<&str>) -> TestBackend {
    let Size { width, height } = explorer.state.size;
    let looks = Looks {
        theme: Theme::choose(theme, depth, None).unwrap(),
        depth,
    };
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal
        .draw(|frame| view(&explorer.state, &looks, &mut Frame::new(frame.buffer_mut())))
        .unwrap();
    terminal.backend().clone()
}

fn text(explorer: &Explorer) -> String {
    drawn(explorer, ColorDepth::Full).to_string()
}

fn grid(width: u16, height: u16) -> Explorer {
    screen(width, height, "jj\rll")
}

/// Which look each cell has: a letter a look, runs of the same one counted. Pictures are one look.
fn looks_of(backend: &TestBackend, legend: &mut Vec<String>) -> String {
    let buffer = backend.buffer();
    let mut text = String::new();
    for row in buffer.content.chunks(usize::from(buffer.area.width)) {
        let looks: Vec<String> = row
            .iter()
            .map(|cell| match cell.symbol() {
                "▀" => "picture".to_owned(),
                _ => format!("{} on {} {:?}", cell.fg, cell.bg, cell.modifier),
            })
            .collect();
        for run in looks.chunk_by(|a, b| a == b) {
            let known = legend.iter().position(|look| *look == run[0]);
            let index = known.unwrap_or_else(|| {
                legend.push(run[0].clone());
                legend.len() - 1
            });
            let letter = char::from(b'a' + index as u8);
            text += &format!("{letter}{} ", run.len());
        }
        text.push('\n');
    }
    text
}

#[test]
fn every_screen_at_every_size() {
    for (width, height) in SIZES {
        for (name, keys) in SCREENS {
            let text = text(&screen(width, height, keys));
            insta::assert_snapshot!(format!("{name}_{width}x{height}"), text);
        }
    }
}

#[test]
fn every_screen_in_every_theme() {
    for theme in NAMES {
        for (width, height) in SIZES {
            let mut legend = Vec::new();
            let mut text = String::new();
            for (name, keys) in SCREENS {
                let backend = drawn_in(&screen(width, height, keys), ColorDepth::Full, Some(theme));
                text += &format!("{name}\n{}\n", looks_of(&backend, &mut legend));
            }
            for (index, look) in legend.iter().enumerate() {
                text += &format!("{}: {look}\n", char::from(b'a' + index as u8));
            }
            insta::assert_snapshot!(format!("theme_{theme}_{width}x{height}"), text);
        }
    }
}

#[test]
fn before_the_model_is_open() {
    insta::assert_snapshot!(text(&Explorer::new(80, 24)));
}

#[test]
fn without_colours_pictures_are_characters() {
    let explorer = Explorer::settled(80, 24);
    let backend = drawn(&explorer, ColorDepth::Monochrome);
    let text = backend.to_string();
    assert!(!text.contains('▀') && text.contains("###"), "{text}");
    let plain = |cell: &ratatui::buffer::Cell| {
        cell.fg == ratatui::style::Color::Reset && cell.bg == ratatui::style::Color::Reset
    };
    assert!(backend.buffer().content.iter().all(plain));
}

#[test]
fn an_older_picture_is_marked() {
    let mut explorer = grid(120, 40);
    explorer.press("n");
    let backend = drawn(&explorer, ColorDepth::Full);
    let heading: Vec<_> = backend.buffer().content[120..240].iter().collect();
    let dimmed = |letter: &str| {
        let cell = heading.iter().find(|cell| cell.symbol() == letter).unwrap();
        cell.modifier.contains(Modifier::DIM)
    };
    assert!(dimmed("v"), "the v of conv2d");
    assert!(backend.to_string().contains('⠋'));
    let before = backend.to_string();
    explorer.happen(Event::Tick);
    assert_ne!(
        drawn(&explorer, ColorDepth::Full).to_string(),
        before,
        "the spinner turns"
    );
}

#[test]
fn messages_take_the_place_of_the_numbers() {
    let mut explorer = grid(80, 24);
    explorer.happen(Event::Saved(Ok("saved out/net.png and net.npy".to_owned())));
    assert!(text(&explorer).contains("saved out/net.png"));
    explorer.press("l");
    assert!(!text(&explorer).contains("saved"));
}

#[test]
fn the_footer_and_the_help_name_every_key() {
    let mut explorer = screen(400, 40, "4");
    let mut footer = text(&explorer);
    explorer.press("5");
    footer.push_str(&text(&explorer));
    explorer.press("?");
    let help = text(&explorer);
    for binding in crate::tui::keymap::KEYMAP {
        assert!(help.contains(binding.help), "{}", binding.help);
        if let Some(hint) = binding.hint {
            assert!(
                footer.contains(&format!("{} {hint}", binding.keys[0])),
                "{hint}"
            );
        }
    }
}

#[test]
fn no_size_and_no_view_is_too_much() {
    for (width, height) in [
        (0, 0),
        (1, 1),
        (2, 2),
        (9, 3),
        (20, 5),
        (63, 13),
        (64, 14),
        (65, 15),
        (200, 7),
    ] {
        let mut explorer = Explorer::settled(width, height);
        for key in "jj123?xjjjjGn".chars() {
            explorer.press(&key.to_string());
            drawn(&explorer, ColorDepth::Full);
            explorer.settle();
            drawn(&explorer, ColorDepth::Indexed);
        }
    }
}
