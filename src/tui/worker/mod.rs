//! The thread that owns the model and its engine.

mod agenda;
mod session;

use std::io;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::thread::{self, JoinHandle};

use self::agenda::Agenda;
pub(super) use self::session::Material;
use self::session::Session;
use super::protocol::{Event, Job, Purpose, Ticket};
use super::rescue::rescued;
use crate::error::Error;

/// The handle of the one who asks.
#[derive(Debug)]
pub(super) struct Worker {
    agenda: Arc<Agenda>,
    thread: JoinHandle<()>,
}

impl Worker {
    /// Starts the thread; nothing is read before it is asked for. Answers go to `events`.
    pub(super) fn start(material: Material, events: Sender<Event>) -> io::Result<Self> {
        let agenda = Arc::new(Agenda::default());
        let shared = agenda.clone();
        let work = move || work(&shared, Session::new(material), &events);
        let thread = thread::Builder::new().name("worker".to_owned()).spawn(work)?;
        Ok(Self { agenda, thread })
    }

    /// Asks for a job.
    pub(super) fn ask(&self, ticket: Ticket, purpose: Purpose, job: Job) {
        self.agenda.ask(ticket, purpose, job);
    }

    /// Takes back what was asked for a purpose.
    pub(super) fn forget(&self, purpose: Purpose) {
        self.agenda.forget(purpose);
    }

    /// Ends the work. The handle finishes when the engine is gone.
    pub(super) fn close(self) -> JoinHandle<()> {
        self.agenda.close();
        self.thread
    }
}

fn work(agenda: &Agenda, mut session: Session, events: &Sender<Event>) {
    while let Some(job) = agenda.next() {
        let result = rescued(|| session.perform(job));
        let result = match result {
            Err(complaint) => {
                session.recover();
                Err(complaint)
            }
            Ok(Err(Error::Cancelled)) => {
                agenda.finish(true);
                continue;
            }
            Ok(outcome) => outcome.map_err(|error| error.to_string()),
        };
        if job == Job::Open
            && let Some(interrupt) = session.interrupt()
        {
            agenda.set_interrupt(interrupt);
        }
        let Some(ticket) = agenda.finish(false) else { continue };
        if events.send(Event::Answer(ticket, job, result)).is_err() {
            return;
        }
    }
}
