//! Brings pictures through tmux, which drops what it is to hand on while it has to redraw itself.
//!
//! So the terminal around it is asked for a sign of life first, then whether the picture has come; what got lost is sent
//! again. tmux gives the answers to the pane at hand: nothing is asked but shortly after a key came from there. What is
//! sent without asking is looked after at the next key.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::pace::Pace;
use super::passthrough::wrapped;
use super::ping::PICTURE;
use super::transmission::Transmission;

/// After a key answers come to this pane for so long.
const ATTENTION: Duration = Duration::from_secs(2);

/// Signs of life are asked for this often.
const AGAIN: Duration = Duration::from_millis(60);

/// Whether pictures have come is known by then.
const LOST: Duration = Duration::from_millis(1500);

/// Bytes that are sent at once.
const PARCEL: usize = 256 << 10;

/// What is wanted there, what is there, and what is on the way.
#[derive(Debug, Default)]
pub(super) struct Courier {
    waiting: Vec<Arc<Transmission>>,
    /// Known to have come.
    delivered: HashSet<u32>,
    /// Sent, but nobody knows whether it has come.
    doubtful: HashSet<u32>,
    step: Step,
    /// When the last key came.
    touched: Option<Instant>,
    pace: Pace,
}

#[derive(Debug, Default)]
enum Step {
    #[default]
    Idle,
    /// A sign of life was asked for.
    Asked(Instant),
    /// These were sent, and are to be answered for.
    Sent(Instant, HashSet<u32>),
}

impl Courier {
    /// A key came: the pane is the one at hand.
    pub(super) fn touch(&mut self, now: Instant) {
        self.touched = Some(now);
    }

    /// What is to be there; `holds` says what the terminal was not told to forget.
    pub(super) fn want(&mut self, wanted: Vec<Arc<Transmission>>, holds: impl Fn(u32) -> bool) {
        self.delivered.retain(|id| holds(*id));
        self.doubtful.retain(|id| holds(*id));
        self.waiting = wanted;
        self.waiting.sort_by_key(|picture| picture.id);
        self.waiting.dedup_by_key(|picture| picture.id);
        (self.waiting).retain(|picture| !self.delivered.contains(&picture.id));
    }

    /// What is to be written now.
    pub(super) fn next(&mut self, now: Instant) -> Vec<u8> {
        let attended = self
            .touched
            .is_some_and(|touched| now.saturating_duration_since(touched) < ATTENTION);
        let since = |then: &Instant| now.saturating_duration_since(*then);
        let due = match &self.step {
            Step::Idle => true,
            Step::Asked(then) => since(then) >= AGAIN || !attended,
            Step::Sent(then, _) => since(then) >= LOST,
        };
        if !due {
            return Vec::new();
        }
        self.step = Step::Idle;
        if !attended {
            let new = self
                .waiting
                .iter()
                .filter(|picture| self.doubtful.insert(picture.id));
            return new
                .flat_map(|picture| picture.bytes.iter().copied())
                .collect();
        }
        if self.waiting.is_empty() {
            return Vec::new();
        }
        self.step = Step::Asked(now);
        wrapped(PICTURE)
    }

