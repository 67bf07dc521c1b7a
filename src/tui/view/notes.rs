//! What was assumed about the model, and from where.

use ratatui::buffer::Buffer;
use ratatui::layout::{Margin, Rect};
use ratatui::text::{Line, Span, Text};
use ratatui::widgets::{Paragraph, Widget, Wrap};

use super::pane::{Pane, heading};
use crate::tui::state::State;
use crate::tui::theme::Theme;

pub(super) fn draw(state: &State, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    if area.is_empty() {
        return;
    }
    let pane = Pane {
        heading: Line::from(heading("assumed", false, state.ticks, theme)),
        aside: Line::default(),
        below: Line::default(),
        focused: false,
    };
    let room = pane.draw(theme, area, buffer).inner(Margin::new(1, 0));
    let Some(outline) = &state.outline else {
        return;
    };
    let input = Line::from(vec![
        Span::styled("input: ", theme.label),
        Span::raw(outline.preprocessing.as_str()),
    ]);
    let from = outline
        .assumptions
        .iter()
        .map(|line| match line.split_once(": ") {
            Some((what, rest)) => Line::from(vec![
                Span::styled(format!("{what}: "), theme.label),
                Span::raw(rest),
            ]),
            None => Line::raw(line.as_str()),
        });
    let lines: Vec<Line> = std::iter::once(input).chain(from).collect();
    Paragraph::new(Text::from(lines))
        .wrap(Wrap { trim: true })
        .render(room, buffer);
}
