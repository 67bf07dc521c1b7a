//! The pane with the picture: a photo, a grid of channels, one channel, a vector, or the classes.

use ratatui::buffer::Buffer;
use ratatui::layout::{Margin, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span, Text};
use ratatui::widgets::{Block, BorderType, Paragraph, Widget, Wrap};

use super::pane::{Pane, heading};
use super::{Looks, classes};
use crate::picture::Tile;
use crate::terminal::{Frame, HalfBlocks, Placed};
use crate::tui::heat::Layout;
use crate::tui::painter::{Painting, Sheet};
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
    let below = below(state, narrow);
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
        // Beside each other.
        let [down, across] = painting.key.canvas.cell.map(usize::from);
        let width = room.width / (painting.sheets.len().max(1) as u16);
        for (index, sheet) in painting.sheets.iter().enumerate() {
            let part = Rect {
                x: room.x + index as u16 * width,
                width,
                ..room
            };
            let [height, width] = sheet.size();
            let cells = [width.div_ceil(across), height.div_ceil(down)];
            let whole = Tile {
                x: 0,
                y: 0,
                width,
                height,
            };
            draw_part(painting, (index, whole), looks, centred(cells, part), frame);
        }
        return;
    };
    let current = state.wanted() == Some(painting.key);
    // An older grid may have fewer rows.
    let top = state.grid_top.min(tiles.rows().saturating_sub(1));
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

/// A window of one of the painting's sheets.
fn draw_part(
    painting: &Painting,
    (sheet, window): (usize, Tile),
    looks: &Looks,
    area: Rect,
    frame: &mut Frame,
) {
    match painting.sheets.get(sheet) {
        Some(Sheet::Cells(picture)) => HalfBlocks::new(picture, looks.depth)
            .window(window)
            .render(area, frame.buffer),
        Some(Sheet::Sent(picture)) if !area.is_empty() => {
            // An older picture may be larger than its room.
            let [down, across] = painting.key.canvas.cell.map(usize::from);
            let window = Tile {
                width: window.width.min(usize::from(area.width) * across),
                height: window.height.min(usize::from(area.height) * down),
                ..window
            };
            let area = Rect {
                width: window.width.div_ceil(across) as u16,
                height: window.height.div_ceil(down) as u16,
                ..area
            };
            frame.place(Placed {
                picture: picture.clone(),
                window,
                area,
            });
        }
        _ => {}
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
