//! The program as scripts use it: what it prints, writes and refuses.

#![allow(missing_docs)]

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use convscope::array::npy;
use serde_json::Value;

const BOOK: &str = "weights/cats_and_dogs_small_2.h5";
const LITE: &str = "weights/efficientnet_lite0.safetensors";
const VGG: &str = "weights/vgg16_cats_dogs.safetensors";
const CAT: &str = "demo/chelsea.png";

fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_convscope"));
    command
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env_remove("CONVSCOPE_DATA")
        .stdin(Stdio::null());
    command
}

fn run(arguments: &[&str]) -> Output {
    program(arguments).output().expect("the program starts")
}

#[track_caller]
fn text(arguments: &[&str]) -> String {
    let output = run(arguments);
    assert!(
        output.status.success(),
        "{arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).expect("UTF-8")
}

#[track_caller]
fn json(arguments: &[&str]) -> Value {
    serde_json::from_str(&text(arguments)).expect("JSON")
}

/// Exit status 1 and one line on standard error that has all of `words`.
#[track_caller]
fn refused(arguments: &[&str], words: &[&str]) {
    let output = run(arguments);
    let message = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{arguments:?}: {message}");
    assert_eq!(message.trim_end().lines().count(), 1, "{message}");
    assert!(!message.contains("panicked"), "{message}");
    for word in words {
        assert!(message.contains(word), "'{word}' is not in: {message}");
    }
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().expect("UTF-8").to_owned()
    }

    fn file(&self, name: &str, bytes: &[u8]) -> String {
        let path = self.path(name);
        fs::write(&path, bytes).expect("written");
        path
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.0.path()).expect("readable");
        let mut names: Vec<String> = entries
            .map(|entry| {
                entry
                    .expect("readable")
                    .file_name()
                    .into_string()
                    .expect("UTF-8")
            })
            .collect();
        names.sort();
        names
    }
}

fn shipped(path: &str) -> Vec<u8> {
    fs::read(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path)).expect("shipped")
}

/// The rows of the table that Keras prints: name, output shape and parameters.
fn keras_rows(path: &str) -> Vec<(String, String, u64)> {
    let table = String::from_utf8(shipped(path)).expect("UTF-8");
    let row = |line: &str| {
        let (name, rest) = line.strip_prefix(' ')?.split_once(" (")?;
        let (shape, count) = rest[rest.find("(None")?..].rsplit_once(')')?;
        Some((
            name.to_owned(),
            format!("{shape})"),
            count.trim().parse().ok()?,
        ))
    };
    table.lines().filter_map(row).collect()
}

#[test]
fn the_summary_of_the_book() {
    let table = text(&["summary", BOOK]);
    let rows = keras_rows("tests/golden/keras/book_summary_keras2.txt");
    assert_eq!(rows.len(), 12);
    for (name, shape, _) in &rows {
        assert!(
            table
                .lines()
                .any(|line| line.contains(&format!("{name} (")) && line.contains(shape)),
            "{name}"
        );
    }
    assert!(
        table.contains("Total params:         3,453,121\n"),
        "{table}"
    );

    let object = json(&["summary", BOOK, "--json"]);
    assert_eq!(object["parameters"]["total"], 3_453_121);
    assert_eq!(object["parameters"]["trainable"], 3_453_121);
    assert_eq!(object["input"]["shape"], serde_json::json!([3, 150, 150]));
    let layers = object["layers"].as_array().expect("a list");
    assert_eq!(layers.len(), rows.len());
    for (index, (layer, (name, shape, parameters))) in layers.iter().zip(&rows).enumerate() {
        assert_eq!(layer["index"], index);
        assert_eq!(layer["name"], *name);
        assert_eq!(layer["parameters"], *parameters);
        // Keras writes (None, H, W, C); the JSON has [C, H, W].
        let mut axes: Vec<u64> = layer["output_shape"]
            .as_array()
            .expect("a shape")
            .iter()
            .filter_map(Value::as_u64)
            .collect();
        let one = 1 % axes.len();
        axes.rotate_left(one);
        let axes: Vec<String> = axes.iter().map(u64::to_string).collect();
        assert_eq!(format!("(None, {})", axes.join(", ")), *shape);
    }
    assert_eq!(layers[2]["inputs"], serde_json::json!(["max_pooling2d_5"]));
    assert_eq!(layers[0]["macs"], 148 * 148 * 32 * 27);
    assert_eq!(layers[6]["receptive_field"], serde_json::json!([38, 38]));
}

