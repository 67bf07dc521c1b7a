//! What the screen says. Pictures are compared elsewhere; here a cell of one is a cell of one.

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::style::Modifier;

use super::*;
use crate::terminal::ColorDepth;
use crate::tui::theme::Theme;
use crate::tui::view::{Looks, view};

fn drawn(explorer: &Explorer, depth: ColorDepth) -> TestBackend {
    let Size { width, height } = explorer.state.size;
    let looks = Looks {
        theme: Theme::suiting(depth).unwrap(),
        depth,
    };
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal
        .draw(|frame| view(&explorer.state, &looks, frame.buffer_mut()))
        .unwrap();
    terminal.backend().clone()
}

fn text(explorer: &Explorer) -> String {
    drawn(explorer, ColorDepth::Full).to_string()
}

fn grid(width: u16, height: u16) -> Explorer {
    let mut explorer = Explorer::settled(width, height);
    explorer.press("jj");
    explorer.code(KeyCode::Enter);
    explorer.press("ll");
    explorer.settle();
    explorer
}

#[test]
fn small_list() {
    insta::assert_snapshot!(text(&Explorer::settled(40, 12)));
}

#[test]
fn small_grid() {
    insta::assert_snapshot!(text(&grid(40, 12)));
}

#[test]
fn usual_photo() {
    insta::assert_snapshot!(text(&Explorer::settled(80, 24)));
}

#[test]
fn usual_channel() {
    let mut explorer = grid(80, 24);
    explorer.code(KeyCode::Enter);
    explorer.settle();
    insta::assert_snapshot!(text(&explorer));
}

#[test]
fn large_grid() {
    insta::assert_snapshot!(text(&grid(120, 40)));
}

#[test]
fn large_help() {
    let mut explorer = grid(120, 40);
    explorer.press("?");
    insta::assert_snapshot!(text(&explorer));
}

#[test]
fn classes_take_the_place_of_the_heads_picture() {
    let mut explorer = Explorer::settled(80, 24);
    explorer.press("G");
    explorer.settle();
    insta::assert_snapshot!(text(&explorer));
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
fn a_very_large_screen_is_used() {
    let text = text(&grid(300, 90));
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 90);
    assert!(lines[1].contains("stem/conv2d") && lines[1].contains("3 channel"));
    let widest = lines.iter().map(|line| line.matches('▀').count()).max();
    assert!(widest > Some(200), "{widest:?}");
    assert!(lines[88].contains("range") && lines[88].contains("12 ms"));
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
    let mut explorer = Explorer::settled(300, 40);
    let footer = text(&explorer);
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
