//! However it ends, the terminal is as it was.

use std::env;
use std::process::{Command, Stdio};

use convscope::terminal::Screen;
use ratatui::layout::Size;

use super::terminal::{MODEL, PROGRAM, Terminal, root};

#[test]
fn a_signal_ends_it() {
    for (name, number) in [("TERM", 15), ("HUP", 1), ("INT", 2)] {
        let mut terminal = Terminal::explorer(&[MODEL, "demo/chelsea.png"]);
        terminal.wait("the screen", |screen| {
            screen.alternate_screen() && screen.contents().contains("layers")
        });
        terminal.signal(name);
        let status = terminal.status();
        let died = status.signal().is_some() || status.exit_code() == 128 + number;
        assert!(died && !status.success(), "{name}: {status:?}");
        terminal.assert_restored();
    }
}

#[test]
fn a_signal_during_the_start_ends_it_too() {
    let mut terminal =
        Terminal::explorer(&["weights/vgg16_cats_dogs.safetensors", "demo/chelsea.png"]);
    terminal.wait("the screen", vt100::Screen::alternate_screen);
    terminal.signal("TERM");
    assert!(!terminal.status().success());
    terminal.assert_restored();
}

#[test]
fn it_can_be_left_for_a_while() {
    let mut terminal = Terminal::kitty(&[MODEL, "demo/chelsea.png"]);
    terminal.wait_for(&["what the network sees", "cat"]);
    let pictures = terminal.wait_for_pictures("the photo", |shown| shown.len() == 1);
    terminal.press("\x1a");
    terminal.assert_restored();
    assert_eq!(terminal.pictures().held(), 0);
    terminal.signal("CONT");
    terminal.wait_for(&["what the network sees", "cat", "? help"]);
    let again = terminal.wait_for_pictures("the photo again", |shown| shown.len() == 1);
    assert_eq!(again, pictures);
    terminal.press("j");
    terminal.wait_for(&["2/12"]);
    terminal.press("q");
    assert!(terminal.status().success());
    terminal.assert_restored();
}

#[test]
fn quitting_in_the_middle_of_a_computation_is_no_crash() {
    let mut terminal =
        Terminal::explorer(&["weights/vgg16_cats_dogs.safetensors", "demo/chelsea.png"]);
    terminal.wait("the layers", |screen| {
        screen.contents().contains("block5_conv3")
    });
    terminal.press("Gkkq");
    let status = terminal.status();
    assert!(status.success(), "{status:?}");
    terminal.assert_restored();
}

#[test]
fn a_broken_connection_ends_it() {
    let mut terminal = Terminal::explorer(&[MODEL, "demo/chelsea.png"]);
    terminal.wait_for(&["what the network sees"]);
    terminal.hang_up();
    terminal.status();
}

#[test]
fn a_wrong_model_is_an_error_on_the_shell() {
    let mut terminal = Terminal::explorer(&["weights/none.h5", "demo/chelsea.png"]);
    let status = terminal.status();
    assert_eq!(status.exit_code(), 1, "{status:?}");
    terminal.wait("the error", |screen| {
        screen.contents().contains("convscope: weights/none.h5: ")
    });
    terminal.assert_restored();
}

#[test]
fn a_wrong_image_leaves_the_rest_usable() {
    let mut terminal = Terminal::explorer(&[MODEL, "demo/none.png"]);
    terminal.wait_for(&["demo/none.png: ", "conv2d_5", "parameters"]);
    terminal.press("jj");
    terminal.wait_for(&["3/12"]);
    terminal.press("q");
    assert!(terminal.status().success());
    terminal.assert_restored();
}

#[test]
fn standard_input_is_for_the_keys() {
    let mut terminal = Terminal::explorer(&[MODEL, "-"]);
    assert_eq!(terminal.status().exit_code(), 1);
    terminal.wait("the error", |screen| {
        screen.contents().contains("standard input is for the keys")
    });
}

#[test]
fn a_dumb_terminal_is_refused() {
    let mut terminal = Terminal::start(PROGRAM, &[MODEL, "demo/chelsea.png"], &[("TERM", "dumb")]);
    assert_eq!(terminal.status().exit_code(), 1);
    terminal.wait("the error", |screen| {
        screen.contents().contains("can't draw on this terminal")
    });
    terminal.assert_restored();
}

#[test]
fn a_panic_is_shown_on_the_restored_screen() {
    let this = env::current_exe().unwrap();
    let mut terminal = Terminal::start(
        this,
        &[
            "--ignored",
            "--exact",
            "ends::panics_on_the_screen",
            "--nocapture",
        ],
        &[],
    );
    assert!(!terminal.status().success());
    terminal.wait("the message", |screen| {
        screen.contents().contains("on purpose")
    });
    terminal.assert_restored();
    assert!(
        !terminal.text().contains("a thread's own business"),
        "{}",
        terminal.text()
    );
}

#[test]
#[ignore = "run in a terminal of its own by the test above"]
fn panics_on_the_screen() {
    let mut screen = Screen::enter(|| ()).unwrap();
    screen
        .draw(Size::new(20, 2), |frame| {
            frame
                .buffer
                .set_string(0, 0, "drawn", ratatui::style::Style::new());
        })
        .unwrap();
    let thread = std::thread::spawn(|| panic!("a thread's own business"));
    assert!(thread.join().is_err());
    screen
        .draw(Size::new(20, 2), |_| panic!("on purpose"))
        .unwrap();
}

#[test]
fn without_a_terminal_there_is_a_summary() {
    let output = Command::new(PROGRAM)
        .args([MODEL, "demo/chelsea.png"])
        .current_dir(root())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && text.contains("conv2d_6") && !text.contains('\x1b'));
}