#[test]
fn predictions_with_labels() {
    let list = json(&[
        "predict",
        LITE,
        CAT,
        "demo/panda.jpg",
        "demo/polar_bear.jpg",
        "--json",
        "--top",
        "3",
    ]);
    let first = |index: usize| {
        list[index]["predictions"][0]["label"]
            .as_str()
            .expect("a label")
            .to_owned()
    };
    assert_eq!(
        [first(0), first(1), first(2)],
        ["Egyptian cat", "giant panda", "ice bear"]
    );
    assert_eq!(list[0]["head"], "logits");
    assert_eq!(list[0]["predictions"].as_array().map(Vec::len), Some(3));
    assert_eq!(list[0]["predictions"][0]["index"], 285);

    let list = json(&["predict", VGG, CAT, "--json"]);
    assert_eq!(list[0]["head"], "softmax");
    assert!(list[0]["predictions"][0]["probability"].as_f64() > Some(0.999));
    let list = json(&["predict", BOOK, CAT, "--json"]);
    assert_eq!(list[0]["head"], "sigmoid");
    let dog = list[0]["predictions"][1]["probability"]
        .as_f64()
        .expect("a number");
    // Keras says 0.0863 for this photo.
    assert!((dog - 0.0863).abs() < 1e-4, "{dog}");
    assert!(text(&["predict", BOOK, CAT]).contains("91.37 %  cat"));
}

