//! The last line: keys, as far as there is room.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

use crate::tui::keymap::{KEYMAP, Place};
use crate::tui::state::{State, View};
use crate::tui::theme::Theme;

pub(super) fn draw(state: &State, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let mut line = Line::default();
    let place = match state.view {
        View::Heatmap => Some(Place::Heatmap),
        View::Filter | View::Patterns => Some(Place::Patterns),
        _ => None,
    };
    for binding in KEYMAP {
        if binding.only.is_some() && binding.only != place {
            continue;
        }
        let (Some(key), Some(hint)) = (binding.keys.first(), binding.hint) else {
            continue;
        };
        let gap = if line.spans.is_empty() { "" } else { "  " };
        let entry = [
            Span::raw(gap),
            Span::styled(key.to_string(), theme.key),
            Span::raw(format!(" {hint}")),
        ];
        let width: usize = entry.iter().map(Span::width).sum();
        if line.width() + width <= usize::from(area.width) {
            line.spans.extend(entry);
        }
    }
    line.render(area, buffer);
}
