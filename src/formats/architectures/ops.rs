//! Ops without weights, with the settings that well-known nets use.

use crate::model::{Activation, Border, Merge, Op, Padding, Pool, PoolKind};

/// A colour picture of any size.
pub(super) fn picture() -> Op {
    Op::Input {
        shape: vec![Some(3), None, None],
    }
}

pub(super) fn relu() -> Op {
    Op::Activation(Activation::RELU)
}

pub(super) fn relu6() -> Op {
    Op::Activation(Activation::RELU6)
}

pub(super) fn add() -> Op {
    Op::Merge(Merge::Add)
}

/// Over the classes.
pub(super) fn softmax() -> Op {
    Op::Softmax { axis: 1 }
}

pub(super) fn sigmoid() -> Op {
    Op::Activation(Activation::Sigmoid)
}

/// Without padding.
pub(super) fn max_pool(window: usize, stride: usize) -> Op {
    Op::Pool(Pool {
        kind: PoolKind::Max,
        window: [window; 2],
        stride: [stride; 2],
        padding: Padding::VALID,
        count_padding: false,
    })
}

/// The mean of each channel: (C,1,1) if `keep`, else (C).
pub(super) fn global_average(keep: bool) -> Op {
    Op::GlobalPool {
        kind: PoolKind::Average,
        keep,
    }
}

/// All values of an example in a row, in the order of the axes.
pub(super) fn flatten() -> Op {
    Op::Reshape { shape: vec![None] }
}

/// The axes of a picture as Keras has them: (H,W,C).
pub(super) fn channels_last() -> Op {
    Op::Permute {
        axes: vec![0, 2, 3, 1],
    }
}

/// The same on all four sides.
pub(super) fn around(width: usize) -> Padding {
    Padding::Explicit(Border {
        top: width,
        bottom: width,
        left: width,
        right: width,
    })
}
