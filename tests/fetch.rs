//! `convscope fetch` and `convscope models`, against a server on this machine; and the official VGG16's file at its
//! full size, against Keras.

#![allow(missing_docs)]

#[path = "../src/formats/keras/tests/runs.rs"]
mod runs;
#[allow(dead_code)]
#[path = "../src/fetch/tests/server.rs"]
mod server;

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use convscope::array::npy;
use portable_pty::{CommandBuilder, PtySize, native_pty_system};
use safetensors::SafeTensors;
use serde_json::Value;
use server::{Answer, Server};
use tempfile::TempDir;

const CAT: &str = "demo/chelsea.png";
const BOOK: &str = "weights/cats_and_dogs_small_2.h5";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Fetched files end up in this folder.
struct Home(TempDir);

impl Home {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    fn models(&self) -> PathBuf {
        self.0.path().join("convscope").join("models")
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_convscope"));
        command
            .args(arguments)
            .current_dir(root())
            .env("XDG_CACHE_HOME", self.0.path())
            .env("NO_PROXY", "*")
            .stdin(Stdio::null());
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments)
            .output()
            .expect("the program starts")
    }

    #[track_caller]
    fn text(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let message = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {message}");
        assert_eq!(message, "");
        String::from_utf8(output.stdout).expect("UTF-8")
    }

    #[track_caller]
    fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.text(arguments)).expect("JSON")
    }

    /// Exit status 1 and one line on standard error that has all of `words`.
    #[track_caller]
    fn refused(&self, arguments: &[&str], words: &[&str]) {
        let output = self.run(arguments);
        let message = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {message}");
        assert_eq!(message.trim_end().lines().count(), 1, "{message}");
        assert!(output.stdout.is_empty());
        for word in words {
            assert!(message.contains(word), "'{word}' is not in: {message}");
        }
    }
}

fn book() -> Vec<u8> {
    fs::read(root().join(BOOK)).expect("shipped")
}

/// Serves the book's convnet at every address but `/missing.h5`.
fn serve_book() -> Server {
    let book = book();
    Server::start(move |_, request| match request.path.as_str() {
        "/missing.h5" => Answer::new("404 Not Found", b"<html>"),
        _ => Answer::file(request, &book, "\"book\""),
    })
}

#[test]
fn a_fetched_file_is_where_its_path_says_and_opens() {
    let (home, server) = (Home::new(), serve_book());
    let url = server.url("nets/book.h5?download=1");
    let printed = home.text(&["fetch", &url]);
    let path = home.models().join("book.h5");
    assert_eq!(printed, format!("{}\n", path.display()));
    assert!(fs::read(&path).expect("fetched") == book());
    let summary = home.json(&["summary", printed.trim_end(), "--json"]);
    assert_eq!(summary["parameters"]["total"], 3_453_121);

    // Once more it is there already; elsewhere it is not.
    assert_eq!(home.text(&["fetch", &url]), printed);
    assert_eq!(server.requests().len(), 1);
    let other = home.0.path().join("other");
    let other = other.to_str().expect("UTF-8");
    let printed = home.text(&["fetch", &url, "-o", other]);
    assert_eq!(printed, format!("{other}/book.h5\n"));
    home.text(&["fetch", &url, "--overwrite", "--quiet"]);
    assert_eq!(server.requests().len(), 3);
}

#[test]
fn what_can_not_be_fetched_is_said_in_one_line() {
    let (home, server) = (Home::new(), serve_book());
    let missing = server.url("missing.h5");
    home.refused(
        &["fetch", &missing],
        &[&missing, "there is no such file (404 Not Found)"],
    );
    home.refused(
        &["fetch", &server.url("book-01234567.h5")],
        &["expected SHA-256 01234567..., found SHA-256 d0d14792"],
    );
    home.refused(
        &["fetch", "vgg61"],
        &["'vgg61' is neither the name of a model (vgg16, vgg16_notop, vgg19, vgg19_notop)"],
    );
    home.refused(&["fetch", &server.url("")], &["names no file"]);
    assert_eq!(fs::read_dir(home.models()).expect("made").count(), 0);
}

#[test]
fn an_interrupted_fetch_is_gone_on_with() {
    let book = book();
    let (length, half) = (book.len(), book.len() / 2);
    let server = Server::start(move |before, request| {
        let answer = Answer::file(request, &book, "\"book\"");
        if before == 0 {
            answer.stalled(half)
        } else {
            answer
        }
    });
    let home = Home::new();
    let url = server.url("book.h5");
    let mut child = home.command(&["fetch", &url]).spawn().expect("started");
    let part = home.models().join("book.h5.part");
    let began = Instant::now();
    while fs::metadata(&part).map_or(0, |part| part.len()) < half as u64 {
        assert!(began.elapsed() < Duration::from_secs(30), "nothing comes");
        std::thread::sleep(Duration::from_millis(10));
    }
    // Not INT: a shell has what it starts in the background ignore it.
    let id = child.id().to_string();
    let killed = Command::new("kill").args(["-TERM", &id]).status();
    assert!(killed.expect("kill").success());
    assert!(!child.wait().expect("ended").success());
    assert!(!home.models().join("book.h5").exists());

    home.text(&["fetch", &url]);
    let path = home.models().join("book.h5");
    assert_eq!(fs::metadata(path).expect("fetched").len(), length as u64);
    assert_eq!(server.requests()[1].from(), Some(half));
    assert!(!part.exists());
}

