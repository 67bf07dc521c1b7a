//! Rough pictures for whoever is on the way to another one.

use crossterm::event::KeyCode;

use super::Explorer;
use crate::terminal::{Canvas, Protocol};
use crate::tui::painter::{Detail, Places};
use crate::tui::protocol::Event;

fn shown(explorer: &Explorer) -> (Detail, Places) {
    let painting = explorer.state.shown.as_ref().unwrap();
    (painting.key.detail, painting.places.clone())
}

/// Time passes until nothing is awaited any more.
fn rest(explorer: &mut Explorer) {
    for _ in 0..10 {
        if !explorer.state.awaits_time() {
            return;
        }
        explorer.happen(Event::Tick);
        explorer.settle();
    }
    panic!("there is no rest");
}

#[test]
fn on_a_slow_line_pictures_sharpen_when_the_user_rests() {
    let mut explorer = Explorer::settled(120, 40);
    explorer.press("3");
    explorer.settle();
    assert_eq!(shown(&explorer).0, Detail::Full);
    explorer.happen(Event::Link { slow: true });
    explorer.code(KeyCode::Tab);
    explorer.press("l");
    explorer.settle();
    assert_eq!(shown(&explorer).0, Detail::Rough);
    assert!(explorer.state.awaits_time());
    explorer.happen(Event::Tick);
    explorer.press("l");
    explorer.settle();
    explorer.happen(Event::Tick);
    assert_eq!(shown(&explorer).0, Detail::Rough, "still on the way");
    rest(&mut explorer);
    assert_eq!(shown(&explorer).0, Detail::Full);
    // What is there exactly already is shown so.
    explorer.press("h");
    explorer.settle();
    assert_eq!(shown(&explorer).0, Detail::Rough);
    explorer.press("l");
    assert_eq!(shown(&explorer).0, Detail::Full);
}

#[test]
fn a_key_that_leads_to_no_other_picture_leaves_it_sharp() {
    let mut explorer = Explorer::settled(120, 40);
    explorer.happen(Event::Link { slow: true });
    explorer.press("?");
    explorer.press("?");
    assert_eq!(shown(&explorer).0, Detail::Full);
    assert!(!explorer.state.awaits_time());
}

#[test]
fn another_class_is_a_veil_first_and_exact_at_rest() {
    let mut explorer = Explorer::settled(120, 40);
    explorer.state.canvas = Canvas {
        protocol: Protocol::Kitty,
        cell: [20, 10],
        ..Canvas::HALF_BLOCKS
    };
    explorer.press("4");
    explorer.settle();
    rest(&mut explorer);
    assert_eq!(shown(&explorer), (Detail::Full, Places::Beside));
    explorer.press("j");
    explorer.settle();
    assert_eq!(shown(&explorer), (Detail::Rough, Places::Above));
    rest(&mut explorer);
    assert_eq!(shown(&explorer), (Detail::Full, Places::Beside));
}
