//! `convscope filters`.

mod climb;
mod kernels;
mod report;

use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Result, bail};
use clap::Args;
use image::RgbImage;

use super::choice::choice;
use super::options::{Computing, Saving};
use super::session::Session;
use super::show::Showing;
use super::target::Target;
use crate::array::npy;
use crate::engine::Engine;
use crate::explain::filters::{LARGEST_SIDE, MOST_STEPS, Objective, Options, Pattern, Recipe};
use crate::fetch;
use crate::formats;
use crate::model::{ChannelId, ClassId, LayerId, Model};
use crate::picture::{self, Colormap, Format, PATTERN_GAP, Picture, Provenance};
use climb::{Climbed, Climber};
use report::Told;

#[derive(Args, Debug)]
#[allow(clippy::struct_excessive_bools)]
pub(super) struct Filters {
    /// A model file.
    model: PathBuf,
    /// A layer by name, index or unique prefix; repeatable.
    #[arg(long, value_name = "NAME")]
    layer: Vec<String>,
    /// A channel by its index from 0; repeatable. All of the layer if not given.
    #[arg(long, value_name = "N")]
    channel: Vec<usize>,
    /// A class by its label, its index or a unique part of its label, as what is to be excited; repeatable.
    #[arg(long, value_name = "CLASS")]
    class: Vec<String>,
    /// book (first edition), book2 (second edition) or lucid (slower, and more like pictures).
    #[arg(long, value_name = "RECIPE", default_value = "book", value_parser = choice(&Recipe::ALL, Recipe::name))]
    recipe: Recipe,
    /// Steps of the ascent; the recipe's own (40, 30, 512) if not given.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=MOST_STEPS as i64))]
    steps: Option<u32>,
    /// The pattern's size: one number, or HEIGHTxWIDTH; the recipe's own (150, 200, 128) if not given.
    #[arg(long, value_name = "SIZE", value_parser = size)]
    size: Option<[usize; 2]>,
    /// For what is random at the start.
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// Start from this tensor (C,H,W) in place of noise, fed as it is.
    #[arg(long, value_name = "FILE.npy")]
    start: Option<PathBuf>,
    /// Show the weights themselves: those of a layer that sees the photo in colour, others as maps.
    #[arg(long, conflicts_with_all = ["class", "recipe", "steps", "size", "seed", "start", "gif", "json"])]
    kernels: bool,
    /// Save the raw patterns (the kernels), float32 (C,H,W): a .npy file for one, or a folder for several.
    #[arg(long, value_name = "PATH")]
    npy: Option<PathBuf>,
    /// Save the ascent of one filter as an animated GIF.
    #[arg(long, value_name = "FILE.gif")]
    gif: Option<PathBuf>,
    /// Print a JSON list with one element for each filter.
    #[arg(long, conflicts_with = "show")]
    json: bool,
    #[command(flatten)]
    showing: Showing,
    /// Patterns in a row of a grid.
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..))]
    columns: u16,
    /// How kernels are drawn that aren't in colour; 0 is in the colormap's middle.
    #[arg(long, value_name = "NAME", default_value = "coolwarm", value_parser = |text: &str| Colormap::by_name(text))]
    colormap: Colormap,
    /// Neither take finished patterns from the cache nor keep them there.
    #[arg(long)]
    no_cache: bool,
    #[command(flatten)]
    saving: Saving,
    #[command(flatten)]
    computing: Computing,
}

/// What is asked for of one layer, or all classes.
struct Group {
    /// None for classes.
    layer: Option<LayerId>,
    objectives: Vec<Objective>,
    /// File names without ending: of the grid, and of each pattern.
    stem: String,
    stems: Vec<String>,
}

struct Work {
    session: Session,
    pictures: Option<Target>,
    arrays: Option<Target>,
}

