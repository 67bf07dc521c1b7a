//! From an event to the next state, and what is to be done elsewhere. No clock, no file, no terminal.

use std::sync::Arc;

use super::filters::{Growth, PatternKey};
use super::heat;
use super::keymap::{self, Action, KEYMAP};
use super::moves;
use super::protocol::{Event, Job, Outcome, Purpose, Request};
use super::saving;
use super::search;
use super::state::{Exit, Message, Pause, State, View};
use super::wants;
use crate::terminal::Notice;

/// Ticks after which a user who presses no key is at rest.
const REST: usize = 2;

/// What has to be done before anything happens.
pub fn begin(state: &mut State) -> Vec<Request> {
    wants::requests(state)
}

/// Takes an event in.
pub fn update(state: &mut State, event: Event) -> Vec<Request> {
    let mut requests = Vec::new();
    let by_key = matches!(event, Event::Key(_));
    let looked_at = state.wanted().map(|key| key.subject);
    match event {
        Event::Key(key) => {
            state.message = None;
            if state.search.is_some() {
                search::key(state, key);
            } else if let Some(action) = keymap::action(key) {
                act(state, action, &mut requests);
            } else {
                state.help = None;
            }
        }
        Event::Resize(size, cell) => {
            state.size = size;
            state.canvas = state.canvas.with_cell(cell);
        }
        Event::Tick => {
            state.ticks += 1;
            state.restless = state.restless.saturating_sub(1);
        }
        Event::Link { slow } => state.slow = slow,
        Event::Answer(ticket, job, result) => {
            let awaited = state
                .pending
                .iter()
                .find(|(_, (known, _))| *known == ticket);
            if let Some(purpose) = awaited.map(|(purpose, _)| *purpose) {
                state.pending.remove(&purpose);
                if let Err(message) = &result {
                    fail(state, purpose, job, message);
                }
            }
            // A result that nobody waits for any more is kept all the same: it may be asked for again.
            if let Ok(outcome) = result {
                keep(state, job, outcome);
            }
        }
        Event::Grown(key, growth) => grow(state, key, growth),
        Event::Painted(ticket, result) => {
            let awaited = state.painting.take_if(|(known, _)| *known == ticket);
            match (result, awaited) {
                (Ok(painting), _) => {
                    let (key, bytes) = (painting.key, painting.bytes());
                    state.paintings.retain(|older| !key.replaces(older));
                    state.paintings.insert(key, painting, bytes);
                }
                (Err(message), Some((_, key))) => state.unpaintable = Some((key, message)),
                (Err(_), None) => {}
            }
        }
        Event::Saved(Ok(what)) => state.message = Some(Message::Notice(what)),
        Event::Saved(Err(why)) => state.message = Some(Message::Error(format!("not saved: {why}"))),
        Event::Signal(Notice::End(signal)) => state.exit = Some(Exit::Signal(signal)),
        Event::Signal(Notice::Stop) => state.pause = Some(Pause::Begins),
        Event::Signal(Notice::Continue) => state.pause = Some(Pause::Ends),
        Event::Paste(text) => search::paste(state, &text),
        Event::Lost => state.exit = Some(Exit::Lost),
        Event::Taken | Event::Answered(_) => {}
    }
    if by_key && looked_at != state.wanted().map(|key| key.subject) {
        state.restless = REST;
    }
    requests.extend(wants::requests(state));
    save_when_there(state, &mut requests);
    requests
}

/// Saves what was to be saved as soon as it is there, unless the user has turned to something else.
fn save_when_there(state: &mut State, requests: &mut Vec<Request>) {
    if state.saved_soon != state.wanted() {
        state.saved_soon = None;
    } else if state.saved_soon.is_some() && !state.picture_is_busy() {
        state.saved_soon = None;
        save(state, requests);
    }
}

fn save(state: &mut State, requests: &mut Vec<Request>) {
    match saving::order(state) {
        Ok(order) => requests.push(Request::Save(order)),
        Err(message) => state.message = Some(Message::Notice(message)),
    }
}

fn act(state: &mut State, action: Action, requests: &mut Vec<Request>) {
    match (action, state.help) {
        (Action::Quit, _) => state.exit = Some(Exit::Quit),
        (_, Some(top)) => state.help = moves::scrolled(action, top, help_overflow(state)),
        (Action::Help, None) => state.help = Some(0),
        (Action::Suspend, _) => state.pause = Some(Pause::Begins),
        (Action::Save, None) => {
            let wanted = state.wanted();
            if state.picture_is_busy() && wanted.is_some() && !state.shows_patterns() {
                state.saved_soon = wanted;
                let words = "it is saved as soon as it is there";
                state.message = Some(Message::Notice(words.to_owned()));
            } else {
                save(state, requests);
            }
        }
        (Action::Colormap, None) if state.view == View::Heatmap => heat::act(state, action),
        (Action::Colormap, None) => state.colormap = state.colormap.next(),
        _ => moves::act(state, action),
    }
}

/// Lines of the help that are out of the room.
fn help_overflow(state: &State) -> usize {
    KEYMAP
        .len()
        .saturating_sub(usize::from(state.size.height.saturating_sub(2)))
}

fn fail(state: &mut State, purpose: Purpose, job: Job, message: &str) {
    if job == Job::Open {
        state.exit = Some(Exit::Failed(message.to_owned()));
        return;
    }
    if purpose != Purpose::Ahead {
        state.message = Some(Message::Error(message.to_owned()));
    }
    state.failures.insert(job, message.to_owned());
}

fn keep(state: &mut State, job: Job, outcome: Outcome) {
    match (job, outcome) {
        (_, Outcome::Opened(outline)) => state.outline = Some(*outline),
        (Job::Photo(image), Outcome::Photo(photo)) => {
            let bytes = photo.bytes();
            state.photos.insert(image, photo, bytes);
        }
        (Job::Activation(image, layer), Outcome::Activation(activation)) => {
            let bytes = 4 * activation.values.values().len();
            state.activations.insert((image, layer), activation, bytes);
        }
        (Job::Classes(image), Outcome::Classes(classes)) => {
            state.classes.insert(image, classes);
        }
        (Job::Heatmap(key), Outcome::Heatmap(heatmap)) => {
            let values = heatmap.raw.values().len() + heatmap.heat.values().len();
            let bytes = 4 * (values + heatmap.weights.len());
            state.heatmaps.insert(key, heatmap, bytes);
        }
        (Job::Shelf(layer, recipe), Outcome::Shelf(patterns)) => {
            state.shelved.insert((layer, recipe));
            for (channel, growth) in patterns {
                let key = PatternKey {
                    layer,
                    channel,
                    recipe,
                };
                grow(state, key, growth);
            }
        }
        (Job::Pattern(key), Outcome::Pattern(growth)) => grow(state, key, growth),
        // Outcomes are made for their jobs.
        _ => {}
    }
}

fn grow(state: &mut State, key: PatternKey, growth: Arc<Growth>) {
    state.grown += 1;
    let bytes = growth.bytes();
    state.patterns.insert(key, growth, bytes);
}
