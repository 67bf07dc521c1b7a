//! The weights that a layer has by its configuration, in the order in which Keras makes and saves them.

use super::super::Outcome;
use super::super::config::Fields;

/// One weight of a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Variable {
    /// Keras's name.
    pub name: &'static str,
    /// False for statistics, which training doesn't change by gradients.
    pub trainable: bool,
}

/// Trained ones first: files have them in this order too. `None` for classes that convscope doesn't know.
///
/// # Errors
/// When the configuration makes no sense.
pub fn variables(class: &str, fields: Fields) -> Outcome<Option<Vec<Variable>>> {
    let trained = |names: &[(&'static str, bool)]| {
        let present = names.iter().filter(|(_, present)| *present);
        present
            .map(|&(name, _)| Variable {
                name,
                trainable: true,
            })
            .collect::<Vec<_>>()
    };
    let statistics = |names: &[&'static str]| {
        let fixed = names.iter().map(|&name| Variable {
            name,
            trainable: false,
        });
        fixed.collect::<Vec<_>>()
    };
    let bias = || fields.flag("use_bias", true);
    let (scale, center) = (fields.flag("scale", true)?, fields.flag("center", true)?);
    let affine = [("gamma", scale), ("beta", center)];
    Ok(Some(match super::own_name(class) {
        "Dense" | "Conv1D" | "Conv2D" | "Conv3D" | "Conv1DTranspose" | "Conv2DTranspose"
        | "Conv3DTranspose" => trained(&[("kernel", true), ("bias", bias()?)]),
        "DepthwiseConv1D" | "DepthwiseConv2D" => {
            trained(&[("depthwise_kernel", true), ("bias", bias()?)])
        }
        "SeparableConv1D" | "SeparableConv2D" => trained(&[
            ("depthwise_kernel", true),
            ("pointwise_kernel", true),
            ("bias", bias()?),
        ]),
        "BatchNormalization" => {
            let mut all = trained(&affine);
            all.extend(statistics(&["moving_mean", "moving_variance"]));
            all
        }
        "LayerNormalization" | "GroupNormalization" => trained(&affine),
        "PReLU" => trained(&[("alpha", true)]),
        "LayerScale" => trained(&[("gamma", true)]),
        "Embedding" => trained(&[("embeddings", true)]),
        "Normalization" if fields.get("mean").is_none() => {
            statistics(&["mean", "variance", "count"])
        }
        _ if has_none(class) => Vec::new(),
        _ => return Ok(None),
    }))
}

/// Classes without weights, of those that convscope knows.
fn has_none(class: &str) -> bool {
    const SPATIAL: &[&str] = &[
        "MaxPooling",
        "AveragePooling",
        "GlobalMaxPooling",
        "GlobalAveragePooling",
        "ZeroPadding",
        "Cropping",
        "UpSampling",
    ];
    const WITHOUT: &[&str] = &[
        "InputLayer",
        "Normalization",
        "Rescaling",
        "Activation",
        "ReLU",
        "LeakyReLU",
        "ELU",
        "ThresholdedReLU",
        "Softmax",
        "Flatten",
        "Reshape",
        "Permute",
        "Concatenate",
        "Add",
        "Subtract",
        "Multiply",
        "Average",
        "Maximum",
        "Minimum",
        "CustomScaleLayer",
        "TFOpLambda",
        "SlicingOpLambda",
        "Resizing",
        "CenterCrop",
        "RandomCrop",
        "RepeatVector",
        "Masking",
    ];
    let by_dimension = |stem: &str| {
        let rest = class.strip_prefix(stem);
        rest.is_some_and(|rest| matches!(rest, "1D" | "2D" | "3D"))
    };
    WITHOUT.contains(&super::own_name(class))
        || SPATIAL.iter().any(|stem| by_dimension(stem))
        || super::is_idle(class)
}
