//! Filter patterns as scripts make them: `filters`.

#![allow(missing_docs)]

use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use convscope::array::{Array, npy};
use image::codecs::gif::GifDecoder;
use image::{AnimationDecoder, RgbImage};
use portable_pty::{CommandBuilder, PtySize, native_pty_system};
use safetensors::SafeTensors;
use serde_json::Value;

const VGG: &str = "weights/vgg16_cats_dogs.safetensors";
const BOOK: &str = "weights/cats_and_dogs_small_2.h5";

/// A folder for results, with the command's own cache in it.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().expect("UTF-8").to_owned()
    }

    fn program(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_convscope"));
        command
            .arg("filters")
            .args(arguments)
            .args(["--threads", "1"])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .env("XDG_CACHE_HOME", self.path("cache"))
            .env_remove("CONVSCOPE_DATA")
            .stdin(Stdio::null());
        command
    }

    #[track_caller]
    fn done(&self, arguments: &[&str]) -> Output {
        let output = self
            .program(arguments)
            .output()
            .expect("the program starts");
        assert!(
            output.status.success(),
            "{arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        output
    }

    #[track_caller]
    fn json(&self, arguments: &[&str]) -> Vec<Value> {
        let arguments = [arguments, &["--json"]].concat();
        serde_json::from_slice(&self.done(&arguments).stdout).expect("a JSON list")
    }

    /// Exit status 1 or 2 and one line on standard error (or clap's) that has all of `words`.
    #[track_caller]
    fn refused(&self, status: i32, arguments: &[&str], words: &[&str]) {
        let output = self
            .program(arguments)
            .output()
            .expect("the program starts");
        let message = String::from_utf8_lossy(&output.stderr);
        assert_eq!(
            output.status.code(),
            Some(status),
            "{arguments:?}: {message}"
        );
        assert!(!message.contains("panicked"), "{message}");
        if status == 1 {
            assert_eq!(message.trim_end().lines().count(), 1, "{message}");
        }
        for word in words {
            assert!(message.contains(word), "'{word}' is not in: {message}");
        }
    }

    fn names(&self, folder: &str) -> Vec<String> {
        let entries = fs::read_dir(self.path(folder)).expect("a folder");
        let name = |entry: std::io::Result<fs::DirEntry>| entry.expect("readable").file_name();
        let mut names: Vec<String> = entries
            .map(|entry| name(entry).into_string().expect("UTF-8"))
            .collect();
        names.sort();
        names
    }

    fn kept(&self) -> usize {
        let folder = self.path("cache/convscope/patterns");
        fs::read_dir(folder).map_or(0, Iterator::count)
    }
}

fn has_ending(name: &str, ending: &str) -> bool {
    Path::new(name)
        .extension()
        .is_some_and(|found| found == ending)
}

fn picture(path: &str) -> RgbImage {
    image::open(path).expect("a picture").to_rgb8()
}

fn array(path: &str) -> Array {
    npy::read(Path::new(path)).expect("an array")
}

/// Small and quick.
const QUICK: [&str; 4] = ["--size", "24", "--steps", "3"];

#[test]
fn the_books_pattern_from_its_start() {
    let folder = Folder::new();
    let golden = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden/keras/filter_block2_conv1_f3.safetensors");
    let bytes = fs::read(golden).expect("there");
    let tensors = SafeTensors::deserialize(&bytes).expect("safetensors");
    let floats = |key: &str| -> Vec<f32> {
        let data = tensors.tensor(key).expect(key).data();
        let (values, _) = data.as_chunks::<4>();
        values.iter().copied().map(f32::from_le_bytes).collect()
    };
    let interleaved = floats("start");
    let planes = (0..3).flat_map(|plane| interleaved[plane..].iter().step_by(3).copied());
    let start = Array::new([3, 150, 150], planes.collect());
    fs::write(folder.path("start.npy"), npy::bytes(&start)).expect("written");
    let (start, out, raw) = (
        folder.path("start.npy"),
        folder.path("p.png"),
        folder.path("p.npy"),
    );
    let found = folder.json(&[
        VGG,
        "--layer",
        "block2_conv1",
        "--channel",
        "3",
        "--start",
        &start,
        "-o",
        &out,
        "--npy",
        &raw,
    ]);
    let [element] = &found[..] else {
        panic!("{found:?}")
    };
    assert_eq!(element["layer"], "block2_conv1");
    assert_eq!(element["channel"], 3);
    assert_eq!(element["recipe"], "book");
    assert_eq!(element["steps"], 40);
    assert_eq!(element["dead"], false);
    let losses = element["loss"].as_array().expect("a list");
    for (found, wanted) in losses.iter().zip(floats("losses")) {
        let found = found.as_f64().expect("a number");
        assert!(
            (found / f64::from(wanted) - 1.0).abs() < 1e-3,
            "{found}, {wanted}"
        );
    }
    assert_eq!(losses.len(), 41);
    assert_eq!(array(&raw).shape(), [3, 150, 150]);
    let wanted = tensors
        .tensor("deprocessed")
        .expect("there")
        .data()
        .to_vec();
    let off = picture(&out).into_raw();
    let off = off
        .iter()
        .zip(&wanted)
        .map(|(a, b)| f64::from(a.abs_diff(*b)));
    assert!(off.sum::<f64>() / (wanted.len() as f64) < 2.0);
}

