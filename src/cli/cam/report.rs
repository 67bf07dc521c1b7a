//! What `cam` says about a heatmap, to people and to programs.

use std::io::{self, Write};
use std::path::Path;

use serde_json::{Value, json};

use super::Background;
use crate::explain::cam::{Dialect, Heatmap, Score};
use crate::model::{ChannelId, ClassId, HeadKind, Model};
use crate::photo::Region;

/// The method's name in machine output.
pub(super) const METHOD: &str = "gradcam";

/// Channels listed in machine output.
const LISTED: usize = 10;

/// Channels named to people.
const NAMED: usize = 5;

/// What all heatmaps of an image share.
pub(super) struct Told<'a> {
    pub(super) model: &'a Model,
    pub(super) image: &'a Path,
    pub(super) dialect: Dialect,
    /// Whether the layer was chosen by the program.
    pub(super) chosen: bool,
    pub(super) background: Option<&'a Background>,
    /// From the image in memory to its heatmaps.
    pub(super) seconds: f64,
}

impl Told<'_> {
    /// An element of the list that `--json` prints.
    pub(super) fn element(&self, heatmap: &Heatmap) -> Value {
        let labels = self.model.labels.as_ref();
        let channels: Vec<Value> = heatmap
            .top_channels(LISTED)
            .into_iter()
            .map(|(ChannelId(channel), weight)| json!({"channel": channel, "weight": weight}))
            .collect();
        let region = self.background.map(|background| {
            let Region {
                left,
                top,
                width,
                height,
            } = background.region;
            [left, top, width, height]
        });
        json!({
            "image": self.image.to_string_lossy(),
            "class": {
                "index": heatmap.class.0,
                "label": labels.and_then(|labels| labels.name(heatmap.class.0)),
            },
            "layer": self.model.layer(heatmap.layer).name,
            "method": METHOD,
            "dialect": self.dialect.name(),
            "score": heatmap.settings.score.name(),
            "probability": heatmap.probability,
            "logit": heatmap.logit,
            "negative_share": heatmap.negative_share,
            "max": heatmap.max,
            "min": heatmap.min,
            "seconds": self.seconds,
            "top_channels": channels,
            "shape": heatmap.heat.shape(),
            "dead_channels": heatmap.dead_channels,
            "region": region,
            "advice": heatmap.advice,
        })
    }

    /// A few lines for people.
    pub(super) fn print(&self, heatmap: &Heatmap) -> io::Result<()> {
        let mut out = io::stdout().lock();
        let [height, width] = [0, 1].map(|axis| heatmap.heat.shape()[axis]);
        let layer = &self.model.layer(heatmap.layer).name;
        let dead = match heatmap.dead_channels {
            0 => String::new(),
            dead => format!(", {dead} of them dead"),
        };
        let chosen = if self.chosen {
            "; the last before the head"
        } else {
            ""
        };
        let top: Vec<String> = heatmap
            .top_channels(NAMED)
            .into_iter()
            .map(|(ChannelId(channel), weight)| format!("{channel} ({weight:.3e})"))
            .collect();
        writeln!(out, "{}", self.image.display())?;
        writeln!(
            out,
            "  class     {}, probability {:.4}, logit {:.3}",
            class(self.model, heatmap.class),
            heatmap.probability,
            heatmap.logit
        )?;
        writeln!(
            out,
            "  layer     {layer}: {} maps of {height}x{width}{dead}{chosen}",
            heatmap.weights.len()
        )?;
        writeln!(
            out,
            "  score     {}, dialect {}",
            self.score(heatmap),
            self.dialect.name()
        )?;
        writeln!(
            out,
            "  heatmap   {:.4e} to {:.4e} before ReLU and normalisation, {:.1} % of the evidence negative",
            heatmap.min,
            heatmap.max,
            100.0 * heatmap.negative_share
        )?;
        writeln!(
            out,
            "  channels  {} have the largest mean gradients",
            top.join(", ")
        )?;
        if let Some(Background { picture, region }) = self.background
            && *region != Region::whole(picture)
        {
            let Region {
                left,
                top,
                width,
                height,
            } = region;
            writeln!(
                out,
                "  region    {left},{top},{width},{height} of the photo is what the network sees"
            )?;
        }
        if let Some(advice) = &heatmap.advice {
            writeln!(out, "  note      {advice}")?;
        }
        Ok(())
    }

    fn score(&self, heatmap: &Heatmap) -> &'static str {
        let kind = self.model.head.map(|head| head.kind);
        match (heatmap.settings.score, kind) {
            (Score::Logit, _) => "logit",
            (Score::Probability, Some(HeadKind::Sigmoid)) => "sigmoid",
            (Score::Probability, _) => "softmax",
        }
    }
}

/// A class's name and index.
pub(super) fn class(model: &Model, class: ClassId) -> String {
    format!("{} ({})", model.class_name(class), class.0)
}
