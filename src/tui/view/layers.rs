//! The list of layers: narrow beside a picture, or the model's summary as a table.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::pane::{Pane, heading, write};
use super::picture::tabs;
use crate::tui::outline::{LayerRow, Outline};
use crate::tui::state::{Focus, State, View};
use crate::tui::theme::Theme;

/// A name shorter than this tells little: other columns make room for it.
const LEAST_NAME: usize = 12;

/// A name longer than this is cut where the table has more to tell.
const LONGEST_NAME: usize = 36;

/// Cells of a table narrower than this have no room for the tabs above them.
const LEAST_WIDTH_FOR_TABS: u16 = 60;

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
    let table = state.view == View::Summary;
    let room = pane(state, outline, theme, area).draw(theme, area, buffer);
    let columns = Columns::for_room(outline, usize::from(room.width), table);
    let mut lines = room.rows();
    if table && let Some(line) = lines.next() {
        write(&columns.header(), theme.header, line, buffer);
    }
    let rows = outline.layers.iter().enumerate().skip(state.list_top);
    for (line, (index, row)) in lines.zip(rows) {
        let style = match (index == state.layer.0, focused) {
            (true, true) => Style::from(theme.selected),
            (true, false) => Style::from(theme.selected_elsewhere),
            (false, _) if row.computes && row.shape.is_ok() => Style::default(),
            (false, _) => Style::from(theme.dimmed),
        };
        write(&columns.line(row), style, line, buffer);
    }
}

fn pane<'a>(state: &State, outline: &Outline, theme: &Theme, area: Rect) -> Pane<'a> {
    let table = state.view == View::Summary;
    let count = outline.layers.len();
    let position = format!(" {}/{count} ", (state.layer.0 + 1).min(count));
    let mut below = vec![Span::styled(position, theme.label)];
    let totals = format!(" {} ", outline.totals);
    if table && totals.len() + 12 < usize::from(area.width) {
        below.insert(0, Span::styled(totals, theme.label));
    }
    Pane {
        heading: Line::from(heading("layers", false, state.ticks, theme)),
        aside: if table && area.width >= LEAST_WIDTH_FOR_TABS {
            Line::from(tabs(state, theme, area.width < 90))
        } else {
            Line::default()
        },
        below: Line::from(below),
        focused: state.focus == Focus::Layers,
    }
}

/// A column behind the name.
#[derive(Clone, Copy)]
struct Column {
    title: &'static str,
    text: fn(&LayerRow) -> &str,
    /// Whether it is aligned to the right.
    right: bool,
    /// Those with a lower rank come first when there is no room for all.
    rank: usize,
    /// More is cut.
    most: usize,
}

const fn column(
    title: &'static str,
    text: fn(&LayerRow) -> &str,
    right: bool,
    rank: usize,
    most: usize,
) -> Column {
    Column {
        title,
        text,
        right,
        rank,
        most,
    }
}

/// In the order of the screen. Of the list only the first two.
const COLUMNS: [Column; 7] = [
    column("type", |row| &row.kind, false, 2, 14),
    column("output", |row| &row.shape_text, true, 0, 24),
    column("parameters", |row| &row.parameters, true, 1, 14),
    column("MACs", |row| &row.macs, true, 3, 10),
    column("window", |row| &row.window, false, 5, 9),
    column("field", |row| &row.field, true, 4, 9),
    column("from", |row| &row.inputs, false, 6, 40),
];

/// The columns that there is room for, with their widths in cells.
struct Columns {
    name: usize,
    others: Vec<(Column, usize)>,
}

impl Columns {
    fn for_room(outline: &Outline, room: usize, table: bool) -> Self {
        let widest =
            |text: &dyn Fn(&LayerRow) -> usize| outline.layers.iter().map(text).max().unwrap_or(0);
        let longest_name = widest(&|row| 2 * row.depth + Line::raw(&row.label).width());
        let name = longest_name.clamp(LEAST_NAME, LONGEST_NAME.max(LEAST_NAME));
        let possible = if table { &COLUMNS[..] } else { &COLUMNS[..2] };
        let mut widths: Vec<(Column, usize)> = possible
            .iter()
            .map(|column| {
                let title = if table { column.title.len() } else { 0 };
                let entries = widest(&|row| Line::raw((column.text)(row)).width());
                (*column, entries.max(title).min(column.most))
            })
            .filter(|(_, width)| *width > 0)
            .collect();
        // The output's shape tells most: for it, names are cut.
        widths.sort_by_key(|(column, _)| column.rank);
        let mut left = room;
        widths.retain(|(column, width)| {
            let name = if column.rank == 0 { LEAST_NAME } else { name };
            let fits = name + 1 + width <= left;
            if fits {
                left -= width + 1;
            }
            fits
        });
        let place = |column: &Column| COLUMNS.iter().position(|other| other.title == column.title);
        widths.sort_by_key(|(column, _)| place(column));
        // What is left over lets the names, and then the last column, be longer.
        let name = if table { left.min(longest_name) } else { left };
        if let Some((_, width)) = widths.last_mut().filter(|(column, _)| !column.right) {
            *width += left - name;
        }
        Self {
            name,
            others: widths,
        }
    }

    fn header(&self) -> String {
        self.cells("layer", |column| column.title)
    }

    fn line(&self, row: &LayerRow) -> String {
        let name = format!("{}{}", "  ".repeat(row.depth), row.label);
        self.cells(&name, |column| (column.text)(row))
    }

    fn cells<'a>(&self, name: &str, text: impl Fn(&Column) -> &'a str) -> String {
        let mut line = padded(name, self.name, false);
        for (column, width) in &self.others {
            line.push(' ');
            line.push_str(&padded(text(column), *width, column.right));
        }
        line
    }
}

/// Exactly `width` cells. Long names often begin alike and end alike: what is cut is a part in the middle.
fn padded(text: &str, width: usize, right: bool) -> String {
    let characters: Vec<char> = text
        .chars()
        .filter(|character| !character.is_control())
        .collect();
    let total: usize = characters.iter().copied().map(cells).sum();
    let line: String = if total <= width {
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
    let gap = " ".repeat(width.saturating_sub(used));
    if right { gap + &line } else { line + &gap }
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
        assert_eq!(padded("conv", 6, false), "conv  ");
        assert_eq!(padded("conv2d", 6, false), "conv2d");
        assert_eq!(
            padded("_blocks.10._depthwise_conv", 17, false),
            "_blocks.…ise_conv"
        );
        assert_eq!(padded("猫猫猫", 5, false), "猫…猫");
        assert_eq!(padded("猫猫猫", 4, false), "…猫 ");
        assert_eq!(padded("conv", 1, false), "…");
        assert_eq!(padded("conv", 0, false), "");
    }
}
