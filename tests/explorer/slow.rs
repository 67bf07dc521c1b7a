//! On a slow line nobody looks at what they wanted to see seconds ago.

use std::thread;
use std::time::Duration;

use super::pictures::{enlarged, maps};
use super::terminal::{MODEL, Terminal, folder};

/// Bytes a second: one megabit.
const RATE: usize = 125_000;

/// What arrives within a second and a half.
const SOON: usize = RATE * 3 / 2;

/// Looks at a channel and holds the arrow keys, to and fro, faster than pictures come. At the end channel 7 is at hand.
/// Returns the bytes that had come by then.
fn hold(terminal: &mut Terminal) -> usize {
    terminal.wait_for(&["what the network sees", "cat"]);
    terminal.press("\r");
    terminal.wait_for(&["conv2d_5"]);
    terminal.press("\r");
    terminal.wait_for(&["conv2d_5 channel 0 "]);
    for key in ["l".repeat(25), "h".repeat(25), "l".repeat(7)]
        .concat()
        .chars()
    {
        terminal.press(&key.to_string());
        thread::sleep(Duration::from_millis(33));
    }
    terminal.received()
}

#[test]
fn the_right_picture_comes_soon() {
    let folder = folder();
    let mut terminal = Terminal::slow(&[MODEL, "demo/chelsea.png"], true, RATE);
    let before = hold(&mut terminal);
    let theirs = maps(&["--layer", "conv2d_5", "--channel", "7"], folder.path());
    let factor = 4;
    let theirs = enlarged(&theirs, factor);
    terminal.wait_for_pictures(
        "channel 7",
        |shown| matches!(shown, [only] if only.pixels == theirs),
    );
    let bytes = terminal.received() - before;
    assert!(bytes < SOON, "{bytes} bytes came after the last key");
}

#[test]
fn characters_come_soon_too() {
    let mut terminal = Terminal::slow(&[MODEL, "demo/chelsea.png"], false, RATE);
    let before = hold(&mut terminal);
    terminal.wait_for(&["conv2d_5 channel 7 "]);
    let bytes = terminal.received() - before;
    assert!(bytes < SOON, "{bytes} bytes came after the last key");
    // And the keys were never kept back.
    terminal.press("q");
    assert!(terminal.status().success());
    terminal.assert_restored();
}
