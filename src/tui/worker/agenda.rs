//! What the worker is to do next.
//!
//! One lock holds what is waiting, what is under way and the engine's interrupt, so that an interrupt always hits
//! the job it is meant for: it is set only while that job is under way, and cleared before the next one begins.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::engine::Interrupt;
use crate::tui::protocol::{Job, Purpose, Ticket};

/// Shared by the one who asks and the one who works.
#[derive(Debug, Default)]
pub(super) struct Agenda {
    inner: Mutex<Inner>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Inner {
    waiting: [Option<(Ticket, Job)>; Purpose::ALL.len()],
    current: Option<Current>,
    interrupt: Option<Interrupt>,
    closed: bool,
}

#[derive(Debug)]
struct Current {
    ticket: Ticket,
    purpose: Purpose,
    job: Job,
    fate: Fate,
}

/// What becomes of the job under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// Its result is wanted.
    Wanted,
    /// It makes room for something more urgent, and is done again later.
    Postponed,
    /// Nobody wants it any more.
    Stale,
}

impl Agenda {
    /// Puts a job on the agenda. An older one for the same purpose becomes stale; a less urgent one is postponed.
    pub(super) fn ask(&self, ticket: Ticket, purpose: Purpose, job: Job) {
        let mut inner = self.lock();
        inner.forget_waiting(purpose);
        match &mut inner.current {
            // It is being done already, only for another purpose.
            Some(current) if current.job == job && current.fate == Fate::Wanted => {
                (current.ticket, current.purpose) = (ticket, purpose);
                return;
            }
            Some(current) if current.purpose == purpose => inner.stop(Fate::Stale),
            Some(current) if current.purpose > purpose => inner.stop(Fate::Postponed),
            _ => {}
        }
        inner.waiting[purpose as usize] = Some((ticket, job));
        self.changed.notify_all();
    }

    /// Takes what was asked for a purpose off the agenda.
    pub(super) fn forget(&self, purpose: Purpose) {
        let mut inner = self.lock();
        inner.forget_waiting(purpose);
        if inner
            .current
            .as_ref()
            .is_some_and(|current| current.purpose == purpose)
        {
            inner.stop(Fate::Stale);
        }
    }

    /// Ends the work, that under way included.
    pub(super) fn close(&self) {
        let mut inner = self.lock();
        inner.closed = true;
        inner.stop(Fate::Stale);
        self.changed.notify_all();
    }

    /// The worker tells how it is interrupted.
    pub(super) fn set_interrupt(&self, interrupt: Interrupt) {
        self.lock().interrupt = Some(interrupt);
    }

    /// The worker waits for the next job, the most urgent; nothing when the work has ended.
    pub(super) fn next(&self) -> Option<Job> {
        let mut inner = self.lock();
        loop {
            if inner.closed {
                return None;
            }
            let urgent = Purpose::ALL
                .into_iter()
                .find(|purpose| inner.waiting[*purpose as usize].is_some());
            if let Some(purpose) = urgent
                && let Some((ticket, job)) = inner.waiting[purpose as usize].take()
            {
                if let Some(interrupt) = &inner.interrupt {
                    interrupt.clear();
                }
                inner.current = Some(Current {
                    ticket,
                    purpose,
                    job,
                    fate: Fate::Wanted,
                });
                return Some(job);
            }
            inner = self
                .changed
                .wait(inner)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// The worker has ended the job under way; `cancelled` if before it was done. Returns the ticket under which its
    /// result is awaited, if it is.
    pub(super) fn finish(&self, cancelled: bool) -> Option<Ticket> {
        let mut inner = self.lock();
        let Current {
            ticket,
            purpose,
            job,
            fate,
        } = inner.current.take()?;
        if !cancelled {
            // Even a stale result may be kept for later.
            return Some(ticket);
        }
        if fate == Fate::Postponed && inner.waiting[purpose as usize].is_none() {
            inner.waiting[purpose as usize] = Some((ticket, job));
        }
        None
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Nothing that runs under the lock panics.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn forget_waiting(&mut self, purpose: Purpose) {
        self.waiting[purpose as usize] = None;
    }

    fn stop(&mut self, fate: Fate) {
        if let Some(current) = &mut self.current
            && current.fate != Fate::Stale
        {
            current.fate = fate;
            if let Some(interrupt) = &self.interrupt {
                interrupt.set();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::LayerId;
    use crate::tui::protocol::ImageId;

    fn layer(index: usize) -> Job {
        Job::Activation(ImageId(0), LayerId(index))
    }

    fn ask(agenda: &Agenda, ticket: u64, purpose: Purpose, job: Job) {
        agenda.ask(Ticket(ticket), purpose, job);
    }

    #[test]
    fn the_most_urgent_comes_first_and_the_newest_counts() {
        let agenda = Agenda::default();
        ask(&agenda, 1, Purpose::Ahead, layer(2));
        ask(&agenda, 2, Purpose::Classes, Job::Classes(ImageId(0)));
        ask(&agenda, 3, Purpose::Picture, layer(0));
        ask(&agenda, 4, Purpose::Picture, layer(1));
        let mut order = Vec::new();
        for _ in 0..3 {
            let job = agenda.next().unwrap();
            order.push((job, agenda.finish(false).unwrap().0));
        }
        assert_eq!(
            order,
            [(layer(1), 4), (Job::Classes(ImageId(0)), 2), (layer(2), 1)]
        );
    }

    #[test]
    fn a_newer_request_makes_the_one_under_way_stale() {
        let agenda = Agenda::default();
        ask(&agenda, 1, Purpose::Picture, layer(0));
        assert_eq!(agenda.next(), Some(layer(0)));
        ask(&agenda, 2, Purpose::Picture, layer(1));
        assert_eq!(agenda.finish(true), None);
        assert_eq!(agenda.next(), Some(layer(1)));
        assert_eq!(agenda.finish(false), Some(Ticket(2)));
    }

    #[test]
    fn the_less_urgent_is_done_again_later() {
        let agenda = Agenda::default();
        ask(&agenda, 1, Purpose::Classes, Job::Classes(ImageId(0)));
        agenda.next();
        ask(&agenda, 2, Purpose::Picture, layer(1));
        assert_eq!(agenda.finish(true), None);
        assert_eq!(agenda.next(), Some(layer(1)));
        agenda.finish(false);
        assert_eq!(agenda.next(), Some(Job::Classes(ImageId(0))));
        assert_eq!(agenda.finish(false), Some(Ticket(1)));
    }

    #[test]
    fn what_is_under_way_serves_another_purpose() {
        let agenda = Agenda::default();
        ask(&agenda, 1, Purpose::Ahead, layer(1));
        agenda.next();
        ask(&agenda, 2, Purpose::Picture, layer(1));
        agenda.forget(Purpose::Ahead);
        assert_eq!(agenda.finish(false), Some(Ticket(2)));
    }

    #[test]
    fn what_nobody_wants_is_not_done_again() {
        let agenda = Agenda::default();
        ask(&agenda, 1, Purpose::Ahead, layer(1));
        agenda.next();
        ask(&agenda, 2, Purpose::Picture, layer(5));
        agenda.forget(Purpose::Ahead);
        assert_eq!(agenda.finish(true), None);
        assert_eq!(agenda.next(), Some(layer(5)));
        agenda.finish(false);
        agenda.close();
        assert_eq!(agenda.next(), None);
    }
}
