//! How the well-known nets were fed in training, where no card says it.

use crate::model::{ChannelOrder, Filter, Fit, Preprocessing};

/// Keras's `preprocess_input` of mode "caffe": BGR minus ImageNet's means, squashed by nearest neighbour as
/// `load_img` does.
pub(super) fn caffe(side: usize) -> Preprocessing {
    Preprocessing {
        channels: ChannelOrder::Bgr,
        scale: 1.0,
        mean: [103.939, 116.779, 123.68],
        ..Preprocessing::book([side, side])
    }
}

/// torchvision's evaluation transform: the shorter side resized to `side / fraction`, the middle cut out, RGB
/// standardised by ImageNet's means and deviations.
pub(super) fn torchvision(side: usize, fraction: f64) -> Preprocessing {
    Preprocessing {
        fit: Fit::CenterCrop { fraction },
        filter: Filter::Bilinear,
        mean: [0.485, 0.456, 0.406],
        std: [0.229, 0.224, 0.225],
        ..Preprocessing::book([side, side])
    }
}

/// TensorFlow's for the EfficientNet-Lite nets: RGB from about -1 to 1.
pub(super) fn efficientnet_lite(side: usize) -> Preprocessing {
    Preprocessing {
        filter: Filter::Bilinear,
        scale: 1.0,
        mean: [127.0; 3],
        std: [128.0; 3],
        ..Preprocessing::book([side, side])
    }
}
