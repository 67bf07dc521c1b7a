//! `convscope cam`.

mod report;

use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Result, bail};
use clap::Args;
use image::RgbImage;
use serde_json::Value;

use super::choice::choice;
use super::each::each;
use super::options::{Computing, Preparing, Saving};
use super::overlay::{Laying, describe};
use super::session::Session;
use super::show::Showing;
use super::target::Target;
use crate::array::npy;
use crate::error::Error;
use crate::explain;
use crate::explain::cam::{self, Heatmap, Normalization, Reduction, Score, Settings};
use crate::model::{ClassId, LayerId, Model};
use crate::photo::{self, Region, Source};
use crate::picture::{self, Format, Picture};
use report::Told;

#[derive(Args, Debug)]
pub(super) struct Cam {
    /// A model file.
    model: PathBuf,
    /// Photos, .npy tensors, or - for standard input.
    #[arg(required = true)]
    images: Vec<PathBuf>,
    /// A class by its label, its index or a unique part of its label; repeatable. The top one if not given.
    #[arg(long, value_name = "CLASS")]
    class: Vec<String>,
    /// A layer by name, index or unique prefix; repeatable. The last feature maps before the head if not given.
    #[arg(long, value_name = "NAME")]
    layer: Vec<String>,
    /// What is differentiated: the class's logit, or what the softmax or sigmoid makes of it. The book takes the
    /// softmax, the other dialects the logit.
    #[arg(long, value_name = "SCORE", value_parser = choice(&Score::ALL, Score::name))]
    score: Option<Score>,
    /// How the weighted channels become one map: the mean in the book, the sum in the other dialects.
    #[arg(long, value_name = "KIND", value_parser = choice(&Reduction::ALL, Reduction::name))]
    reduction: Option<Reduction>,
    /// Whether negative evidence is set to 0; captum keeps it.
    #[arg(long, value_name = "YES|NO", value_parser = choice(&[true, false], yes_or_no))]
    relu: Option<bool>,
    /// Divided by the largest value (book), from the smallest to the largest (pytorch-grad-cam), or divided by the
    /// largest magnitude (captum).
    #[arg(long, value_name = "KIND", value_parser = choice(&Normalization::ALL, Normalization::name))]
    normalization: Option<Normalization>,
    /// Save the heatmap at the layer's resolution: a .npy file, or a folder for several.
    #[arg(long, value_name = "PATH")]
    npy: Option<PathBuf>,
    /// Save the map before ReLU and normalisation: a .npy file, or a folder for several.
    #[arg(long, value_name = "PATH")]
    raw: Option<PathBuf>,
    /// Print a JSON list with one element for each image, layer and class.
    #[arg(long, conflicts_with = "show")]
    json: bool,
    #[command(flatten)]
    showing: Showing,
    #[command(flatten)]
    saving: Saving,
    #[command(flatten)]
    laying: Laying,
    #[command(flatten)]
    computing: Computing,
    #[command(flatten)]
    preparing: Preparing,
}

impl Cam {
    pub(super) fn run(self) -> Result<()> {
        let session = Session::open(&self.model, &self.preparing, &self.computing)?;
        let classes = named(&self.class, |text| session.model.find_class(text))?;
        let layers = named(&self.layer, |text| session.model.find_layer(text))?;
        session.model.classifier()?;
        let single = self.images.len() == 1 && classes.len() <= 1 && layers.len() <= 1;
        let several = "heatmaps of several images, layers or classes";
        let target = |path: &Option<PathBuf>| Target::arrays(path.as_deref(), single, several);
        let work = Work {
            pictures: Target::pictures(self.saving.output.as_deref(), single, several)?,
            heatmaps: target(&self.npy)?,
            raw: target(&self.raw)?,
            stems: stems(&session.model, &self.images, &layers, &classes),
            session,
            layers,
            classes,
        };
        let mut list = Vec::new();
        let outcome = each(&self.images, |index| self.explain(&work, index, &mut list));
        if self.json {
            let mut out = io::stdout().lock();
            serde_json::to_writer_pretty(&mut out, &list).map_err(io::Error::from)?;
            writeln!(out)?;
        } else if !work.saves()
            && !self.showing.show
            && !self.saving.quiet
            && io::stdout().is_terminal()
        {
            eprintln!("use -o overlay.png to save the overlay, --show to print it");
        }
        outcome
    }

