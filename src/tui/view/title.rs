//! The first line: the model and the image.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

use crate::tui::state::State;
use crate::tui::theme::Theme;

pub(super) fn draw(state: &State, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let model = Span::raw(State::stem(&state.model));
    let gap = Span::raw("  ");
    let image = image(state, theme);
    let full = [
        vec![
            Span::styled("convscope", theme.title),
            gap.clone(),
            model.clone(),
            gap.clone(),
        ],
        image.clone(),
    ];
    // Where there is no room, the image is what changes.
    let lines = [
        full.concat(),
        [vec![model, gap], image.clone()].concat(),
        image,
    ]
    .map(Line::from);
    let room = usize::from(area.width);
    let Some(line) = lines
        .iter()
        .find(|line| line.width() <= room)
        .or(lines.last())
    else {
        return;
    };
    line.render(area, buffer);
    if let Some(outline) = &state.outline {
        let aside = match &outline.architecture {
            Some(architecture) => format!("{architecture}, {}", outline.format),
            None => outline.format.clone(),
        };
        let aside = Line::from(Span::styled(aside, theme.dimmed)).right_aligned();
        if line.width() + 2 + aside.width() <= room {
            aside.render(area, buffer);
        }
    }
}

/// Which image is at hand.
fn image<'a>(state: &State, theme: &Theme) -> Vec<Span<'a>> {
    let Some(path) = state.image_path() else {
        return Vec::new();
    };
    let mut spans = Vec::new();
    if state.images.len() > 1 {
        let position = format!("image {}/{} ", state.image.0 + 1, state.images.len());
        spans.push(Span::styled(position, theme.label));
    }
    spans.push(Span::raw(
        path.file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned(),
    ));
    spans
}