    /// The terminal has answered: `text` is what it said between its marks. Returns what is to be written then.
    pub(super) fn answered(&mut self, text: &str, now: Instant) -> Vec<u8> {
        let id = text.strip_prefix("Gi=").and_then(|text| {
            let (id, said) = text.split_once(';')?;
            let id = id.split(',').next()?;
            Some((id.parse::<u32>().ok()?, said == "OK"))
        });
        match (&mut self.step, id) {
            (Step::Asked(_), _) => self.parcel(now),
            (Step::Sent(_, open), Some((id, came))) => {
                if open.remove(&id) && came {
                    self.delivered.insert(id);
                    self.waiting.retain(|picture| picture.id != id);
                }
                self.doubtful.remove(&id);
                if matches!(&self.step, Step::Sent(_, open) if open.is_empty()) {
                    self.step = Step::Idle;
                    self.pace.arrived(now);
                    return self.next(now);
                }
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    /// The first of what waits, and the question whether it has come. What may be there already is only asked for.
    fn parcel(&mut self, now: Instant) -> Vec<u8> {
        let (mut bytes, mut open) = (Vec::new(), HashSet::new());
        for picture in &self.waiting {
            if bytes.len() > PARCEL {
                break;
            }
            if !self.doubtful.contains(&picture.id) {
                bytes.extend_from_slice(&picture.bytes);
            }
            bytes.extend(wrapped(&picture.placement(true)));
            open.insert(picture.id);
        }
        self.step = if open.is_empty() {
            Step::Idle
        } else {
            self.pace.forget();
            self.pace.sent(bytes.len(), now);
            Step::Sent(now, open)
        };
        bytes
    }

    /// Whether something is still to be done.
    pub(super) fn is_busy(&self) -> bool {
        let waits = |picture: &Arc<Transmission>| !self.doubtful.contains(&picture.id);
        !matches!(self.step, Step::Idle) || self.waiting.iter().any(waits)
    }

    /// Whether answers are on their way.
    pub(super) fn awaits(&self) -> bool {
        !matches!(self.step, Step::Idle)
    }

    /// Whether pictures take long to arrive.
    pub(super) fn is_slow(&self) -> bool {
        self.pace.is_slow()
    }

    /// Nothing is there any more.
    pub(super) fn forget(&mut self) {
        self.waiting.clear();
        self.delivered.clear();
        self.doubtful.clear();
        self.step = Step::Idle;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::{Colormap, Indexed};
    use crate::terminal::{Canvas, Cutout, Protocol};

    const MS: Duration = Duration::from_millis(1);

    fn picture() -> Arc<Transmission> {
        let canvas = Canvas {
            protocol: Protocol::Kitty,
            tmux: true,
            cell: [20, 10],
            ..Canvas::HALF_BLOCKS
        };
        let map = Indexed::new(10, 20, vec![0; 200], Colormap::Gray);
        let cutout = Cutout::whole(map.into());
        Arc::new(Transmission::new(&cutout, canvas, canvas.cell).unwrap())
    }

    fn text(bytes: Vec<u8>) -> String {
        String::from_utf8_lossy(&bytes).into_owned()
    }

    #[test]
    fn a_picture_is_sent_when_there_is_life_and_again_if_it_got_lost() {
        let (mut courier, picture) = (Courier::default(), picture());
        let mut now = Instant::now();
        courier.touch(now);
        courier.want(vec![picture.clone()], |_| true);
        assert!(text(courier.next(now)).contains("a=q"));
        // Dropped.
        now += 20 * MS;
        assert!(courier.next(now).is_empty() && courier.is_busy());
        now += 50 * MS;
        assert!(text(courier.next(now)).contains("a=q"));
        let sent = text(courier.answered("Gi=31;OK", now));
        assert!(sent.contains("a=t") && sent.contains("a=p,U=1"));
        let lost = format!("Gi={};ENOENT:no such picture", picture.id);
        assert!(text(courier.answered(&lost, now)).contains("a=q"));
        let sent = text(courier.answered("Gi=31;OK", now));
        assert!(sent.contains("a=t"));
        // Nobody answers for it.
        now += 1600 * MS;
        courier.touch(now);
        assert!(text(courier.next(now)).contains("a=q"));
        courier.answered("Gi=31;OK", now);
        let come = format!("Gi={};OK", picture.id);
        assert!(courier.answered(&come, now).is_empty() && !courier.is_busy());
        courier.want(vec![picture], |_| true);
        assert!(courier.next(now).is_empty() && !courier.is_busy());
    }

    #[test]
    fn without_a_key_nothing_is_asked() {
        let (mut courier, picture) = (Courier::default(), picture());
        let mut now = Instant::now();
        courier.want(vec![picture.clone()], |_| true);
        let sent = text(courier.next(now));
        assert!(sent.contains("a=t") && !sent.contains("a=q"));
        courier.want(vec![picture.clone()], |_| true);
        assert!(courier.next(now).is_empty() && !courier.is_busy());
        // At the next key one sees whether it has come.
        now += 5000 * MS;
        courier.touch(now);
        courier.want(vec![picture.clone()], |_| true);
        assert!(text(courier.next(now)).contains("a=q"));
        let asked = text(courier.answered("Gi=31;OK", now));
        assert!(!asked.contains("a=t") && asked.contains("a=p,U=1"));
        let lost = format!("Gi={};ENOENT", picture.id);
        courier.answered(&lost, now);
        assert!(text(courier.answered("Gi=31;OK", now)).contains("a=t"));
    }

    #[test]
    fn what_isnt_wanted_any_more_isnt_sent() {
        let (mut courier, first, second) = (Courier::default(), picture(), picture());
        let now = Instant::now();
        courier.touch(now);
        courier.want(vec![first.clone()], |_| true);
        courier.next(now);
        courier.want(vec![second.clone()], |_| true);
        let sent = text(courier.answered("Gi=31;OK", now));
        assert!(sent.contains(&format!("i={},", second.id)));
        assert!(!sent.contains(&format!("i={},", first.id)));
        // What the terminal was told to forget is sent again.
        courier.answered(&format!("Gi={};OK", second.id), now);
        courier.want(vec![second.clone()], |_| false);
        assert!(courier.is_busy());
    }
}
