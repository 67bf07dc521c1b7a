//! The network's answer: classes with bars.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Text};
use ratatui::widgets::{Paragraph, Widget, Wrap};

use super::number;
use super::pane::{Pane, heading, write};
use crate::tui::protocol::ClassRow;
use crate::tui::state::{Focus, State, View};
use crate::tui::theme::Theme;

/// Parts of a cell, from an eighth on.
const EIGHTHS: [&str; 7] = ["▏", "▎", "▍", "▌", "▋", "▊", "▉"];

/// The widest percentage.
const PERCENT: u16 = 6;

/// The pane beside the picture.
pub(super) fn draw(state: &State, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    if area.is_empty() {
        return;
    }
    let name = match &state.search {
        Some(search) => format!("classes with '{}'", search.text),
        None => "classes".to_owned(),
    };
    let pane = Pane {
        heading: Line::from(heading(&name, state.classes_are_busy(), state.ticks, theme)),
        aside: Line::default(),
        below: Line::default(),
        focused: state.search.is_some(),
    };
    let room = pane.draw(theme, area, buffer);
    list(state, theme, room, buffer);
}

/// As many classes as there is room for, the chosen one among them. Those of an older image are dimmed.
pub(super) fn list(state: &State, theme: &Theme, room: Rect, buffer: &mut Buffer) {
    if let Some(reason) = state.classes_failure() {
        Paragraph::new(Text::styled(reason, theme.error))
            .wrap(Wrap { trim: true })
            .render(room, buffer);
        return;
    }
    let older = state
        .answered
        .and_then(|image| state.classes.get(&image))
        .map(Vec::as_slice);
    let current = state.answer().is_some();
    let Some(rows) = state.answer().or(older) else {
        return;
    };
    let (rows, chosen) = if let Some(search) = &state.search {
        (search.found(rows), Some(search.row))
    } else {
        let choosing = state.view == View::Heatmap || state.shows_classes();
        let chosen = state.class().filter(|_| choosing);
        let at = chosen.and_then(|class| rows.iter().position(|row| row == class));
        (rows.iter().collect(), at)
    };
    let height = usize::from(room.height);
    let first = chosen.map_or(0, |row| {
        let last = rows.len().saturating_sub(height);
        row.saturating_sub(height / 2).min(last)
    });
    let shown = &rows[first..rows.len().min(first + height)];
    let longest = shown
        .iter()
        .map(|row| Line::raw(row.name.as_str()).width())
        .max()
        .unwrap_or(0);
    let left = room.width.saturating_sub(PERCENT + 1);
    let label = (longest as u16)
        .min(left.saturating_sub(left / 3))
        .min(left);
    for (index, (row, line)) in shown.iter().zip(room.rows()).enumerate() {
        let text = match (Some(first + index) == chosen, current) {
            (true, _) if state.search.is_some() || state.focus == Focus::Picture => {
                Style::from(theme.selected)
            }
            (true, _) => Style::from(theme.selected_elsewhere),
            (false, true) => Style::default(),
            (false, false) => Style::from(theme.dimmed),
        };
        draw_row(row, current, label, text, theme, line, buffer);
    }
}

fn draw_row(
    row: &ClassRow,
    current: bool,
    label: u16,
    text: Style,
    theme: &Theme,
    line: Rect,
    buffer: &mut Buffer,
) {
    let bar = if current { theme.bar } else { theme.dimmed };
    buffer.set_style(line, text);
    write(
        &row.name,
        text,
        Rect {
            width: label,
            ..line
        },
        buffer,
    );
    let room = line.width.saturating_sub(label + PERCENT + 2);
    let cells = row.probability.clamp(0.0, 1.0) * f64::from(room);
    let (full, part) = (cells as usize, (cells.fract() * 8.0) as usize);
    let mut blocks = "█".repeat(full);
    if let Some(block) = part.checked_sub(1).and_then(|part| EIGHTHS.get(part)) {
        blocks.push_str(block);
    }
    write(
        &blocks,
        bar,
        Rect {
            x: line.x + label + 1,
            width: room,
            ..line
        },
        buffer,
    );
    let percent = format!(
        "{:>width$}",
        number::percent(row.probability),
        width = usize::from(PERCENT)
    );
    let right = Rect {
        x: line.right().saturating_sub(PERCENT).max(line.x),
        width: PERCENT.min(line.width),
        ..line
    };
    write(&percent, text, right, buffer);
}
