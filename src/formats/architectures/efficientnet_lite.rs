//! EfficientNet-Lite (Tan and Le 2019, without squeeze-and-excitation and with ReLU6), with the names of the
//! PyTorch package `efficientnet-lite-pytorch`.
//!
//! Layers are named after the package's modules. A block shares one activation module, `_swish`, between its
//! calls: they are `_swish#0` and `_swish#1`. The stem and the head share another, here `_stem_act` and
//! `_head_act`.

use super::ops::{add, flatten, global_average, picture, relu6};
use super::torch::{Conv2d, Torch};
use super::{Architecture, Net, conventions};
use crate::error::Result;
use crate::formats::tensors::Tensors;
use crate::model::{Builder, Layout, NodeId, Op, Padding};

/// TensorFlow's batch normalisation.
const EPSILON: f32 = 1e-3;

/// A run of equal blocks; only the first has the stride and changes the number of channels.
#[derive(Clone, Copy)]
struct Stage {
    repeats: usize,
    kernel: usize,
    stride: usize,
    /// By how much a block widens its input.
    expand: usize,
    inputs: usize,
    outputs: usize,
}

/// A member of the family.
pub(super) struct Lite {
    name: &'static str,
    /// Of the input in training.
    side: usize,
    /// Channels after the first convolution.
    stem: usize,
    stages: &'static [Stage],
    /// Channels after the last convolution.
    head: usize,
}

const fn stage([repeats, kernel, stride, expand, inputs, outputs]: [usize; 6]) -> Stage {
    Stage {
        repeats,
        kernel,
        stride,
        expand,
        inputs,
        outputs,
    }
}

pub(super) const LITE0: Lite = Lite {
    name: "efficientnet_lite0",
    side: 224,
    stem: 32,
    stages: &[
        stage([1, 3, 1, 1, 32, 16]),
        stage([2, 3, 2, 6, 16, 24]),
        stage([2, 5, 2, 6, 24, 40]),
        stage([3, 3, 2, 6, 40, 80]),
        stage([3, 5, 1, 6, 80, 112]),
        stage([4, 5, 2, 6, 112, 192]),
        stage([1, 3, 1, 6, 192, 320]),
    ],
    head: 1280,
};

/// An inverted bottleneck: widen, filter each channel by itself, narrow, and add the input where it fits.
#[derive(Clone, Copy)]
struct Block {
    kernel: usize,
    stride: usize,
    inputs: usize,
    /// Channels in the middle.
    wide: usize,
    outputs: usize,
}

impl Lite {
    fn blocks(&self) -> impl Iterator<Item = Block> {
        self.stages.iter().flat_map(|stage| {
            (0..stage.repeats).map(|repeat| {
                let first = repeat == 0;
                let inputs = if first { stage.inputs } else { stage.outputs };
                Block {
                    kernel: stage.kernel,
                    stride: if first { stage.stride } else { 1 },
                    inputs,
                    wide: inputs * stage.expand,
                    outputs: stage.outputs,
                }
            })
        })
    }

    /// Channels of the last block.
    fn last(&self) -> usize {
        self.stages.last().map_or(self.stem, |stage| stage.outputs)
    }

    fn stem_conv(&self) -> Conv2d {
        Conv2d {
            stride: 2,
            ..same(3, self.stem, 3)
        }
    }
}

impl Block {
    fn expand_conv(self) -> Conv2d {
        same(self.inputs, self.wide, 1)
    }

    fn depthwise_conv(self) -> Conv2d {
        Conv2d {
            stride: self.stride,
            groups: self.wide,
            ..same(self.wide, self.wide, self.kernel)
        }
    }

    fn project_conv(self) -> Conv2d {
        same(self.wide, self.outputs, 1)
    }
}

/// TensorFlow's padding; no bias, as a normalisation follows.
fn same(inputs: usize, outputs: usize, kernel: usize) -> Conv2d {
    Conv2d {
        padding: Padding::Same,
        bias: false,
        ..Conv2d::new(inputs, outputs, kernel)
    }
}

