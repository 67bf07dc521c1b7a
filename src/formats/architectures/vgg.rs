//! VGG (Simonyan and Zisserman, 2014): five blocks of 3x3 convolutions, each ending in a 2x2 pooling, and
//! three dense layers. With Keras's names or torchvision's; with the dense layers, with global average
//! pooling and one dense layer (Keras's names), or without a head.

use super::keras::Keras;
use super::ops::{
    around, channels_last, flatten, global_average, max_pool, picture, relu, sigmoid, softmax,
};
use super::torch::{Conv2d, Torch};
use super::{Architecture, Net, conventions};
use crate::error::Result;
use crate::formats::tensors::Tensors;
use crate::model::{Builder, Layout, NodeId, Op};

/// Channels of each block.
const WIDTHS: [usize; 5] = [64, 128, 256, 512, 512];

/// The input's side in training; the dense layers fit no other.
const SIDE: usize = 224;

/// What is left of [`SIDE`] after five poolings, in a row.
const FLAT: usize = WIDTHS[4] * (SIDE / 32) * (SIDE / 32);

/// Units of the two hidden dense layers.
const HIDDEN: usize = 4096;

/// torchvision's `BatchNorm2d`.
const EPSILON: f32 = 1e-5;

/// A member of the family.
pub(super) struct Vgg {
    name: &'static str,
    /// Convolutions in each block.
    convs: [usize; 5],
    /// Whether batch normalisation follows each convolution; torchvision only.
    norm: bool,
}

const fn vgg(name: &'static str, convs: [usize; 5], norm: bool) -> Vgg {
    Vgg { name, convs, norm }
}

pub(super) const VGG11: Vgg = vgg("vgg11", [1, 1, 2, 2, 2], false);
pub(super) const VGG11_BN: Vgg = vgg("vgg11_bn", [1, 1, 2, 2, 2], true);
pub(super) const VGG13: Vgg = vgg("vgg13", [2, 2, 2, 2, 2], false);
pub(super) const VGG13_BN: Vgg = vgg("vgg13_bn", [2, 2, 2, 2, 2], true);
pub(super) const VGG16: Vgg = vgg("vgg16", [2, 2, 3, 3, 3], false);
pub(super) const VGG16_BN: Vgg = vgg("vgg16_bn", [2, 2, 3, 3, 3], true);
pub(super) const VGG19: Vgg = vgg("vgg19", [2, 2, 4, 4, 4], false);
pub(super) const VGG19_BN: Vgg = vgg("vgg19_bn", [2, 2, 4, 4, 4], true);

/// One convolution: the block and its place in it, both from 0, and its channels.
struct Step {
    block: usize,
    place: usize,
    inputs: usize,
    outputs: usize,
    /// Whether the block's pooling comes next.
    last: bool,
}

impl Vgg {
    fn steps(&self) -> impl Iterator<Item = Step> {
        (0..5).flat_map(move |block| {
            let outputs = WIDTHS[block];
            (0..self.convs[block]).map(move |place| Step {
                block,
                place,
                inputs: match (block, place) {
                    (0, 0) => 3,
                    (_, 0) => WIDTHS[block - 1],
                    _ => outputs,
                },
                outputs,
                last: place + 1 == self.convs[block],
            })
        })
    }

    /// The index of each convolution in torchvision's `features`.
    fn positions(&self) -> impl Iterator<Item = (usize, Step)> {
        let mut next = 0;
        self.steps().map(move |step| {
            let position = next;
            // The convolution, its normalisation and its ReLU, then a pooling after the block.
            next += 2 + usize::from(self.norm) + usize::from(step.last);
            (position, step)
        })
    }

    fn fits_keras(&self, keras: Keras) -> bool {
        let kernel = |block: usize, place: usize, inputs: usize| {
            let shape = [Some(3), Some(3), Some(inputs), Some(WIDTHS[block])];
            keras.has_kernel(&conv_name(block, place), &shape)
        };
        let one_more = |block: usize| kernel(block, self.convs[block], WIDTHS[block]);
        !self.norm
            && self
                .steps()
                .all(|step| kernel(step.block, step.place, step.inputs))
            && !(0..5).any(one_more)
    }

    fn fits_torch(&self, torch: Torch) -> bool {
        let convs = torch.0.names().filter(|name| {
            let rank = torch.0.get(name).map(|tensor| tensor.shape.len());
            name.starts_with("features.") && rank == Some(4)
        });
        convs.count() == self.steps().count()
            && self
                .positions()
                .all(|(at, step)| torch.has_conv(&format!("features.{at}"), &conv(&step)))
            && self.norm == torch.0.has("features.1.running_mean", &[Some(WIDTHS[0])])
    }

