//! `convscope maps`.

use std::collections::HashMap;
use std::env;
use std::io::{self, Write};
use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::Args;
use serde_json::{Value, json};

use super::options::{Computing, Drawing, Preparing, Saving};
use super::session::Session;
use super::show::Showing;
use super::target::Target;
use crate::array::{Array, npy};
use crate::engine::Tensor;
use crate::error::Error;
use crate::explain::{self, ChannelStatistics};
use crate::model::{ChannelId, LayerId, Model};
use crate::picture::{self, Format, Picture, Provenance, Style};

#[derive(Args, Debug)]
pub(super) struct Maps {
    /// A model file.
    model: PathBuf,
    /// A photo, a .npy tensor, or - for standard input.
    image: PathBuf,
    /// A layer by name, index or unique prefix; repeatable. If not given: all layers for --npy and --json, and
    /// those that have something to show for pictures.
    #[arg(long, value_name = "NAME")]
    layer: Vec<String>,
    /// A channel by its index from 0; repeatable. All, in a grid, if not given.
    #[arg(long, value_name = "N")]
    channel: Vec<usize>,
    /// Save the raw numbers: a .npy file for one layer, or a folder for several.
    #[arg(long, value_name = "PATH")]
    npy: Option<PathBuf>,
    /// Print each channel's statistics as a JSON list.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    showing: Showing,
    #[command(flatten)]
    saving: Saving,
    #[command(flatten)]
    drawing: Drawing,
    #[command(flatten)]
    computing: Computing,
    #[command(flatten)]
    preparing: Preparing,
}

impl Maps {
    pub(super) fn run(self) -> Result<()> {
        if self.layer.is_empty() && !self.channel.is_empty() {
            bail!("--channel needs --layer, to say whose channel it is");
        }
        let session = Session::open(&self.model, &self.preparing, &self.computing)?;
        let inputs = session.feed(&self.image, !self.preparing.no_exif)?;
        let asked = self.asked(&session)?;
        let layers = match &asked {
            Some(layers) => layers.clone(),
            None => self.computable(&session, &inputs)?,
        };
        let work = Work {
            pictures: Target::pictures(
                self.saving.output.as_deref(),
                layers.len() == 1 && self.channel.len() <= 1,
                "pictures of several layers or channels",
            )?,
            arrays: Target::arrays(
                self.npy.as_deref(),
                layers.len() == 1,
                "the numbers of several layers",
            )?,
            pictured: asked.unwrap_or_else(|| session.model.pictured_layers()),
            stems: stems(&session.model, &layers),
            session,
        };
        let mut list = Vec::new();
        let mut failure = None;
        let walk =
            explain::activations(&work.session.engine, &inputs, &layers, |id, activation| {
                self.visit(&work, id, &activation, &mut list)
                    .map_err(|error| {
                        // The walk ends with the library's error; what happened here is told with its own.
                        failure = Some(error);
                        Error::Cancelled
                    })
            });
        if let Some(error) = failure {
            return Err(error);
        }
        walk?;
        if self.json {
            list.sort_by_key(|(id, _)| *id);
            let list: Vec<Value> = list.into_iter().map(|(_, value)| value).collect();
            let mut out = io::stdout().lock();
            serde_json::to_writer_pretty(&mut out, &list).map_err(io::Error::from)?;
            writeln!(out)?;
        }
        Ok(())
    }

    /// The layers named on the command line.
    fn asked(&self, session: &Session) -> Result<Option<Vec<LayerId>>> {
        let mut layers = Vec::new();
        for text in &self.layer {
            let id = session.model.find_layer(text)?;
            if !layers.contains(&id) {
                layers.push(id);
            }
        }
        Ok((!layers.is_empty()).then_some(layers))
    }

