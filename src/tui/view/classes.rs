//! The network's answer: classes with bars.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Line;

use super::number;
use super::pane::{Pane, heading, write};
use crate::tui::protocol::ClassRow;
use crate::tui::state::State;
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
    let pane = Pane {
        heading: Line::from(heading(
            "classes",
            state.classes_are_busy(),
            state.ticks,
            theme,
        )),
        aside: Line::default(),
        below: Line::default(),
        focused: false,
    };
    let room = pane.draw(theme, area, buffer);
    list(state, theme, room, buffer);
}

/// As many classes as there is room for. Those of an older image are dimmed.
pub(super) fn list(state: &State, theme: &Theme, room: Rect, buffer: &mut Buffer) {
    if let Some(reason) = state.classes_failure() {
        write(reason, theme.error, room, buffer);
        return;
    }
    let older = state
        .answered
        .and_then(|image| state.classes.get(&image))
        .map(Vec::as_slice);
    let Some(rows) = state.answer().or(older) else {
        return;
    };
    let current = state.answer().is_some();
    let shown = &rows[..rows.len().min(usize::from(room.height))];
    let longest = shown
        .iter()
        .map(|row| Line::raw(row.name.as_str()).width())
        .max()
        .unwrap_or(0);
    let left = room.width.saturating_sub(PERCENT + 1);
    let label = (longest as u16)
        .min(left.saturating_sub(left / 3))
        .min(left);
    for (index, row) in shown.iter().enumerate() {
        let line = Rect {
            y: room.y + index as u16,
            height: 1,
            ..room
        };
        draw_row(row, current, label, theme, line, buffer);
    }
}

fn draw_row(
    row: &ClassRow,
    current: bool,
    label: u16,
    theme: &Theme,
    line: Rect,
    buffer: &mut Buffer,
) {
    let (text, bar) = if current {
        (Style::default(), Style::from(theme.bar))
    } else {
        (theme.dimmed.into(), theme.dimmed.into())
    };
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
