//! Finding a class by a part of its name.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::heat;
use super::protocol::ClassRow;
use super::state::{Exit, State, View};

/// No class's name is longer.
const LONGEST: usize = 64;

/// What is being looked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Search {
    /// As typed.
    pub text: String,
    /// Which of the classes found.
    pub row: usize,
}

impl Search {
    /// The classes one of whose names has the text in it, the most probable first. Upper and lower case are alike, and so
    /// are `_` and a space.
    pub fn found<'a>(&self, classes: &'a [ClassRow]) -> Vec<&'a ClassRow> {
        let wanted = plain(&self.text);
        let fits = |row: &&ClassRow| {
            let mut names = std::iter::once(&row.name).chain(&row.synonyms);
            names.any(|name| plain(name).contains(&wanted))
        };
        classes.iter().filter(fits).collect()
    }
}

fn plain(name: &str) -> String {
    name.to_lowercase().replace('_', " ")
}

/// Takes pasted text in while something is being looked for; elsewhere it would be taken for keys.
pub(super) fn paste(state: &mut State, text: &str) {
    if let Some(search) = &mut state.search {
        let letters = text.chars().filter(|character| !character.is_control());
        let room = LONGEST.saturating_sub(search.text.len());
        search.text.extend(letters.take(room));
        search.row = 0;
    }
}

/// Takes a key while something is being looked for.
pub(super) fn key(state: &mut State, key: KeyEvent) {
    let control = key.modifiers.contains(KeyModifiers::CONTROL);
    let classes = state.classes.get(&state.image);
    let Some(search) = &mut state.search else {
        return;
    };
    let found = classes.map(|rows| search.found(rows)).unwrap_or_default();
    match key.code {
        KeyCode::Char('c') if control => state.exit = Some(Exit::Quit),
        KeyCode::Char('n') if control => search.row += 1,
        KeyCode::Char('p') if control => search.row = search.row.saturating_sub(1),
        KeyCode::Char(character) if !control => {
            if search.text.len() < LONGEST {
                search.text.push(character);
            }
            search.row = 0;
        }
        KeyCode::Down => search.row += 1,
        KeyCode::Up => search.row = search.row.saturating_sub(1),
        KeyCode::Backspace if search.text.pop().is_some() => search.row = 0,
        KeyCode::Enter => {
            let class = found.get(search.row).map(|row| row.class);
            state.search = None;
            if class.is_some() {
                heat::choose(state, class);
                if state.view != View::Heatmap {
                    heat::show(state);
                }
            }
            return;
        }
        KeyCode::Esc | KeyCode::Backspace => {
            state.search = None;
            return;
        }
        _ => {}
    }
    let last = classes.map_or(0, |rows| search.found(rows).len().saturating_sub(1));
    search.row = search.row.min(last);
}
