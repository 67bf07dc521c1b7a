//! The explorer: a screen on which a model, its layers and what they see in an image are walked through.
//!
//! One [`State`]; [`update`](update::update) takes events in and says what is to be done elsewhere;
//! [`view`](view::view) draws. Threads do the rest: `input` reads keys, `worker` computes, `painter` makes pictures
//! of the screen's size, `saver` writes files. They talk in the words of [`protocol`].

mod cache;
pub mod filters;
mod fit;
pub mod heat;
mod input;
pub mod keymap;
mod moves;
pub mod outline;
pub mod painter;
pub mod panes;
pub mod protocol;
mod rescue;
pub mod saver;
mod saving;
pub mod search;
pub mod state;
#[cfg(test)]
mod tests;
pub mod theme;
pub mod tiles;
pub mod update;
pub mod view;
mod wants;
mod worker;

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use signal_hook::low_level;

use self::heat::Layout;
use self::painter::PaintOrder;
use self::protocol::{Event, Request};
use self::saver::Saver;
use self::state::{Exit, Message, Pause, State};
use self::theme::Theme;
use self::update::{begin, update};
use self::view::{Looks, view};
use self::worker::{Material, Worker};
use crate::engine::DeviceChoice;
use crate::model::Overrides;
use crate::terminal::{self, Choice, ColorDepth, Multiplexer, Protocol, Screen};

/// Between two steps of the spinner.
const TICK: Duration = Duration::from_millis(100);

/// How often an idle explorer looks whether its terminal is still there. Usually a signal says so at once.
const HEARTBEAT: Duration = Duration::from_secs(10);

/// What a computation under way may take to notice that it is over.
const WORKER_GRACE: Duration = Duration::from_millis(300);

/// What files that are being saved may take.
const SAVER_GRACE: Duration = Duration::from_secs(10);

/// What the explorer opens.
#[derive(Clone, Debug)]
pub struct Setup {
    /// A model's file.
    pub model: PathBuf,
    /// Images' files; the first is shown first.
    pub images: Vec<PathBuf>,
    /// Where pictures are saved; made when the first one is.
    pub output_dir: PathBuf,
    /// Where to compute.
    pub device: DeviceChoice,
    /// What the user wants otherwise than the model's file and card say.
    pub overrides: Overrides,
    /// Whether photos are turned as their EXIF data say.
    pub exif: bool,
    /// A theme's name or file; one that suits the terminal if none is wanted.
    pub theme: Option<String>,
    /// How pictures are drawn; the best way that the terminal has if none is wanted.
    pub protocol: Option<Protocol>,
}

/// Runs the explorer until the user has enough.
///
/// The terminal is as before when this returns, however it ends. It doesn't return when a signal ends the program, or
/// when libtorch can't be stopped in time.
///
/// # Errors
/// If the terminal can't be used, the theme can't be read, or the model can't be opened.
pub fn run(setup: Setup) -> Result<()> {
    let Setup {
        model,
        images,
        output_dir,
        device,
        overrides,
        exif,
        theme,
        protocol,
    } = setup;
    if images.iter().any(|image| image == Path::new("-")) {
        bail!("standard input is for the keys here: the explorer takes its images from files");
    }
    if let Some(protocol) = protocol
        && let Some(why) = Multiplexer::detect().and_then(|found| found.refusal(protocol))
    {
        bail!(why);
    }
    if output_dir.exists() && !output_dir.is_dir() {
        bail!("--output-dir: {} is not a folder", output_dir.display());
    }
    let depth = ColorDepth::detect();
    // Before the screen is taken: what is wrong with it is said where it can be read.
    let wanted = theme.as_deref();
    Theme::choose(wanted, depth, None)?;
    let (events, inbox) = mpsc::channel();
    let notice = events.clone();
    terminal::watch_signals(move |signal| {
        // Nobody listens any more when the end has come already.
        let _ = notice.send(Event::Signal(signal));
    })?;

    let taken = events.clone();
    let mut screen = Screen::enter(move || drop(taken.send(Event::Taken)))?;
    let staff = Staff::start(
        Material {
            model: model.clone(),
            images: images.clone(),
            device,
            overrides,
            exif,
        },
        &events,
    )?;
    let mut state = State::new(model, images, output_dir, Screen::size()?);
    // The model is opened while the terminal is asked.
    staff.see_to(begin(&mut state));
    let traits = screen.ask();
    let depth = depth.seen_in(&traits);
    let choice = Choice::new(protocol, depth, &traits);
    state.canvas = choice.canvas;
    state.message = choice
        .hint
        .map(|hint| Message::Notice(hint.short().to_owned()));
    screen.prepare(state.canvas, &traits);
    if depth == ColorDepth::Monochrome {
        // In shades alone a heatmap over a photo can't be told from it.
        state.heat.layout = Layout::Alone;
    }
    let looks = Looks {
        theme: Theme::choose(wanted, depth, traits.background)?,
        depth,
    };
    input::watch(events)?;
    let exit = explore(state, &looks, &mut screen, &staff, &inbox);
    drop(screen);
    end(exit, staff, &inbox)
}

