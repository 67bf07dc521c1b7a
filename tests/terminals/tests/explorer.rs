//! With every protocol the same pictures are in the same places.

use std::thread;
use std::time::Duration;

use image::imageops::{self, FilterType};
use terminals::emulator::Screen;
use terminals::expected::{Expected, channel, made};
use terminals::terminal::{Terminal, size};
use terminals::{Protocol, expect};

const IMAGES: [&str; 2] = ["demo/chelsea.png", "demo/panda.jpg"];
const IMAGE: &str = IMAGES[0];

/// What a terminal may be asked to hold.
const BUDGET: usize = 96 << 20;

const CELL: (u16, u16) = (10, 20);

/// The tests with a protocol.
macro_rules! tests {
    ($module:ident, $protocol:ident) => {
        mod $module {
            use terminals::$protocol as PROTOCOL;
            #[test] fn a_grid_and_a_channel() { super::a_grid_and_a_channel(PROTOCOL); }
            #[test] fn a_grid_that_scrolls() { super::a_grid_that_scrolls(PROTOCOL); }
            #[test] fn an_overlay() { super::an_overlay(PROTOCOL); }
            #[test] fn many_pictures() { super::many_pictures(PROTOCOL); }
            #[test] fn many_steps() { super::many_steps(PROTOCOL); }
        }
    };
}

tests!(kitty, KITTY);
tests!(sixel, SIXEL);
tests!(iterm2, ITERM2);

fn a_grid_and_a_channel(protocol: Protocol) {
    let layer = "max_pooling2d_6";
    let magma = ["--colormap", "magma"];
    let mut terminal = Terminal::new(protocol, size(120, 40, CELL), &[IMAGE]);
    terminal.press("jjj\r");
    let grid = Expected::grid(IMAGE, layer, &[]);
    terminal.wait_for_picture("the grid", &grid);
    terminal.press("ll");
    terminal.wait_for(&["channel 2/64"]);
    terminal.wait_for_picture("the cursor two tiles on", &grid);
    terminal.press("\r");
    let viridis = Expected::channel(IMAGE, layer, "2", &[]);
    terminal.wait_for_picture("a channel", &viridis);
    terminal.press("c");
    let channel = Expected::channel(IMAGE, layer, "2", &magma);
    terminal.wait_for_picture("other colours", &channel);

    under_the_help(&mut terminal);
    terminal.wait_for_picture("the channel after the help", &channel);
    for (columns, rows, cell) in [(100, 30, CELL), (100, 30, (7, 15)), (120, 40, CELL)] {
        terminal.resize(size(columns, rows, cell));
        let what = format!("{columns}x{rows} cells of {cell:?}");
        terminal.wait_for_picture(&what, &channel);
    }
    terminal.press("\x7f");
    let grid = Expected::grid(IMAGE, layer, &magma);
    terminal.wait_for_picture("back in the grid", &grid);
    under_the_help(&mut terminal);
    terminal.wait_for_picture("the grid after the help", &grid);
    terminal.quit();
}

/// Opens the help, which no picture may shine through, and closes it.
fn under_the_help(terminal: &mut Terminal) {
    terminal.press("?");
    terminal.wait("the help", |screen| {
        let open = screen.text().contains("this list");
        // It is higher than the pictures.
        let row = &screen.cells[screen.cells.len() / 2];
        let columns = (0..).zip(row).filter(|(_, character)| **character == '│');
        let borders: Vec<u32> = columns.map(|(column, _)| column * screen.cell.0).collect();
        let free = screen
            .shown()
            .all(|(x, _)| x < borders[1] || x > borders[2]);
        expect(open && free, || format!("open: {open}, free: {free}"))
    });
    terminal.press("x");
}

fn a_grid_that_scrolls(protocol: Protocol) {
    let mut terminal = Terminal::new(protocol, size(80, 24, CELL), &[IMAGE]);
    terminal.press("jjjjj\r");
    let maps = Expected::grid(IMAGE, "max_pooling2d_7", &[]);
    let mut go = |keys: &str, to: usize| {
        terminal.press(keys);
        terminal.wait(&format!("channel {to}"), |screen| {
            maps.check(screen, protocol)?;
            let at = channel(screen);
            expect(at == Some(to), || format!("{at:?}"))
        });
    };
    for (keys, to) in [("", 0), ("\x1b[6~", 54), ("G", 127), ("h", 126), ("g", 0)] {
        go(keys, to);
    }
    for row in 1..=13 {
        go("j", 9 * row);
    }
    for row in (0..13).rev() {
        go("k", 9 * row);
    }
    terminal.quit();
}

