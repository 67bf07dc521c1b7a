//! The pane with the picture: a photo, a grid of channels, one channel, a vector, or the classes.

use ratatui::buffer::Buffer;
use ratatui::layout::{Margin, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span, Text};
use ratatui::widgets::{Block, BorderType, Paragraph, Widget, Wrap};

use super::pane::{Pane, heading};
use super::{Looks, classes};
use crate::picture::Picture;
use crate::terminal::{HalfBlocks, Pixels};
use crate::tui::painter::Painting;
use crate::tui::state::{Focus, State, View};
use crate::tui::theme::Theme;

pub(super) fn draw(state: &State, looks: &Looks, area: Rect, buffer: &mut Buffer) {
    if area.is_empty() {
        return;
    }
    let theme = &looks.theme;
    let narrow = area.width < 56;
    let mut top = heading(&subject(state), state.picture_is_busy(), state.ticks, theme);
    let mut tabs = tabs(state, theme);
    if narrow {
        tabs.clear();
    }
    let below = below(state, narrow);
    top.insert(0, Span::raw(""));
    let pane = Pane {
        heading: Line::from(top),
        aside: Line::from(tabs),
        below: Line::styled(below, theme.label),
        focused: state.focus == Focus::Picture,
    };
    let room = pane.draw(theme, area, buffer);
    if let Some(trouble) = state.trouble() {
        Paragraph::new(Text::styled(trouble, theme.error))
            .wrap(Wrap { trim: true })
            .render(room.inner(Margin::new(1, 0)), buffer);
    } else if state.shows_classes() {
        classes::list(state, theme, room.inner(Margin::new(1, 0)), buffer);
    } else if let Some(painting) = &state.shown {
        draw_painting(state, painting, looks, room, buffer);
    }
}

/// The three views, the one at hand marked.
fn tabs<'a>(state: &State, theme: &Theme) -> Vec<Span<'a>> {
    let views = [
        (View::Photo, "1 photo"),
        (View::Grid, "2 grid"),
        (View::Channel, "3 channel"),
    ];
    let mut spans = vec![Span::raw(" ")];
    for (view, name) in views {
        let style = if view == state.view {
            Style::from(theme.selected)
        } else {
            Style::from(theme.dimmed)
        };
        spans.push(Span::styled(format!(" {name} "), style));
    }
    spans.push(Span::raw(" "));
    spans
}

/// What the heading names.
fn subject(state: &State) -> String {
    let name = state.row().map(|row| row.name.clone()).unwrap_or_default();
    match state.view {
        View::Photo => "what the network sees".to_owned(),
        View::Channel if state.channel_count() > 0 => {
            format!("{name} channel {}", state.channel().0)
        }
        _ => name,
    }
}

/// How it is shown, and how much of it.
fn below(state: &State, narrow: bool) -> String {
    if state.outline.is_none() || state.trouble().is_some() || state.shows_classes() {
        return String::new();
    }
    let colormap = state.colormap.name();
    match state.view {
        View::Photo => String::new(),
        _ if state.channel_count() == 0 => format!(" {colormap}, minmax "),
        View::Channel => format!(" {colormap}, {} ", state.channel_style.name()),
        View::Grid => {
            let look = format!("{colormap}, {}", state.grid_style.name());
            let visible = state
                .tiles()
                .map(|tiles| (tiles.visible(state.grid_top), tiles.channels));
            match visible {
                Some((visible, channels)) if visible.len() < channels && !narrow => {
                    let last = visible.end.saturating_sub(1);
                    format!(
                        " {look}, channels {} to {last} of {channels} ",
                        visible.start
                    )
                }
                _ => format!(" {look} "),
            }
        }
    }
}

fn draw_painting(
    state: &State,
    painting: &Painting,
    looks: &Looks,
    room: Rect,
    buffer: &mut Buffer,
) {
    let pixels = match &painting.picture {
        Picture::Indexed(levels) => Pixels::Levels(levels, state.colormap.palette()),
        Picture::Rgb(photo) => Pixels::Colors(photo),
    };
    let blocks = HalfBlocks::new(pixels, looks.depth);
    let Some(tiles) = painting.tiles else {
        let cells = [
            painting.picture.width(),
            painting.picture.height().div_ceil(2),
        ];
        blocks.render(centred(cells, room), buffer);
        return;
    };
    let current = state.wanted() == Some(painting.key);
    // An older grid may have fewer rows.
    let top = state.grid_top.min(tiles.rows().saturating_sub(1));
    for channel in tiles.visible(top) {
        let area = tiles
            .area(channel, top, room.as_position())
            .intersection(room);
        blocks.window(painting.tile(channel)).render(area, buffer);
        if current && channel == state.channel().0 {
            let frame = Rect {
                x: area.x - 1,
                y: area.y - 1,
                width: area.width + 2,
                height: area.height + 2,
            };
            let number = if area.width >= 4 {
                channel.to_string()
            } else {
                String::new()
            };
            Block::bordered()
                .border_type(BorderType::Plain)
                .border_style(looks.theme.cursor)
                .title_top(number)
                .render(frame.intersection(buffer.area), buffer);
        }
    }
}

fn centred([width, height]: [u32; 2], room: Rect) -> Rect {
    let x = room.x + (u32::from(room.width).saturating_sub(width) / 2) as u16;
    let y = room.y + (u32::from(room.height).saturating_sub(height) / 2) as u16;
    Rect {
        x,
        y,
        width: room.right() - x,
        height: room.bottom() - y,
    }
}
