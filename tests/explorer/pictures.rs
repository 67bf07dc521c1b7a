//! What the explorer sends to a terminal that shows kitty's pictures is what it should show, to the pixel.

use std::path::Path;
use std::process::Command;

use image::{RgbImage, imageops};

use super::kitty::OnScreen;
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
    // Each row of tiles is a part of a picture. Cells are half as wide as they are high: tiles of whole cells.
    let rows = |shown: &[OnScreen]| shown.len() > 1 && shown[0].at.0 == shown[1].at.0;
    let shown = terminal.wait_for_pictures("rows of tiles", rows);
    let factor = shown[0].pixels.height() / 36;
    let step = 36 * factor + u32::from(CELL.0);
    let columns = (shown[0].pixels.width() + u32::from(CELL.0)) / step;
    assert_eq!(shown.len() as u32, 64_u32.div_ceil(columns));
    let layer = ["--layer", "max_pooling2d_6"];
    let column = maps(&[&layer[..], &["--columns", "1"]].concat(), folder.path());
    for channel in 0..64 {
        let theirs = imageops::crop_imm(&column, 0, 36 * channel, 36, 36).to_image();
        let row = &shown[(channel / columns) as usize].pixels;
        let (x, side) = (channel % columns * step, 36 * factor);
        let tile = imageops::crop_imm(row, x, 0, side, side).to_image();
        // One of 256 levels may have become a hole between the tiles, and is drawn as the next.
        let theirs = enlarged(&theirs, factor);
        let near = |a: &[u8], b: &[u8]| a.iter().zip(b).all(|(a, b)| a.abs_diff(*b) <= 2);
        assert!(near(tile.as_raw(), theirs.as_raw()), "channel {channel}");
    }

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
