//! A pane: a border, what it holds, and whether that is up to date.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, BorderType, Widget};

use crate::tui::panes::inside;
use crate::tui::theme::Theme;

const SPINNER: [&str; 10] = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];

/// What is around a pane's content.
pub(super) struct Pane<'a> {
    /// On the left of the upper border.
    pub(super) heading: Line<'a>,
    /// On the right of it.
    pub(super) aside: Line<'a>,
    /// On the right of the lower border.
    pub(super) below: Line<'a>,
    /// Whether it has the keys.
    pub(super) focused: bool,
}

impl Pane<'_> {
    /// Draws it and returns the room inside.
    pub(super) fn draw(self, theme: &Theme, area: Rect, buffer: &mut Buffer) -> Rect {
        let border = if self.focused {
            theme.border_focused
        } else {
            theme.border
        };
        let block = Block::bordered()
            .border_type(BorderType::Rounded)
            .border_style(border)
            .title_top(self.heading)
            .title_top(self.aside.right_aligned())
            .title_bottom(self.below.right_aligned());
        block.render(area, buffer);
        inside(area)
    }
}

/// A heading: dimmed and with a spinner while what it names is on its way.
pub(super) fn heading<'a>(text: &str, busy: bool, ticks: usize, theme: &Theme) -> Vec<Span<'a>> {
    if !busy {
        return vec![Span::styled(format!(" {text} "), theme.heading)];
    }
    vec![
        Span::styled(format!(" {text} "), theme.dimmed),
        Span::styled(format!("{} ", SPINNER[ticks % SPINNER.len()]), theme.busy),
    ]
}

/// Writes a line, cut where the area ends.
pub(super) fn write(text: &str, style: impl Into<Style>, area: Rect, buffer: &mut Buffer) {
    if !area.is_empty() {
        buffer.set_stringn(area.x, area.y, text, usize::from(area.width), style);
    }
}