impl Architecture for Lite {
    fn name(&self) -> &'static str {
        self.name
    }

    fn fits(&self, tensors: &Tensors) -> bool {
        let torch = Torch(tensors);
        let blocks = || self.blocks().enumerate();
        // EfficientNet-B0 has the same convolutions, and others between them.
        torch.has_conv("_conv_stem", &self.stem_conv())
            && torch.has_conv("_conv_head", &same(self.last(), self.head, 1))
            && !tensors.names().any(|name| name.contains("._se_reduce."))
            && blocks().all(|(index, block)| {
                let name = |leaf| format!("_blocks.{index}.{leaf}");
                torch.has_conv(&name("_depthwise_conv"), &block.depthwise_conv())
                    && torch.has_conv(&name("_project_conv"), &block.project_conv())
            })
            && !tensors
                .names()
                .any(|name| name.starts_with(&format!("_blocks.{}.", blocks().count())))
    }

    fn build(&self, tensors: &Tensors) -> Result<Net> {
        let mut graph = Builder::default();
        let input = graph.node(picture(), []);
        let mut walk = Walk {
            torch: Torch(tensors),
            graph,
            at: input,
        };
        walk.conv("_conv_stem", &self.stem_conv())?;
        walk.norm("_bn0", self.stem)?;
        walk.add("_stem_act", "ReLU6", [relu6()]);
        for (index, block) in self.blocks().enumerate() {
            walk.block(&format!("_blocks.{index}"), block)?;
        }
        walk.conv("_conv_head", &same(self.last(), self.head, 1))?;
        walk.norm("_bn1", self.head)?;
        walk.add("_head_act", "ReLU6", [relu6()]);
        walk.add("_avg_pooling", "AdaptiveAvgPool2d", [global_average(true)]);
        walk.add("_dropout", "Dropout", []);
        let classes = walk.torch.linear("_fc", self.head, None)?;
        walk.add("_fc", "Linear", [flatten(), classes]);
        Ok(Net {
            graph: walk.graph,
            input,
            output: walk.at,
            layout: Layout::ChannelsFirst,
            preprocessing: conventions::efficientnet_lite(self.side),
        })
    }
}

/// A graph that grows at its end.
struct Walk<'a> {
    torch: Torch<'a>,
    graph: Builder,
    at: NodeId,
}

impl Walk<'_> {
    fn add(&mut self, name: &str, kind: &str, ops: impl IntoIterator<Item = Op>) {
        self.at = self.graph.layer(name, kind, ops, &[self.at]);
    }

    fn conv(&mut self, name: &str, conv: &Conv2d) -> Result<()> {
        let op = self.torch.conv(name, conv)?;
        self.add(name, "Conv2d", [op]);
        Ok(())
    }

    fn norm(&mut self, name: &str, channels: usize) -> Result<()> {
        let op = self.torch.batch_norm(name, channels, EPSILON)?;
        self.add(name, "BatchNorm2d", [op]);
        Ok(())
    }

    fn block(&mut self, name: &str, block: Block) -> Result<()> {
        let entry = self.at;
        let leaf = |leaf: &str| format!("{name}.{leaf}");
        let mut activations = (0..).map(|call| leaf(&format!("_swish#{call}")));
        let mut activate = |walk: &mut Self| {
            let name = activations.next().unwrap_or_default();
            walk.add(&name, "ReLU6", [relu6()]);
        };
        if block.wide != block.inputs {
            self.conv(&leaf("_expand_conv"), &block.expand_conv())?;
            self.norm(&leaf("_bn0"), block.wide)?;
            activate(self);
        }
        self.conv(&leaf("_depthwise_conv"), &block.depthwise_conv())?;
        self.norm(&leaf("_bn1"), block.wide)?;
        activate(self);
        self.conv(&leaf("_project_conv"), &block.project_conv())?;
        self.norm(&leaf("_bn2"), block.outputs)?;
        let exit = self.at;
        let skips = block.stride == 1 && block.inputs == block.outputs;
        self.at = if skips {
            let ends = [exit, entry];
            self.graph.layer(name, "MBConvBlock", [add()], &ends)
        } else {
            self.graph.layer(name, "MBConvBlock", [], &[exit])
        };
        Ok(())
    }
}
