//! The file's axes and the engine's.
//!
//! The engine keeps every tensor of rank 4 as (N,C,H,W). A channels-last file numbers the same axes as
//! (N,H,W,C), and so do its `Flatten`, `Reshape`, `Concatenate(axis)` and the like. Tensors of other ranks have
//! the same axes on both sides. Ranks count the batch.

use super::Outcome;
use crate::model::Layout;

/// For each of the engine's axes, the file's.
pub fn file_axes(layout: Layout, rank: usize) -> Vec<usize> {
    match (layout, rank) {
        (Layout::ChannelsLast, 4) => vec![0, 3, 1, 2],
        _ => (0..rank).collect(),
    }
}

/// For each of the file's axes, the engine's.
pub fn engine_axes(layout: Layout, rank: usize) -> Vec<usize> {
    match (layout, rank) {
        (Layout::ChannelsLast, 4) => vec![0, 2, 3, 1],
        _ => (0..rank).collect(),
    }
}

/// The file's axis as a position from 0; negative ones count from the end.
///
/// # Errors
/// When the tensor has no such axis.
pub fn position(axis: i64, rank: usize) -> Outcome<usize> {
    let signed = i64::try_from(rank).unwrap_or(i64::MAX);
    let from_start = if axis < 0 {
        axis.saturating_add(signed)
    } else {
        axis
    };
    usize::try_from(from_start)
        .ok()
        .filter(|&position| position < rank)
        .ok_or_else(|| format!("works along axis {axis}, which its input of rank {rank} lacks"))
}

/// The engine's number for one of the file's axes.
///
/// # Errors
/// As [`position`].
pub fn engine_axis(layout: Layout, axis: i64, rank: usize) -> Outcome<usize> {
    Ok(engine_axes(layout, rank)[position(axis, rank)?])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_two_orders_undo_each_other() {
        for layout in [Layout::ChannelsLast, Layout::ChannelsFirst] {
            for rank in 1..6 {
                let (there, back) = (file_axes(layout, rank), engine_axes(layout, rank));
                assert!((0..rank).all(|axis| there[back[axis]] == axis));
            }
        }
    }

    #[test]
    fn the_last_axis_of_a_picture_is_its_channels() {
        let last = |layout, rank| engine_axis(layout, -1, rank).unwrap();
        assert_eq!(last(Layout::ChannelsLast, 4), 1);
        assert_eq!(last(Layout::ChannelsFirst, 4), 3);
        assert_eq!(last(Layout::ChannelsLast, 3), 2);
        assert!(engine_axis(Layout::ChannelsLast, -5, 4).is_err());
        assert!(engine_axis(Layout::ChannelsLast, i64::MIN, 4).is_err());
        assert!(engine_axis(Layout::ChannelsLast, 4, 4).is_err());
    }
}