/// A folder gets each pattern and the grid, a file the grid; the numbers are named as those of `maps`.
#[test]
fn pictures_grids_and_numbers() {
    let folder = Folder::new();
    let (out, raw, file) = (
        folder.path("out"),
        folder.path("raw"),
        folder.path("grid.jpg"),
    );
    let channels = ["--channel", "3", "--channel", "0", "--channel", "3"];
    let base = [&[VGG, "--layer", "block1_conv2"], &channels[..], &QUICK].concat();
    folder.done(&[&base[..], &["-o", &out, "--npy", &raw]].concat());
    assert_eq!(
        folder.names("out"),
        [
            "block1_conv2.c0.png",
            "block1_conv2.c3.png",
            "block1_conv2.png"
        ]
    );
    assert_eq!(
        folder.names("raw"),
        ["block1_conv2.c0.npy", "block1_conv2.c3.npy"]
    );
    assert_eq!(
        array(&folder.path("raw/block1_conv2.c0.npy")).shape(),
        [3, 24, 24]
    );
    let grid = picture(&folder.path("out/block1_conv2.png"));
    assert_eq!(grid.dimensions(), (53, 24));
    let first = picture(&folder.path("out/block1_conv2.c3.png"));
    assert_eq!(first.get_pixel(7, 9), grid.get_pixel(7, 9));
    folder.done(&[&base[..], &["-o", &file, "--columns", "1", "-q"]].concat());
    assert_eq!(picture(&file).dimensions(), (24, 53));
    // All channels of the book's first layer, and another layer with them.
    let out = folder.path("all");
    folder.done(&[&[BOOK, "--layer", "conv2d_5", "-o", &out, "-q"], &QUICK[..]].concat());
    assert_eq!(folder.names("all").len(), 33);
    let png = folder.path("x.png");
    let two = [
        &[VGG, "--layer", "block1_conv1", "--layer", "block1_conv2"],
        &channels[..],
    ]
    .concat();
    folder.refused(
        1,
        &[&two[..], &["-o", &png]].concat(),
        &["several layers", "folder"],
    );
}

#[test]
fn classes() {
    let folder = Folder::new();
    let out = folder.path("out");
    let found = folder.json(&[
        VGG, "--class", "dog", "--class", "0", "--size", "64", "--steps", "2", "-o", &out,
    ]);
    let labels: Vec<&Value> = found.iter().map(|each| &each["class"]["label"]).collect();
    assert_eq!(labels, ["dog", "cat"]);
    assert_eq!(found[0]["layer"], "predictions");
    assert_eq!(found[0]["channel"], Value::Null);
    assert_eq!(folder.names("out"), ["cat.png", "classes.png", "dog.png"]);
}

/// The second time nothing is computed, and damaged files are made again.
#[test]
fn patterns_are_kept() {
    let folder = Folder::new();
    let base = [
        &[
            VGG,
            "--layer",
            "block1_conv1",
            "--channel",
            "0",
            "--channel",
            "1",
        ],
        &QUICK[..],
    ]
    .concat();
    let first = folder.json(&base);
    assert_eq!(folder.kept(), 2);
    let losses = |list: &[Value]| {
        list.iter()
            .map(|each| each["loss"].clone())
            .collect::<Vec<_>>()
    };
    let cached = |list: &[Value]| {
        list.iter()
            .map(|each| each["cached"] == true)
            .collect::<Vec<_>>()
    };
    let second = folder.json(&base);
    assert_eq!(
        (cached(&first), cached(&second)),
        (vec![false; 2], vec![true; 2])
    );
    assert_eq!(losses(&first), losses(&second));
    let other = folder.json(&[&base[..], &["--seed", "1"]].concat());
    assert_ne!(losses(&first), losses(&other));
    assert_eq!(folder.kept(), 4);
    for name in folder.names("cache/convscope/patterns") {
        let path = folder.path("cache/convscope/patterns") + "/" + &name;
        let mut bytes = fs::read(&path).expect("there");
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(&path, bytes).expect("written");
    }
    let third = folder.json(&base);
    assert_eq!(
        (cached(&third), losses(&third)),
        (vec![false; 2], losses(&first))
    );
    assert_eq!(cached(&folder.json(&base)), [true; 2]);
    assert_eq!(
        cached(&folder.json(&[&base[..], &["--no-cache"]].concat())),
        [false; 2]
    );
    // No folder to keep them in: said once, and all is made.
    let file = folder.path("file");
    fs::write(&file, "").expect("written");
    let output = folder
        .program(&base)
        .env("XDG_CACHE_HOME", &file)
        .output()
        .expect("the program starts");
    assert!(output.status.success());
    let message = String::from_utf8_lossy(&output.stderr);
    assert_eq!(message.matches("can't be kept").count(), 1, "{message}");
    assert!(message.contains("made 2 patterns in"), "{message}");
}

