//! The patterns that filters look for, as they come.

use std::path::Path;
use std::process::Command;

use convscope::array::npy;

use super::terminal::{MODEL, PROGRAM, Terminal, folder, root, text};

const VGG: &str = "weights/vgg16_cats_dogs.safetensors";

/// Patterns are kept in the folder.
fn start(model: &str, kitty: bool, folder: &Path) -> Terminal {
    let arguments = [
        model,
        "demo/chelsea.png",
        "--output-dir",
        &text(&folder.join("saved")),
        "--threads",
        "1",
    ];
    let cache = text(&folder.join("cache"));
    let environment = [("XDG_CACHE_HOME", cache.as_str())];
    if kitty {
        Terminal::kitty_with(&arguments, &environment)
    } else {
        Terminal::start(PROGRAM, &arguments, &environment)
    }
}

#[test]
fn a_pattern_grows_is_left_and_found_again() {
    let folder = folder();
    let mut terminal = start(VGG, false, folder.path());
    terminal.wait_for(&["what the network sees", "cat"]);
    terminal.press("jjjjj5");
    terminal.wait("steps", |screen| {
        screen.contents().contains("of 40; 0 of 128")
    });
    // Moving on, and coming back: in the end both are finished.
    terminal.press("l");
    terminal.wait_for(&["block2_conv2 filter 1", "book, 40 steps"]);
    terminal.press("h");
    terminal.wait_for(&["block2_conv2 filter 0", "book, 40 steps"]);
    terminal.press(" s");
    terminal.wait_for(&["saved", "vgg16_cats_dogs.chelsea.block2_conv2.f0.book.png"]);

    // The same as the command makes.
    let theirs = [
        folder.path().join("theirs.png"),
        folder.path().join("theirs.npy"),
    ];
    let status = Command::new(PROGRAM)
        .args([
            "filters",
            VGG,
            "--layer",
            "block2_conv2",
            "--channel",
            "0",
            "-q",
            "--threads",
            "1",
        ])
        .args(["-o", &text(&theirs[0]), "--npy", &text(&theirs[1])])
        .env("XDG_CACHE_HOME", folder.path().join("elsewhere"))
        .current_dir(root())
        .status()
        .unwrap();
    assert!(status.success());
    let ours = folder
        .path()
        .join("saved/vgg16_cats_dogs.chelsea.block2_conv2.f0.book.png");
    let pixels = |path: &Path| image::open(path).unwrap().to_rgb8();
    assert!(pixels(&ours) == pixels(&theirs[0]));
    let numbers = npy::read(&ours.with_extension("npy")).unwrap();
    assert_eq!(numbers, npy::read(&theirs[1]).unwrap());
    terminal.press("q");
    assert!(terminal.status().success());
    terminal.assert_restored();

    // Next time it is there at once, without a step.
    let mut terminal = start(VGG, false, folder.path());
    terminal.wait_for(&["what the network sees", "cat"]);
    terminal.press("jjjjj6 ");
    terminal.wait_for(&[
        "block2_conv2 patterns",
        "book, 40 steps, paused; 2 of 128 finished",
    ]);
    terminal.press("q");
    assert!(terminal.status().success());
}

#[test]
fn a_whole_layer_fills_up() {
    let folder = folder();
    let mut terminal = start(MODEL, true, folder.path());
    terminal.wait_for(&["what the network sees", "cat"]);
    terminal.press("6a");
    terminal.wait_for(&["conv2d_5 patterns", "32 of 32 finished"]);
    let shown = terminal.pictures().on_screen();
    let places: std::collections::HashSet<_> = shown.iter().map(|tile| tile.at).collect();
    assert_eq!((shown.len(), places.len()), (32, 32));
    terminal.press("q");
    assert!(terminal.status().success());
    terminal.assert_restored();
    assert_eq!(terminal.pictures().held(), 0);
}
