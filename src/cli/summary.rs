//! `convscope summary`.

use std::io::{self, Write};
use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use serde_json::{Value, json};

use super::options::Preparing;
use crate::fetch;
use crate::formats;
use crate::model::figures::{grouped, quantity, sides};
use crate::model::{self, ChannelOrder, Fit, Model, SummaryRow};

#[derive(Args, Debug)]
pub(super) struct Summary {
    /// A model file.
    model: PathBuf,
    /// Print one JSON object instead of the table.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    preparing: Preparing,
}

impl Summary {
    pub(super) fn run(self) -> Result<()> {
        let mut model = formats::open(&fetch::resolve(&self.model)?)?;
        model.override_preprocessing(&self.preparing.overrides());
        let size = model.input_size();
        if self.json {
            let mut out = io::stdout().lock();
            serde_json::to_writer_pretty(&mut out, &object(&model, size))
                .map_err(io::Error::from)?;
            writeln!(out)?;
            return Ok(());
        }
        print(&model, size)
    }
}

/// Prints the table for an input of (H,W).
pub(super) fn print(model: &Model, size: [usize; 2]) -> Result<()> {
    let summary = model.summary(size);
    let name = |id: &model::LayerId| model.layer(*id).name.clone();
    let header = [
        "",
        "Layer (type)",
        "Output shape",
        "Param #",
        "Window",
        "MACs",
        "Field",
        "Connected to",
    ];
    let mut rows = vec![header.map(str::to_owned)];
    for row in &summary.rows {
        let layer = model.layer(row.layer);
        let indent = "  ".repeat(layer.depth);
        let short = layer.name.rsplit('/').next().unwrap_or(&layer.name);
        rows.push([
            row.layer.0.to_string(),
            format!(
                "{indent}{} ({})",
                if layer.depth > 0 { short } else { &layer.name },
                layer.kind
            ),
            row.shape
                .as_ref()
                .map_or_else(|| "unknown".to_owned(), |shape| model.show_shape(shape)),
            grouped(row.parameters as u64),
            row.window.clone().unwrap_or_default(),
            if row.macs > 0 {
                quantity(row.macs)
            } else {
                String::new()
            },
            row.receptive_field.map(sides).unwrap_or_default(),
            row.inputs.iter().map(name).collect::<Vec<_>>().join(", "),
        ]);
    }
    let mut out = io::stdout().lock();
    writeln!(out, "Model: {}", model.name)?;
    writeln!(out, "File:  {}", kind(model))?;
    writeln!(out, "Input: {}", model.preprocessing.describe())?;
    for line in &model.assumptions {
        writeln!(out, "       {line}")?;
    }
    writeln!(out)?;
    table(&mut out, &rows, &[0, 3, 5, 6])?;
    writeln!(out)?;
    writeln!(
        out,
        "Total params:         {}",
        grouped(summary.total as u64)
    )?;
    writeln!(
        out,
        "Trainable params:     {}",
        grouped(summary.trainable as u64)
    )?;
    writeln!(
        out,
        "Non-trainable params: {}",
        grouped((summary.total - summary.trainable) as u64)
    )?;
    writeln!(
        out,
        "Multiply-adds:        {} for an input of {}x{}",
        quantity(summary.macs),
        size[1],
        size[0]
    )?;
    Ok(())
}

fn kind(model: &Model) -> String {
    match &model.architecture {
        Some(architecture) => format!("{}, architecture {architecture}", model.format),
        None => model.format.clone(),
    }
}

/// Columns as wide as their widest entry; those in `right` are aligned to the right.
fn table(out: &mut impl Write, rows: &[[String; 8]], right: &[usize]) -> io::Result<()> {
    let width = |column: usize| {
        rows.iter()
            .map(|row| row[column].chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths: [usize; 8] = std::array::from_fn(width);
    for (index, row) in rows.iter().enumerate() {
        let cells = row
            .iter()
            .enumerate()
            .filter(|(column, _)| widths[*column] > 0)
            .map(|(column, cell)| {
                let width = widths[column];
                if right.contains(&column) {
                    format!("{cell:>width$}")
                } else {
                    format!("{cell:<width$}")
                }
            });
        let line = cells.collect::<Vec<_>>().join("  ");
        writeln!(out, "{}", line.trim_end())?;
        if index == 0 {
            writeln!(
                out,
                "{}",
                "-".repeat(
                    widths
                        .iter()
                        .filter(|w| **w > 0)
                        .map(|w| w + 2)
                        .sum::<usize>()
                        - 2
                )
            )?;
        }
    }
    Ok(())
}

fn object(model: &Model, size: [usize; 2]) -> Value {
    let summary = model.summary(size);
    let preprocessing = &model.preprocessing;
    let planes = preprocessing.planes();
    let (fit, fraction) = match preprocessing.fit {
        Fit::Squash => ("squash", None),
        Fit::CenterCrop { fraction } => ("center-crop", Some(fraction)),
    };
    let channels = match preprocessing.channels {
        ChannelOrder::Rgb => "rgb",
        ChannelOrder::Bgr => "bgr",
        ChannelOrder::Grey => "grey",
    };
    json!({
        "model": model.name,
        "format": model.format,
        "architecture": model.architecture,
        "input": {
            "shape": model.input_shapes(size).first(),
            "preprocessing": {
                "size": size,
                "fit": fit,
                "crop_fraction": fraction,
                "filter": format!("{:?}", preprocessing.filter).to_lowercase(),
                "channels": channels,
                "scale": preprocessing.scale,
                "mean": preprocessing.mean[..planes],
                "std": preprocessing.std[..planes],
            },
        },
        "assumptions": model.assumptions,
        "layers": summary.rows.iter().map(|row| layer(model, row)).collect::<Vec<_>>(),
        "parameters": {"total": summary.total, "trainable": summary.trainable},
        "macs": summary.macs,
    })
}

fn layer(model: &Model, row: &SummaryRow) -> Value {
    let layer = model.layer(row.layer);
    let inputs: Vec<&str> = row
        .inputs
        .iter()
        .map(|&id| model.layer(id).name.as_str())
        .collect();
    json!({
        "index": row.layer.0,
        "name": layer.name,
        "type": layer.kind,
        "output_shape": row.shape,
        "parameters": row.parameters,
        "inputs": inputs,
        "macs": row.macs,
        "window": row.window,
        "receptive_field": row.receptive_field,
    })
}