    /// Everything about one image.
    fn explain(&self, work: &Work, index: usize, list: &mut Vec<Value>) -> Result<()> {
        let path = &self.images[index];
        let Session { model, engine } = &work.session;
        let source = photo::load(path, !self.preparing.no_exif)?;
        let background = self.background(work, path, &source)?;
        let input = match source {
            Source::Photo(photo) => photo::prepare(&photo.image, &model.preprocessing),
            Source::Tensor(array) => array,
        };
        let inputs = explain::feed(engine, &input)?;
        let started = Instant::now();
        let mut run = engine.forward(&inputs, &[])?;
        let layers = match &work.layers[..] {
            [] => vec![cam::default_layer(model, run.shapes())?],
            layers => layers.to_vec(),
        };
        cam::prepare(engine, &mut run, &layers)?;
        let classes = match &work.classes[..] {
            [] => {
                let answer = explain::predictions(engine, &mut run)?;
                answer.iter().take(1).map(|best| best.class).collect()
            }
            classes => classes.to_vec(),
        };
        let found = cam::heatmaps(engine, &mut run, &layers, &classes, self.settings())?;
        let told = Told {
            model,
            image: path,
            dialect: self.laying.dialect,
            chosen: work.layers.is_empty(),
            background: background.as_ref(),
            seconds: started.elapsed().as_secs_f64(),
        };
        for heatmap in &found {
            if self.json {
                list.push(told.element(heatmap));
            } else if !(self.saving.quiet && work.saves()) {
                told.print(heatmap)?;
            } else if let Some(advice) = &heatmap.advice {
                eprintln!("convscope: {}: {advice}", path.display());
            }
            self.finish(work, index, heatmap, background.as_ref())?;
        }
        Ok(())
    }

    /// What the overlay is laid on: the photo and the part of it that the network sees, or a tensor seen as a picture.
    fn background(&self, work: &Work, path: &Path, source: &Source) -> Result<Option<Background>> {
        let preprocessing = &work.session.model.preprocessing;
        let array = match source {
            Source::Photo(photo) => {
                return Ok(Some(Background {
                    region: Region::seen(&photo.image, preprocessing),
                    picture: photo.image.clone(),
                }));
            }
            Source::Tensor(array) => array,
        };
        if !self.showing.show && work.pictures.is_none() {
            return Ok(None);
        }
        let planes = array.shape()[0];
        if ![1, 3].contains(&planes) {
            bail!(Error::file(
                path,
                format!(
                    "a tensor of {planes} planes can't be drawn under a heatmap, only one of 1 or 3; --npy saves the heatmap \
                     alone"
                )
            ));
        }
        let picture = photo::seen(array, preprocessing.channels);
        Ok(Some(Background {
            region: Region::whole(&picture),
            picture,
        }))
    }