impl Filters {
    pub(super) fn run(self) -> Result<()> {
        if self.layer.is_empty() && !self.channel.is_empty() {
            bail!("--channel needs --layer, to say whose channel it is");
        }
        if self.layer.is_empty() && self.class.is_empty() {
            bail!("say whose patterns: --layer NAME (see 'convscope summary'), or --class CLASS");
        }
        let model = Arc::new(formats::open(&fetch::resolve(&self.model)?)?);
        let engine = Engine::new(model.clone(), self.computing.device()?);
        let session = Session { model, engine };
        if self.kernels {
            return kernels::run(&self, &session);
        }
        let options = self.options()?;
        let groups = self.groups(&session.model, &options)?;
        let count: usize = groups.iter().map(|group| group.objectives.len()).sum();
        if self.gif.is_some() && count != 1 {
            bail!(
                "--gif shows the ascent of one filter, and {count} were asked for; give --channel N"
            );
        }
        let single = groups.len() == 1;
        let work = Work {
            pictures: Target::pictures(
                self.saving.output.as_deref(),
                single,
                "patterns of several layers",
            )?,
            arrays: Target::arrays(
                self.npy.as_deref(),
                count == 1,
                "the numbers of several filters",
            )?,
            session,
        };
        let mut climber = Climber::new(&self, count)?;
        let mut list = Vec::new();
        for group in &groups {
            self.group(&work, group, &options, &mut climber, &mut list)?;
        }
        climber.told();
        if self.json {
            let mut out = io::stdout().lock();
            serde_json::to_writer_pretty(&mut out, &list).map_err(io::Error::from)?;
            writeln!(out)?;
        } else if !work.saves()
            && !self.showing.show
            && !self.saving.quiet
            && io::stdout().is_terminal()
        {
            eprintln!("use -o patterns.png to save them, --show to print them");
        }
        Ok(())
    }

    fn options(&self) -> Result<Options> {
        let start = self.start.as_deref().map(npy::read).transpose()?;
        Ok(Options {
            recipe: self.recipe,
            size: self.size,
            steps: self.steps.map(|steps| steps as usize),
            seed: self.seed,
            start,
        })
    }

    /// All filters that are asked for, each checked before the first is begun.
    fn groups(&self, model: &Model, options: &Options) -> Result<Vec<Group>> {
        let mut layers = Vec::new();
        for text in &self.layer {
            let id = model.find_layer(text)?;
            if !layers.contains(&id) {
                layers.push(id);
            }
        }
        let names: Vec<&str> = layers
            .iter()
            .map(|&id| model.layer(id).name.as_str())
            .collect();
        let mut groups = Vec::new();
        for (&layer, stem) in layers.iter().zip(picture::unique_file_names(&names)) {
            let channels = if self.channel.is_empty() {
                let first = channel(layer, 0);
                let size = options.settle(model, first)?.input_size();
                let shapes = model.shapes(&model.input_shapes(size));
                (0..shapes.get(model.layer(layer).output)?[0]).collect()
            } else {
                distinct(&self.channel)
            };
            groups.push(Group {
                layer: Some(layer),
                stems: channels.iter().map(|c| format!("{stem}.c{c}")).collect(),
                objectives: channels.into_iter().map(|c| channel(layer, c)).collect(),
                stem,
            });
        }
        if !self.class.is_empty() {
            let classes: Vec<usize> = self
                .class
                .iter()
                .map(|text| Ok(model.find_class(text)?.0))
                .collect::<Result<_>>()?;
            let classes = distinct(&classes);
            let names: Vec<String> = classes
                .iter()
                .map(|&class| model.class_name(ClassId(class)))
                .collect();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            groups.push(Group {
                layer: None,
                objectives: classes
                    .iter()
                    .map(|&class| Objective::Class(ClassId(class)))
                    .collect(),
                stem: "classes".to_owned(),
                stems: picture::unique_file_names(&names),
            });
        }
        for &objective in groups.iter().flat_map(|group| &group.objectives) {
            options.settle(model, objective)?;
        }
        Ok(groups)
    }

