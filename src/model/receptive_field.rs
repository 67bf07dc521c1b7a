//! What part of the input one position of a node depends on.

use super::{Model, Op};

/// What one position of a node sees of the input, and how far apart two positions are there.
#[derive(Clone, Copy)]
pub(super) struct Field {
    /// In input pixels, (H,W).
    pub(super) size: [usize; 2],
    /// In input pixels.
    jump: [f64; 2],
}

/// By the usual recursion: a window of k taps widens the field by (k-1) jumps, a stride widens the jump.
pub(super) fn fields(model: &Model) -> Vec<Option<Field>> {
    let mut fields: Vec<Option<Field>> = Vec::with_capacity(model.nodes.len());
    for node in &model.nodes {
        let feeds: Option<Vec<Field>> = node.inputs.iter().map(|id| fields[id.0]).collect();
        let field = feeds.and_then(|feeds| field(&node.op, &feeds));
        fields.push(field);
    }
    fields
}

fn field(op: &Op, feeds: &[Field]) -> Option<Field> {
    let slide = |window: [usize; 2], stride: [usize; 2], dilation: [usize; 2]| {
        let feed = feeds.first()?;
        let grown = |i: usize| {
            let reach = window[i].saturating_sub(1).saturating_mul(dilation[i]);
            feed.size[i].saturating_add((reach as f64 * feed.jump[i]).ceil() as usize)
        };
        let jump = |i: usize| feed.jump[i] * stride[i] as f64;
        Some(Field {
            size: [grown(0), grown(1)],
            jump: [jump(0), jump(1)],
        })
    };
    match op {
        Op::Input { shape } if shape.len() == 3 => Some(Field {
            size: [1, 1],
            jump: [1.0, 1.0],
        }),
        Op::Conv(conv) => {
            let kernel = conv.weight.shape();
            slide(
                [*kernel.get(2)?, *kernel.get(3)?],
                conv.stride,
                conv.dilation,
            )
        }
        Op::Pool(pool) => slide(pool.window, pool.stride, [1, 1]),
        Op::ConvTranspose(conv) => {
            let kernel = conv.weight.shape();
            let feed = feeds.first()?;
            let fine = |i: usize| feed.jump[i] / conv.stride[i].max(1) as f64;
            let grown = |i: usize| {
                let taps = kernel
                    .get(i + 2)
                    .map_or(0, |&k| k.saturating_sub(1))
                    .saturating_mul(conv.dilation[i]);
                feed.size[i].saturating_add((taps as f64 * fine(i)).floor() as usize)
            };
            Some(Field {
                size: [grown(0), grown(1)],
                jump: [fine(0), fine(1)],
            })
        }
        Op::Upsample { factor, .. } => {
            let feed = feeds.first()?;
            let jump = |i: usize| feed.jump[i] / factor[i].max(1) as f64;
            Some(Field {
                size: feed.size,
                jump: [jump(0), jump(1)],
            })
        }
        Op::Merge(_) | Op::Concat { .. } => {
            let largest = |i: usize| feeds.iter().map(|feed| feed.size[i]).max();
            let jump = |i: usize| feeds.iter().map(|feed| feed.jump[i]).fold(0.0, f64::max);
            Some(Field {
                size: [largest(0)?, largest(1)?],
                jump: [jump(0), jump(1)],
            })
        }
        Op::BatchNorm(_)
        | Op::Affine { .. }
        | Op::Activation(_)
        | Op::PRelu { .. }
        | Op::Softmax { .. }
        | Op::Pad { .. }
        | Op::Crop(_)
        | Op::Identity => feeds.first().copied(),
        _ => None,
    }
}