#[test]
fn a_tensor_and_standard_input() {
    let folder = Folder::new();
    let photo = convscope::photo::load(
        Path::new(env!("CARGO_MANIFEST_DIR")).join(CAT).as_path(),
        true,
    )
    .expect("shipped");
    let convscope::photo::Source::Photo(photo) = photo else {
        panic!("a photo")
    };
    let model = convscope::formats::open(&Path::new(env!("CARGO_MANIFEST_DIR")).join(BOOK))
        .expect("shipped");
    let input = convscope::photo::prepare(&photo.image, &model.preprocessing);
    let tensor = folder.file("cat.npy", &npy::bytes(&input));
    let by_photo = json(&["predict", BOOK, CAT, "--json"]);
    let by_tensor = json(&["predict", BOOK, &tensor, "--json"]);
    assert_eq!(by_photo[0]["predictions"], by_tensor[0]["predictions"]);

    let mut child = program(&["predict", BOOK, "-", "--json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program starts");
    child
        .stdin
        .take()
        .expect("piped")
        .write_all(&shipped(CAT))
        .expect("read");
    let output = child.wait_with_output().expect("it ends");
    let by_stdin: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(by_photo[0]["predictions"], by_stdin[0]["predictions"]);
}

#[test]
fn a_channel_a_grid_and_all_layers() {
    let folder = Folder::new();
    let (picture, numbers) = (folder.path("c4.png"), folder.path("c4.npy"));
    text(&[
        "maps",
        BOOK,
        CAT,
        "--layer",
        "conv2d_5",
        "--channel",
        "4",
        "-o",
        &picture,
        "--npy",
        &numbers,
    ]);
    let decoder = png::Decoder::new(std::io::BufReader::new(
        fs::File::open(&picture).expect("written"),
    ));
    let reader = decoder.read_info().expect("a PNG");
    let info = reader.info();
    assert_eq!(
        (info.width, info.height, info.color_type),
        (148, 148, png::ColorType::Indexed)
    );
    let chunk = |key: &str| {
        let found = info
            .uncompressed_latin1_text
            .iter()
            .find(|chunk| chunk.keyword == key);
        found.map(|chunk| chunk.text.clone()).unwrap_or_default()
    };
    assert_eq!(
        [chunk("convscope:layer"), chunk("convscope:channel")],
        ["conv2d_5", "4"]
    );
    assert!(chunk("convscope:command").contains("--channel 4"));
    assert_eq!(
        npy::read(Path::new(&numbers)).expect("NPY").shape(),
        [1, 148, 148]
    );

    // Never overwritten silently, and nothing is left lying about.
    refused(
        &["maps", BOOK, CAT, "--layer", "conv2d_5", "-o", &picture],
        &["c4.png", "exists", "--overwrite"],
    );
    text(&[
        "maps",
        BOOK,
        CAT,
        "--layer",
        "conv2d_5",
        "-o",
        &picture,
        "--overwrite",
    ]);
    assert_eq!(image::open(&picture).expect("a PNG").width(), 2368);
    assert_eq!(folder.names(), ["c4.npy", "c4.png"]);

    let (pictures, arrays) = (folder.path("all"), folder.path("raw"));
    text(&["maps", BOOK, CAT, "-o", &pictures, "--npy", &arrays]);
    // Pictures of the layers that have something to show, numbers of all.
    assert_eq!(fs::read_dir(&pictures).expect("a folder").count(), 10);
    assert_eq!(fs::read_dir(&arrays).expect("a folder").count(), 12);
    let array = npy::read(&Path::new(&arrays).join("max_pooling2d_8.npy")).expect("NPY");
    assert_eq!(array.shape(), [128, 7, 7]);
    let array = npy::read(&Path::new(&arrays).join("dense_3.npy")).expect("NPY");
    assert_eq!(array.shape(), [512]);

    let jpeg = folder.path("grid.jpg");
    text(&[
        "maps",
        BOOK,
        CAT,
        "--layer",
        "2",
        "--colormap",
        "magma",
        "--style",
        "minmax",
        "-o",
        &jpeg,
    ]);
    assert_eq!(&fs::read(&jpeg).expect("written")[..2], [0xff, 0xd8]);
}

#[test]
fn statistics_and_inline_pictures() {
    let list = json(&[
        "maps", BOOK, CAT, "--layer", "conv2d_8", "--layer", "dense_4", "--json",
    ]);
    assert_eq!(list[0]["shape"], serde_json::json!([128, 15, 15]));
    let channels = list[0]["channels"].as_array().expect("a list");
    let dead = channels
        .iter()
        .filter(|channel| channel["dead"] == true)
        .count();
    assert_eq!((channels.len(), dead), (128, 54));
    assert_eq!(list[1]["shape"], serde_json::json!([1]));
    let shown = text(&[
        "maps",
        BOOK,
        CAT,
        "--layer",
        "conv2d_8",
        "--channel",
        "3",
        "--show",
    ]);
    assert!(shown.contains('▄') || shown.contains('▀'), "{shown}");
}

#[test]
fn layers_in_nested_models_and_their_file_names() {
    let folder = Folder::new();
    let nested = "tests/golden/keras/fixtures/fx_nested_k2.h5";
    let raw = folder.path("raw");
    text(&[
        "maps", nested, CAT, "--layer", "stem/c1", "--layer", "stem", "--npy", &raw,
    ]);
    assert!(Path::new(&raw).join("stem.c1.npy").is_file());
    assert!(Path::new(&raw).join("stem.npy").is_file());
    let object = json(&["summary", nested, "--json"]);
    assert_eq!(object["parameters"]["total"], 2881);
    assert_eq!(object["parameters"]["trainable"], 2869);
}

#[test]
fn options_override_the_card() {
    let object = json(&[
        "summary",
        BOOK,
        "--json",
        "--size",
        "200x180",
        "--color-order",
        "bgr",
        "--scale",
        "1/127.5",
        "--mean",
        "1",
    ]);
    assert_eq!(object["input"]["shape"], serde_json::json!([3, 200, 180]));
    assert_eq!(object["input"]["preprocessing"]["channels"], "bgr");
    assert_eq!(
        object["layers"][0]["output_shape"],
        serde_json::json!([32, 198, 178])
    );
    // The dense layers can't follow another size; the convolutions can.
    refused(
        &["predict", BOOK, CAT, "--size", "100"],
        &["dense_3", "6272"],
    );
    text(&[
        "maps",
        BOOK,
        CAT,
        "--layer",
        "conv2d_8",
        "--size",
        "224x100",
        "--threads",
        "1",
        "--device",
        "cpu",
    ]);
}

#[test]
fn files_that_are_no_models() {
    let folder = Folder::new();
    let whole = shipped(BOOK);
    let truncated = folder.file("truncated.h5", &whole[..1_000_000]);
    refused(&["summary", &truncated], &["truncated.h5", "cut short"]);
    let picture = folder.file("picture.h5", &shipped(CAT));
    refused(&["summary", &picture], &["picture.h5", "PNG"]);
    let empty = folder.file("empty.h5", &[]);
    refused(&["summary", &empty], &["empty.h5", "empty"]);
    refused(
        &["summary", folder.0.path().to_str().expect("UTF-8")],
        &["folder"],
    );
    refused(
        &["summary", &folder.path("missing.h5")],
        &["missing.h5", "No such file"],
    );
    refused(
        &[
            "summary",
            "tests/golden/keras/fixtures/fx_mixed_k2_weights.h5",
        ],
        &[
            "21 tensors and no graph",
            "fx_mixed_k2_weights.toml",
            "architecture",
        ],
    );
    let half = folder.file("half.safetensors", &shipped(LITE)[..100_000]);
    refused(&["summary", &half], &["half.safetensors"]);
}

#[test]
fn requests_that_do_not_fit() {
    refused(
        &["maps", BOOK, CAT, "--layer", "conv"],
        &["conv2d_5", "conv2d_8"],
    );
    refused(
        &["maps", BOOK, CAT, "--layer", "block1"],
        &["block1", "conv2d_5"],
    );
    refused(
        &["maps", BOOK, CAT, "--layer", "#12"],
        &["#12", "12 layers"],
    );
    refused(
        &["maps", BOOK, CAT, "--layer", "conv2d_5", "--channel", "32"],
        &["conv2d_5", "32 channels", "31"],
    );
    refused(
        &["maps", BOOK, CAT, "--layer", "dense_3", "--channel", "0"],
        &["dense_3", "no channels"],
    );
    refused(
        &["maps", BOOK, CAT, "-o", "several.png"],
        &["several.png", "folder"],
    );
    refused(
        &[
            "maps",
            BOOK,
            CAT,
            "--layer",
            "conv2d_5",
            "-o",
            "picture.gif",
        ],
        &["picture.gif", ".png"],
    );
    refused(&["predict", BOOK, CAT, "--device", "cuda:99"], &["cuda:99"]);
    refused(
        &[
            "predict",
            "tests/golden/keras/fixtures/fx_nested_k2.h5",
            CAT,
            "--size",
            "4",
        ],
        &["'c3'", "larger input"],
    );
    assert_eq!(run(&["predict", BOOK]).status.code(), Some(2));
    assert_eq!(
        run(&["maps", BOOK, CAT, "--colormap", "rainbow"])
            .status
            .code(),
        Some(2)
    );
}

#[test]
fn images_of_every_kind() {
    let folder = Folder::new();
    let cat = image::load_from_memory(&shipped(CAT)).expect("shipped");
    let saved = |name: &str, image: image::DynamicImage| {
        let path = folder.path(name);
        image.save(&path).expect("written");
        path
    };
    let top = |path: &str| {
        let list = json(&["predict", BOOK, path, "--json"]);
        let best = &list[0]["predictions"][0];
        (
            best["label"].as_str().expect("a label").to_owned(),
            best["probability"].as_f64().expect("a number"),
        )
    };
    let grey = saved("grey.png", cat.to_luma8().into());
    let deep = saved("deep.png", cat.to_luma16().into());
    let (label, probability) = top(&grey);
    assert_eq!(label, "cat");
    assert!(
        (top(&deep).1 - probability).abs() < 0.02,
        "16 bits are rounded to 8"
    );
    top(&saved("one.png", cat.crop_imm(0, 0, 1, 1)));
    top(&saved(
        "wide.png",
        image::DynamicImage::new_rgb8(20_000, 10),
    ));

    let bomb = folder.path("bomb.png");
    let mut encoder = png::Encoder::new(fs::File::create(&bomb).expect("written"), 50_000, 50_000);
    encoder.set_color(png::ColorType::Rgb);
    encoder
        .write_header()
        .expect("written")
        .write_chunk(png::chunk::IDAT, &[0; 64])
        .expect("written");
    refused(&["predict", BOOK, &bomb], &["bomb.png", "50000", "million"]);
    refused(
        &["predict", BOOK, BOOK],
        &["cats_and_dogs_small_2.h5", "not a picture"],
    );
    refused(
        &[
            "predict",
            BOOK,
            &folder.file("cut.png", &shipped(CAT)[..5000]),
        ],
        &["cut.png"],
    );
}

/// Without a terminal the explorer says what it would show, and succeeds.
#[test]
fn outside_a_terminal() {
    let shown = text(&[]);
    assert!(
        shown.contains("_blocks.15") && shown.contains("Egyptian cat"),
        "{shown}"
    );
    assert!(text(&[BOOK, CAT]).contains("conv2d_8"));
}

/// A reader that has seen enough, such as `head`, is no failure.
#[test]
fn a_closed_pipe() {
    let mut child = program(&["summary", LITE])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success());
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

#[test]
fn a_named_protocol_prints_into_a_pipe_too() {
    let channel = [
        "maps",
        BOOK,
        CAT,
        "--layer",
        "conv2d_5",
        "--channel",
        "4",
        "--show",
        "-q",
    ];
    let begins = [
        ("kitty", "\x1b_Ga=T,f=100,q=2,m="),
        ("iterm2", "\x1b]1337;File=inline=1;"),
        ("sixel", "\x1bP0;1q\"1;1;"),
        ("quadrants", "\x1b[0;38;"),
        ("halfblocks", "\x1b["),
    ];
    for (protocol, begin) in begins {
        let arguments = [&channel[..], &["--protocol", protocol]].concat();
        let output = run(&arguments);
        assert!(output.status.success(), "{protocol}");
        let printed = String::from_utf8_lossy(&output.stdout);
        let picture = printed.split_once('\n').map(|(_, picture)| picture);
        assert!(
            picture.is_some_and(|picture| picture.starts_with(begin)),
            "{protocol}"
        );
        assert!(printed.ends_with('\n'), "{protocol}");
    }
    let output = run(&[&channel[..7], &["--protocol", "sixel"]].concat());
    assert_eq!(
        output.status.code(),
        Some(2),
        "without --show it means nothing"
    );
}

#[test]
#[cfg(target_os = "linux")]
fn where_nothing_can_be_printed_there_is_one_line() {
    let full = fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .expect("Linux has it");
    let layer = ["maps", BOOK, CAT, "--layer", "conv2d_5"];
    for arguments in [&layer[..], &[&layer[..], &["--show", "-q"]].concat()] {
        let full = full.try_clone().expect("another handle");
        let output = program(arguments)
            .stdout(full)
            .output()
            .expect("the program starts");
        let message = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{message}");
        assert!(message.contains("No space left on device"), "{message}");
        assert_eq!(message.trim_end().lines().count(), 1, "{message}");
    }
}
