//! A model opened to compute with.

use std::path::Path;
use std::sync::Arc;

use anyhow::Result;

use super::options::{Computing, Preparing};
use crate::engine::{Engine, Tensor};
use crate::explain;
use crate::fetch;
use crate::formats;
use crate::model::Model;
use crate::photo::{self, Source};

pub(super) struct Session {
    pub(super) model: Arc<Model>,
    pub(super) engine: Engine,
}

impl Session {
    pub(super) fn open(path: &Path, preparing: &Preparing, computing: &Computing) -> Result<Self> {
        let mut model = formats::open(&fetch::resolve(path)?)?;
        model.override_preprocessing(&preparing.overrides());
        let model = Arc::new(model);
        let engine = Engine::new(model.clone(), computing.device()?);
        Ok(Self { model, engine })
    }

    /// Reads an image or tensor and uploads it as the model's input.
    pub(super) fn feed(&self, image: &Path, exif: bool) -> Result<Vec<Tensor>> {
        let input = match photo::load(image, exif)? {
            Source::Photo(photo) => photo::prepare(&photo.image, &self.model.preprocessing),
            Source::Tensor(array) => array,
        };
        Ok(explain::feed(&self.engine, &input)?)
    }
}
