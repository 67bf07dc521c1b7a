//! The channels that push a class most, to be jumped to.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Line;

use super::number;
use super::pane::{Pane, heading, write};
use crate::tui::state::{Focus, State};
use crate::tui::theme::Theme;

pub(super) fn draw(state: &State, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    if area.is_empty() {
        return;
    }
    let channels = state.pushing();
    let busy = state.picture_is_busy() && channels.is_empty();
    let pane = Pane {
        heading: Line::from(heading("channels that push it", busy, state.ticks, theme)),
        aside: Line::default(),
        below: Line::styled(" ←→ Enter shows one ", theme.label),
        focused: false,
    };
    let room = pane.draw(theme, area, buffer);
    let largest = channels.first().map_or(0.0, |(_, weight)| *weight);
    for (rank, ((channel, weight), line)) in channels.iter().zip(room.rows()).enumerate() {
        let style = match (rank == state.heat.rank, state.focus) {
            (true, Focus::Picture) => Style::from(theme.selected),
            (true, Focus::Layers) => Style::from(theme.selected_elsewhere),
            (false, _) if *weight > 0.0 => Style::default(),
            (false, _) => Style::from(theme.dimmed),
        };
        let text = format!("{:>5}  {:>8}", channel.0, number::short(f64::from(*weight)));
        let width = usize::from(room.width);
        write(&format!("{text:<width$}"), style, line, buffer);
        let left = line.x + (text.len() as u16 + 2).min(line.width);
        let bar = Rect {
            x: left,
            width: line.right() - left,
            ..line
        };
        if largest > 0.0 && *weight > 0.0 {
            let cells = (weight / largest * f32::from(bar.width)).round() as usize;
            write(&"█".repeat(cells), theme.bar, bar, buffer);
        }
    }
}