#[test]
fn an_ascent_as_an_animation() {
    let folder = Folder::new();
    let (path, out) = (folder.path("a.gif"), folder.path("a.png"));
    let base = [
        VGG,
        "--layer",
        "block1_conv2",
        "--channel",
        "3",
        "--size",
        "20",
    ];
    folder.done(&[&base[..], &["--steps", "5", "--gif", &path, "-o", &out]].concat());
    let frames = || {
        let file = std::io::BufReader::new(fs::File::open(&path).expect("there"));
        let decoder = GifDecoder::new(file).expect("a GIF");
        decoder.into_frames().collect_frames().expect("frames")
    };
    assert_eq!(frames().len(), 6);
    let last = frames().pop().expect("six").into_buffer();
    // 256 colours of a picture that has more.
    let exact = picture(&out);
    let pairs = last.pixels().zip(exact.pixels());
    let off = pairs.flat_map(|(a, b)| (0..3).map(|i| f64::from(a.0[i].abs_diff(b.0[i]))));
    assert!(off.sum::<f64>() / (3.0 * 400.0) < 12.0);
    folder.refused(
        1,
        &[&base[..], &["--gif", &path]].concat(),
        &["exists already"],
    );
    folder.done(
        &[
            &base[..],
            &["--steps", "150", "--gif", &path, "--overwrite"],
        ]
        .concat(),
    );
    assert_eq!(frames().len(), 51);
    let two = [&base[..], &["--channel", "4", "--gif", &path]].concat();
    folder.refused(1, &two, &["one filter", "2 were asked for"]);
}

#[test]
fn kernels() {
    let folder = Folder::new();
    let (out, raw) = (folder.path("k.png"), folder.path("k.npy"));
    folder.done(&[
        VGG,
        "--kernels",
        "--layer",
        "block1_conv1",
        "-o",
        &out,
        "--npy",
        &raw,
    ]);
    assert_eq!(array(&raw).shape(), [64, 3, 3, 3]);
    assert_eq!(picture(&out).dimensions(), (8 * 25 - 1, 8 * 25 - 1));
    // Colours: not all grey.
    assert!(
        picture(&out)
            .pixels()
            .any(|pixel| pixel.0[0].abs_diff(pixel.0[2]) > 50)
    );
    let out = folder.path("maps");
    folder.done(&[
        VGG,
        "--kernels",
        "--layer",
        "block1_conv2",
        "--layer",
        "block2_conv1",
        "--channel",
        "5",
        "-o",
        &out,
    ]);
    assert_eq!(
        folder.names("maps"),
        ["block1_conv2.kernels.png", "block2_conv1.kernels.png"]
    );
    let pool = [VGG, "--kernels", "--layer", "block1_pool"];
    folder.refused(1, &pool, &["'block1_pool'", "block1_conv1"]);
    let none = [
        VGG,
        "--kernels",
        "--layer",
        "block1_conv1",
        "--channel",
        "64",
    ];
    folder.refused(1, &none, &["64 filters, 0 to 63"]);
    folder.refused(
        2,
        &[VGG, "--kernels", "--layer", "0", "--steps", "3"],
        &["cannot be used with"],
    );
}

