//! The order in which a network's calls can be computed.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::Outcome;
use super::call::Call;
use super::network::Network;
use super::show;

/// One call of one layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Step {
    /// Index of the layer.
    pub layer: usize,
    /// Which of its calls.
    pub call: usize,
}

/// All calls, each behind those that feed it; the file's order wherever it allows that.
///
/// # Errors
/// When layers feed each other in a circle.
pub fn schedule(network: &Network) -> Outcome<Vec<Step>> {
    let calls = |step: Step| -> &Call { &network.layers[step.layer].calls[step.call] };
    let mut first = Vec::with_capacity(network.layers.len());
    let mut steps = Vec::new();
    for (layer, entry) in network.layers.iter().enumerate() {
        first.push(steps.len());
        steps.extend((0..entry.calls.len()).map(|call| Step { layer, call }));
    }
    let mut waits = vec![0_usize; steps.len()];
    let mut feeds: Vec<Vec<usize>> = vec![Vec::new(); steps.len()];
    for (index, &step) in steps.iter().enumerate() {
        for reference in calls(step).references() {
            waits[index] += 1;
            feeds[first[reference.layer] + reference.call].push(index);
        }
    }
    let free = (0..steps.len()).filter(|&index| waits[index] == 0);
    let mut ready: BinaryHeap<Reverse<usize>> = free.map(Reverse).collect();
    let mut order = Vec::with_capacity(steps.len());
    while let Some(Reverse(index)) = ready.pop() {
        order.push(steps[index]);
        for &next in &feeds[index] {
            waits[next] -= 1;
            if waits[next] == 0 {
                ready.push(Reverse(next));
            }
        }
    }
    if order.len() == steps.len() {
        return Ok(order);
    }
    let mut stuck: Vec<&str> = steps
        .iter()
        .zip(&waits)
        .filter(|&(_, &waits)| waits > 0)
        .map(|(step, _)| network.layers[step.layer].name.as_str())
        .collect();
    stuck.dedup();
    Err(format!(
        "has layers that wait for each other in a circle: {}",
        show::names(stuck.into_iter())
    ))
}
