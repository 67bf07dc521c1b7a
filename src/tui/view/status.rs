//! The line that says what is shown, in numbers; or what happened.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

use super::number;
use super::pane::write;
use crate::explain::ChannelStatistics;
use crate::tui::state::{Focus, Message, State, View};
use crate::tui::theme::Theme;

/// A number with its name. Where there is no room for all, those with the largest rank go first.
struct Field {
    rank: u8,
    label: &'static str,
    value: String,
}

pub(super) fn draw(state: &State, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    match &state.message {
        Some(Message::Notice(text)) => write(text, theme.notice, area, buffer),
        Some(Message::Error(text)) => write(text, theme.error, area, buffer),
        None if state.search.is_some() => search(state, theme).render(area, buffer),
        None => line(fields(state), usize::from(area.width), theme).render(area, buffer),
    }
}

/// What is being looked for, and the first class found: there may be no room for the list.
fn search<'a>(state: &State, theme: &Theme) -> Line<'a> {
    let Some(search) = &state.search else {
        return Line::default();
    };
    let found = state.answer().map(|rows| search.found(rows));
    let found = found.unwrap_or_default();
    let chosen = found.get(search.row).map(|row| row.name.clone());
    let result = match chosen {
        Some(name) => format!("{name}, {} of {}", search.row + 1, found.len()),
        None => "no class has that in its name".to_owned(),
    };
    Line::from(vec![
        Span::styled("/", theme.key),
        Span::raw(format!("{}_  ", search.text)),
        Span::styled(result, theme.notice),
        Span::styled("  ↑↓ choose, Enter takes it, Esc leaves", theme.label),
    ])
}

fn line<'a>(mut fields: Vec<Field>, room: usize, theme: &Theme) -> Line<'a> {
    loop {
        let mut spans = Vec::new();
        for field in &fields {
            if !spans.is_empty() {
                spans.push(Span::raw("  "));
            }
            if !field.label.is_empty() {
                spans.push(Span::styled(format!("{} ", field.label), theme.label));
            }
            spans.push(Span::raw(field.value.clone()));
        }
        let line = Line::from(spans);
        let last = fields.iter().map(|field| field.rank).max();
        match last {
            Some(last) if line.width() > room && fields.len() > 1 => {
                fields.retain(|field| field.rank != last);
            }
            _ => return line,
        }
    }
}

fn fields(state: &State) -> Vec<Field> {
    let mut fields = Vec::new();
    let mut add = |rank, label, value: String| fields.push(Field { rank, label, value });
    let Some(outline) = &state.outline else {
        add(0, "opening", state.model.display().to_string());
        return fields;
    };
    if state.view == View::Photo || (state.view == View::Summary && state.focus == Focus::Picture) {
        if let Some([height, width]) = state.photo().and_then(|photo| photo.original) {
            add(1, "photo", format!("{width}x{height}"));
        }
        add(0, "input", outline.preprocessing.clone());
        add(2, "on", outline.device.clone());
        return fields;
    }
    let Some(row) = state.row() else {
        return fields;
    };
    if state.view == View::Heatmap {
        describe_heatmap(state, &mut add);
        add(8, "on", outline.device.clone());
        return fields;
    }
    add(0, "", row.name.clone());
    add(5, "", row.kind.clone());
    add(2, "", row.shape_text.clone());
    let channels = state.channel_count();
    let channel = state.channel().0;
    if channels > 0 {
        add(1, "channel", format!("{channel}/{channels}"));
    }
    if let Some(activation) = state.activation() {
        let of_channel = activation.channels.get(channel).filter(|_| channels > 0);
        describe(of_channel.unwrap_or(&activation.whole), &mut add);
        let dead = activation
            .channels
            .iter()
            .filter(|channel| channel.dead())
            .count();
        match of_channel {
            Some(channel) if channel.dead() => add(2, "", "dead".to_owned()),
            _ if channels > 1 && dead > 0 => add(6, "dead", format!("{dead} of {channels}")),
            _ => {}
        }
        add(7, "in", number::duration(activation.seconds));
    }
    add(8, "on", outline.device.clone());
    fields
}

fn describe_heatmap(state: &State, add: &mut impl FnMut(u8, &'static str, String)) {
    if let Some(class) = state.class() {
        add(0, "", class.name.clone());
        add(1, "", number::percent(class.probability));
    }
    let Some(heatmap) = state.heatmap() else {
        return;
    };
    add(3, "logit", number::short(heatmap.logit));
    let range = [heatmap.min, heatmap.max].map(number::short);
    add(4, "raw", format!("{} to {}", range[0], range[1]));
    let negative = number::percent(heatmap.negative_share);
    add(2, "negative", negative);
    let [height, width] = [0, 1].map(|axis| heatmap.heat.shape()[axis]);
    add(5, "map", format!("{height}x{width}"));
    if heatmap.dead_channels > 0 {
        let all = heatmap.weights.len();
        add(6, "dead", format!("{} of {all}", heatmap.dead_channels));
    }
}

fn describe(numbers: &ChannelStatistics, add: &mut impl FnMut(u8, &'static str, String)) {
    let (min, max) = (f64::from(numbers.min), f64::from(numbers.max));
    add(
        3,
        "range",
        format!("{} to {}", number::short(min), number::short(max)),
    );
    add(4, "mean", number::short(numbers.mean));
    add(4, "std", number::short(numbers.std));
}