    /// All layers. What lies behind one that can't be computed is left out, and said.
    fn computable(&self, session: &Session, inputs: &[Tensor]) -> Result<Vec<LayerId>> {
        let model = &session.model;
        let given: Vec<Vec<usize>> = inputs
            .iter()
            .map(|input| input.shape()[1..].to_vec())
            .collect();
        let shapes = model.shapes(&given);
        let (able, unable): (Vec<_>, Vec<_>) = (0..model.layers.len())
            .map(LayerId)
            .partition(|&id| shapes.get(model.layer(id).output).is_ok());
        let Some(&first) = unable.first() else {
            return Ok(able);
        };
        let reason = shapes.get(model.layer(first).output).err();
        let reason = reason.map(|error| error.to_string()).unwrap_or_default();
        if able.is_empty() {
            bail!(
                "{}: no layer can be computed: {reason}",
                self.model.display()
            );
        }
        eprintln!("convscope: {} layers are left out: {reason}", unable.len());
        Ok(able)
    }

    /// Does with one layer's activation what the command line asks for.
    fn visit(
        &self,
        work: &Work,
        id: LayerId,
        activation: &Array,
        list: &mut Vec<(LayerId, Value)>,
    ) -> Result<()> {
        let name = &work.session.model.layer(id).name;
        let found = select(name, activation, &self.channel)?;
        let pictured = work.pictured.contains(&id);
        if self.json {
            list.push((id, element(name, &found)));
        } else if pictured && !self.showing.show && work.pictures.is_none() && work.arrays.is_none()
        {
            line(name, activation)?;
        }
        if let Some(target) = &work.arrays {
            let path = target.path(&work.stems[&id], "npy");
            let shape = format!("{:?}", found.values.shape());
            self.saving
                .save(&path, &npy::bytes(&found.values), &shape)?;
        }
        if pictured && (self.showing.show || work.pictures.is_some()) {
            for drawn in self.draw(&found)? {
                self.finish(work, id, &drawn)?;
            }
        }
        Ok(())
    }

    /// The pictures of one layer: its grid, or the channels asked for, one by one.
    fn draw(&self, found: &Selected) -> Result<Vec<Drawn>> {
        let Drawing {
            style,
            colormap,
            columns,
        } = self.drawing;
        let Some(maps) = explain::maps(&found.values) else {
            let picture = Picture::Indexed(picture::vector(found.values.values(), colormap)?);
            return Ok(vec![Drawn {
                picture,
                channel: None,
                style: Style::MinMax,
            }]);
        };
        if found.channels.is_empty() {
            let style = style.unwrap_or(Style::Book);
            let grid = picture::grid(&maps, style, colormap, usize::from(columns), 0)?;
            return Ok(vec![Drawn {
                picture: Picture::Indexed(grid),
                channel: None,
                style,
            }]);
        }
        let style = style.unwrap_or(Style::MinMax);
        let [_, height, width] = maps.shape()[..] else {
            bail!("feature maps have three axes");
        };
        let one = |(index, &channel): (usize, &ChannelId)| {
            let picture = picture::channel(maps.at(index), height, width, style, colormap)?;
            Ok(Drawn {
                picture: Picture::Indexed(picture),
                channel: Some(channel),
                style,
            })
        };
        found.channels.iter().enumerate().map(one).collect()
    }

    fn finish(&self, work: &Work, id: LayerId, drawn: &Drawn) -> Result<()> {
        let layer = &work.session.model.layer(id).name;
        if let Some(target) = &work.pictures {
            let stem = &work.stems[&id];
            let name = match drawn.channel {
                Some(ChannelId(channel)) => format!("{stem}.c{channel}"),
                None => stem.clone(),
            };
            let path = target.path(&name, "png");
            let provenance = self.provenance(&work.session, layer, drawn);
            let bytes = picture::encode(
                &drawn.picture,
                Format::from_path(&path)?,
                provenance.pairs(),
            )?;
            let size = format!("{}x{}", drawn.picture.width(), drawn.picture.height());
            self.saving.save(&path, &bytes, &size)?;
        }
        if self.showing.show {
            let channel = drawn
                .channel
                .map(|ChannelId(channel)| format!(", channel {channel}"));
            println!("{layer}{}", channel.unwrap_or_default());
            self.showing.print(&drawn.picture)?;
        }
        Ok(())
    }

