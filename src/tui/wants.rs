//! What is missing on the screen, and has to be asked for.

use std::collections::HashMap;

use super::heat::HeatKey;
use super::painter::{PaintOrder, Source, Subject};
use super::protocol::{Job, Purpose, Request, Ticket};
use super::state::{ACTIVATIONS, State, TOP, View};
use crate::model::{LayerId, volume};

/// Values larger than this aren't computed ahead: they would drive out what is in use.
const LARGEST_AHEAD: usize = ACTIVATIONS / 16;

/// Brings what follows from the state up to date, and asks for what is missing.
pub fn requests(state: &mut State) -> Vec<Request> {
    state.failures = relevant_failures(state);
    let wanted = state.wanted();
    state.unpaintable.take_if(|(key, _)| wanted != Some(*key));
    scroll(state);
    let mut requests = Vec::new();
    let mut all_there = true;
    for purpose in Purpose::ALL {
        let job = match purpose {
            Purpose::Picture => missing(state, state.picture_job()),
            Purpose::Classes => missing(state, state.classes_job()),
            Purpose::Ahead if all_there => ahead(state)
                .into_iter()
                .find(|job| missing(state, Some(*job)).is_some()),
            Purpose::Ahead => None,
        };
        all_there &= job.is_none();
        let asked = state.pending.get(&purpose).map(|(_, job)| *job);
        match job {
            Some(job) if asked != Some(job) => {
                let ticket = ticket(state);
                state.pending.insert(purpose, (ticket, job));
                requests.push(Request::Work(ticket, purpose, job));
            }
            None if asked.is_some() => {
                state.pending.remove(&purpose);
                requests.push(Request::Forget(purpose));
            }
            _ => {}
        }
    }
    if state.answer().is_some() {
        state.answered = Some(state.image);
    }
    requests.extend(paint(state));
    requests
}

/// A job that is needed, hasn't been done, and hasn't failed.
fn missing(state: &mut State, job: Option<Job>) -> Option<Job> {
    let job = job?;
    let done = match job {
        Job::Open => state.outline.is_some(),
        Job::Photo(image) => state.photos.get(&image).is_some(),
        Job::Activation(image, layer) => state.activations.get(&(image, layer)).is_some(),
        Job::Classes(image) => state.classes.contains_key(&image),
        Job::Heatmap(key) => state.heatmaps.get(&key).is_some(),
        Job::Shelf(layer, recipe) => state.shelved.contains(&(layer, recipe)),
        Job::Pattern(key) => {
            let growth = state.patterns.get(&key);
            growth.is_some_and(|growth| growth.is_finished())
        }
    };
    (!done && !state.failures.contains_key(&job)).then_some(job)
}

/// What the user may look at next: the layer at hand, the one after it, the one before; of a heatmap, those of the
/// other top classes, then the layers where there is one.
fn ahead(state: &State) -> Vec<Job> {
    if state.shows_patterns() {
        return state.patterns_ahead();
    }
    let Some(outline) = state.outline.as_ref().filter(|_| !state.images.is_empty()) else {
        return Vec::new();
    };
    if let (View::Heatmap, Some(key)) = (state.view, state.heat_key()) {
        let top = state.answer().unwrap_or_default().iter().take(TOP);
        let classes = top.map(|row| HeatKey {
            class: row.class,
            ..key
        });
        let possible = |index: &usize| outline.layers[*index].heat;
        let next = (key.layer.0 + 1..outline.layers.len()).find(possible);
        let previous = (0..key.layer.0).rev().find(possible);
        let layers = [previous, next].into_iter().flatten();
        let layers = layers.map(|layer| HeatKey {
            layer: LayerId(layer),
            ..key
        });
        return classes.chain(layers).map(Job::Heatmap).collect();
    }
    let layer = state.layer.0;
    let near = [Some(layer), layer.checked_add(1), layer.checked_sub(1)];
    let light = |id: &LayerId| {
        let shape = outline.layer(*id).and_then(|row| row.shape.as_ref().ok());
        shape.is_some_and(|shape| 4 * volume(shape) <= LARGEST_AHEAD)
    };
    let jobs = near.into_iter().flatten().map(LayerId).filter(light);
    jobs.map(|id| Job::Activation(state.image, id)).collect()
}

/// Failures are forgotten when the user turns away, so that coming back tries again.
fn relevant_failures(state: &State) -> HashMap<Job, String> {
    let mut relevant = ahead(state);
    relevant.extend(state.picture_job());
    relevant.extend(state.classes_job());
    let failures = state
        .failures
        .iter()
        .filter(|(job, _)| relevant.contains(job));
    failures
        .map(|(job, message)| (*job, message.clone()))
        .collect()
}

/// Keeps the cursors in the room.
fn scroll(state: &mut State) {
    let layers = state
        .outline
        .as_ref()
        .map_or(0, |outline| outline.layers.len());
    state.list_top = top(
        state.list_top,
        state.layer.0,
        state.panes().list_height(state.view),
        layers,
    );
    if let Some(tiles) = state.tiles() {
        let row = tiles.row(state.channel().0);
        state.grid_top = top(state.grid_top, row, tiles.rows_in_room, tiles.rows());
    }
}

/// The first of `count` lines in a room, moved as little as it takes to have the cursor's line in it, and no room
/// wasted at the end.
fn top(top: usize, cursor: usize, room: usize, count: usize) -> usize {
    let lowest = (cursor + 1).saturating_sub(room);
    top.clamp(lowest, cursor.max(lowest))
        .min(count.saturating_sub(room).max(lowest))
}

/// Shows the picture asked for if it is there, else asks the painter for it as soon as it can be painted.
fn paint(state: &mut State) -> Option<Request> {
    let Some(key) = state.wanted() else {
        state.painting = None;
        return None;
    };
    if let Some(painting) = state.paintings.get(&key) {
        state.shown = Some(painting.clone());
        state.painting = None;
        return None;
    }
    if state.painting.is_some_and(|(_, asked)| asked == key) || state.unpaintable.is_some() {
        return None;
    }
    let source = match key.subject {
        Subject::Photo(_) => Source::Photo(state.photo()?.fitted.clone()),
        Subject::Heatmap(key, ..) => {
            let photo = state.photo()?;
            Source::Heatmap {
                heat: state.heatmaps.peek(&key)?.clone(),
                photo: photo.full.clone(),
                region: photo.region,
            }
        }
        Subject::Filter(..) => Source::Filter(
            state
                .activation()
                .map(|activation| activation.values.clone()),
            state.growth().cloned(),
        ),
        Subject::Patterns(..) => Source::Patterns(state.growths()),
        _ => Source::Values(state.activation()?.values.clone()),
    };
    let ticket = ticket(state);
    state.painting = Some((ticket, key));
    Some(Request::Paint(PaintOrder {
        ticket,
        key,
        source,
    }))
}

fn ticket(state: &mut State) -> Ticket {
    state.last_ticket.0 += 1;
    state.last_ticket
}

#[cfg(test)]
mod tests {
    use super::top;

    #[test]
    fn scrolling_keeps_the_cursor_in_the_room() {
        assert_eq!(top(0, 3, 5, 20), 0);
        assert_eq!(top(0, 5, 5, 20), 1);
        assert_eq!(top(9, 5, 5, 20), 5);
        assert_eq!(top(18, 19, 5, 20), 15);
        assert_eq!(top(7, 2, 30, 20), 0);
        assert_eq!(top(0, 4, 0, 20), 5);
    }
}
