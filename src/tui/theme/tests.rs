//! The themes that come with convscope, by the numbers; and which one is chosen.

use std::fs;

use ratatui::style::{Color, Modifier, Style};
use tempfile::tempdir;

use super::built_in::relative_luminance;
use super::*;

/// Black, two usual greys, Solarized.
const DARK: [[u8; 3]; 4] = [[0; 3], [0x1e; 3], [0x28, 0x2c, 0x34], [0x00, 0x2b, 0x36]];

/// White, a usual grey, Solarized.
const LIGHT: [[u8; 3]; 3] = [[0xff; 3], [0xfa; 3], [0xfd, 0xf6, 0xe3]];

/// The least contrast of text that WCAG 2.1 asks for at level AA (1.4.3).
const TEXT: f64 = 4.5;

/// The same for what isn't text (1.4.11).
const GRAPHICS: f64 = 3.0;

const DEPTHS: [ColorDepth; 3] = [
    ColorDepth::Full,
    ColorDepth::Indexed,
    ColorDepth::Monochrome,
];

fn built_in(theme: BuiltIn, depth: ColorDepth) -> Theme {
    theme.read().unwrap().map(|look| look.at(depth))
}

/// Without the folder of whoever runs the tests.
fn choose(wanted: Option<&str>, depth: ColorDepth, background: Option<[u8; 3]>) -> Theme {
    Theme::choose_from(&Folder(None), wanted, depth, background).unwrap()
}

