//! Heatmaps: the explorer's are those of `convscope cam`.

use std::process::Command;

use convscope::array::npy;

use super::terminal::{PROGRAM, Terminal, folder, root, text};

const LITE: &str = "weights/efficientnet_lite0.safetensors";

#[test]
fn another_class_at_another_layer_is_saved_as_cam_has_it() {
    let folder = folder();
    let output = folder.path().join("saved");
    let mut terminal =
        Terminal::explorer(&[LITE, "demo/panda.jpg", "--output-dir", &text(&output)]);
    terminal.wait_for(&["what the network sees", "giant panda"]);
    terminal.press("4");
    terminal.wait_for(&["giant panda at _head_act", "jet at 40 %; softmax, book"]);
    terminal.press("/ice b\r");
    terminal.wait_for(&["ice bear at _head_act"]);
    terminal.press("[");
    terminal.wait_for(&["ice bear at _bn1 "]);
    terminal.press("s");
    terminal.wait_for(&["saved", "efficientnet_lite0.panda._bn1.ice_bear.cam.png"]);

    let ours = output.join("efficientnet_lite0.panda._bn1.ice_bear.cam.png");
    let theirs = [
        folder.path().join("theirs.png"),
        folder.path().join("theirs.npy"),
    ];
    let status = Command::new(PROGRAM)
        .args([
            "cam",
            LITE,
            "demo/panda.jpg",
            "--layer",
            "_bn1",
            "--class",
            "ice bear",
            "-q",
        ])
        .args(["-o", &text(&theirs[0]), "--npy", &text(&theirs[1])])
        .current_dir(root())
        .status()
        .unwrap();
    assert!(status.success());
    let pixels = |path| image::open(path).unwrap().to_rgb8();
    assert!(pixels(&ours) == pixels(&theirs[0]));
    let numbers = npy::read(&ours.with_extension("npy")).unwrap();
    assert_eq!(numbers, npy::read(&theirs[1]).unwrap());

    // To the channel that pushes most, and back.
    terminal.press("\r");
    terminal.wait_for(&["_bn1 channel "]);
    terminal.press("\x1b");
    terminal.wait_for(&["ice bear at _bn1 "]);
    terminal.press("dmq");
    assert!(terminal.status().success());
    terminal.assert_restored();
}
