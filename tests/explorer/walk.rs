//! A walk through the book's convnet.

use std::process::Command;

use convscope::array::npy;

use super::terminal::{MODEL, PROGRAM, Terminal, folder, root, text};

const DOWN: &str = "\x1b[B";
const RIGHT: &str = "\x1b[C";

#[test]
fn from_the_photo_to_a_channel_and_into_a_file() {
    let folder = folder();
    let output = folder.path().join("saved");
    let mut terminal = Terminal::explorer(&[
        MODEL,
        "demo/chelsea.png",
        "demo/panda.jpg",
        "--output-dir",
        &text(&output),
    ]);
    // The photo, and what the network makes of it.
    terminal.wait_for(&["image 1/2 chelsea.png", "what the network sees", "cat"]);
    let photo = terminal.colors(2..37, 38..118);
    assert!(photo > 200, "{photo} colours");

    // To the third layer, into its grid, to channel 3.
    terminal.press("jj");
    terminal.wait_for(&["conv2d_6  Conv2D  72x72x64"]);
    terminal.press("\r");
    terminal.press(&RIGHT.repeat(3));
    terminal.wait_for(&["conv2d_6  Conv2D  72x72x64  channel 3/64"]);
    terminal.press("s");
    terminal.wait_for(&["saved", "cats_and_dogs_small_2.chelsea.conv2d_6.grid.png"]);
    terminal.press("\r");
    terminal.wait_for(&["conv2d_6 channel 3 "]);
    terminal.press("s");
    terminal.wait_for(&["saved", "cats_and_dogs_small_2.chelsea.conv2d_6.c3.png"]);

    // The numbers are those of `convscope maps`.
    let channel = output.join("cats_and_dogs_small_2.chelsea.conv2d_6.c3.npy");
    let grid = output.join("cats_and_dogs_small_2.chelsea.conv2d_6.grid.npy");
    for (options, ours, shape) in [
        (&["--channel", "3"][..], channel, &[72, 72][..]),
        (&[], grid, &[64, 72, 72]),
    ] {
        let theirs = folder.path().join("theirs.npy");
        let maps = Command::new(PROGRAM)
            .args([
                "maps",
                MODEL,
                "demo/chelsea.png",
                "--layer",
                "conv2d_6",
                "--overwrite",
                "--quiet",
                "--npy",
            ])
            .arg(&theirs)
            .args(options)
            .current_dir(root())
            .status();
        assert!(maps.unwrap().success());
        let (ours, theirs) = (npy::read(&ours).unwrap(), npy::read(&theirs).unwrap());
        assert_eq!(ours.shape(), shape);
        assert!(ours.values() == theirs.values(), "{shape:?}");
    }
    let picture =
        image::open(output.join("cats_and_dogs_small_2.chelsea.conv2d_6.c3.png")).unwrap();
    assert_eq!((picture.width(), picture.height()), (72, 72));
    let picture =
        image::open(output.join("cats_and_dogs_small_2.chelsea.conv2d_6.grid.png")).unwrap();
    assert_eq!((picture.width(), picture.height()), (16 * 72, 4 * 72));

    // A second time doesn't replace the first.
    terminal.press("s");
    terminal.wait_for(&["conv2d_6.c3-2.png"]);

    // The other image, on a smaller screen, then one that is too small for both panes.
    terminal.press("n");
    terminal.wait_for(&["image 2/2 panda.jpg", "conv2d_6 channel 3 "]);
    terminal.resize(80, 24);
    terminal.wait_for(&[
        "image 2/2 panda.jpg",
        "? help  q quit",
        "72x72x64  channel 3/64",
    ]);
    terminal.resize(40, 10);
    terminal.wait_for(&["conv2d_6 channel 3 "]);
    terminal.press("\x1b");
    terminal.wait_for(&["conv2d_6 ", " of 64 "]);
    terminal.press("\t");
    terminal.press(DOWN);
    terminal.wait_for(&["layers", "4/12"]);
    terminal.resize(120, 40);
    terminal.wait_for(&["max_pooling2d_6  MaxPool  36x36x64"]);

    terminal.press("q");
    assert!(terminal.status().success());
    terminal.assert_restored();
}

#[test]
fn what_cant_be_saved_is_said() {
    let folder = folder();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let mut terminal = Terminal::explorer(&[
        MODEL,
        "demo/chelsea.png",
        "--output-dir",
        &text(&file.join("below")),
    ]);
    terminal.wait_for(&["what the network sees"]);
    terminal.press("s");
    terminal.wait_for(&["not saved: "]);
    terminal.press("q");
    assert!(terminal.status().success());
}

#[test]
fn a_folder_that_is_none_is_told_before_the_screen_is_taken() {
    let folder = folder();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let mut terminal =
        Terminal::explorer(&[MODEL, "demo/chelsea.png", "--output-dir", &text(&file)]);
    assert_eq!(terminal.status().exit_code(), 1);
    terminal.wait("the error", |screen| {
        screen.contents().contains("is not a folder")
    });
    terminal.assert_restored();
}

#[test]
fn the_head_shows_every_class() {
    let mut terminal = Terminal::explorer(&[MODEL, "demo/chelsea.png"]);
    terminal.wait_for(&["what the network sees", "cat"]);
    terminal.press("G\r");
    terminal.wait_for(&["dense_4  Dense  1", "dog"]);
    terminal.press("?");
    terminal.wait_for(&["this list", "to the last"]);
    terminal.press("\x03");
    assert!(terminal.status().success());
    terminal.assert_restored();
}

#[test]
fn without_colours_there_are_characters() {
    let mut terminal = Terminal::start(PROGRAM, &[MODEL, "demo/chelsea.png"], &[("NO_COLOR", "1")]);
    terminal.wait_for(&["what the network sees", "cat"]);
    assert!(!terminal.text().contains('▀'));
    assert_eq!(terminal.colors(0..40, 0..120), 0);
    terminal.press("q");
    assert!(terminal.status().success());
}

#[test]
fn few_colours_are_taken_from_the_table() {
    let mut terminal = Terminal::start(PROGRAM, &[MODEL, "demo/chelsea.png"], &[("COLORTERM", "")]);
    terminal.wait_for(&["what the network sees", "▀▀▀"]);
    assert_eq!(terminal.colors(0..40, 0..120), 0, "no 24-bit colours");
    terminal.press("q");
    assert!(terminal.status().success());
}
