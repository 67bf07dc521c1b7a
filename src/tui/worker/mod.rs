//! The thread that owns the model and its engine.

mod agenda;
mod garden;
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
        let thread = thread::Builder::new()
            .name("worker".to_owned())
            .spawn(work)?;
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
        let mut tell = |event| drop(events.send(event));
        let result = rescued(|| session.perform(job, &mut tell));
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
        let Some(ticket) = agenda.finish(false) else {
            continue;
        };
        if events.send(Event::Answer(ticket, job, result)).is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::mpsc::{self, Receiver};

    use super::*;
    use crate::engine::DeviceChoice;
    use crate::model::{LayerId, Overrides};
    use crate::tui::protocol::{ImageId, Outcome};

    fn start(model: &str) -> (Worker, Receiver<Event>) {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let material = Material {
            model: root.join("weights").join(model),
            images: vec![root.join("demo/chelsea.png")],
            device: DeviceChoice::Cpu,
            overrides: Overrides::default(),
            exif: true,
        };
        let (events, inbox) = mpsc::channel();
        (Worker::start(material, events).unwrap(), inbox)
    }

    fn answer(inbox: &Receiver<Event>) -> (Ticket, Result<Outcome, String>) {
        match inbox.recv().unwrap() {
            Event::Answer(ticket, _, result) => (ticket, result),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_model_is_opened_and_computed() {
        let (worker, inbox) = start("cats_and_dogs_small_2.h5");
        let image = ImageId(0);
        worker.ask(Ticket(1), Purpose::Picture, Job::Open);
        let (Ticket(1), Ok(Outcome::Opened(outline))) = answer(&inbox) else {
            panic!("the model wasn't opened")
        };
        assert_eq!(outline.classes, 2);
        let layer = outline.layers.iter().position(|row| row.name == "conv2d_6");
        let layer = LayerId(layer.unwrap());

        worker.ask(Ticket(2), Purpose::Picture, Job::Activation(image, layer));
        let (Ticket(2), Ok(Outcome::Activation(activation))) = answer(&inbox) else {
            panic!("the layer wasn't computed")
        };
        assert_eq!(activation.values.shape(), [64, 72, 72]);
        assert_eq!(activation.channels.len(), 64);

        worker.ask(Ticket(3), Purpose::Classes, Job::Classes(image));
        let (Ticket(3), Ok(Outcome::Classes(classes))) = answer(&inbox) else {
            panic!("no classes")
        };
        assert_eq!(classes[0].name, "cat");

        // A failure is an answer too, and the work goes on.
        worker.ask(Ticket(4), Purpose::Picture, Job::Photo(ImageId(7)));
        assert!(answer(&inbox).1.is_err());
        worker.ask(Ticket(5), Purpose::Picture, Job::Photo(image));
        assert!(matches!(answer(&inbox), (Ticket(5), Ok(Outcome::Photo(_)))));
        worker.close().join().unwrap();
    }

    #[test]
    fn what_nobody_waits_for_any_more_is_given_up() {
        let (worker, inbox) = start("vgg16_cats_dogs.safetensors");
        let image = ImageId(0);
        worker.ask(Ticket(1), Purpose::Picture, Job::Open);
        assert!(answer(&inbox).1.is_ok());
        // The last layers take a while; each request makes the one before stale.
        for ticket in 2..12 {
            let layer = LayerId(20 - ticket as usize % 2);
            worker.ask(
                Ticket(ticket),
                Purpose::Picture,
                Job::Activation(image, layer),
            );
            std::thread::yield_now();
        }
        worker.ask(
            Ticket(12),
            Purpose::Picture,
            Job::Activation(image, LayerId(1)),
        );
        let last = loop {
            let (ticket, result) = answer(&inbox);
            if ticket == Ticket(12) {
                break result;
            }
        };
        assert!(matches!(last, Ok(Outcome::Activation(_))));
        worker.close().join().unwrap();
    }
}
