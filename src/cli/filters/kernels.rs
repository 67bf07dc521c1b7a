//! `convscope filters --kernels`: the weights themselves.

use std::io::{self, IsTerminal};

use anyhow::{Result, bail};

use super::{Filters, Work, distinct};
use crate::array::{Array, npy};
use crate::cli::session::Session;
use crate::cli::target::Target;
use crate::explain::filters::kernels;
use crate::model::LayerId;
use crate::picture::{self, Picture};

pub(super) fn run(filters: &Filters, session: &Session) -> Result<()> {
    let model = &session.model;
    let mut layers: Vec<LayerId> = Vec::new();
    for text in &filters.layer {
        let id = model.find_layer(text)?;
        if !layers.contains(&id) {
            layers.push(id);
        }
    }
    let single = layers.len() == 1;
    let several = "the kernels of several layers";
    let work = Work {
        pictures: Target::pictures(filters.saving.output.as_deref(), single, several)?,
        arrays: Target::arrays(filters.npy.as_deref(), single, several)?,
        session: Session {
            model: model.clone(),
            engine: session.engine.beside(model.clone()),
        },
    };
    let names: Vec<&str> = layers
        .iter()
        .map(|&id| model.layer(id).name.as_str())
        .collect();
    for (&layer, stem) in layers.iter().zip(picture::unique_file_names(&names)) {
        let name = &model.layer(layer).name;
        let found = select(name, kernels(model, layer)?, &distinct(&filters.channel))?;
        let shape = format!("{:?}", found.shape());
        if let Some(target) = &work.arrays {
            let path = target.path(&format!("{stem}.kernels"), "npy");
            filters.saving.save(&path, &npy::bytes(&found), &shape)?;
        }
        if !(filters.saving.quiet && work.saves()) {
            println!("{name}: kernels {shape}");
        }
        if work.pictures.is_none() && !filters.showing.show {
            continue;
        }
        let columns = usize::from(filters.columns);
        let sees_photo = found.shape()[1] == 3 && model.preprocessing.planes() == 3;
        let picture: Picture = if sees_photo {
            picture::color_kernels(&found, model.preprocessing.channels, columns)?.into()
        } else {
            picture::kernel_maps(&found, filters.colormap, columns)?.into()
        };
        let channels: Vec<String> = filters.channel.iter().map(usize::to_string).collect();
        let provenance = filters
            .provenance(session)
            .with("layer", name)
            .with("channel", channels.join(" "))
            .with("what", "kernels");
        filters.finish(
            &work,
            &format!("{stem}.kernels"),
            &picture,
            &provenance,
            true,
        )?;
    }
    if !work.saves() && !filters.showing.show && !filters.saving.quiet && io::stdout().is_terminal()
    {
        eprintln!("use -o kernels.png to save them, --show to print them");
    }
    Ok(())
}

/// The asked-for filters; all if none is.
fn select(layer: &str, kernels: Array, channels: &[usize]) -> Result<Array> {
    if channels.is_empty() {
        return Ok(kernels);
    }
    let mut shape = kernels.shape().to_vec();
    let mut values = Vec::new();
    for &channel in channels {
        if channel >= shape[0] {
            bail!(
                "layer '{layer}' has {} filters, 0 to {}; {channel} was asked for",
                shape[0],
                shape[0] - 1
            );
        }
        values.extend_from_slice(kernels.at(channel));
    }
    shape[0] = channels.len();
    Ok(Array::new(shape, values))
}