#[test]
fn a_file_that_finds_no_room_is_kept_as_far_as_it_came() {
    let (home, server) = (Home::new(), serve_book());
    let url = server.url("book.h5");
    // The largest that a file may become, in units of 512 or 1024 bytes; a write beyond it fails as on a full disk.
    let script = "trap '' XFSZ; ulimit -f 1000; exec \"$0\" fetch \"$1\"";
    let output = Command::new("sh")
        .args(["-c", script, env!("CARGO_BIN_EXE_convscope"), &url])
        .env("XDG_CACHE_HOME", home.0.path())
        .env("NO_PROXY", "*")
        .output()
        .expect("a shell");
    let message = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{message}");
    assert_eq!(message.lines().count(), 1, "{message}");
    let part = home.models().join("book.h5.part");
    let kept = fs::metadata(&part).expect("kept").len();
    assert!(kept == 512_000 || kept == 1_024_000, "{kept}");
    let all = book().len() as u64;
    let wanted = format!(
        "{}: files may not become larger here: {} more bytes are needed of {all}; the {kept} bytes that came are \
         kept",
        part.display(),
        all - kept
    );
    assert!(message.contains(&wanted), "{message}");
    home.text(&["fetch", &url]);
    assert_eq!(server.requests()[1].from(), Some(kept as usize));
}

#[test]
fn progress_is_shown_on_a_terminal_and_the_path_stays_alone() {
    let (home, server) = (Home::new(), serve_book());
    let url = server.url("book.h5");
    let pty = native_pty_system()
        .openpty(PtySize {
            rows: 24,
            cols: 80,
            pixel_width: 0,
            pixel_height: 0,
        })
        .expect("a terminal");
    // Standard output into a file: what is left on the terminal is standard error.
    let path = home.0.path().join("printed");
    let mut command = CommandBuilder::new("sh");
    let script = format!("exec \"$0\" fetch \"$1\" > {}", path.display());
    command.args(["-c", &script, env!("CARGO_BIN_EXE_convscope"), &url]);
    command.env("XDG_CACHE_HOME", home.0.path());
    command.env("NO_PROXY", "*");
    let mut child = pty.slave.spawn_command(command).expect("started");
    drop(pty.slave);
    let mut reader = pty.master.try_clone_reader().expect("a reader");
    let mut seen = Vec::new();
    // The end of a pseudo-terminal is an error on Linux.
    let _ = reader.read_to_end(&mut seen);
    assert!(child.wait().expect("ended").success());
    let seen = String::from_utf8_lossy(&seen);
    assert!(seen.contains("100 %  13.8 MB of 13.8 MB"), "{seen:?}");
    let end =
        "\r\u{1b}[Kbook.h5: no checksum is known that would tell whether it is the right file\r\n";
    assert!(seen.ends_with(end), "{seen:?}");
    let printed = fs::read_to_string(path).expect("printed");
    let place = home.models().join("book.h5");
    assert_eq!(printed, format!("{}\n", place.display()));
}

#[test]
fn models_lists_what_can_be_fetched_and_what_is() {
    let home = Home::new();
    let table = home.text(&["models"]);
    let row = |table: &str, name: &str| {
        let mut lines = table.lines();
        let row = lines.find(|line| line.split_whitespace().next() == Some(name));
        row.unwrap_or_default().to_owned()
    };
    for (name, size) in [
        ("vgg16", "553.5 MB"),
        ("vgg16_notop", "58.9 MB"),
        ("vgg19", "574.7 MB"),
        ("vgg19_notop", "80.1 MB"),
    ] {
        let row = row(&table, name);
        assert!(row.contains(size) && row.ends_with("  no"), "{table}");
    }

    fs::create_dir_all(home.models()).expect("made");
    let vgg = home
        .models()
        .join("vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5");
    fs::write(&vgg, b"weights").expect("written");
    fs::write(home.models().join("mine.h5"), b"weights").expect("written");
    fs::write(home.models().join("half.h5.part"), b"weights").expect("written");
    let table = home.text(&["models"]);
    assert!(row(&table, "vgg16_notop").ends_with(&vgg.display().to_string()));
    assert!(row(&table, "vgg16").ends_with("  no"));
    assert!(row(&table, "mine.h5").contains("fetched from another address"));

    let list = home.json(&["models", "--json"]);
    let list = list.as_array().expect("a list");
    assert_eq!(list.len(), 5);
    assert_eq!(list[0]["name"], "vgg16");
    assert_eq!(list[0]["size"], 553_467_096);
    assert_eq!(list[0]["md5"], "64373286793e3c8b2b4e3219cbf3544b");
    assert_eq!(list[0]["sha256"], Value::Null);
    assert_eq!(list[0]["licence"], "CC-BY-4.0");
    assert_eq!(list[0]["fetched"], false);
    assert_eq!(list[0]["path"], Value::Null);
    assert_eq!(list[1]["fetched"], true);
    assert_eq!(list[1]["path"], vgg.to_str().expect("UTF-8"));
    assert_eq!(list[4]["name"], "mine.h5");
    assert_eq!(list[4]["url"], Value::Null);
    let keys: Vec<&String> = list[0].as_object().expect("an object").keys().collect();
    let others: Vec<&String> = list[4].as_object().expect("an object").keys().collect();
    assert_eq!(keys, others);
}

