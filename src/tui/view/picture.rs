//! The pane with the picture: a photo, a grid of channels, one channel, a vector, or the classes.

use std::sync::Arc;

use ratatui::buffer::Buffer;
use ratatui::layout::{Margin, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span, Text};
use ratatui::widgets::{Block, BorderType, Paragraph, Widget, Wrap};

use super::pane::{Pane, heading};
use super::{Looks, classes};
use crate::picture::Tile;
use crate::terminal::{Blocks, Frame, Placed};
use crate::tui::heat::Layout;
use crate::tui::painter::{Detail, Painting, Places, Sheet};
use crate::tui::state::{Focus, State, View};
use crate::tui::theme::Theme;

pub(super) fn draw(state: &State, looks: &Looks, area: Rect, frame: &mut Frame) {
    if area.is_empty() {
        return;
    }
    let theme = &looks.theme;
    let narrow = area.width < 64 || state.view == View::Summary;
    let mut top = heading(&subject(state), state.picture_is_busy(), state.ticks, theme);
    let mut tabs = tabs(state, theme, area.width < 110);
    if narrow {
        tabs.clear();
    }
    let mut below = below(state, narrow);
    let rough = |painting: &Arc<Painting>| painting.key.detail == Detail::Rough;
    if state.shown.as_ref().is_some_and(rough) && !below.is_empty() {
        below.push_str("(approximate) ");
    }
    top.insert(0, Span::raw(""));
    let pane = Pane {
        heading: Line::from(top),
        aside: Line::from(tabs),
        below: Line::styled(below, theme.label),
        focused: state.focus == Focus::Picture,
    };
    let room = pane.draw(theme, area, frame.buffer);
    if let Some(trouble) = state.trouble() {
        Paragraph::new(Text::styled(trouble, theme.error))
            .wrap(Wrap { trim: true })
            .render(room.inner(Margin::new(1, 0)), frame.buffer);
    } else if state.shows_classes() {
        classes::list(state, theme, room.inner(Margin::new(1, 0)), frame.buffer);
    } else if let Some(painting) = &state.shown {
        let advice = state.panes().advice;
        let room = Rect {
            height: room.height - advice.height,
            ..room
        };
        draw_painting(state, painting, looks, room, frame);
        draw_advice(state, theme, advice, frame.buffer);
    }
}

/// Why a heatmap is blank or says little.
fn draw_advice(state: &State, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let advice = state
        .heatmap()
        .and_then(|heatmap| heatmap.advice.as_deref());
    if let Some(advice) = advice {
        Paragraph::new(Text::styled(advice, theme.notice))
            .wrap(Wrap { trim: true })
            .render(area, buffer);
    }
}

