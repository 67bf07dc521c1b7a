//! The ascents of a command: from the cache where they are there already, with their progress on a terminal.

use std::io::{self, IsTerminal, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use signal_hook::consts::SIGINT;
use signal_hook::flag;

use super::Filters;
use crate::array::Array;
use crate::engine::Engine;
use crate::explain::filters::{Ascent, Objective, Pattern, Settings, Shelf};
use crate::model::Model;

/// An animation has about this many frames, whatever the number of steps.
const FRAMES: usize = 60;

/// How often the line on the terminal is written anew.
const TICK: Duration = Duration::from_millis(100);

/// A pattern, and how it was come by.
pub(super) struct Climbed {
    pub(super) pattern: Pattern,
    /// For this pattern alone.
    pub(super) seconds: f64,
    /// Whether it was in the cache.
    pub(super) cached: bool,
    /// On the way, the last one included; only where they were asked for.
    pub(super) frames: Vec<Array>,
}

#[allow(clippy::struct_excessive_bools)]
pub(super) struct Climber {
    shelf: Option<Shelf>,
    /// Whether failing to keep a pattern was said already.
    warned: bool,
    frames: bool,
    quiet: bool,
    /// Whether there is a line on the terminal to be written over.
    line: bool,
    shown: Instant,
    /// Set by the first Ctrl-C; the second one ends the program at once.
    stop: Arc<AtomicBool>,
    done: usize,
    of: usize,
    cached: usize,
    spent: Duration,
}

impl Climber {
    pub(super) fn new(filters: &Filters, of: usize) -> Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let watch = || {
            // In this order: the first signal finds the flag unset.
            flag::register_conditional_default(SIGINT, stop.clone())?;
            flag::register(SIGINT, stop.clone())
        };
        watch().context("Ctrl-C can't be watched for")?;
        // Without a home folder nothing is kept, and patterns are made all the same.
        let shelf = if filters.no_cache {
            None
        } else {
            Shelf::of_user().ok()
        };
        Ok(Self {
            shelf,
            warned: false,
            frames: filters.gif.is_some(),
            quiet: filters.saving.quiet,
            line: false,
            shown: Instant::now(),
            stop,
            done: 0,
            of,
            cached: 0,
            spent: Duration::ZERO,
        })
    }

    /// A finished pattern.
    pub(super) fn climb(
        &mut self,
        engine: &Engine,
        objective: Objective,
        settings: &Settings,
    ) -> Result<Climbed> {
        let started = Instant::now();
        self.check()?;
        let shelf = self.shelf.as_ref();
        let key = shelf.map(|shelf| shelf.key(engine, objective, settings));
        let key = key.transpose()?;
        let kept = shelf
            .zip(key)
            .filter(|_| !self.frames)
            .and_then(|(shelf, key)| shelf.get(key));
        if let Some(pattern) = kept {
            self.done += 1;
            self.cached += 1;
            return Ok(Climbed {
                pattern,
                seconds: started.elapsed().as_secs_f64(),
                cached: true,
                frames: Vec::new(),
            });
        }
        let mut ascent = Ascent::new(engine, objective, settings)?;
        let every = settings.steps.div_ceil(FRAMES);
        let mut frames = Vec::new();
        if self.frames {
            frames.push(ascent.pattern()?.image);
        }
        while !ascent.is_finished() {
            self.check()?;
            let progress = ascent.step()?;
            if self.frames && (progress.done.is_multiple_of(every) || ascent.is_finished()) {
                frames.push(ascent.pattern()?.image);
            }
            self.tick(engine.model(), objective, progress.done, progress.of);
        }
        let pattern = ascent.pattern()?;
        if let Some((shelf, key)) = self.shelf.as_ref().zip(key)
            && let Err(error) = shelf.put(key, &pattern)
            && !self.warned
        {
            self.warned = true;
            self.clear();
            if !self.quiet {
                eprintln!("convscope: patterns can't be kept for the next time: {error}");
            }
        }
        self.done += 1;
        let spent = started.elapsed();
        self.spent += spent;
        Ok(Climbed {
            pattern,
            seconds: spent.as_secs_f64(),
            cached: false,
            frames,
        })
    }

    fn check(&mut self) -> Result<()> {
        if !self.stop.load(Ordering::Relaxed) {
            return Ok(());
        }
        self.clear();
        let kept = match (&self.shelf, self.done) {
            (Some(_), 1..) => "; what is finished is kept, and the same command goes on from there",
            _ => "",
        };
        bail!(
            "interrupted after {} of {} filters{kept}",
            self.done,
            self.of
        )
    }

    fn tick(&mut self, model: &Model, objective: Objective, step: usize, steps: usize) {
        if self.quiet || self.shown.elapsed() < TICK || !io::stderr().is_terminal() {
            return;
        }
        self.shown = Instant::now();
        self.line = true;
        let what = match objective {
            Objective::Channel { layer, channel } => {
                format!("{}, channel {}", model.layer(layer).name, channel.0)
            }
            Objective::Class(class) => model.class_name(class),
        };
        let (filter, of) = (self.done + 1, self.of);
        // A terminal that is gone takes no words.
        let _ = write!(
            io::stderr(),
            "\r\x1b[Kfilter {filter} of {of}: {what}, step {step} of {steps}"
        );
    }

    /// Takes the progress off the terminal, before something else is written.
    pub(super) fn clear(&mut self) {
        if std::mem::take(&mut self.line) {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }

    /// How long it took.
    pub(super) fn told(&mut self) {
        self.clear();
        if self.quiet {
            return;
        }
        let made = self.done - self.cached;
        let already = match self.cached {
            0 => String::new(),
            cached => format!("; {cached} were there already"),
        };
        let seconds = self.spent.as_secs_f64();
        match made {
            0 => eprintln!("{} patterns were there already", self.cached),
            _ => eprintln!(
                "made {made} patterns in {seconds:.1} s, {:.2} s each{already}",
                seconds / made as f64
            ),
        }
    }
}