    fn provenance(&self, session: &Session, layer: &str, drawn: &Drawn) -> Provenance {
        let command: Vec<String> = env::args_os()
            .map(|word| word.to_string_lossy().into_owned())
            .collect();
        let channel = drawn.channel.map(|ChannelId(channel)| channel.to_string());
        Provenance::default()
            .with("model", self.model.display().to_string())
            .with(
                "architecture",
                session.model.architecture.clone().unwrap_or_default(),
            )
            .with("image", self.image.display().to_string())
            .with("layer", layer)
            .with("channel", channel.unwrap_or_default())
            .with("style", drawn.style.name())
            .with("colormap", self.drawing.colormap.name())
            .with("command", command.join(" "))
    }
}

/// What stays the same from layer to layer.
struct Work {
    session: Session,
    pictures: Option<Target>,
    arrays: Option<Target>,
    /// The layers that are drawn or listed.
    pictured: Vec<LayerId>,
    /// File names without ending.
    stems: HashMap<LayerId, String>,
}

fn stems(model: &Model, layers: &[LayerId]) -> HashMap<LayerId, String> {
    let names: Vec<&str> = layers
        .iter()
        .map(|&id| model.layer(id).name.as_str())
        .collect();
    layers
        .iter()
        .copied()
        .zip(picture::unique_file_names(&names))
        .collect()
}

/// What was asked for of one layer.
struct Selected {
    /// The layer's activation, or the asked-for channels of it.
    values: Array,
    /// Empty for the whole layer.
    channels: Vec<ChannelId>,
}

struct Drawn {
    picture: Picture,
    channel: Option<ChannelId>,
    style: Style,
}

fn select(layer: &str, activation: &Array, channels: &[usize]) -> Result<Selected> {
    if channels.is_empty() {
        return Ok(Selected {
            values: activation.clone(),
            channels: Vec::new(),
        });
    }
    let Some(maps) = explain::maps(activation) else {
        bail!(
            "layer '{layer}' has no channels: its output is a vector of {}",
            activation.shape()[0]
        );
    };
    let [count, height, width] = maps.shape()[..] else {
        bail!("feature maps have three axes");
    };
    let mut values = Vec::with_capacity(channels.len() * height * width);
    for &channel in channels {
        if channel >= count {
            bail!(
                "layer '{layer}' has {count} channels, 0 to {}; channel {channel} was asked for",
                count - 1
            );
        }
        values.extend_from_slice(maps.at(channel));
    }
    Ok(Selected {
        values: Array::new([channels.len(), height, width], values),
        channels: channels.iter().copied().map(ChannelId).collect(),
    })
}

fn element(layer: &str, found: &Selected) -> Value {
    let channels: Vec<Value> = explain::statistics(&found.values)
        .iter()
        .enumerate()
        .map(|(index, s)| {
            let mut value =
                json!({"mean": s.mean, "std": s.std, "min": s.min, "max": s.max, "dead": s.dead()});
            if let Some(ChannelId(channel)) = found.channels.get(index) {
                value["channel"] = json!(channel);
            }
            value
        })
        .collect();
    json!({"layer": layer, "shape": found.values.shape(), "channels": channels})
}

/// One line of the table that is printed when nothing else was asked for.
fn line(layer: &str, activation: &Array) -> Result<()> {
    let statistics = explain::statistics(activation);
    let whole = ChannelStatistics::of(activation.values());
    let dead = statistics.iter().filter(|s| s.dead()).count();
    let dead = match (statistics.len(), dead) {
        (_, 0) | (1, _) => String::new(),
        (count, dead) => format!("  {dead} of {count} channels dead"),
    };
    let shape = format!("{:?}", activation.shape());
    writeln!(
        io::stdout().lock(),
        "{layer:<28} {shape:<16} min {:>9.4}  max {:>9.4}  mean {:>9.4}  std {:>9.4}{dead}",
        whole.min,
        whole.max,
        whole.mean,
        whole.std
    )?;
    Ok(())
}
