//! The list of keys, over everything else.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Clear, Paragraph, Widget};

use super::pane::{Pane, heading};
use crate::tui::keymap::{Binding, KEYMAP};
use crate::tui::theme::Theme;

/// `top` is the first line in the room; what is beyond the last is the last. Returns what it covers.
pub(super) fn draw(top: usize, theme: &Theme, buffer: &mut Buffer) -> Rect {
    let lines: Vec<Line> = KEYMAP.iter().map(|binding| line(binding, theme)).collect();
    let width = lines.iter().map(Line::width).max().unwrap_or(0) as u16 + 4;
    let height = lines.len() as u16 + 2;
    let screen = buffer.area;
    let (width, height) = (width.min(screen.width), height.min(screen.height));
    let area = Rect {
        x: screen.x + (screen.width - width) / 2,
        y: screen.y + (screen.height - height) / 2,
        width,
        height,
    };
    Clear.render(area, buffer);
    let hidden = lines
        .len()
        .saturating_sub(usize::from(height.saturating_sub(2)));
    let below = if hidden > 0 {
        " ↑↓ for more, any other key closes "
    } else {
        " any key closes "
    };
    let pane = Pane {
        heading: Line::from(heading("keys", false, 0, theme)),
        aside: Line::default(),
        below: Line::styled(below, theme.label),
        focused: true,
    };
    let room = pane.draw(theme, area, buffer);
    let top = top.min(hidden) as u16;
    Paragraph::new(lines).scroll((top, 0)).render(room, buffer);
    area
}

fn line<'a>(binding: &Binding, theme: &Theme) -> Line<'a> {
    let keys: Vec<String> = binding.keys.iter().map(ToString::to_string).collect();
    Line::from(vec![
        Span::styled(format!(" {:<14}", keys.join(" ")), theme.key),
        Span::raw(binding.help),
    ])
}
