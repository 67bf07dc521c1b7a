//! A model on its device, and what it holds of the image at hand.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use crate::engine::{Device, DeviceChoice, Engine, Interrupt, Run};
use crate::error::{Error, Result};
use crate::explain::cam::{self, Heatmap};
use crate::explain::{self, ChannelStatistics};
use crate::formats;
use crate::model::{ClassId, LayerId, Model, Overrides, volume};
use crate::photo::{self, Region, Source};
use crate::tui::heat::HeatKey;
use crate::tui::outline::Outline;
use crate::tui::protocol::{Activation, ClassRow, Event, ImageId, Job, Outcome, Photo};
use crate::tui::worker::garden::Garden;

/// What the kept values of one image may take on the device, in bytes; beyond it they are computed anew.
const KEPT: usize = 512 << 20;

/// What there is to explore.
#[derive(Clone, Debug)]
pub(in crate::tui) struct Material {
    /// The model's file.
    pub(in crate::tui) model: PathBuf,
    /// The images' files.
    pub(in crate::tui) images: Vec<PathBuf>,
    /// Where to compute.
    pub(in crate::tui) device: DeviceChoice,
    /// What the user wants otherwise than the model's file and card say.
    pub(in crate::tui) overrides: Overrides,
    /// Whether photos are turned as their EXIF data say.
    pub(in crate::tui) exif: bool,
}

/// Does the jobs.
pub(super) struct Session {
    material: Material,
    engine: Option<Engine>,
    fed: Option<Fed>,
    garden: Garden,
}

/// An image that was brought into the network. Layers near the last ones asked for are near to be computed.
struct Fed {
    image: ImageId,
    photo: Photo,
    run: Run,
    kept: usize,
}

impl Session {
    pub(super) fn new(material: Material) -> Self {
        Self {
            material,
            engine: None,
            fed: None,
            garden: Garden::default(),
        }
    }

    /// Forgets the image at hand: after a panic its state isn't to be trusted.
    pub(super) fn recover(&mut self) {
        self.fed = None;
        self.garden = Garden::default();
    }

    /// Stops the computation under way; there once the model is open.
    pub(super) fn interrupt(&self) -> Option<Interrupt> {
        self.engine.as_ref().map(Engine::interrupt)
    }

    /// Does a job; what comes on the way is told.
    pub(super) fn perform(&mut self, job: Job, tell: &mut dyn FnMut(Event)) -> Result<Outcome> {
        match job {
            Job::Open => Ok(Outcome::Opened(Box::new(self.open()?))),
            Job::Photo(image) => Ok(Outcome::Photo(self.feed(image)?.1.photo.clone())),
            Job::Activation(image, layer) => self.activation(image, layer).map(Outcome::Activation),
            Job::Classes(image) => self.classes(image).map(Outcome::Classes),
            Job::Heatmap(key) => self.heatmap(key).map(Outcome::Heatmap),
            Job::Shelf(layer, recipe) => {
                let engine = opened(self.engine.as_ref())?;
                self.garden.kept(engine, layer, recipe).map(Outcome::Shelf)
            }
            Job::Pattern(key) => {
                let engine = opened(self.engine.as_ref())?;
                let mut tell = |growth| tell(Event::Grown(key, growth));
                let grown = self.garden.grow(engine, key, &mut tell)?;
                Ok(Outcome::Pattern(grown))
            }
        }
    }

    fn open(&mut self) -> Result<Outline> {
        let mut model = formats::open(&self.material.model)?;
        model.override_preprocessing(&self.material.overrides);
        let model = Arc::new(model);
        let device = Device::open(self.material.device)?;
        let outline = Outline::of(&model, device);
        self.engine = Some(Engine::new(model, device));
        Ok(outline)
    }

    fn activation(&mut self, image: ImageId, layer: LayerId) -> Result<Activation> {
        let (engine, fed) = self.feed(image)?;
        let started = Instant::now();
        let node = engine.model().layer(layer).output;
        let size = 4 * volume(fed.run.shapes().get(node)?);
        if fed.kept + size > KEPT {
            fed.run.retain(&engine.model().inputs);
            fed.kept = 0;
        }
        let value = engine.value(&mut fed.run, node)?.read()?;
        fed.kept += size;
        let shape = value.shape()[1..].to_vec();
        let values = value.reshaped(shape);
        let seconds = started.elapsed().as_secs_f64();
        Ok(Activation {
            channels: explain::statistics(&values).into(),
            whole: ChannelStatistics::of(values.values()),
            values: Arc::new(values),
            seconds,
        })
    }

    fn classes(&mut self, image: ImageId) -> Result<Vec<ClassRow>> {
        let (engine, fed) = self.feed(image)?;
        let predictions = explain::predictions(engine, &mut fed.run)?;
        let labels = engine.model().labels.as_ref();
        let label = |class: ClassId| labels.and_then(|labels| labels.0.get(class.0));
        let row = |prediction: &explain::Prediction| ClassRow {
            synonyms: label(prediction.class).map_or_else(Vec::new, |label| label.synonyms.clone()),
            class: prediction.class,
            name: engine.model().class_name(prediction.class),
            probability: prediction.probability,
        };
        Ok(predictions.iter().map(row).collect())
    }

    fn heatmap(&mut self, key: HeatKey) -> Result<Arc<Heatmap>> {
        let (engine, fed) = self.feed(key.image)?;
        let run = &mut fed.run;
        let mut found = cam::heatmaps(engine, run, &[key.layer], &[key.class], key.settings)?;
        let heatmap = found.pop();
        heatmap
            .map(Arc::new)
            .ok_or_else(|| Error::request("no heatmap was made"))
    }

    /// Reads an image and uploads it, unless it is at hand.
    fn feed(&mut self, image: ImageId) -> Result<(&Engine, &mut Fed)> {
        let engine = opened(self.engine.as_ref())?;
        let fed = match self.fed.take() {
            Some(fed) if fed.image == image => fed,
            _ => {
                let path = self.material.images.get(image.0);
                let path = path
                    .ok_or_else(|| Error::request(format!("there is no image {}", image.0 + 1)))?;
                let photo = shown(photo::load(path, self.material.exif)?, engine.model());
                let inputs = explain::feed(engine, &photo.input)?;
                let run = engine.forward(&inputs, &[])?;
                Fed {
                    image,
                    photo,
                    run,
                    kept: 0,
                }
            }
        };
        Ok((engine, self.fed.insert(fed)))
    }
}

fn opened(engine: Option<&Engine>) -> Result<&Engine> {
    engine.ok_or_else(|| Error::request("the model is not open"))
}

/// An image as the network gets it.
fn shown(source: Source, model: &Model) -> Photo {
    match source {
        Source::Photo(photo) => Photo {
            original: Some([photo.image.height() as usize, photo.image.width() as usize]),
            fitted: Arc::new(photo::fitted(&photo.image, &model.preprocessing)),
            input: Arc::new(photo::prepare(&photo.image, &model.preprocessing)),
            region: Region::seen(&photo.image, &model.preprocessing),
            full: Arc::new(photo.image),
        },
        Source::Tensor(array) => {
            let picture = Arc::new(photo::seen(&array, model.preprocessing.channels));
            Photo {
                original: None,
                region: Region::whole(&picture),
                fitted: picture.clone(),
                full: picture,
                input: Arc::new(array),
            }
        }
    }
}
