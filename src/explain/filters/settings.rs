//! What an ascent is to do: what was asked for, and the recipe's own numbers for the rest.

use super::{Objective, Recipe};
use crate::array::Array;
use crate::error::{Error, Result};
use crate::model::{Model, Op, Shapes};

/// No side of a pattern is longer: the values of all layers in front are kept on the device at once.
pub const LARGEST_SIDE: usize = 2048;

/// No ascent has more steps: each one's loss is kept.
pub const MOST_STEPS: usize = 100_000;

/// What is asked for.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The recipe.
    pub recipe: Recipe,
    /// (h,w) of the picture; the recipe's own if not given, or the model's where that is the only one it takes.
    pub size: Option<[usize; 2]>,
    /// How many; the recipe's own if not given.
    pub steps: Option<usize>,
    /// For the noise at the start, and what else is random.
    pub seed: u64,
    /// (C,h,w) or (1,C,h,w): a picture to start from in place of noise, fed as it is.
    pub start: Option<Array>,
}

/// What an ascent does, all of it settled.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// The recipe.
    pub recipe: Recipe,
    /// (h,w) of the picture.
    pub size: [usize; 2],
    /// At least 1.
    pub steps: usize,
    /// For the noise at the start, and what else is random.
    pub seed: u64,
    /// (C,h,w).
    pub start: Option<Array>,
}

impl Options {
    /// Fills in what isn't given, and checks the rest against the model.
    ///
    /// # Errors
    /// When the model has no such objective, can't be fed a picture of that size as far as the objective, or the
    /// start doesn't fit.
    pub fn settle(&self, model: &Model, objective: Objective) -> Result<Settings> {
        let recipe = self.recipe;
        let steps = self.steps.unwrap_or(recipe.steps());
        if !(1..=MOST_STEPS).contains(&steps) {
            return Err(Error::request(format!(
                "an ascent has 1 to {MOST_STEPS} steps, not {steps}"
            )));
        }
        let start = self.start.clone().map(|start| plain(start, recipe));
        let start = start.transpose()?;
        let given = start
            .as_ref()
            .map(|start| [start.shape()[1], start.shape()[2]]);
        if let (Some(size), Some(given)) = (self.size, given)
            && size != given
        {
            return Err(Error::request(format!(
                "the picture to start from is {}x{}, and a size of {}x{} was asked for",
                given[0], given[1], size[0], size[1]
            )));
        }
        let size = self.size(model, objective, given.or(self.size))?;
        let settings = Settings {
            recipe,
            size,
            steps,
            seed: self.seed,
            start,
        };
        let planes = settings.planes(model);
        if let Some(start) = &settings.start
            && start.shape()[0] != planes
        {
            return Err(Error::request(format!(
                "the picture to start from has {} planes, and the model is fed {planes}",
                start.shape()[0]
            )));
        }
        Ok(settings)
    }

    /// The asked-for size if the network takes it; else the recipe's, else the model's own.
    fn size(
        &self,
        model: &Model,
        objective: Objective,
        asked: Option<[usize; 2]>,
    ) -> Result<[usize; 2]> {
        let margin = self.recipe.margin();
        let fits = |size: [usize; 2]| {
            let shapes = model.shapes(&model.input_shapes(size.map(|side| side + margin)));
            objective.unit(model, &shapes).map(|_| size)
        };
        let own = model.input_size();
        if let Some(size) = asked {
            if size.iter().any(|side| !(1..=LARGEST_SIDE).contains(side)) {
                return Err(Error::request(format!(
                    "a pattern's sides are 1 to {LARGEST_SIDE} pixels, not {}x{}",
                    size[0], size[1]
                )));
            }
            return fits(size).map_err(|error| match error {
                Error::Layer { layer, what } if size.map(|side| side + margin) != own => {
                    Error::layer(
                        layer,
                        format!(
                            "{what} (the pattern is {}x{}; the model's own size is {}x{})",
                            size[0], size[1], own[0], own[1]
                        ),
                    )
                }
                other => other,
            });
        }
        let side = self.recipe.side();
        fits([side, side]).or_else(|_| fits(own.map(|side| side.saturating_sub(margin).max(1))))
    }
}

impl Settings {
    /// (h,w) of what the network is fed.
    pub fn input_size(&self) -> [usize; 2] {
        self.size.map(|side| side + self.recipe.margin())
    }

    /// All shapes of the network at that size.
    pub(super) fn shapes(&self, model: &Model) -> Shapes {
        model.shapes(&model.input_shapes(self.input_size()))
    }

    /// How many planes the model's picture has.
    pub(super) fn planes(&self, model: &Model) -> usize {
        let shapes = model.input_shapes(self.input_size());
        let pictures = shapes.iter().find(|shape| shape.len() == 3);
        pictures.map_or(0, |shape| shape[0])
    }
}

/// (C,h,w), checked.
fn plain(start: Array, recipe: Recipe) -> Result<Array> {
    if recipe.noise().is_none() {
        return Err(Error::request(format!(
            "the recipe {} starts from Fourier coefficients, not from a picture; book and book2 take one",
            recipe.name()
        )));
    }
    let shape = match *start.shape() {
        [c, h, w] | [1, c, h, w] => [c, h, w],
        _ => {
            return Err(Error::request(format!(
                "the picture to start from has the shape {:?}; (C,H,W) is needed",
                start.shape()
            )));
        }
    };
    if start.values().iter().any(|value| !value.is_finite()) {
        return Err(Error::request(
            "the picture to start from has values that aren't finite",
        ));
    }
    Ok(start.reshaped(shape))
}

/// Whether an op is where pictures enter.
pub(super) fn is_picture(op: &Op) -> bool {
    matches!(op, Op::Input { shape } if shape.len() == 3)
}