fn many_pictures(protocol: Protocol) {
    let mut terminal = Terminal::new(protocol, size(120, 40, (13, 26)), &[IMAGE]);
    terminal.press("jjj\r\r");
    let layer = Expected::grid(IMAGE, "max_pooling2d_6", &["--style", "minmax"]);
    let Expected::Grid(maps) = layer else {
        unreachable!()
    };
    // Some 3 MB each are more than the terminal is to hold.
    for (channel, map) in maps.into_iter().take(40).enumerate() {
        terminal.wait_for_picture(&format!("channel {channel}"), &Expected::Channel(map));
        terminal.press("l");
    }
    at_rest(&mut terminal);
    let (all, held) = terminal.memory();
    // Only kitty's pictures outlast what is written over them.
    if protocol.name == "kitty" {
        assert!(held <= BUDGET && BUDGET < all, "{held} bytes of {all}");
    }
    terminal.quit();
}

fn an_overlay(protocol: Protocol) {
    let bounds = |screen: &Screen| screen.bounds().ok_or("nothing".to_owned());
    let open = |image: &str| {
        let mut terminal = Terminal::new(protocol, size(120, 40, CELL), &[image]);
        terminal.press("4");
        terminal.wait_for(&["jet at 40 %"]);
        terminal
    };
    // How large a photo of these proportions is shown: one of that size is shown as it is.
    let mut terminal = open(IMAGE);
    let [_, _, width, height] = terminal.wait("an overlay", bounds);
    drop(terminal);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("photo.png");
    let photo = image::open(terminals::root().join(IMAGE)).unwrap();
    let photo = photo.resize_exact(width, height, FilterType::Triangle);
    photo.save(&file).unwrap();

    let overlay = made("cam", file.to_str().unwrap(), &[]);
    let mut terminal = open(file.to_str().unwrap());
    terminal.wait("the overlay", |screen| {
        let [x, y, across, down] = bounds(screen)?;
        let size = [across, down];
        expect(size == [width, height], || format!("{size:?}"))?;
        let shown = imageops::crop_imm(&screen.pixels, x, y, width, height).to_image();
        let pairs = shown.pixels().zip(overlay.pixels());
        let levels = pairs.flat_map(|(ours, theirs)| ours.0.into_iter().zip(theirs.0));
        let off: u32 = levels
            .map(|(one, other)| u32::from(one.abs_diff(other)))
            .sum();
        let off = f64::from(off) / overlay.len() as f64;
        let whole = shown.pixels().all(|pixel| pixel.0[3] == u8::MAX);
        expect(whole && off <= protocol.photo, || {
            format!("{off} levels off")
        })
    });
    terminal.quit();
}

/// Keys for a walk; the frequent ones are there more than once.
const KEYS: [&str; 26] = [
    "h", "j", "j", "k", "l", "l", "l", "[", "]", "\x1b[5~", "\x1b[6~", "g", "G", "1", "2", "3",
    "3", "3", "4", "\r", "\x7f", "n", "c", "v", "?x", "\t",
];

fn many_steps(protocol: Protocol) {
    let mut terminal = Terminal::new(protocol, size(120, 40, (13, 26)), &IMAGES);
    let mut seed: u64 = 7;
    let mut roll = |sides: usize| {
        seed = seed
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (seed >> 33) as usize % sides
    };
    for round in 0..8 {
        for _ in 0..25 {
            terminal.press(KEYS[roll(KEYS.len())]);
            thread::sleep(Duration::from_millis([1, 20, 60][roll(3)]));
        }
        // Some layers have no channels.
        terminal.press("3");
        while at_rest(&mut terminal).is_none() {
            terminal.press("[3");
        }
        let expected = Expected::told_by(&terminal.screen(), &IMAGES);
        terminal.wait_for_picture(&format!("round {round}"), &expected);
    }
    // The grid of a layer whose maps are enlarged.
    terminal.press("\x7f\x7f\x7fgjjj\r");
    at_rest(&mut terminal);
    let expected = Expected::told_by(&terminal.screen(), &IMAGES);
    terminal.wait_for_picture("the last grid", &expected);
    terminal.quit();
}

/// Waits until all keys are done, and returns the channel at hand, if there is one.
fn at_rest(terminal: &mut Terminal) -> Option<usize> {
    terminal.press("?");
    terminal.wait_for(&["this list"]);
    terminal.press("x");
    terminal.wait("no help", |screen| {
        let open = screen.text().contains("this list");
        expect(!open, || "open".to_owned())
    });
    terminal.wait_for(&[]);
    channel(&terminal.screen())
}
