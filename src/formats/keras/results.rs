//! What the calls of a network's layers have given so far.

use super::Outcome;
use super::call::Reference;
use super::layer::Tensor;
use super::network::Network;
use super::schedule::Step;

/// What a call of a layer gives.
pub enum Results {
    /// One for each output.
    Known(Vec<Tensor>),
    /// Of a layer that convscope doesn't know: all outputs are the one node.
    Unknown(Tensor),
}

impl Results {
    fn get(&self, output: usize) -> Option<Tensor> {
        match self {
            Self::Known(tensors) => tensors.get(output).copied(),
            Self::Unknown(tensor) => Some(*tensor),
        }
    }
}

/// Results by layer and call.
pub struct Values<'a> {
    network: &'a Network,
    found: Vec<Vec<Option<Results>>>,
}

impl<'a> Values<'a> {
    /// None yet.
    pub fn of(network: &'a Network) -> Self {
        let layers = network.layers.iter();
        let found = layers.map(|entry| entry.calls.iter().map(|_| None).collect());
        Self {
            network,
            found: found.collect(),
        }
    }

    /// Keeps what a call gave.
    pub fn put(&mut self, step: Step, results: Results) {
        self.found[step.layer][step.call] = Some(results);
    }

    /// One output of a call.
    ///
    /// # Errors
    /// When the call has no such output.
    pub fn get(&self, reference: Reference) -> Outcome<Tensor> {
        let calls = self.found.get(reference.layer);
        let results = calls.and_then(|calls| calls.get(reference.call)?.as_ref());
        results
            .and_then(|results| results.get(reference.output))
            .ok_or_else(|| {
                let name = &self.network.layers[reference.layer].name;
                format!(
                    "refers to an output {} of '{name}', which isn't there",
                    reference.output
                )
            })
    }
}
