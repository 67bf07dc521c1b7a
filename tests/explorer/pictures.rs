//! What the explorer sends to a terminal that shows kitty's pictures is what it should show, to the pixel.

use std::path::Path;
use std::process::Command;

use image::{RgbImage, imageops};

use super::terminal::{CELL, MODEL, PROGRAM, Terminal, folder, root, text};

/// The picture that `convscope maps` makes of a channel, or of a layer's channels one below the other.
pub fn maps(options: &[&str], folder: &Path) -> RgbImage {
    let file = folder.join("theirs.png");
    let status = Command::new(PROGRAM)
        .args(["maps", MODEL, "demo/chelsea.png", "--overwrite", "-q", "-o"])
        .arg(&file)
        .args(options)
        .current_dir(root())
        .status()
        .unwrap();
    assert!(status.success());
    image::open(file).unwrap().to_rgb8()
}

/// Each pixel a square of `factor` times `factor`.
pub fn enlarged(picture: &RgbImage, factor: u32) -> RgbImage {
    let (width, height) = (factor * picture.width(), factor * picture.height());
    imageops::resize(picture, width, height, imageops::FilterType::Nearest)
}

#[test]
fn channels_and_grids_arrive_to_the_pixel() {
    let folder = folder();
    let mut terminal = Terminal::kitty(&[
        MODEL,
        "demo/chelsea.png",
        "--output-dir",
        &text(folder.path()),
    ]);
    terminal.wait_for(&["what the network sees", "cat"]);
    {
        let pictures = terminal.pictures();
        let [photo] = &pictures.on_screen()[..] else {
            panic!("{}", pictures.on_screen().len())
        };
        // The book's photos are 150x150, here enlarged by a whole factor.
        assert!(photo.pixels.width() >= 300 && photo.pixels.width().is_multiple_of(150));
    }
    assert!(!terminal.text().contains('▀'));

    // A grid.
    terminal.press("jjj\r");
    terminal.wait_for(&["max_pooling2d_6  MaxPool  36x36x64"]);
    let shown = terminal.wait_for_pictures("64 tiles", |shown| shown.len() == 64);
    let factor = shown[0].pixels.width() / 36;
    let layer = ["--layer", "max_pooling2d_6"];
    let column = maps(&[&layer[..], &["--columns", "1"]].concat(), folder.path());
    for (channel, tile) in shown.iter().enumerate() {
        let theirs = imageops::crop_imm(&column, 0, 36 * channel as u32, 36, 36).to_image();
        assert_eq!(tile.pixels, enlarged(&theirs, factor), "channel {channel}");
    }
    // In rows and columns of whole cells with room for the cursor between them.
    let step = shown[1].at.0 - shown[0].at.0;
    assert_eq!(
        u32::from(step),
        shown[0].pixels.width().div_ceil(u32::from(CELL.0)) + 1
    );

    // One channel.
    terminal.press("lll\r");
    terminal.wait_for(&["max_pooling2d_6 channel 3 "]);
    let shown = terminal.wait_for_pictures("one channel", |shown| shown.len() == 1);
    let theirs = maps(&[&layer[..], &["--channel", "3"]].concat(), folder.path());
    let factor = shown[0].pixels.width() / 36;
    assert!(shown.len() == 1 && factor > 10);
    assert!(shown[0].pixels == enlarged(&theirs, factor));

    // In other colours.
    terminal.press("c");
    terminal.wait_for(&["magma, minmax"]);
    let theirs = maps(
        &[&layer[..], &["--channel", "3", "--colormap", "magma"]].concat(),
        folder.path(),
    );
    assert!(terminal.pictures().on_screen()[0].pixels == enlarged(&theirs, factor));

    // The help is not drawn over by pictures.
    terminal.press("?");
    terminal.wait_for(&["this list"]);
    terminal.wait_for_pictures("no picture", <[_]>::is_empty);
    terminal.press("x");
    let before = terminal.wait_for_pictures("the picture again", |shown| shown.len() == 1);
    terminal.resize(100, 30);
    let shown = terminal.wait_for_pictures("a smaller picture", |shown| {
        shown.len() == 1 && shown[0].pixels.width() < before[0].pixels.width()
    });
    let smaller = shown[0].pixels.width() / 36;
    assert!(smaller < factor && shown[0].pixels == enlarged(&theirs, smaller));

    terminal.press("q");
    assert!(terminal.status().success());
    terminal.assert_restored();
    assert!(terminal.pictures().held() == 0, "no picture is left behind");
}

#[test]
fn many_steps_leave_few_pictures_in_the_terminal() {
    let mut terminal = Terminal::kitty(&[MODEL, "demo/chelsea.png"]);
    terminal.wait_for(&["what the network sees", "cat"]);
    terminal.press("\r\r");
    terminal.wait_for(&["conv2d_5 channel 0 "]);
    for _ in 0..3 {
        for channel in 1..32 {
            terminal.press("l");
            terminal.wait_for(&[&format!("conv2d_5 channel {channel} ")]);
            assert_eq!(terminal.pictures().on_screen().len(), 1);
        }
        terminal.press("g");
        terminal.wait_for(&["conv2d_5 channel 0 "]);
        terminal.press("v");
        terminal.wait_for(&["conv2d_5 channel 0 "]);
    }
    // 94 pictures of some 1.5 MB each would be more than the budget of 96 MB.
    let held = terminal.pictures().held();
    assert!((30..80).contains(&held), "{held} pictures");
    terminal.signal("TERM");
    terminal.status();
    terminal.assert_restored();
    assert_eq!(terminal.pictures().held(), 0);
}

#[test]
fn half_blocks_can_be_asked_for() {
    let mut terminal = Terminal::kitty(&[MODEL, "demo/chelsea.png", "--protocol", "halfblocks"]);
    terminal.wait_for(&["what the network sees", "cat", "▀▀▀"]);
    assert_eq!(terminal.pictures().held(), 0);
    terminal.press("q");
    assert!(terminal.status().success());
}
