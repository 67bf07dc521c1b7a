//! `convscope doctor`: in a pipe, and in terminals that answer much, little or nothing.

use std::fs::{self, Permissions};
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use portable_pty::{CommandBuilder, PtySize, native_pty_system};
use serde_json::Value;

const PROGRAM: &str = env!("CARGO_BIN_EXE_convscope");

/// Machines that run tests are busy.
const PATIENCE: Duration = Duration::from_mins(1);

/// What the program asks last of all of its terminal.
const LAST_QUESTION: &[u8] = b"\x1b[c";

/// What the program leaves behind when it has asked.
const FIRST_PAGE: &str = "\x1b[?1049l";

const KITTY: &str = "\x1bP>|kitty(0.41.1)\x1b\\\x1b]11;rgb:1e1e/1e1e/2e2e\x1b\\\x1b[6;18;9t\x1b_Gi=31;OK\x1b\\\x1b[?62;c";

const XTERM: &str = "\x1bP>|XTerm(398)\x1b\\\x1b]11;rgb:0000/0000/0000\x1b\\\x1b[?1;0;256S\x1b[?2;0;1200;850S\
                     \x1b[?63;1;2;4;6;9;15;16;22;28c";

/// What came of a run in a terminal.
struct Run {
    status: u32,
    output: String,
    took: Duration,
}

impl Run {
    /// What was printed where it stays.
    fn printed(&self) -> &str {
        let start = self.output.rfind(FIRST_PAGE);
        start.map_or(&self.output, |start| {
            &self.output[start + FIRST_PAGE.len()..]
        })
    }

    fn json(&self) -> Value {
        serde_json::from_str(self.printed())
            .unwrap_or_else(|error| panic!("{error}: {}", self.printed()))
    }
}

/// Runs the program in a terminal that gives these answers. `disturb` is done once it has been asked. The terminal must
/// be afterwards as it was.
fn in_terminal(
    arguments: &[&str],
    environment: &[(&str, &str)],
    answers: &str,
    disturb: impl FnOnce(&mut dyn Write, u32),
) -> Run {
    let size = PtySize {
        rows: 40,
        cols: 120,
        pixel_width: 0,
        pixel_height: 0,
    };
    let pair = native_pty_system().openpty(size).unwrap();
    let modes = || format!("{:?}", pair.master.get_termios().unwrap());
    let before = modes();
    let mut command = CommandBuilder::new(PROGRAM);
    command.args(["doctor"]);
    command.args(arguments);
    command.env_clear();
    for name in ["PATH", "HOME", "LD_LIBRARY_PATH"] {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    command.env("TERM", "xterm-256color");
    for (name, value) in environment {
        command.env(name, value);
    }
    let start = Instant::now();
    let mut child = pair.slave.spawn_command(command).unwrap();
    let output = Arc::new(Mutex::new(Vec::new()));
    let written = output.clone();
    let mut reader = pair.master.try_clone_reader().unwrap();
    thread::spawn(move || {
        let mut bytes = [0; 4096];
        while let Ok(count @ 1..) = reader.read(&mut bytes) {
            written.lock().unwrap().extend_from_slice(&bytes[..count]);
        }
    });
    let mut writer = pair.master.take_writer().unwrap();
    let wait = |what: &str, done: &mut dyn FnMut() -> bool| {
        while !done() {
            assert!(start.elapsed() < PATIENCE, "{what} never came");
            thread::sleep(Duration::from_millis(5));
        }
    };
    let text = || String::from_utf8_lossy(&output.lock().unwrap()).into_owned();
    let asked = || {
        output
            .lock()
            .unwrap()
            .windows(LAST_QUESTION.len())
            .any(|window| window == LAST_QUESTION)
    };
    wait("the last question", &mut || asked());
    writer.write_all(answers.as_bytes()).unwrap();
    disturb(&mut writer, child.process_id().unwrap());
    let mut status = None;
    wait("the end", &mut || {
        status = child.try_wait().unwrap();
        status.is_some()
    });
    let took = start.elapsed();
    let status = status.unwrap();
    if status.success() {
        wait("the last line", &mut || {
            text().trim_end().ends_with(['}', '"', ')']) || text().contains("themes")
        });
    }
    assert_eq!(modes(), before, "the terminal is another");
    Run {
        status: status.exit_code(),
        output: text(),
        took,
    }
}

fn ask(arguments: &[&str], environment: &[(&str, &str)], answers: &str) -> Value {
    let arguments = [&["--json"], arguments].concat();
    let run = in_terminal(&arguments, environment, answers, |_, _| {});
    assert_eq!(run.status, 0, "{}", run.output);
    run.json()["terminal"].clone()
}

/// Whether a protocol can be used, and why.
fn protocol<'a>(terminal: &'a Value, name: &str) -> (bool, &'a str) {
    let list = terminal["protocols"].as_array().unwrap();
    let found = list.iter().find(|found| found["name"] == name).unwrap();
    (
        found["usable"].as_bool().unwrap(),
        found["evidence"].as_str().unwrap(),
    )
}