/// WCAG 2.1: from 1 (none) to 21 (black on white).
fn contrast(a: [u8; 3], b: [u8; 3]) -> f64 {
    let (a, b) = (relative_luminance(a), relative_luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

/// A colour that is the same on every terminal.
fn rgb(color: Color) -> [u8; 3] {
    match color {
        Color::Rgb(red, green, blue) => [red, green, blue],
        Color::Indexed(index @ 232..) => [8 + 10 * (index - 232); 3],
        Color::Indexed(index @ 16..) => {
            let cube = [0, 95, 135, 175, 215, 255];
            [(index - 16) / 36, (index - 16) / 6 % 6, (index - 16) % 6]
                .map(|step| cube[usize::from(step)])
        }
        own => panic!("{own} differs from terminal to terminal"),
    }
}

#[test]
fn text_can_be_read_on_every_usual_background() {
    for (theme, backgrounds) in [(BuiltIn::Dark, &DARK[..]), (BuiltIn::Light, &LIGHT[..])] {
        for depth in [ColorDepth::Full, ColorDepth::Indexed] {
            for (part, look) in built_in(theme, depth).parts() {
                let style = Style::from(look);
                let least = match part {
                    "border" | "border_focused" | "bar" => GRAPHICS,
                    _ => TEXT,
                };
                // A part without a foreground takes that of what it is drawn over, such as a border.
                let fg = style.fg.map(rgb);
                let fg = fg.unwrap_or_else(|| panic!("{theme:?}: {part} has no foreground"));
                let own = style.bg.map(|bg| [rgb(bg)]);
                for &background in own.as_ref().map_or(backgrounds, |own| &own[..]) {
                    let contrast = contrast(fg, background);
                    assert!(
                        contrast >= least,
                        "{theme:?}, {depth:?}: {part} has {contrast:.2} on {background:?}"
                    );
                }
                // How much darker it gets is the terminal's choice.
                let changed = Modifier::DIM | Modifier::REVERSED;
                assert!(!style.add_modifier.intersects(changed), "{part}");
            }
        }
    }
}

#[test]
fn a_chosen_line_stands_out_from_the_background() {
    for (theme, backgrounds) in [(BuiltIn::Dark, &DARK[..]), (BuiltIn::Light, &LIGHT[..])] {
        for depth in [ColorDepth::Full, ColorDepth::Indexed] {
            let theme = built_in(theme, depth);
            let behind = |look| rgb(Style::from(look).bg.unwrap());
            for background in backgrounds {
                // About twice and half as much as a usual editor's selection, 1.6.
                assert!(contrast(behind(theme.selected), *background) > 2.0);
                assert!(contrast(behind(theme.selected_elsewhere), *background) > 1.25);
                assert!(contrast(behind(theme.tab_selected), *background) > 1.25);
            }
        }
    }
}

#[test]
fn nothing_is_told_by_hue_alone() {
    let told = |a: Look, b: Look| {
        let (a, b) = (Style::from(a), Style::from(b));
        let brightness = match (a.fg, b.fg) {
            (Some(Color::Rgb(..)), Some(Color::Rgb(..))) => {
                contrast(rgb(a.fg.unwrap()), rgb(b.fg.unwrap())) >= 1.25
            }
            _ => false,
        };
        a.add_modifier != b.add_modifier || a.bg.is_some() != b.bg.is_some() || brightness
    };
    for name in BuiltIn::ALL {
        for depth in DEPTHS {
            let theme = built_in(name, depth);
            for (pair, a, b) in [
                ("error, notice", theme.error, theme.notice),
                ("error, dimmed", theme.error, theme.dimmed),
                ("mark, dimmed", theme.mark, theme.dimmed),
                ("mark, text", theme.mark, Look::default()),
                ("tabs", theme.tab_selected, theme.tab),
                ("chosen", theme.selected, theme.selected_elsewhere),
                ("chosen, text", theme.selected, Look::default()),
            ] {
                assert!(told(a, b), "{name:?}, {depth:?}: {pair}");
            }
        }
        // Frames, and two kinds of them, with all colours there are.
        let theme = built_in(name, ColorDepth::Full);
        assert!(told(theme.border_focused, theme.border), "{name:?}");
        if matches!(name, BuiltIn::Dark | BuiltIn::Light) {
            assert!(told(theme.cursor, theme.mark), "{name:?}");
        }
    }
}

#[test]
fn without_colours_there_are_none() {
    let folder = tempdir().unwrap();
    fs::write(
        folder.path().join("loud.toml"),
        "base = 'light'\nkey = { fg = 'red', bg = '#00ff00' }",
    )
    .unwrap();
    let folder = Folder(Some(folder.path().to_path_buf()));
    for name in NAMES.into_iter().chain(["loud"]) {
        let theme =
            Theme::choose_from(&folder, Some(name), ColorDepth::Monochrome, Some([0; 3])).unwrap();
        for (part, look) in theme.parts() {
            let style = Style::from(look);
            assert_eq!((style.fg, style.bg), (None, None), "{name}: {part}");
        }
        assert_ne!(Style::from(theme.selected), Style::default(), "{name}");
    }
}

#[test]
fn the_default_theme_has_the_terminals_own_colours_alone() {
    for (part, look) in built_in(BuiltIn::Default, ColorDepth::Full).parts() {
        let style = Style::from(look);
        assert_eq!(style.bg, None, "{part}");
        assert!(
            !matches!(style.fg, Some(Color::Rgb(..) | Color::Indexed(_))),
            "{part}"
        );
    }
}

#[test]
fn few_colours_are_the_tables() {
    for theme in BuiltIn::ALL {
        for (part, look) in built_in(theme, ColorDepth::Indexed).parts() {
            let style = Style::from(look);
            for color in [style.fg, style.bg] {
                assert!(!matches!(color, Some(Color::Rgb(..))), "{theme:?}: {part}");
            }
        }
    }
}

#[test]
fn a_name_goes_before_what_suits_the_terminal() {
    let full = ColorDepth::Full;
    let parts = |theme: BuiltIn| built_in(theme, full).parts();
    let chosen = |wanted, background| choose(wanted, full, background).parts();
    assert_eq!(chosen(None, None), parts(BuiltIn::Default));
    assert_eq!(chosen(None, Some([0; 3])), parts(BuiltIn::Dark));
    assert_eq!(chosen(None, Some([255; 3])), parts(BuiltIn::Light));
    assert_eq!(chosen(Some("light"), Some([0; 3])), parts(BuiltIn::Light));
    assert_eq!(chosen(Some("monochrome"), None), parts(BuiltIn::Monochrome));
    assert_eq!(
        choose(None, ColorDepth::Monochrome, Some([0; 3])).parts(),
        parts(BuiltIn::Monochrome)
    );
}

#[test]
fn a_file_of_the_users_goes_before_a_theme_of_the_same_name() {
    let root = tempdir().unwrap();
    // A base is what comes with convscope: no file is its own.
    fs::write(
        root.path().join("dark.toml"),
        "base = 'dark'\ntitle = { fg = 'green' }",
    )
    .unwrap();
    let folder = Folder(Some(root.path().to_path_buf()));
    let green = toml::from_str("fg = 'green'").unwrap();
    for wanted in [Some("dark"), None] {
        let theme = Theme::choose_from(&folder, wanted, ColorDepth::Full, Some([0; 3])).unwrap();
        assert_eq!(theme.title, green);
        assert_eq!(theme.key, choose(Some("dark"), ColorDepth::Full, None).key);
    }
}

#[test]
fn a_theme_may_be_a_path() {
    let root = tempdir().unwrap();
    let path = root.path().join("mine.toml");
    fs::write(&path, "title = { fg = 'green' }").unwrap();
    let theme = choose(path.to_str(), ColorDepth::Full, None);
    assert_eq!(theme.title, toml::from_str("fg = 'green'").unwrap());

    let missing = root.path().join("none.toml");
    let message = Theme::choose(missing.to_str(), ColorDepth::Full, None)
        .unwrap_err()
        .to_string();
    assert!(message.contains("none.toml: No such file"), "{message}");
}

#[test]
fn what_is_asked_for_and_isnt_there_is_answered_with_what_is() {
    let root = tempdir().unwrap();
    fs::write(root.path().join("sea.toml"), "").unwrap();
    let folder = Folder(Some(root.path().to_path_buf()));
    for wanted in ["drak", "", "../sea", "DARK"] {
        let message = Theme::choose_from(&folder, Some(wanted), ColorDepth::Full, None)
            .unwrap_err()
            .to_string();
        assert_eq!(
            message,
            format!(
                "there is no theme '{wanted}'; there are default, dark, light, monochrome, and sea in {}",
                root.path().display()
            )
        );
    }
}
