//! What `filters` says about a pattern, to people and to programs.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::climb::Climbed;
use crate::explain::filters::{Objective, Settings};
use crate::model::Model;
use crate::picture::Provenance;

pub(super) struct Told<'a> {
    pub(super) model: &'a Model,
    pub(super) objective: Objective,
    pub(super) settings: &'a Settings,
}

impl Told<'_> {
    /// An element of the list that `--json` prints.
    pub(super) fn element(&self, found: &Climbed) -> Value {
        let pattern = &found.pattern;
        let class = match self.objective {
            Objective::Channel { .. } => Value::Null,
            Objective::Class(class) => {
                let labels = self.model.labels.as_ref();
                json!({
                    "index": class.0,
                    "label": labels.and_then(|labels| labels.name(class.0)),
                })
            }
        };
        json!({
            "layer": self.layer(),
            "channel": self.channel(),
            "class": class,
            "recipe": self.settings.recipe.name(),
            "steps": self.settings.steps,
            "seed": self.settings.seed,
            "loss": pattern.losses,
            "dead": pattern.dead,
            "shape": pattern.image.shape(),
            "seconds": found.seconds,
            "cached": found.cached,
        })
    }

    /// A line for people.
    pub(super) fn print(&self, found: &Climbed) -> io::Result<()> {
        let what = match self.objective {
            Objective::Channel { channel, .. } => {
                format!("{:<24} channel {:<5}", self.layer(), channel.0)
            }
            Objective::Class(class) => {
                let name = self.model.class_name(class);
                format!("{name:<24} class   {:<5}", class.0)
            }
        };
        let losses = &found.pattern.losses;
        let result = match (&losses[..], found.pattern.dead) {
            ([first, .., last], false) => format!("loss {first:>11.4} to {last:>11.4}"),
            _ => "dead: no gradient from any start".to_owned(),
        };
        let time = if found.cached {
            "was there already".to_owned()
        } else {
            format!("{:.2} s", found.seconds)
        };
        writeln!(io::stdout().lock(), "{what}  {result}  {time}")
    }

    /// What a picture's file says of it.
    pub(super) fn provenance(&self, provenance: Provenance) -> Provenance {
        let class = match self.objective {
            Objective::Channel { .. } => String::new(),
            Objective::Class(class) => self.model.class_name(class),
        };
        let channel = self.channel().map(|channel| channel.to_string());
        provenance
            .with("layer", self.layer())
            .with("channel", channel.unwrap_or_default())
            .with("class", class)
            .with("recipe", self.settings.recipe.name())
            .with("steps", self.settings.steps.to_string())
            .with("seed", self.settings.seed.to_string())
    }

    fn layer(&self) -> &str {
        match self.objective {
            Objective::Channel { layer, .. } => &self.model.layer(layer).name,
            Objective::Class(_) => {
                let head = self.model.head;
                head.map_or("", |head| self.model.layer_name(head.logits))
            }
        }
    }

    fn channel(&self) -> Option<usize> {
        match self.objective {
            Objective::Channel { channel, .. } => Some(channel.0),
            Objective::Class(_) => None,
        }
    }
}