    fn group(
        &self,
        work: &Work,
        group: &Group,
        options: &Options,
        climber: &mut Climber,
        list: &mut Vec<serde_json::Value>,
    ) -> Result<()> {
        let Session { model, engine } = &work.session;
        let alone = group.objectives.len() == 1;
        // Only what a grid takes is kept of all of them: three bytes a pixel.
        let mut pictures = Vec::new();
        for (&objective, stem) in group.objectives.iter().zip(&group.stems) {
            let settings = options.settle(model, objective)?;
            let found = climber.climb(engine, objective, &settings)?;
            let told = Told {
                model,
                objective,
                settings: &settings,
            };
            if self.json {
                list.push(told.element(&found));
            } else if !(self.saving.quiet && work.saves()) {
                climber.clear();
                told.print(&found)?;
            }
            if let Some(target) = &work.arrays {
                climber.clear();
                let image = &found.pattern.image;
                let shape = format!("{:?}", image.shape());
                let path = target.path(stem, "npy");
                self.saving.save(&path, &npy::bytes(image), &shape)?;
            }
            if let Some(path) = &self.gif {
                self.animation(path, &found)?;
            }
            if work.pictures.is_none() && !self.showing.show {
                continue;
            }
            let picture = picture::pattern(&found.pattern, self.recipe)?;
            if alone || matches!(work.pictures, Some(Target::Folder(_))) {
                let provenance = told.provenance(self.provenance(&work.session));
                climber.clear();
                self.finish(work, stem, &picture.clone().into(), &provenance, alone)?;
            }
            pictures.push(picture);
        }
        if pictures.len() < 2 {
            return Ok(());
        }
        let grid = picture::pattern_grid(&pictures, usize::from(self.columns), PATTERN_GAP)?;
        let layer = group.layer.map(|id| model.layer(id).name.clone());
        let provenance = self
            .provenance(&work.session)
            .with("layer", layer.unwrap_or_default())
            .with("recipe", self.recipe.name());
        climber.clear();
        self.finish(work, &group.stem, &grid.into(), &provenance, true)
    }

    fn animation(&self, path: &std::path::Path, found: &Climbed) -> Result<()> {
        /// Of each frame, in milliseconds, and of the last one beyond that.
        const TIME: [u32; 2] = [60, 1500];
        let frames: Vec<RgbImage> = found
            .frames
            .iter()
            .map(|image| {
                let pattern = Pattern {
                    image: image.clone(),
                    losses: Vec::new(),
                    dead: found.pattern.dead,
                };
                picture::pattern(&pattern, self.recipe)
            })
            .collect::<crate::error::Result<_>>()?;
        let bytes = picture::gif(&frames, TIME[0], TIME[1])?;
        self.saving
            .save(path, &bytes, &format!("{} frames", frames.len()))
    }

    /// Saves and shows a picture.
    fn finish(
        &self,
        work: &Work,
        stem: &str,
        picture: &Picture,
        provenance: &Provenance,
        shown: bool,
    ) -> Result<()> {
        if let Some(target) = &work.pictures {
            let path = target.path(stem, "png");
            let bytes = picture::encode(picture, Format::from_path(&path)?, provenance.pairs())?;
            let size = format!("{}x{}", picture.width(), picture.height());
            self.saving.save(&path, &bytes, &size)?;
        }
        if self.showing.show && shown {
            println!("{stem}");
            self.showing.print(picture)?;
        }
        Ok(())
    }

    fn provenance(&self, session: &Session) -> Provenance {
        let architecture = session.model.architecture.clone();
        Provenance::default()
            .with("model", self.model.display().to_string())
            .with("architecture", architecture.unwrap_or_default())
    }
}

impl Work {
    fn saves(&self) -> bool {
        self.pictures.is_some() || self.arrays.is_some()
    }
}

fn channel(layer: LayerId, channel: usize) -> Objective {
    Objective::Channel {
        layer,
        channel: ChannelId(channel),
    }
}

fn distinct(numbers: &[usize]) -> Vec<usize> {
    let mut found = Vec::new();
    for number in numbers {
        if !found.contains(number) {
            found.push(*number);
        }
    }
    found
}

fn size(text: &str) -> Result<[usize; 2], String> {
    let side = |text: &str| {
        let side = text.trim().parse().ok();
        side.filter(|side| (1..=LARGEST_SIDE).contains(side))
    };
    let sides = match text.split_once(['x', 'X']) {
        Some((height, width)) => side(height).zip(side(width)).map(|(h, w)| [h, w]),
        None => side(text).map(|side| [side, side]),
    };
    sides.ok_or_else(|| format!("expected a number or HEIGHTxWIDTH, each from 1 to {LARGEST_SIDE}"))
}
