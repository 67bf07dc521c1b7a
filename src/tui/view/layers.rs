//! The list of layers.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::pane::{Pane, heading, write};
use crate::tui::outline::{LayerRow, Outline};
use crate::tui::state::{Focus, State};
use crate::tui::theme::Theme;

/// A name shorter than this tells little: other columns make room for it.
const LEAST_NAME: usize = 12;

pub(super) fn draw(state: &State, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    if area.is_empty() {
        return;
    }
    let focused = state.focus == Focus::Layers;
    let Some(outline) = &state.outline else {
        let pane = Pane {
            heading: Line::from(heading("opening the model", true, state.ticks, theme)),
            aside: Line::default(),
            below: Line::default(),
            focused,
        };
        pane.draw(theme, area, buffer);
        return;
    };
    let count = outline.layers.len();
    let pane = Pane {
        heading: Line::from(heading("layers", false, state.ticks, theme)),
        aside: Line::default(),
        below: Line::styled(
            format!(" {}/{count} ", (state.layer.0 + 1).min(count)),
            theme.label,
        ),
        focused,
    };
    let room = pane.draw(theme, area, buffer);
    let columns = Columns::for_room(outline, usize::from(room.width));
    let visible = outline
        .layers
        .iter()
        .enumerate()
        .skip(state.list_top)
        .take(usize::from(room.height));
    for (line, (index, row)) in visible.enumerate() {
        let area = Rect {
            y: room.y + line as u16,
            height: 1,
            ..room
        };
        let style = match (index == state.layer.0, focused) {
            (true, true) => Style::from(theme.selected),
            (true, false) => Style::from(theme.selected_elsewhere),
            (false, _) if row.computes && row.shape.is_ok() => Style::default(),
            (false, _) => Style::from(theme.dimmed),
        };
        write(&columns.line(row), style, area, buffer);
    }
}

/// Widths in cells; a column without room is 0 wide.
struct Columns {
    name: usize,
    kind: usize,
    shape: usize,
}

impl Columns {
    /// The shape goes before the type: it tells more.
    fn for_room(outline: &Outline, room: usize) -> Self {
        let widest =
            |text: fn(&LayerRow) -> usize| outline.layers.iter().map(text).max().unwrap_or(0);
        let longest_name = widest(|row| 2 * row.depth + Line::raw(&row.label).width());
        let wanted = longest_name.max(LEAST_NAME);
        let shape = widest(|row| row.shape_text.len());
        let kind = widest(|row| row.kind.len()).min(14);
        let shape = if LEAST_NAME + 1 + shape <= room {
            shape
        } else {
            0
        };
        let kind = if wanted + 2 + kind + shape <= room {
            kind
        } else {
            0
        };
        let taken = [shape, kind]
            .iter()
            .filter(|width| **width > 0)
            .map(|width| width + 1)
            .sum();
        Self {
            name: room.saturating_sub(taken),
            kind,
            shape,
        }
    }

    fn line(&self, row: &LayerRow) -> String {
        let name = format!("{}{}", "  ".repeat(row.depth), row.label);
        let mut line = padded(&name, self.name);
        if self.kind > 0 {
            line.push(' ');
            line.push_str(&padded(&row.kind, self.kind));
        }
        if self.shape > 0 {
            let shape = format!(" {:>width$}", row.shape_text, width = self.shape);
            line.push_str(&shape);
        }
        line
    }
}

/// Exactly `width` cells. Long names often begin alike and end alike: what is cut is a part in the middle.
fn padded(text: &str, width: usize) -> String {
    let characters: Vec<char> = text
        .chars()
        .filter(|character| !character.is_control())
        .collect();
    let total: usize = characters.iter().copied().map(cells).sum();
    let mut line: String = if total <= width {
        characters.into_iter().collect()
    } else {
        let room = width.saturating_sub(1);
        let head = within(characters.iter().copied(), room / 2);
        let tail = within(characters.iter().rev().copied(), room - room / 2);
        let tail = tail.chars().rev();
        head.chars()
            .chain(std::iter::once('…').take(width))
            .chain(tail)
            .collect()
    };
    let used: usize = line.chars().map(cells).sum();
    line.push_str(&" ".repeat(width.saturating_sub(used)));
    line
}

/// As many of the first characters as there is room for.
fn within(characters: impl Iterator<Item = char>, room: usize) -> String {
    let mut used = 0;
    let fits = |character: &char| {
        used += cells(*character);
        used <= room
    };
    characters.take_while(fits).collect()
}

fn cells(character: char) -> usize {
    let mut bytes = [0; 4];
    Span::raw(&*character.encode_utf8(&mut bytes)).width()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_cut_to_the_cell() {
        assert_eq!(padded("conv", 6), "conv  ");
        assert_eq!(padded("conv2d", 6), "conv2d");
        assert_eq!(
            padded("_blocks.10._depthwise_conv", 17),
            "_blocks.…ise_conv"
        );
        assert_eq!(padded("猫猫猫", 5), "猫…猫");
        assert_eq!(padded("猫猫猫", 4), "…猫 ");
        assert_eq!(padded("conv", 1), "…");
        assert_eq!(padded("conv", 0), "");
    }
}