/// A program named tmux, and the `PATH` on which it comes first.
fn as_tmux(folder: &Path, script: &str) -> String {
    let file = folder.join("tmux");
    fs::write(&file, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&file, Permissions::from_mode(0o755)).unwrap();
    format!("{}:{}", folder.display(), std::env::var("PATH").unwrap())
}

#[test]
fn in_a_pipe_there_is_no_terminal() {
    let doctor = |arguments: &[&str]| {
        let output = Command::new(PROGRAM)
            .arg("doctor")
            .args(arguments)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        assert!(output.status.success());
        assert!(!output.stdout.contains(&0x1b));
        String::from_utf8(output.stdout).unwrap()
    };
    let text = doctor(&[]);
    assert!(text.starts_with("convscope "), "{text}");
    for part in [
        "not a terminal's",
        "libtorch    2.9",
        "cpu",
        "weights",
        "patterns",
        "themes",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let report: Value = serde_json::from_str(&doctor(&["--json"])).unwrap();
    assert!(report["terminal"].is_null());
    assert_eq!(report["version"], env!("CARGO_PKG_VERSION"));
    assert!(report["computing"]["threads"].as_u64() > Some(0));
    assert!(report["computing"]["cuda"]["available"].is_boolean());
    let paths = report["paths"].as_array().unwrap();
    let weights = paths
        .iter()
        .find(|place| place["name"] == "weights")
        .unwrap();
    assert_eq!(weights["exists"], true);
}

#[test]
fn a_terminal_like_kitty() {
    let terminal = ask(&[], &[("TERM", "xterm-kitty")], KITTY);
    assert_eq!(terminal["name"], "kitty(0.41.1)");
    assert_eq!(terminal["brand"], "kitty");
    assert_eq!(terminal["size"], serde_json::json!([40, 120]));
    assert_eq!(terminal["cell"], serde_json::json!([18, 9]));
    assert_eq!(terminal["cell_source"], "terminal");
    assert_eq!(terminal["colors"], "24 bits");
    assert_eq!(terminal["background"], "#1e1e2e");
    assert_eq!(terminal["protocol"], "kitty");
    assert!(terminal["milliseconds"].as_f64() < Some(2000.0));
    assert!(protocol(&terminal, "kitty").0 && !protocol(&terminal, "sixel").0);
    assert!(terminal["multiplexer"].is_null() && terminal["hint"].is_null());
}

#[test]
fn a_terminal_like_xterm_with_sixel() {
    let terminal = ask(&[], &[("TERM", "xterm")], XTERM);
    assert_eq!(terminal["protocol"], "sixel");
    assert_eq!(terminal["sixel_colors"], 256);
    assert_eq!(terminal["sixel_size"], serde_json::json!([850, 1200]));
    // For people.
    let run = in_terminal(&[], &[], XTERM, |_, _| {});
    for line in [
        "name        XTerm(398), TERM=xterm-256color",
        "sixel       yes: the terminal announces it; 256 colours; up to 1200 x 850 pixels",
        "pictures    sixel: the terminal announces it",
    ] {
        assert!(run.printed().contains(line), "{line}: {}", run.printed());
    }
    let colorless = ask(&[], &[("NO_COLOR", "1")], XTERM);
    assert_eq!(colorless["protocol"], "halfblocks");
    let wanted = ask(&["--protocol", "kitty"], &[], XTERM);
    assert_eq!(wanted["protocol"], "kitty");
}

#[test]
fn a_terminal_that_says_nothing() {
    let run = in_terminal(&[], &[], "", |_, _| {});
    assert_eq!(run.status, 0);
    assert!(run.took >= Duration::from_secs(2));
    for line in [
        "answers     none in two seconds",
        "pictures    halfblocks: the terminal doesn't answer",
    ] {
        assert!(run.printed().contains(line), "{line}: {}", run.printed());
    }
}

#[test]
fn keys_meanwhile_leave_no_trace() {
    let run = in_terminal(&[], &[], "", |keys, _| {
        keys.write_all(b"abc\x03\x1b[A").unwrap();
    });
    assert_eq!(run.status, 0);
    assert!(
        !run.output.contains("abc") && !run.output.contains("^C"),
        "{}",
        run.output
    );
    let between = KITTY.replacen("\x1b]", "jk\x1b]", 1);
    assert_eq!(ask(&[], &[], &between)["protocol"], "kitty");
}

#[test]
fn a_signal_is_obeyed_when_the_terminal_is_as_before() {
    let run = in_terminal(&[], &[], "", |_, id| {
        let status = Command::new("kill")
            .args(["-TERM", &id.to_string()])
            .status();
        assert!(status.unwrap().success());
    });
    assert_ne!(run.status, 0);
    assert!(run.output.contains(FIRST_PAGE));
    assert!(!run.output.contains("pictures"), "{}", run.output);
}

#[test]
fn tmux_says_what_is_around_it() {
    let folder = tempfile::tempdir().unwrap();
    let inside = |script: &str, answers: &str| {
        let path = as_tmux(folder.path(), script);
        let environment = [
            ("TERM", "tmux-256color"),
            ("TMUX", "/run/tmux/default,1,0"),
            ("TMUX_PANE", "%7"),
            ("PATH", &path),
        ];
        ask(&[], &environment, answers)
    };
    // Asked for this pane, once.
    let open = "[ \"$1 $2 $3 $4\" = 'display-message -p -t %7' ] && echo '3.5a|on|title|1|1|1|xterm-kitty|kitty(0.41.1)'";
    let both = format!("\x1bP>|tmux 3.5a\x1b\\\x1b[?1;2;4c{KITTY}");
    let terminal = inside(open, &both);
    assert_eq!(terminal["protocol"], "kitty");
    assert_eq!(terminal["name"], "kitty(0.41.1)");
    assert_eq!(terminal["cell_source"], "outer");
    assert_eq!(
        terminal["multiplexer"],
        serde_json::json!({
            "name": "tmux", "version": "3.5a", "passthrough": true, "outer": "kitty(0.41.1)", "sixel": false
        })
    );

    let closed = open.replace("|on|", "|off|");
    let terminal = inside(&closed, "\x1bP>|tmux 3.5a\x1b\\\x1b[?1;2;4c");
    assert_eq!(terminal["protocol"], "quadrants");
    assert_eq!(
        protocol(&terminal, "kitty"),
        (false, "tmux's allow-passthrough is off")
    );
    assert!(
        terminal["hint"]
            .as_str()
            .unwrap()
            .contains("tmux set -p allow-passthrough on")
    );

    // One that can't be asked isn't waited for.
    let start = Instant::now();
    let terminal = inside("exec sleep 50", "\x1bP>|tmux 3.5a\x1b\\\x1b[?1;2;4c");
    assert_eq!(terminal["protocol"], "halfblocks");
    assert_eq!(terminal["multiplexer"]["version"], "3.5a");
    assert!(start.elapsed() < Duration::from_secs(40));
}

#[test]
fn in_tmux_of_another_machine() {
    let environment = [("TERM", "tmux-256color")];
    let both = format!("\x1bP>|tmux 3.3a\x1b\\\x1b[?1;2c{KITTY}");
    let terminal = ask(&[], &environment, &both);
    assert_eq!(terminal["protocol"], "kitty");
    assert_eq!(terminal["multiplexer"]["version"], "3.3a");
    // Nobody knows whether the terminal would answer: it isn't waited for long.
    let terminal = ask(&[], &environment, "\x1bP>|tmux 3.3a\x1b\\\x1b[?1;2c");
    assert_eq!(terminal["protocol"], "halfblocks");
}
