//! The keys. One table makes the handler, the footer and the help.

use std::fmt;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// What a key asks for. What comes of it depends on where the user is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Action {
    Up,
    Down,
    Left,
    Right,
    PageUp,
    PageDown,
    First,
    Last,
    SwitchPane,
    ZoomIn,
    Back,
    ShowSummary,
    ShowPhoto,
    ShowGrid,
    ShowChannel,
    ShowHeatmap,
    ShowFilter,
    ShowPatterns,
    PreviousLayer,
    NextLayer,
    PreviousImage,
    NextImage,
    Colormap,
    Style,
    FindClass,
    Score,
    Dialect,
    Layout,
    MoreOpaque,
    LessOpaque,
    Recipe,
    Pause,
    WholeLayer,
    Save,
    Help,
    Suspend,
    Quit,
}

/// A key, and whether Ctrl is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    code: KeyCode,
    control: bool,
}

impl Key {
    const fn of(code: KeyCode) -> Self {
        Self {
            code,
            control: false,
        }
    }

    const fn char(character: char) -> Self {
        Self::of(KeyCode::Char(character))
    }

    const fn control(character: char) -> Self {
        Self {
            code: KeyCode::Char(character),
            control: true,
        }
    }
}

impl From<KeyEvent> for Key {
    /// Shift is in the character already.
    fn from(event: KeyEvent) -> Self {
        Self {
            code: event.code,
            control: event.modifiers.contains(KeyModifiers::CONTROL),
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.control {
            f.write_str("Ctrl-")?;
        }
        let name = match self.code {
            KeyCode::Char(' ') => "Space",
            KeyCode::Char(character) => return write!(f, "{character}"),
            KeyCode::Up => "↑",
            KeyCode::Down => "↓",
            KeyCode::Left => "←",
            KeyCode::Right => "→",
            KeyCode::Enter => "Enter",
            KeyCode::Esc => "Esc",
            KeyCode::Tab => "Tab",
            KeyCode::Backspace => "Backspace",
            KeyCode::Home => "Home",
            KeyCode::End => "End",
            KeyCode::PageUp => "PgUp",
            KeyCode::PageDown => "PgDn",
            other => return write!(f, "{other}"),
        };
        f.write_str(name)
    }
}

/// A line of the table.
#[derive(Clone, Copy, Debug)]
pub struct Binding {
    /// The first is the one that the footer names.
    pub keys: &'static [Key],
    /// What they ask for.
    pub action: Action,
    /// One word for the footer; nothing for what needs no mention there.
    pub hint: Option<&'static str>,
    /// The views beside which alone the footer mentions it.
    pub only: Option<Place>,
    /// One line for the help.
    pub help: &'static str,
}

const fn binding(
    keys: &'static [Key],
    action: Action,
    hint: Option<&'static str>,
    help: &'static str,
) -> Binding {
    Binding {
        keys,
        action,
        hint,
        only: None,
        help,
    }
}

/// Where some keys are of use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Beside a heatmap.
    Heatmap,
    /// Beside patterns.
    Patterns,
}

const fn only(
    place: Place,
    keys: &'static [Key],
    action: Action,
    hint: &'static str,
    help: &'static str,
) -> Binding {
    Binding {
        only: Some(place),
        ..binding(keys, action, Some(hint), help)
    }
}