/// The views, the one at hand marked; if there is little room, the others by their keys alone.
pub(super) fn tabs<'a>(state: &State, theme: &Theme, short: bool) -> Vec<Span<'a>> {
    let views = [
        (View::Summary, "0 summary"),
        (View::Photo, "1 photo"),
        (View::Grid, "2 grid"),
        (View::Channel, "3 channel"),
        (View::Heatmap, "4 heatmap"),
        (View::Filter, "5 filter"),
        (View::Patterns, "6 patterns"),
    ];
    let mut spans = vec![Span::raw(" ")];
    for (view, name) in views {
        let style = if view == state.view {
            Style::from(theme.tab_selected)
        } else {
            Style::from(theme.tab)
        };
        let name = if short && view != state.view {
            &name[..1]
        } else {
            name
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
        View::Summary | View::Photo => "what the network sees".to_owned(),
        View::Heatmap => match state.class() {
            Some(class) => format!("{} at {name}", class.name),
            None => format!("heatmap at {name}"),
        },
        View::Filter => format!("{name} filter {}", state.channel().0),
        View::Patterns => format!("{name} patterns"),
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
        View::Summary | View::Photo => String::new(),
        View::Heatmap => {
            let heat = &state.heat;
            let look = format!("{}, {}", heat.layout.name(), heat.overlay().colormap.name());
            let made = format!("{}, {}", heat.settings().score.name(), heat.dialect.name());
            match heat.layout {
                _ if narrow => format!(" {made} "),
                Layout::Alone => format!(" {look}; {made} "),
                _ => format!(" {look} at {} %; {made} ", heat.opacity()),
            }
        }
        View::Filter | View::Patterns => patterns(state),
        _ if state.channel_count() == 0 => format!(" {colormap}, minmax "),
        View::Channel => format!(" {colormap}, {} ", state.channel_style.name()),
        View::Grid => {
            let look = format!("{colormap}, {}", state.grid_style.name());
            let visible = state
                .tiles()
                .map(|tiles| (tiles.visible(state.grid_top), tiles.channels));
            match visible {
                Some((visible, channels)) if visible.len() < channels => {
                    let last = visible.end.saturating_sub(1);
                    if narrow {
                        return format!(" {} to {last} of {channels} ", visible.start);
                    }
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

/// How far the patterns are.
fn patterns(state: &State) -> String {
    let recipe = state.filters.recipe.name();
    let at_hand = match state.growth() {
        Some(growth) if growth.pattern.dead => "dead: nothing excites it".to_owned(),
        Some(growth) if growth.is_finished() => format!("{} steps", growth.of),
        Some(growth) => format!("step {} of {}", growth.done, growth.of),
        None => "no step yet".to_owned(),
    };
    let paused = if state.filters.paused { ", paused" } else { "" };
    let all = state.channel_count();
    let done = state.growths().into_iter().flatten();
    let done = done.filter(|growth| growth.is_finished()).count();
    let whole = if state.filters.whole == Some(state.layer) && done < all {
        ", making all"
    } else {
        ""
    };
    format!(" {recipe}, {at_hand}{paused}; {done} of {all} finished{whole} ")
}

fn draw_painting(state: &State, painting: &Painting, looks: &Looks, room: Rect, frame: &mut Frame) {
    let Some(tiles) = painting.tiles else {
        draw_whole(painting, looks, room, frame);
        return;
    };
    let current = state.wanted() == Some(painting.key);
    // An older grid may have fewer rows.
    let top = state.grid_top.min(tiles.rows().saturating_sub(1));
    let rows = tiles.rows().saturating_sub(top).min(tiles.rows_in_room);
    for row in top..top + rows {
        if let Some(place) = painting.row(row) {
            let first = tiles.area(row * tiles.columns, top, room.as_position());
            let part = Rect {
                width: room.right().saturating_sub(first.x),
                ..first
            };
            draw_part(painting, place, looks, part.intersection(room), frame);
        }
    }
    for channel in tiles.visible(top) {
        let area = tiles.area(channel, top, room.as_position());
        if let Some(place) = painting.tile(channel) {
            draw_part(painting, place, looks, area.intersection(room), frame);
        }
        if current && channel == state.channel().0 {
            let around = Rect {
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
                .render(around.intersection(frame.buffer.area), frame.buffer);
        }
    }
}

/// Pictures beside each other, or above each other.
fn draw_whole(painting: &Painting, looks: &Looks, room: Rect, frame: &mut Frame) {
    let count = match painting.places {
        Places::Above => 1,
        _ => painting.sheets.len().max(1) as u16,
    };
    let width = room.width / count;
    let mut parts = (0..count).map(|index| Rect {
        x: room.x + index * width,
        width,
        ..room
    });
    let mut part = room;
    for (index, sheet) in painting.sheets.iter().enumerate() {
        if index == 0 || painting.places != Places::Above {
            let cell = sheet.cell(painting.key.canvas);
            let size = sheet.size();
            let cells = [size[1].div_ceil(cell[1]), size[0].div_ceil(cell[0])];
            part = centred(cells, parts.next().unwrap_or(room));
        }
        draw_sheet(painting, index, looks, part, frame);
    }
}

/// One of the painting's sheets.
fn draw_sheet(painting: &Painting, index: usize, looks: &Looks, area: Rect, frame: &mut Frame) {
    if let Some(sheet) = painting.sheets.get(index) {
        let [height, width] = sheet.size();
        let whole = Tile {
            x: 0,
            y: 0,
            width,
            height,
        };
        draw_part(painting, (index, whole), looks, area, frame);
    }
}

/// A window of one of the painting's sheets.
fn draw_part(
    painting: &Painting,
    (index, window): (usize, Tile),
    looks: &Looks,
    area: Rect,
    frame: &mut Frame,
) {
    let Some(sheet) = painting.sheets.get(index) else {
        return;
    };
    match sheet {
        Sheet::Cells(picture) => {
            let canvas = painting.key.canvas;
            let depth = match painting.key.detail {
                Detail::Full => looks.depth,
                // Which take half the bytes.
                Detail::Rough => looks.depth.at_most_indexed(),
            };
            Blocks::new(picture, canvas, depth)
                .window(window)
                .render(area, frame.buffer);
        }
        Sheet::Sent(picture) if !area.is_empty() => {
            // An older picture may be larger than its room.
            let [down, across] = sheet.cell(painting.key.canvas);
            let cropped = Tile {
                width: window.width.min(usize::from(area.width) * across),
                height: window.height.min(usize::from(area.height) * down),
                ..window
            };
            if cropped != window && !picture.has_windows() {
                return;
            }
            let area = Rect {
                width: cropped.width.div_ceil(across) as u16,
                height: cropped.height.div_ceil(down) as u16,
                ..area
            };
            frame.place(Placed {
                picture: picture.clone(),
                window: cropped,
                area,
                above: index > 0 && painting.places == Places::Above,
            });
        }
        Sheet::Sent(_) => {}
    }
}

fn centred([width, height]: [usize; 2], room: Rect) -> Rect {
    let x = room.x + (usize::from(room.width).saturating_sub(width) / 2) as u16;
    let y = room.y + (usize::from(room.height).saturating_sub(height) / 2) as u16;
    Rect {
        x,
        y,
        width: room.right() - x,
        height: room.bottom() - y,
    }
}
