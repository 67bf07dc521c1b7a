//! Keras's layers as nodes of the graph, one family in each file.

mod activation;
mod arithmetic;
mod conv;
mod dense;
mod normalization;
mod pool;
mod scaling;
mod scope;
mod shape;
mod space;
mod variable;

pub use scope::{Input, Refusal, Scope, Tensor};
pub use variable::{Variable, variables};

use super::network::INPUT;

/// Layers that have no effect in prediction.
const IDLE: &[&str] = &[
    "Dropout",
    "SpatialDropout1D",
    "SpatialDropout2D",
    "SpatialDropout3D",
    "AlphaDropout",
    "GaussianDropout",
    "GaussianNoise",
    "ActivityRegularization",
    "Identity",
    // Dropout of whole blocks: ConvNeXt's in Keras, and one that early EfficientNets brought along.
    "StochasticDepth",
    "FixedDropout",
    // Augmentation. Not `RandomCrop`, which crops the middle in prediction.
    "RandomFlip",
    "RandomRotation",
    "RandomZoom",
    "RandomContrast",
    "RandomBrightness",
    "RandomTranslation",
    "RandomHeight",
    "RandomWidth",
    "RandomHue",
    "RandomSaturation",
    "RandomSharpness",
    "RandomShear",
    "RandomPerspective",
    "RandomColorJitter",
    "RandomColorDegeneration",
    "RandomElasticTransform",
    "RandomErasing",
    "RandomGaussianBlur",
    "RandomGrayscale",
    "RandomInvert",
    "RandomPosterization",
    "RandAugment",
    "AugMix",
    "CutMix",
    "MixUp",
    "Solarization",
];

/// Whether a class is one of those without effect in prediction.
pub fn is_idle(class: &str) -> bool {
    IDLE.contains(&own_name(class))
}

/// The class without the package in front that Keras 2 gives the layers of its own applications.
fn own_name(class: &str) -> &str {
    match class.strip_prefix("Custom>") {
        Some(own @ ("CustomScaleLayer" | "LayerScale" | "StochasticDepth" | "FixedDropout")) => own,
        _ => class,
    }
}

/// Adds a layer's nodes; its result.
///
/// # Errors
/// When the layer, or one of its options, isn't known; or its configuration and weights make no sense.
pub fn make(layer: &mut Scope) -> Result<Tensor, Refusal> {
    if layer.is_quantized() {
        return Err(Refusal::Unsupported("quantized".to_owned()));
    }
    match own_name(layer.class) {
        "Conv2D" => conv::convolution(layer),
        "DepthwiseConv2D" => conv::depthwise(layer),
        "SeparableConv2D" => conv::separable(layer),
        "Conv2DTranspose" => conv::transposed(layer),
        "Dense" => dense::dense(layer),
        "BatchNormalization" => normalization::batch(layer),
        "LayerNormalization" => normalization::layer(layer),
        "LayerScale" => normalization::scale(layer),
        "Rescaling" => scaling::rescaling(layer),
        "Normalization" => scaling::normalization(layer),
        "Activation" | "ReLU" | "LeakyReLU" | "PReLU" | "ELU" | "ThresholdedReLU" | "Softmax" => {
            activation::layer(layer)
        }
        "MaxPooling2D" | "AveragePooling2D" => pool::window(layer),
        "GlobalMaxPooling2D" | "GlobalAveragePooling2D" => pool::global(layer),
        "ZeroPadding2D" => space::padding(layer),
        "Cropping2D" => space::cropping(layer),
        "UpSampling2D" => space::upsampling(layer),
        "Flatten" => shape::flatten(layer),
        "Reshape" => shape::reshape(layer),
        "Permute" => shape::permute(layer),
        "Concatenate" => shape::concatenate(layer),
        "Add" | "Subtract" | "Multiply" | "Average" | "Maximum" | "Minimum" | "Divide"
        | "TrueDivide" => arithmetic::combination(layer),
        "CustomScaleLayer" => arithmetic::scaled_sum(layer),
        "TFOpLambda" => arithmetic::tensorflow(layer),
        // Keras 3's operations outside of layers, beside those above that share a layer's name.
        "Relu" | "Relu6" | "Elu" | "Selu" | "Silu" | "Gelu" | "Sigmoid" | "Tanh" | "Softplus"
        | "Softsign" | "LeakyRelu" | "HardSigmoid" | "HardSilu" | "Mean" | "Max" => {
            arithmetic::operation(layer)
        }
        INPUT => layer.only_input(),
        class if is_idle(class) => {
            let input = layer.only_input()?;
            Ok(layer.then(crate::model::Op::Identity, input))
        }
        _ => Err(Refusal::Unsupported(String::new())),
    }
}