    fn keras(&self, keras: Keras) -> Result<Net> {
        let mut graph = Builder::default();
        let input = graph.layer("input", "InputLayer", [picture()], &[]);
        let mut at = input;
        for step in self.steps() {
            let name = conv_name(step.block, step.place);
            let conv = keras.conv3x3_same(&name, step.inputs, step.outputs)?;
            at = graph.layer(name, "Conv2D", [conv, relu()], &[at]);
            if step.last {
                let name = format!("block{}_pool", step.block + 1);
                at = graph.layer(name, "MaxPooling2D", [max_pool(2, 2)], &[at]);
            }
        }
        let output = keras_head(keras, &mut graph, at)?;
        Ok(Net {
            graph,
            input,
            output,
            layout: Layout::ChannelsLast,
            preprocessing: conventions::caffe(SIDE),
        })
    }

    fn torch(&self, torch: Torch) -> Result<Net> {
        let mut graph = Builder::default();
        let input = graph.node(picture(), []);
        let mut at = input;
        for (position, step) in self.positions() {
            let name = |offset: usize| format!("features.{}", position + offset);
            let mut ops = vec![("Conv2d", torch.conv(&name(0), &conv(&step))?)];
            if self.norm {
                let norm = torch.batch_norm(&name(1), step.outputs, EPSILON)?;
                ops.push(("BatchNorm2d", norm));
            }
            ops.push(("ReLU", relu()));
            if step.last {
                ops.push(("MaxPool2d", max_pool(2, 2)));
            }
            for (offset, (kind, op)) in ops.into_iter().enumerate() {
                at = graph.layer(name(offset), kind, [op], &[at]);
            }
        }
        let output = torch_head(torch, &mut graph, at)?;
        Ok(Net {
            graph,
            input,
            output,
            layout: Layout::ChannelsFirst,
            preprocessing: conventions::torchvision(SIDE, 0.875),
        })
    }
}

impl Architecture for Vgg {
    fn name(&self) -> &'static str {
        self.name
    }

    fn fits(&self, tensors: &Tensors) -> bool {
        self.fits_keras(Keras(tensors)) || self.fits_torch(Torch(tensors))
    }

    fn build(&self, tensors: &Tensors) -> Result<Net> {
        // Which names are expected, and missed if the file is another net's, follows from its first one.
        let keras = !self.norm && tensors.names().any(|name| name.starts_with("block1_"));
        if keras {
            self.keras(Keras(tensors))
        } else {
            self.torch(Torch(tensors))
        }
    }
}

fn conv_name(block: usize, place: usize) -> String {
    format!("block{}_conv{}", block + 1, place + 1)
}

fn conv(step: &Step) -> Conv2d {
    Conv2d {
        padding: around(1),
        ..Conv2d::new(step.inputs, step.outputs, 3)
    }
}

fn keras_head(keras: Keras, graph: &mut Builder, mut at: NodeId) -> Result<NodeId> {
    let any = [None, None];
    let features = if keras.has_kernel("fc1", &any) {
        at = graph.layer("flatten", "Flatten", [channels_last(), flatten()], &[at]);
        let fc1 = keras.dense("fc1", FLAT, Some(HIDDEN))?;
        at = graph.layer("fc1", "Dense", [fc1, relu()], &[at]);
        let fc2 = keras.dense("fc2", HIDDEN, Some(HIDDEN))?;
        at = graph.layer("fc2", "Dense", [fc2, relu()], &[at]);
        HIDDEN
    } else if keras.has_kernel("predictions", &any) {
        let (name, kind) = ("global_average_pooling2d", "GlobalAveragePooling2D");
        at = graph.layer(name, kind, [global_average(false)], &[at]);
        WIDTHS[4]
    } else {
        return Ok(at);
    };
    let logits = keras.dense("predictions", features, None)?;
    // A softmax over one unit would always be 1.
    let binary = matches!(&logits, Op::Dense { weight, .. } if weight.shape()[1] == 1);
    let answer = if binary { sigmoid() } else { softmax() };
    Ok(graph.layer("predictions", "Dense", [logits, answer], &[at]))
}

fn torch_head(torch: Torch, graph: &mut Builder, mut at: NodeId) -> Result<NodeId> {
    if torch.0.get("classifier.0.weight").is_none() {
        return Ok(at);
    }
    // To 7x7, which is what inputs of 224 have already; at other sizes the dense layer refuses.
    at = graph.layer("avgpool", "AdaptiveAvgPool2d", [], &[at]);
    let hidden = torch.linear("classifier.0", FLAT, Some(HIDDEN))?;
    at = graph.layer("classifier.0", "Linear", [flatten(), hidden], &[at]);
    at = graph.layer("classifier.1", "ReLU", [relu()], &[at]);
    at = graph.layer("classifier.2", "Dropout", [], &[at]);
    let hidden = torch.linear("classifier.3", HIDDEN, Some(HIDDEN))?;
    at = graph.layer("classifier.3", "Linear", [hidden], &[at]);
    at = graph.layer("classifier.4", "ReLU", [relu()], &[at]);
    at = graph.layer("classifier.5", "Dropout", [], &[at]);
    let logits = torch.linear("classifier.6", HIDDEN, None)?;
    Ok(graph.layer("classifier.6", "Linear", [logits], &[at]))
}