fn floats(file: &SafeTensors, name: &str) -> Vec<f32> {
    let data = file.tensor(name).expect("golden").data();
    let values = data.chunks_exact(4);
    values
        .map(|bytes| f32::from_le_bytes(bytes.try_into().expect("4 bytes")))
        .collect()
}

#[test]
fn a_models_name_stands_for_its_file() {
    let home = Home::new();
    for command in [&["summary", "vgg16_notop"][..], &["vgg16_notop", CAT]] {
        let message = "vgg16_notop is not fetched yet: run convscope fetch vgg16_notop";
        home.refused(command, &[message]);
    }
    let name = "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5";
    fs::create_dir_all(home.models()).expect("made");
    let fixtures = root().join("tests/golden/keras/fixtures");
    let runs = fixtures.join("vgg16_official_notop.runs");
    runs::unpack(&runs, &home.models().join(name));
    for model in ["vgg16_notop", name] {
        let summary = home.json(&["summary", model, "--json"]);
        assert_eq!(summary["architecture"], "vgg16");
        assert_eq!(summary["parameters"]["total"], 14_714_688);
    }
}

/// `tests/golden/keras/make_official.py` has made the file, and Keras has read it.
#[test]
fn the_official_vgg16_gives_what_keras_gives() {
    let home = Home::new();
    let fixtures = root().join("tests/golden/keras/fixtures");
    let model = home.0.path().join("vgg16.h5");
    runs::unpack(&fixtures.join("vgg16_official.runs"), &model);
    let model = model.to_str().expect("UTF-8");
    let golden = fs::read(fixtures.join("vgg16_official.safetensors")).expect("golden");
    let golden = SafeTensors::deserialize(&golden).expect("golden");
    let photo = "demo/chelsea.png";

    let list = home.json(&["predict", model, photo, "--json", "--threads", "1"]);
    assert_eq!(list[0]["head"], "softmax");
    let predictions = list[0]["predictions"].as_array().expect("a list");
    let wanted = floats(&golden, "predictions");
    assert_eq!(predictions.len(), 1000);
    for prediction in predictions {
        let index = prediction["index"].as_u64().expect("an index") as usize;
        let probability = prediction["probability"].as_f64().expect("a number");
        let difference = (probability - f64::from(wanted[index])).abs();
        assert!(difference < 1e-5, "class {index}: {probability}");
    }
    // Keras's order, and the names that belong to these classes.
    let top = [(384, "indri"), (567, "frying pan"), (0, "tench")];
    for (prediction, (index, label)) in predictions.iter().zip(top) {
        assert_eq!(prediction["index"], index);
        assert_eq!(prediction["label"], label);
    }

    // On the way there: the mean of each channel, and the dense layers' units.
    let numbers = home.0.path().join("numbers");
    let layers = [
        "block1_conv2",
        "block3_conv1",
        "block5_conv3",
        "block5_pool",
        "fc1",
        "fc2",
    ];
    let mut arguments = vec!["maps", model, photo, "--threads", "1", "--quiet", "--npy"];
    arguments.push(numbers.to_str().expect("UTF-8"));
    for layer in layers {
        arguments.extend(["--layer", layer]);
    }
    home.text(&arguments);
    for layer in layers {
        let array = npy::read(&numbers.join(format!("{layer}.npy"))).expect("written");
        let vector = array.shape().len() == 1;
        let wanted = if vector {
            floats(&golden, layer)
        } else {
            floats(&golden, &format!("{layer}/mean"))
        };
        let largest = array
            .values()
            .iter()
            .fold(0.0_f32, |max, value| max.max(*value));
        let size = array.values().len() / wanted.len();
        for (channel, wanted) in wanted.iter().enumerate() {
            let values = &array.values()[channel * size..][..size];
            let sum: f64 = values.iter().copied().map(f64::from).sum();
            let difference = (sum / size as f64 - f64::from(*wanted)).abs();
            assert!(difference < 1e-5 * f64::from(largest), "{layer} {channel}");
        }
    }
}