/// Those who do what the state asks for.
struct Staff {
    worker: Worker,
    painter: Sender<PaintOrder>,
    saver: Saver,
}

impl Staff {
    fn start(material: Material, events: &Sender<Event>) -> Result<Self> {
        Ok(Self {
            worker: Worker::start(material, events.clone())?,
            painter: painter::start(events.clone())?,
            saver: Saver::start(events.clone())?,
        })
    }

    fn see_to(&self, requests: Vec<Request>) {
        for request in requests {
            match request {
                Request::Work(ticket, purpose, job) => self.worker.ask(ticket, purpose, job),
                Request::Forget(purpose) => self.worker.forget(purpose),
                // The painter is there as long as its sender.
                Request::Paint(order) => drop(self.painter.send(order)),
                Request::Save(order) => self.saver.save(order),
            }
        }
    }
}

/// Draws, waits, and takes in what happens, until there is a reason to end.
fn explore(
    mut state: State,
    looks: &Looks,
    screen: &mut Screen,
    staff: &Staff,
    inbox: &Receiver<Event>,
) -> Exit {
    loop {
        let size = state.size;
        // Otherwise whoever is drawn for would look at the past.
        let ready = screen.is_ready();
        if ready
            && screen
                .draw(size, |frame| view(&state, looks, frame))
                .is_err()
        {
            return Exit::Lost;
        }
        let soon = state.awaits_time() || screen.is_busy() || !ready;
        let first = match inbox.recv_timeout(if soon { TICK } else { HEARTBEAT }) {
            Ok(event) => event,
            Err(RecvTimeoutError::Timeout) if state.awaits_time() => Event::Tick,
            Err(RecvTimeoutError::Timeout) if soon || terminal::is_alive() => continue,
            Err(_) => return Exit::Lost,
        };
        // What came together is drawn together.
        for event in std::iter::once(first).chain(inbox.try_iter()) {
            let event = match event {
                Event::Answered(text) if screen.answered(&text).is_err() => Event::Lost,
                Event::Answered(_) => Event::Link {
                    slow: screen.is_slow(),
                },
                Event::Key(_) => {
                    screen.touch();
                    event
                }
                event => event,
            };
            staff.see_to(update(&mut state, event));
            if let Some(exit) = state.exit.take() {
                return exit;
            }
            let terminal = match state.pause.take() {
                Some(Pause::Begins) => screen.suspend(),
                Some(Pause::Ends) => screen.resume(),
                None => Ok(()),
            };
            if terminal.is_err() {
                return Exit::Lost;
            }
        }
    }
}

/// Ends the threads, then the program or the explorer.
fn end(exit: Exit, staff: Staff, inbox: &Receiver<Event>) -> Result<()> {
    let worker = staff.worker.close();
    if !finished(&staff.saver.close(), SAVER_GRACE) {
        say("a picture is still being saved, and may be lost");
    }
    // What nobody could read on the screen any more.
    for event in inbox.try_iter() {
        if let Event::Saved(Err(why)) = event {
            say(&format!("not saved: {why}"));
        }
    }
    if let Exit::Signal(signal) = exit {
        // Whoever sent it sees that it was obeyed. Fails for no signal that is watched.
        let _ = low_level::emulate_default_handler(signal);
        low_level::exit(128 + signal);
    }
    let ended = finished(&worker, WORKER_GRACE);
    let result = match exit {
        Exit::Failed(message) => Err(anyhow::Error::msg(message)),
        _ => Ok(()),
    };
    if !ended {
        // Returning from `main` would take libtorch down under its own feet.
        if let Err(message) = &result {
            say(&format!("{message:#}"));
        }
        low_level::exit(i32::from(result.is_err()));
    }
    result
}

/// A line on standard error, which may be gone.
fn say(text: &str) {
    let _ = writeln!(io::stderr(), "convscope: {text}");
}

fn finished<T>(thread: &JoinHandle<T>, grace: Duration) -> bool {
    let end = Instant::now() + grace;
    while !thread.is_finished() {
        if Instant::now() > end {
            return false;
        }
        thread::sleep(Duration::from_millis(2));
    }
    true
}
