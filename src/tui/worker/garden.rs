//! Where filters' patterns grow. What was broken off goes on where it was; what is finished is kept on disk.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::engine::Engine;
use crate::error::Result;
use crate::explain::filters::{Ascent, Objective, Options, Pattern, Recipe, Settings, Shelf};
use crate::model::{ChannelId, LayerId};
use crate::picture;
use crate::tui::filters::{Growth, PatternKey};

/// Between two looks at a pattern that grows.
const LOOK: Duration = Duration::from_millis(150);

/// Patterns that were broken off and may be gone on with.
const BROKEN_OFF: usize = 8;

/// Patterns that are growing, and the shelf for those that are finished.
#[derive(Default)]
pub(super) struct Garden {
    /// The ones that were worked on last come last.
    growing: Vec<(PatternKey, Ascent)>,
    shelf: Option<Shelf>,
}

impl Garden {
    /// Grows a pattern to the end; what there is of it is told on the way.
    ///
    /// # Errors
    /// When the layer can't be computed at the recipe's size, or the work was called off: then it goes on from there the
    /// next time.
    pub(super) fn grow(
        &mut self,
        engine: &Engine,
        key: PatternKey,
        tell: &mut dyn FnMut(Arc<Growth>),
    ) -> Result<Arc<Growth>> {
        let at = self.growing.iter().position(|(known, _)| *known == key);
        let (_, mut ascent) = match at {
            Some(at) => self.growing.remove(at),
            None => (
                key,
                Ascent::new(engine, objective(key), &settled(engine, key)?)?,
            ),
        };
        let climbed = climb(&mut ascent, key.recipe, tell);
        if let Err(error) = climbed {
            self.growing.push((key, ascent));
            if self.growing.len() > BROKEN_OFF {
                self.growing.remove(0);
            }
            return Err(error);
        }
        let growth = growth(&ascent, key.recipe)?;
        if let Some(shelf) = self.shelf() {
            let name = shelf.key(engine, objective(key), ascent.settings());
            // Nothing is lost but time if it can't be kept.
            let _ = name.and_then(|name| shelf.put(name, &growth.pattern));
        }
        Ok(growth)
    }

    /// The patterns of a layer that were finished before.
    ///
    /// # Errors
    /// When the weights in front of the layer can't be read, or the work was called off.
    pub(super) fn kept(
        &mut self,
        engine: &Engine,
        layer: LayerId,
        recipe: Recipe,
    ) -> Result<Vec<(ChannelId, Arc<Growth>)>> {
        let model = engine.model();
        let shapes = model.own_shapes();
        let channels = match shapes.get(model.layer(layer).output)? {
            [channels, _, _] => *channels,
            _ => 0,
        };
        let Some(shelf) = self.shelf() else {
            return Ok(Vec::new());
        };
        let mut found = Vec::new();
        for channel in (0..channels).map(ChannelId) {
            let key = PatternKey {
                layer,
                channel,
                recipe,
            };
            let settings = settled(engine, key)?;
            let name = shelf.key(engine, objective(key), &settings)?;
            if let Some(pattern) = shelf.get(name) {
                found.push((
                    channel,
                    grown(pattern, recipe, settings.steps, settings.steps)?,
                ));
            }
        }
        Ok(found)
    }

    /// Nothing if the user has no folder for it.
    fn shelf(&mut self) -> Option<&Shelf> {
        if self.shelf.is_none() {
            self.shelf = Shelf::of_user().ok();
        }
        self.shelf.as_ref()
    }
}

fn climb(ascent: &mut Ascent, recipe: Recipe, tell: &mut dyn FnMut(Arc<Growth>)) -> Result<()> {
    let mut looked = Instant::now();
    while !ascent.is_finished() {
        ascent.step()?;
        if looked.elapsed() >= LOOK && !ascent.is_finished() {
            tell(growth(ascent, recipe)?);
            looked = Instant::now();
        }
    }
    Ok(())
}

fn growth(ascent: &Ascent, recipe: Recipe) -> Result<Arc<Growth>> {
    let progress = ascent.progress();
    grown(ascent.pattern()?, recipe, progress.done, progress.of)
}

fn grown(pattern: Pattern, recipe: Recipe, done: usize, of: usize) -> Result<Arc<Growth>> {
    Ok(Arc::new(Growth {
        picture: picture::pattern(&pattern, recipe)?,
        pattern,
        done,
        of,
    }))
}

fn objective(key: PatternKey) -> Objective {
    Objective::Channel {
        layer: key.layer,
        channel: key.channel,
    }
}

fn settled(engine: &Engine, key: PatternKey) -> Result<Settings> {
    let options = Options {
        recipe: key.recipe,
        ..Options::default()
    };
    options.settle(engine.model(), objective(key))
}