#[test]
fn what_is_refused() {
    let folder = Folder::new();
    folder.refused(1, &[VGG], &["--layer NAME", "--class"]);
    folder.refused(1, &[VGG, "--channel", "1"], &["--channel needs --layer"]);
    folder.refused(1, &[VGG, "--layer", "nope"], &["'nope'"]);
    let conv = |more: &[&'static str]| [&[VGG, "--layer", "block1_conv1"], more].concat();
    folder.refused(
        1,
        &conv(&["--channel", "99"]),
        &["'block1_conv1'", "0 to 63"],
    );
    folder.refused(2, &conv(&["--size", "0"]), &["from 1 to 2048"]);
    folder.refused(2, &conv(&["--size", "9999"]), &["from 1 to 2048"]);
    folder.refused(2, &conv(&["--steps", "0"]), &["--steps"]);
    folder.refused(2, &conv(&["--recipe", "nope"]), &["book", "book2", "lucid"]);
    folder.refused(1, &conv(&["--start", "nowhere.npy"]), &["nowhere.npy"]);
    folder.refused(
        1,
        &conv(&["--start", "demo/chelsea.png"]),
        &["chelsea.png", "NumPy"],
    );
    folder.refused(1, &conv(&["-o", "x.gif"]), &["x.gif", ".png"]);
    let deep = [VGG, "--layer", "block5_conv1", "--size", "4"];
    folder.refused(1, &deep, &["block", "4x4", "224x224"]);
    let missing = folder.path("missing.h5");
    folder.refused(1, &[&missing, "--layer", "0"], &["missing.h5"]);
}

/// Ctrl-C in the middle of a layer: one line, nothing half-written, and what is finished counts.
#[test]
fn interrupted_and_gone_on_with() {
    let folder = Folder::new();
    let out = folder.path("out");
    let base = [
        VGG,
        "--layer",
        "block2_conv2",
        "--size",
        "64",
        "--steps",
        "12",
        "-o",
        &out,
    ];
    let mut child = folder
        .program(&base)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let started = Instant::now();
    while folder.kept() < 3 {
        assert!(
            started.elapsed() < Duration::from_mins(1),
            "nothing is finished"
        );
        thread::sleep(Duration::from_millis(5));
    }
    let killed = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(killed.expect("kill").success());
    let asked = Instant::now();
    let status = child.wait().expect("it ends");
    assert!(asked.elapsed() < Duration::from_secs(10));
    assert_eq!(status.code(), Some(1));
    let mut message = String::new();
    child
        .stderr
        .take()
        .expect("piped")
        .read_to_string(&mut message)
        .expect("UTF-8");
    let last = message.lines().last().unwrap_or_default();
    assert!(
        last.contains("interrupted after") && last.contains("goes on from there"),
        "{message}"
    );
    for name in folder.names("out") {
        assert!(has_ending(&name, "png"), "{name}");
        assert_eq!(
            picture(&(folder.path("out/") + &name)).dimensions(),
            (64, 64)
        );
    }
    for name in folder.names("cache/convscope/patterns") {
        assert!(has_ending(&name, "pattern"), "{name}");
    }
    let first = folder.names("out").len();
    assert!(first >= 2);
    let few = ["--channel", "0", "--channel", "1"];
    let again = folder.json(&[&base[..=6], &few].concat());
    assert!(again.iter().all(|each| each["cached"] == true), "{again:?}");
}

/// On a terminal there is a line of progress, which is gone in the end.
#[test]
fn progress_on_a_terminal() {
    let folder = Folder::new();
    let pty = native_pty_system()
        .openpty(PtySize {
            rows: 10,
            cols: 120,
            pixel_width: 0,
            pixel_height: 0,
        })
        .expect("a pseudo-terminal");
    let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_convscope"));
    command.args([
        "filters",
        VGG,
        "--layer",
        "block2_conv2",
        "--channel",
        "3",
        "--channel",
        "4",
        "--size",
        "100",
        "--steps",
        "20",
        "--threads",
        "1",
    ]);
    command.cwd(env!("CARGO_MANIFEST_DIR"));
    command.env("XDG_CACHE_HOME", folder.path("cache"));
    let mut child = pty
        .slave
        .spawn_command(command)
        .expect("the program starts");
    drop(pty.slave);
    let mut output = String::new();
    let mut reader = pty.master.try_clone_reader().expect("a reader");
    // A terminal whose program ended gives an error at the end.
    let _ = reader.read_to_string(&mut output);
    assert!(child.wait().expect("it ends").success());
    assert!(
        output.contains("filter 2 of 2: block2_conv2, channel 4, step"),
        "{output:?}"
    );
    let mut terminal = vt100::Parser::new(10, 120, 0);
    terminal.process(output.as_bytes());
    let screen = terminal.screen().contents();
    assert!(!screen.contains("step"), "{screen}");
    assert!(screen.contains("made 2 patterns in"), "{screen}");
}
