//! The first line: the model and the image.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

use crate::tui::state::State;
use crate::tui::theme::Theme;

pub(super) fn draw(state: &State, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let mut spans = vec![Span::styled("convscope", theme.title), Span::raw(" ")];
    spans.push(Span::raw(State::stem(&state.model)));
    if let Some(path) = state.image_path() {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        spans.push(Span::raw("  "));
        if state.images.len() > 1 {
            let position = format!("image {}/{} ", state.image.0 + 1, state.images.len());
            spans.push(Span::styled(position, theme.label));
        }
        spans.push(Span::raw(name));
    }
    let line = Line::from(spans);
    let left = line.width();
    line.render(area, buffer);
    if let Some(outline) = &state.outline {
        let aside = match &outline.architecture {
            Some(architecture) => format!("{architecture}, {}", outline.format),
            None => outline.format.clone(),
        };
        let aside = Line::styled(aside, theme.dimmed).right_aligned();
        if left + 2 + aside.width() <= usize::from(area.width) {
            aside.render(area, buffer);
        }
    }
}
