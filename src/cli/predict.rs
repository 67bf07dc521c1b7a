//! `convscope predict`.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::Args;
use serde_json::{Value, json};

use super::each::each;
use super::options::{Computing, Preparing};
use super::session::Session;
use crate::explain::{self, Prediction};

#[derive(Args, Debug)]
pub(super) struct Predict {
    /// A model file.
    model: PathBuf,
    /// Photos, .npy tensors, or - for standard input.
    #[arg(required = true)]
    images: Vec<PathBuf>,
    /// How many classes to show; all in JSON if not given.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    top: Option<u32>,
    /// Print a JSON list with one element for each image.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    computing: Computing,
    #[command(flatten)]
    preparing: Preparing,
}

impl Predict {
    pub(super) fn run(self) -> Result<()> {
        let session = Session::open(&self.model, &self.preparing, &self.computing)?;
        let exif = !self.preparing.no_exif;
        let mut list = Vec::new();
        session.model.classifier()?;
        let outcome = each(&self.images, |index| {
            let image = &self.images[index];
            let predictions = answer(&session, image, exif)?;
            if self.json {
                let top = self.top.map_or(predictions.len(), |top| top as usize);
                list.push(element(
                    &session,
                    image,
                    &predictions[..top.min(predictions.len())],
                ));
            } else {
                write(
                    &session,
                    image,
                    &predictions,
                    self.top.unwrap_or(5) as usize,
                )?;
            }
            Ok(())
        });
        if self.json {
            let mut out = io::stdout().lock();
            serde_json::to_writer_pretty(&mut out, &list).map_err(io::Error::from)?;
            writeln!(out)?;
        }
        outcome
    }
}

/// Prints the top classes of one image.
pub(super) fn print(session: &Session, image: &Path, exif: bool, top: usize) -> Result<()> {
    let predictions = answer(session, image, exif)?;
    write(session, image, &predictions, top)
}

fn answer(session: &Session, image: &Path, exif: bool) -> Result<Vec<Prediction>> {
    let inputs = session.feed(image, exif)?;
    let mut run = session.engine.forward(&inputs, &[])?;
    Ok(explain::predictions(&session.engine, &mut run)?)
}

fn write(session: &Session, image: &Path, predictions: &[Prediction], top: usize) -> Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{}", image.display())?;
    for prediction in predictions.iter().take(top) {
        writeln!(
            out,
            "{:>7.2} %  {:<28} class {:<5} logit {:.3}",
            100.0 * prediction.probability,
            session.model.class_name(prediction.class),
            prediction.class.0,
            prediction.logit
        )?;
    }
    Ok(())
}

fn element(session: &Session, image: &Path, predictions: &[Prediction]) -> Value {
    let model = &session.model;
    let prediction = |prediction: &Prediction| {
        json!({
            "index": prediction.class.0,
            "label": model.labels.as_ref().and_then(|labels| labels.name(prediction.class.0)),
            "probability": prediction.probability,
            "logit": prediction.logit,
        })
    };
    json!({
        "image": image.to_string_lossy(),
        "head": model.head.map(|head| head.kind.word()),
        "predictions": predictions.iter().map(prediction).collect::<Vec<_>>(),
    })
}