/// Every key. The footer goes through it from the top, as far as there is room.
pub const KEYMAP: [Binding; 37] = [
    binding(&[Key::char('?')], Action::Help, Some("help"), "this list"),
    binding(
        &[Key::char('q'), Key::control('c')],
        Action::Quit,
        Some("quit"),
        "leave",
    ),
    binding(
        &[Key::of(KeyCode::Up), Key::char('k')],
        Action::Up,
        None,
        "up: layers, channels, classes",
    ),
    binding(
        &[Key::of(KeyCode::Down), Key::char('j')],
        Action::Down,
        Some("down"),
        "down",
    ),
    binding(
        &[Key::of(KeyCode::Left), Key::char('h')],
        Action::Left,
        None,
        "left: channels, images",
    ),
    binding(
        &[Key::of(KeyCode::Right), Key::char('l')],
        Action::Right,
        None,
        "right",
    ),
    binding(
        &[Key::of(KeyCode::Enter)],
        Action::ZoomIn,
        Some("open"),
        "closer: from the table to a layer's grid, to a channel",
    ),
    binding(
        &[Key::of(KeyCode::Esc), Key::of(KeyCode::Backspace)],
        Action::Back,
        Some("back"),
        "the same way back",
    ),
    binding(
        &[Key::of(KeyCode::Tab)],
        Action::SwitchPane,
        Some("pane"),
        "between the layers and the picture",
    ),
    only(
        Place::Heatmap,
        &[Key::char('/')],
        Action::FindClass,
        "find class",
        "find a class by a part of its name, for its heatmap",
    ),
    only(
        Place::Heatmap,
        &[Key::char('t')],
        Action::Score,
        "score",
        "heatmap: of the softmax or of the logit",
    ),
    only(
        Place::Heatmap,
        &[Key::char('d')],
        Action::Dialect,
        "dialect",
        "heatmap: as the book, pytorch-grad-cam or captum has it",
    ),
    only(
        Place::Heatmap,
        &[Key::char('m')],
        Action::Layout,
        "layout",
        "heatmap: over the photo, beside it, or alone",
    ),
    only(
        Place::Heatmap,
        &[Key::char('+'), Key::char('=')],
        Action::MoreOpaque,
        "opacity",
        "heatmap: more opaque",
    ),
    only(
        Place::Heatmap,
        &[Key::char('-')],
        Action::LessOpaque,
        "less",
        "heatmap: less opaque",
    ),
    only(
        Place::Patterns,
        &[Key::char('a')],
        Action::WholeLayer,
        "all filters",
        "patterns: make those of the whole layer, or no longer",
    ),
    only(
        Place::Patterns,
        &[Key::char(' ')],
        Action::Pause,
        "pause",
        "patterns: pause, and go on",
    ),
    only(
        Place::Patterns,
        &[Key::char('r')],
        Action::Recipe,
        "recipe",
        "patterns: as the book's first or second edition, or lucid makes them",
    ),
    binding(
        &[Key::char('s')],
        Action::Save,
        Some("save"),
        "save what is shown: a PNG, and the numbers as NPY",
    ),
    binding(
        &[Key::char('0')],
        Action::ShowSummary,
        Some("summary"),
        "show the table of all layers",
    ),
    binding(
        &[Key::char('1')],
        Action::ShowPhoto,
        Some("photo"),
        "show what the network sees",
    ),
    binding(
        &[Key::char('2')],
        Action::ShowGrid,
        Some("grid"),
        "show all channels of the layer",
    ),
    binding(
        &[Key::char('3')],
        Action::ShowChannel,
        Some("channel"),
        "show one channel as large as it fits",
    ),
    binding(
        &[Key::char('4')],
        Action::ShowHeatmap,
        Some("heatmap"),
        "show where the evidence for a class lies",
    ),
    binding(
        &[Key::char('5')],
        Action::ShowFilter,
        Some("filter"),
        "show a channel beside the pattern that its filter looks for",
    ),
    binding(
        &[Key::char('6')],
        Action::ShowPatterns,
        Some("patterns"),
        "show the patterns of all filters of the layer",
    ),
    binding(
        &[Key::char('n')],
        Action::NextImage,
        Some("next image"),
        "next image",
    ),
    binding(
        &[Key::char('c')],
        Action::Colormap,
        Some("colours"),
        "next colormap",
    ),
    binding(
        &[Key::char('v')],
        Action::Style,
        Some("style"),
        "book (standardised) or minmax (from least to most)",
    ),
    binding(
        &[Key::control('z')],
        Action::Suspend,
        None,
        "back to the shell for a while; fg returns",
    ),
    binding(
        &[Key::char('p')],
        Action::PreviousImage,
        None,
        "previous image",
    ),
    binding(
        &[Key::char('[')],
        Action::PreviousLayer,
        None,
        "previous layer",
    ),
    binding(&[Key::char(']')], Action::NextLayer, None, "next layer"),
    binding(
        &[Key::of(KeyCode::PageUp)],
        Action::PageUp,
        None,
        "a screenful up",
    ),
    binding(
        &[Key::of(KeyCode::PageDown)],
        Action::PageDown,
        None,
        "a screenful down",
    ),
    binding(
        &[Key::of(KeyCode::Home), Key::char('g')],
        Action::First,
        None,
        "to the first",
    ),
    binding(
        &[Key::of(KeyCode::End), Key::char('G')],
        Action::Last,
        None,
        "to the last",
    ),
];

/// What a key asks for.
pub fn action(event: KeyEvent) -> Option<Action> {
    let key = Key::from(event);
    KEYMAP
        .iter()
        .find(|binding| binding.keys.contains(&key))
        .map(|binding| binding.action)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_key_means_two_things() {
        let mut seen = HashSet::new();
        for key in KEYMAP.iter().flat_map(|binding| binding.keys) {
            assert!(seen.insert(key), "{key} is there twice");
        }
        let actions: HashSet<Action> = KEYMAP.iter().map(|binding| binding.action).collect();
        assert_eq!(actions.len(), KEYMAP.len());
    }

    #[test]
    fn shift_and_control_are_understood() {
        let press =
            |character, modifiers| action(KeyEvent::new(KeyCode::Char(character), modifiers));
        assert_eq!(press('G', KeyModifiers::SHIFT), Some(Action::Last));
        assert_eq!(press('?', KeyModifiers::NONE), Some(Action::Help));
        assert_eq!(press('c', KeyModifiers::CONTROL), Some(Action::Quit));
        assert_eq!(press('c', KeyModifiers::NONE), Some(Action::Colormap));
        assert_eq!(press('s', KeyModifiers::CONTROL), None);
    }

    #[test]
    fn keys_have_names() {
        let names: Vec<String> = KEYMAP
            .iter()
            .flat_map(|binding| binding.keys)
            .map(Key::to_string)
            .collect();
        for name in ["?", "Ctrl-c", "Enter", "Esc", "↑", "PgDn", "G"] {
            assert!(names.iter().any(|known| known == name), "{name}");
        }
    }
}