    /// Saves and shows what was asked for.
    fn finish(
        &self,
        work: &Work,
        index: usize,
        heatmap: &Heatmap,
        background: Option<&Background>,
    ) -> Result<()> {
        let stem = work.stem(index, heatmap);
        for (target, array, ending) in [
            (&work.heatmaps, &heatmap.heat, "npy"),
            (&work.raw, &heatmap.raw, "raw.npy"),
        ] {
            if let Some(target) = target {
                let shape = format!("{:?}", array.shape());
                let path = target.path(&stem, ending);
                self.saving.save(&path, &npy::bytes(array), &shape)?;
            }
        }
        let Some(background) = background.filter(|_| self.showing.show || work.pictures.is_some())
        else {
            return Ok(());
        };
        let Background { picture, region } = background;
        let overlay = self.laying.overlay();
        let picture = Picture::Rgb(overlay.lay(&heatmap.heat, picture, *region)?);
        if let Some(target) = &work.pictures {
            let model = &work.session.model;
            let path = target.path(&stem, "png");
            let provenance = describe(&self.laying, overlay)
                .with("method", report::METHOD)
                .with("model", self.model.display().to_string())
                .with(
                    "architecture",
                    model.architecture.clone().unwrap_or_default(),
                )
                .with("image", self.images[index].display().to_string())
                .with("layer", &model.layer(heatmap.layer).name)
                .with("class", report::class(model, heatmap.class))
                .with("score", heatmap.settings.score.name());
            let bytes = picture::encode(&picture, Format::from_path(&path)?, provenance.pairs())?;
            let size = format!("{}x{}", picture.width(), picture.height());
            self.saving.save(&path, &bytes, &size)?;
        }
        if self.showing.show {
            self.showing.print(&picture)?;
        }
        Ok(())
    }

    /// The dialect's choices with the single options over them.
    fn settings(&self) -> Settings {
        let dialect = self.laying.dialect.settings();
        Settings {
            score: self.score.unwrap_or(dialect.score),
            reduction: self.reduction.unwrap_or(dialect.reduction),
            relu: self.relu.unwrap_or(dialect.relu),
            normalization: self.normalization.unwrap_or(dialect.normalization),
        }
    }
}

/// What an overlay is laid on.
struct Background {
    picture: RgbImage,
    /// What the network sees of it.
    region: Region,
}

/// What stays the same from image to image.
struct Work {
    session: Session,
    /// Empty where each image's own is taken.
    layers: Vec<LayerId>,
    /// Empty where each image's top class is taken.
    classes: Vec<ClassId>,
    pictures: Option<Target>,
    heatmaps: Option<Target>,
    raw: Option<Target>,
    /// Parts of file names, for each image, each of `layers` and each of `classes`.
    stems: [Vec<String>; 3],
}

impl Work {
    fn saves(&self) -> bool {
        let targets = [&self.pictures, &self.heatmaps, &self.raw];
        targets.into_iter().any(Option::is_some)
    }

    /// A file name without ending: the image, the layer where it was asked for, and the class.
    fn stem(&self, index: usize, heatmap: &Heatmap) -> String {
        let [images, layers, classes] = &self.stems;
        let layer = self.layers.iter().position(|&id| id == heatmap.layer);
        let class = self.classes.iter().position(|&id| id == heatmap.class);
        let class = match class {
            Some(position) => classes[position].clone(),
            None => picture::file_name(&self.session.model.class_name(heatmap.class)),
        };
        let mut parts = vec![images[index].clone()];
        parts.extend(layer.map(|position| layers[position].clone()));
        parts.push(class);
        parts.join(".")
    }
}

fn stems(
    model: &Model,
    images: &[PathBuf],
    layers: &[LayerId],
    classes: &[ClassId],
) -> [Vec<String>; 3] {
    let image = |path: &PathBuf| match path.to_str() {
        Some("-") => "stdin".to_owned(),
        _ => path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned(),
    };
    [
        images.iter().map(image).collect::<Vec<String>>(),
        layers
            .iter()
            .map(|&id| model.layer(id).name.clone())
            .collect(),
        classes.iter().map(|&id| model.class_name(id)).collect(),
    ]
    .map(|names| {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        picture::unique_file_names(&names)
    })
}

/// What the texts of a repeatable option name, each once.
fn named<T: PartialEq>(
    texts: &[String],
    find: impl Fn(&str) -> Result<T, Error>,
) -> Result<Vec<T>, Error> {
    let mut found = Vec::new();
    for text in texts {
        let one = find(text)?;
        if !found.contains(&one) {
            found.push(one);
        }
    }
    Ok(found)
}

fn yes_or_no(value: bool) -> &'static str {
    if value { "yes" } else { "no" }
}
