//! What the screen needs to know of a model: plain data, made where the model is.

use crate::engine::Device;
use crate::explain::cam;
use crate::model::figures::{grouped, quantity, sides};
use crate::model::{HeadKind, Layer, LayerId, Model};

/// A model at a glance.
#[derive(Clone, Debug, PartialEq)]
pub struct Outline {
    /// The kind of file.
    pub format: String,
    /// The well-known net that it is an instance of, if the file holds only weights.
    pub architecture: Option<String>,
    /// What happens to an image before it is fed, in words.
    pub preprocessing: String,
    /// What was assumed beyond what the file says, and from where; one line each.
    pub assumptions: Vec<String>,
    /// How many weights there are, and multiply-adds for an image; in words.
    pub totals: String,
    /// Where it is computed.
    pub device: String,
    /// In the model's order.
    pub layers: Vec<LayerRow>,
    /// The layer whose units are the classes.
    pub head: Option<LayerId>,
    /// How many classes are told apart; none without a head.
    pub classes: usize,
    /// Where a heatmap is made if no layer was chosen.
    pub heat_layer: Option<LayerId>,
    /// Why there are no heatmaps, if there are none.
    pub no_heat: String,
}

/// A layer in the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LayerRow {
    /// In full.
    pub name: String,
    /// What the list shows: nested layers without the names of the models around them.
    pub label: String,
    /// The file's word for its type, shortened.
    pub kind: String,
    /// How many models are around it.
    pub depth: usize,
    /// For inputs of the model's own size, channels first; or why it can't be computed.
    pub shape: Result<Vec<usize>, String>,
    /// As the file's framework orders it.
    pub shape_text: String,
    /// Whether it changes more than its input's shape.
    pub computes: bool,
    /// Values in its weights; nothing for none.
    pub parameters: String,
    /// Multiply-adds for an image; nothing for none.
    pub macs: String,
    /// Kernel or window with its stride: `3x3/2`.
    pub window: String,
    /// Sides of what one position sees, in pixels of the input; nothing where that is all of it.
    pub field: String,
    /// The layers that feed it.
    pub inputs: String,
    /// Whether a heatmap can be made of its output.
    pub heat: bool,
}

impl Outline {
    /// Of a model on a device.
    pub fn of(model: &Model, device: Device) -> Self {
        let shapes = model.own_shapes();
        let pictured = model.pictured_layers();
        let summary = model.summary(model.input_size());
        let heat = cam::possible_layers(model, &shapes);
        let (heat_layer, no_heat) = match cam::default_layer(model, &shapes) {
            Ok(layer) => (Some(layer), String::new()),
            Err(error) => (None, error.to_string()),
        };
        let rows = model.layers.iter().zip(&summary.rows).map(|(layer, row)| {
            let shape = shapes.get(layer.output).map(<[usize]>::to_vec);
            let label = if layer.depth > 0 {
                layer.name.rsplit('/').next()
            } else {
                None
            };
            LayerRow {
                name: layer.name.clone(),
                label: label.unwrap_or(&layer.name).to_owned(),
                kind: short_kind(&layer.kind),
                depth: layer.depth,
                shape_text: shape.as_ref().map_or_else(
                    |_| "?".to_owned(),
                    |shape| compact(&model.show_shape(shape)),
                ),
                shape: shape.map_err(|error| error.to_string()),
                computes: pictured.contains(&row.layer),
                parameters: some(row.parameters as u64, grouped),
                macs: some(row.macs, quantity),
                window: row.window.clone().unwrap_or_default(),
                field: row.receptive_field.map(sides).unwrap_or_default(),
                inputs: names(model, &row.inputs),
                heat: heat.contains(&row.layer),
            }
        });
        let layers: Vec<LayerRow> = rows.collect();
        let units = model
            .head
            .and_then(|head| shapes.get(head.logits).ok()?.first().copied());
        let classes = match model.head.map(|head| head.kind) {
            Some(HeadKind::Sigmoid) if units == Some(1) => 2,
            _ => units.unwrap_or(0),
        };
        let is_head = |layer: &Layer| {
            model
                .head
                .is_some_and(|head| layer.nodes.contains(&head.logits))
                && !layer.nested
        };
        Self {
            format: model.format.clone(),
            architecture: model.architecture.clone(),
            preprocessing: model.preprocessing.describe(),
            assumptions: model.assumptions.clone(),
            totals: format!(
                "{} parameters, {} MACs",
                grouped(summary.total as u64),
                quantity(summary.macs)
            ),
            device: device.to_string(),
            layers,
            head: model.layers.iter().rposition(is_head).map(LayerId),
            classes,
            heat_layer,
            no_heat,
        }
    }

    /// The row of a layer.
    pub fn layer(&self, id: LayerId) -> Option<&LayerRow> {
        self.layers.get(id.0)
    }
}

fn some(value: u64, show: fn(u64) -> String) -> String {
    if value == 0 {
        String::new()
    } else {
        show(value)
    }
}

fn names(model: &Model, layers: &[LayerId]) -> String {
    let names: Vec<&str> = layers
        .iter()
        .map(|&id| model.layer(id).name.as_str())
        .collect();
    names.join(", ")
}

/// `(None, 148, 148, 32)` as `148x148x32`.
fn compact(shape: &str) -> String {
    let inner = shape.trim_matches(['(', ')']);
    let axes: Vec<&str> = inner
        .split(',')
        .map(str::trim)
        .filter(|axis| !axis.is_empty())
        .collect();
    axes.get(1..).unwrap_or_default().join("x")
}

/// Keras's long words, which would fill the list.
fn short_kind(kind: &str) -> String {
    let mut short = kind
        .strip_suffix("2D")
        .filter(|rest| rest.len() > 6)
        .unwrap_or(kind)
        .to_owned();
    for (long, word) in [
        ("Depthwise", "DW"),
        ("Separable", "Sep"),
        ("Normalization", "Norm"),
        ("Pooling", "Pool"),
        ("Average", "Avg"),
        ("InputLayer", "Input"),
        ("Activation", "Act"),
        ("Concatenate", "Concat"),
    ] {
        short = short.replace(long, word);
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_fit_a_list() {
        assert_eq!(compact("(None, 148, 148, 32)"), "148x148x32");
        assert_eq!(compact("(None, 512)"), "512");
        assert_eq!(compact("(None,)"), "");
        assert_eq!(short_kind("MaxPooling2D"), "MaxPool");
        assert_eq!(short_kind("Conv2D"), "Conv2D");
        assert_eq!(short_kind("BatchNormalization"), "BatchNorm");
        assert_eq!(short_kind("GlobalAveragePooling2D"), "GlobalAvgPool");
        assert_eq!(short_kind("DepthwiseConv2D"), "DWConv");
    }
}
