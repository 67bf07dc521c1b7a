//! A model on a device, and the verbs that everything else is made of: [`Engine::forward`],
//! [`Engine::value`], [`Engine::stream`], [`Engine::resume`] and [`Engine::vjp`].
//!
//! This is the only place that knows burn, libtorch or a device. Everything is computed in `f32` by burn's
//! libtorch backend; gradients by a backward sweep over the graph itself, which visits only the nodes between
//! the asked-for ones and the output, makes no gradients of weights, and takes any number of cotangents in
//! one pass.

// burn has announced that its libtorch backend will go; until then this is the one place that names it.
#![allow(deprecated)]

mod activation;
mod adjoint;
mod apply;
mod arithmetic;
mod device;
mod guard;
mod interrupt;
mod run;
mod spectrum;
mod tensor;
#[cfg(test)]
mod tests;
mod weights;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use burn::backend::ops::FloatTensorOps;
use burn::backend::{FloatDType, LibTorch};
use burn_tch::TchTensor;

pub use device::{Device, DeviceChoice, set_threads, settle_environment, threads};
pub use interrupt::Interrupt;
pub use run::Run;
pub use spectrum::{Feed, Glimpse, Spectrum};
pub use tensor::Tensor;

use adjoint::{Needs, Step, needs};
use apply::{Context, apply};
use guard::guarded;
use weights::Weights;

use crate::error::{Error, Result};
use crate::model::{Model, Node, NodeId, Op};

/// How rectifiers pass a gradient back. The last two are made for pictures: Springenberg et al. 2015 and
/// Zeiler & Fergus 2014.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReluRule {
    /// The true gradient: where the unit was open.
    #[default]
    Gradient,
    /// Positive gradients only, where the unit was open.
    Guided,
    /// Positive gradients only, wherever the unit stood.
    Deconvnet,
}

/// A value put in place of what a node computes: (batch, ...) or one example for the whole batch.
#[derive(Clone, Debug)]
pub struct Edit {
    /// Which node.
    pub node: NodeId,
    /// Its new value.
    pub value: Tensor,
}

/// What becomes of a run's values in a backward sweep.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Values {
    /// They stay for the next one.
    Kept,
    /// Each is freed as soon as it isn't needed any more.
    Spent,
}

/// What stays in a run of what is computed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Keep {
    /// Nothing.
    Nothing,
    /// The values asked for.
    Targets,
    /// The same, and where the maxima of pools were found.
    ForSweep,
}

/// A model on a device. Weights are uploaded when they are first needed, and stay.
#[derive(Debug)]
pub struct Engine {
    model: Arc<Model>,
    device: Device,
    weights: Arc<Mutex<Weights>>,
    interrupt: Interrupt,
}

impl Engine {
    /// Prepares to compute; nothing is read yet.
    pub fn new(model: Arc<Model>, device: Device) -> Self {
        Self {
            model,
            device,
            weights: Arc::default(),
            interrupt: Interrupt::default(),
        }
    }

    /// An engine for another model on the same device, such as a part of this one's. Weights of parameters that both
    /// have are uploaded once, and what stops one stops the other.
    #[must_use]
    pub fn beside(&self, model: Arc<Model>) -> Self {
        Self {
            model,
            device: self.device,
            weights: self.weights.clone(),
            interrupt: self.interrupt.clone(),
        }
    }

    /// The model that is computed.
    pub fn model(&self) -> &Arc<Model> {
        &self.model
    }

    /// Where it is computed.
    pub fn device(&self) -> Device {
        self.device
    }

    /// A handle by which another thread can stop the computation under way.
    pub fn interrupt(&self) -> Interrupt {
        self.interrupt.clone()
    }

    /// Runs the graph as far as `keep` needs it, and keeps those values. `inputs` has one tensor (N,...) for
    /// each input of the model.
    ///
    /// # Errors
    /// When an input doesn't fit, a layer on the way can't be computed, or its weights can't be read; naming
    /// the layer.
    pub fn forward(&self, inputs: &[Tensor], keep: &[NodeId]) -> Result<Run> {
        let mut run = self.start(inputs)?;
        self.evaluate(&mut run, keep, Keep::Targets, &mut |_, _| Ok(()))?;
        Ok(run)
    }

    /// Computes the values of many nodes in the graph's order and hands each one over as soon as it is there,
    /// holding none of them longer than the graph needs it.
    ///
    /// # Errors
    /// As [`Self::forward`]; an error of `visit` ends the pass and is returned.
    pub fn stream(
        &self,
        inputs: &[Tensor],
        nodes: &[NodeId],
        mut visit: impl FnMut(NodeId, &Tensor) -> Result<()>,
    ) -> Result<()> {
        let mut run = self.start(inputs)?;
        self.evaluate(&mut run, nodes, Keep::Nothing, &mut visit)
    }

    /// The value of a node, (N,...): from the run if it was kept, else computed from what was, and kept.
    ///
    /// # Errors
    /// As [`Self::forward`].
    pub fn value(&self, run: &mut Run, node: NodeId) -> Result<Tensor> {
        self.evaluate(run, &[node], Keep::Targets, &mut |_, _| Ok(()))?;
        Ok(Tensor(run.values[&node].clone()))
    }

    /// Recomputes only what depends on edited nodes, as far as `keep` needs it, for a whole batch of edits at
    /// once. Values that bypass the edits come from `run`. The batch is the largest of the edits'; a run of
    /// one example, and edits of one, serve every example of the batch.
    ///
    /// # Errors
    /// When an edit's shape or batch doesn't fit; else as [`Self::forward`].
    pub fn resume(&self, run: &mut Run, edits: &[Edit], keep: &[NodeId]) -> Result<Run> {
        let batch = edits
            .iter()
            .map(|edit| edit.value.batch())
            .max()
            .unwrap_or(1)
            .max(run.batch);
        if run.batch != 1 && run.batch != batch {
            return Err(Error::request(format!(
                "a run of {} examples can't resume as {batch}",
                run.batch
            )));
        }
        let mut values = HashMap::new();
        for edit in edits {
            let wanted = run.shapes.get(edit.node)?;
            let found = edit.value.shape();
            if found.get(1..) != Some(wanted) || ![1, batch].contains(&edit.value.batch()) {
                return Err(Error::layer(
                    self.model.layer_name(edit.node),
                    format!(
                        "an edit of shape {found:?} doesn't fit values of {wanted:?} in a batch of {batch}"
                    ),
                ));
            }
            values.insert(edit.node, expanded(&edit.value.0, wanted, batch)?);
        }
        let changed = self.descendants(values.keys().copied());
        // Of what isn't changed, only what feeds the changed part is needed.
        let needed = self.plan(&values, keep);
        let mut live = BTreeSet::new();
        for &node in &needed {
            if changed.contains(&node) {
                live.extend(
                    self.model
                        .node(node)
                        .inputs
                        .iter()
                        .filter(|input| !changed.contains(input)),
                );
            } else if keep.contains(&node) {
                live.insert(node);
            }
        }
        live.retain(|node| !values.contains_key(node));
        let live: Vec<NodeId> = live.into_iter().collect();
        self.evaluate(run, &live, Keep::Targets, &mut |_, _| Ok(()))?;
        for (node, value) in &run.values {
            if !changed.contains(node) && !values.contains_key(node) {
                values.insert(*node, expanded(value, run.shapes.get(*node)?, batch)?);
            }
        }
        let mut resumed = Run {
            batch,
            shapes: run.shapes.clone(),
            values,
            maxima: HashMap::new(),
        };
        self.evaluate(&mut resumed, keep, Keep::Targets, &mut |_, _| Ok(()))?;
        Ok(resumed)
    }

    /// Vector-Jacobian products: the gradients at `nodes` of the sum of `cotangents * output`, for each of K
    /// cotangents (K, shape of the output) by itself. A run of one example serves all K; else K is the run's
    /// batch. Nodes that the output doesn't depend on get zeros. Forward values that the sweep needs are
    /// computed if the run lacks them, and kept in it, so that the next sweep is cheaper.
    ///
    /// # Errors
    /// When the cotangents' shape doesn't fit; else as [`Self::forward`].
    pub fn vjp(
        &self,
        run: &mut Run,
        output: NodeId,
        cotangents: &Tensor,
        nodes: &[NodeId],
        rule: ReluRule,
    ) -> Result<Vec<Tensor>> {
        self.sweep(run, output, cotangents, nodes, rule, Values::Kept)
    }

    /// The value of `output` and the gradient at `node` of its product with `cotangents`, (N, shape of the output) for
    /// as many examples: a pass forward and back for whoever goes on from the gradient alone. Values are freed on the
    /// way back, which saves the memory and the time that [`Self::vjp`] takes to keep them for the next sweep.
    ///
    /// # Errors
    /// As [`Self::vjp`].
    pub fn gradient(
        &self,
        inputs: &[Tensor],
        output: NodeId,
        cotangents: &Tensor,
        node: NodeId,
        rule: ReluRule,
    ) -> Result<(Tensor, Tensor)> {
        let mut run = self.start(inputs)?;
        let mut found = self.sweep(&mut run, output, cotangents, &[node], rule, Values::Spent)?;
        let value = self.value(&mut run, output)?;
        Ok((value, found.swap_remove(0)))
    }

    fn sweep(
        &self,
        run: &mut Run,
        output: NodeId,
        cotangents: &Tensor,
        nodes: &[NodeId],
        rule: ReluRule,
        values: Values,
    ) -> Result<Vec<Tensor>> {
        let wanted = run.shapes.get(output)?.to_vec();
        let (count, shape) = (cotangents.batch(), cotangents.shape());
        if shape.get(1..) != Some(&wanted[..]) || ![1, count].contains(&run.batch) {
            return Err(Error::layer(
                self.model.layer_name(output),
                format!(
                    "cotangents of {shape:?} don't fit values of {wanted:?} in a batch of {}",
                    run.batch
                ),
            ));
        }
        let mut path = self.descendants(nodes.iter().copied());
        path.extend(nodes);
        let upstream: HashSet<NodeId> = self.plan(&HashMap::new(), &[output]).into_iter().collect();
        path.retain(|node| upstream.contains(node));
        // The asked-for nodes' own inputs are beyond the sweep unless they lead to another asked-for node.
        let sweep: Vec<NodeId> = path.iter().rev().copied().collect();
        let beside = match values {
            Values::Kept => None,
            Values::Spent => Some(output),
        };
        self.keep_for_sweep(run, &sweep, &path, beside)?;

        let mut gradients: HashMap<NodeId, TchTensor> = HashMap::new();
        let mut results: HashMap<NodeId, TchTensor> = HashMap::new();
        if path.contains(&output) {
            gradients.insert(output, cotangents.0.clone());
        }
        for node in sweep {
            self.interrupt.check()?;
            let Some(gradient) = gradients.remove(&node) else {
                continue;
            };
            if nodes.contains(&node) {
                results.insert(node, gradient.clone());
            }
            let inputs = &self.model.node(node).inputs;
            if !inputs.iter().any(|input| path.contains(input)) {
                continue;
            }
            let found = self.sweep_step(run, node, gradient, rule)?;
            // Whatever else is made from it was swept before.
            if values == Values::Spent && node != output {
                run.values.remove(&node);
                run.maxima.remove(&node);
            }
            for (input, gradient) in inputs.iter().zip(found) {
                if !path.contains(input) {
                    continue;
                }
                let sum = match gradients.remove(input) {
                    Some(other) => guarded(|| Ok(LibTorch::float_add(other, gradient)))?,
                    None => gradient,
                };
                gradients.insert(*input, sum);
            }
        }
        nodes
            .iter()
            .map(|node| match results.get(node) {
                Some(gradient) => Ok(Tensor(gradient.clone())),
                None => self.zeros(count, run.shapes.get(*node)?),
            })
            .collect()
    }

    fn start(&self, inputs: &[Tensor]) -> Result<Run> {
        if inputs.len() != self.model.inputs.len() || inputs.is_empty() {
            return Err(Error::request(format!(
                "the model has {} inputs, and was given {}",
                self.model.inputs.len(),
                inputs.len()
            )));
        }
        let batch = inputs[0].batch();
        let given: Vec<Vec<usize>> = inputs
            .iter()
            .map(|input| input.shape().get(1..).unwrap_or_default().to_vec())
            .collect();
        let shapes = self.model.shapes(&given);
        let mut values = HashMap::new();
        for (&node, input) in self.model.inputs.iter().zip(inputs) {
            shapes.get(node)?;
            if input.batch() != batch {
                return Err(Error::request("the inputs' batches differ"));
            }
            values.insert(node, input.0.clone());
        }
        Ok(Run {
            batch,
            shapes,
            values,
            maxima: HashMap::new(),
        })
    }

    /// The nodes to compute for `targets`, in order, given that some values are there.
    fn plan(&self, values: &HashMap<NodeId, TchTensor>, targets: &[NodeId]) -> Vec<NodeId> {
        let mut needed = BTreeSet::new();
        let mut open: Vec<NodeId> = targets.to_vec();
        while let Some(node) = open.pop() {
            if !values.contains_key(&node) && needed.insert(node) {
                open.extend(&self.model.node(node).inputs);
            }
        }
        needed.into_iter().collect()
    }

    /// Everything that depends on some nodes; not these themselves, unless they depend on one another.
    fn descendants(&self, roots: impl Iterator<Item = NodeId>) -> BTreeSet<NodeId> {
        let roots: HashSet<NodeId> = roots.collect();
        let mut found = BTreeSet::new();
        for (index, node) in self.model.nodes.iter().enumerate() {
            if node
                .inputs
                .iter()
                .any(|input| roots.contains(input) || found.contains(input))
            {
                found.insert(NodeId(index));
            }
        }
        found
    }

    /// Computes `targets` and what they need. Each value is dropped after its last use, unless it is kept.
    fn evaluate(
        &self,
        run: &mut Run,
        targets: &[NodeId],
        keep: Keep,
        visit: &mut dyn FnMut(NodeId, &Tensor) -> Result<()>,
    ) -> Result<()> {
        let plan = self.plan(&run.values, targets);
        // Refused before anything is computed: every layer on the way must have a shape.
        for &node in targets.iter().chain(&plan) {
            run.shapes.get(node)?;
        }
        let mut uses: HashMap<NodeId, usize> = HashMap::new();
        for input in plan.iter().flat_map(|&node| &self.model.node(node).inputs) {
            *uses.entry(*input).or_default() += 1;
        }
        let targets: HashSet<NodeId> = targets.iter().copied().collect();
        for &node in &targets {
            if let Some(value) = run.values.get(&node) {
                visit(node, &Tensor(value.clone()))?;
            }
        }
        let mut passing: HashMap<NodeId, TchTensor> = HashMap::new();
        for node in plan {
            self.interrupt.check()?;
            let Node { op, inputs } = self.model.node(node);
            let mut values = Vec::with_capacity(inputs.len());
            for input in inputs {
                let left = uses.entry(*input).or_insert(1);
                *left -= 1;
                let passed = if *left == 0 {
                    passing.remove(input)
                } else {
                    passing.get(input).cloned()
                };
                let Some(value) = passed.or_else(|| run.values.get(input).cloned()) else {
                    return Err(Error::layer(
                        self.model.layer_name(node),
                        "its input was not computed",
                    ));
                };
                values.push(value);
            }
            let (value, maxima) = self.apply(node, op, values, run)?;
            if keep == Keep::ForSweep {
                run.maxima.extend(maxima.map(|maxima| (node, maxima)));
            }
            if targets.contains(&node) {
                visit(node, &Tensor(value.clone()))?;
            }
            if keep != Keep::Nothing && targets.contains(&node) {
                run.values.insert(node, value);
            } else if uses.contains_key(&node) {
                passing.insert(node, value);
            }
        }
        Ok(())
    }

    /// The value of a node, and where its maxima were found if it is a pool of them.
    fn apply(
        &self,
        node: NodeId,
        op: &Op,
        inputs: Vec<TchTensor>,
        run: &Run,
    ) -> Result<(TchTensor, Option<TchTensor>)> {
        let shape: Vec<usize> = [&[run.batch], run.shapes.get(node)?].concat();
        let value = self.with_context(|context| {
            let value = apply(op, inputs, &shape, context)?;
            Ok((value, context.maxima.take()))
        });
        value.map_err(|error| self.located(node, error))
    }

    fn sweep_step(
        &self,
        run: &Run,
        node: NodeId,
        gradient: TchTensor,
        rule: ReluRule,
    ) -> Result<Vec<TchTensor>> {
        let Node { op, inputs } = self.model.node(node);
        let shapes = inputs
            .iter()
            .map(|input| run.shapes.get(*input))
            .collect::<Result<Vec<_>>>()?;
        let step = Step {
            op,
            inputs: inputs
                .iter()
                .map(|input| run.values.get(input).cloned())
                .collect(),
            output: run.values.get(&node).cloned(),
            maxima: run.maxima.get(&node).cloned(),
            input_shapes: shapes,
            rule,
        };
        let gradients = self.with_context(|context| step.gradients(gradient, context));
        gradients.map_err(|error| self.located(node, error))
    }

    /// Sees to it that the run holds the values that the backward sweep reads, and one beside them.
    fn keep_for_sweep(
        &self,
        run: &mut Run,
        sweep: &[NodeId],
        path: &BTreeSet<NodeId>,
        beside: Option<NodeId>,
    ) -> Result<()> {
        let mut wanted: Vec<NodeId> = beside.into_iter().collect();
        for &id in sweep {
            let node = self.model.node(id);
            if !node.inputs.iter().any(|input| path.contains(input)) {
                continue;
            }
            let needs = needs(&node.op);
            if matches!(needs, Needs::Inputs | Needs::Both) {
                wanted.extend(&node.inputs);
            }
            if matches!(needs, Needs::Output | Needs::Both) {
                wanted.push(id);
            }
        }
        self.evaluate(run, &wanted, Keep::ForSweep, &mut |_, _| Ok(()))
    }

    fn with_context<T>(&self, compute: impl FnOnce(&mut Context) -> Result<T>) -> Result<T> {
        // A panic inside libtorch leaves the cache as it was: entries are only added when complete.
        let mut weights = self.weights.lock().unwrap_or_else(PoisonError::into_inner);
        let mut context = Context {
            weights: &mut weights,
            device: self.device,
            maxima: None,
        };
        guarded(|| tch::no_grad(|| compute(&mut context)))
    }

    fn located(&self, node: NodeId, error: Error) -> Error {
        match error {
            Error::Request(what) => Error::layer(self.model.layer_name(node), what),
            other => other,
        }
    }

    fn zeros(&self, batch: usize, shape: &[usize]) -> Result<Tensor> {
        let shape = [&[batch], shape].concat();
        guarded(|| {
            let zeros = LibTorch::float_zeros(shape.into(), &self.device.handle(), FloatDType::F32);
            Ok(Tensor(zeros))
        })
    }
}

/// A value of one example, seen as a batch of equal ones; others stay.
fn expanded(value: &TchTensor, shape: &[usize], batch: usize) -> Result<TchTensor> {
    if value.tensor.size().first() == Some(&(batch as i64)) {
        return Ok(value.clone());
    }
    let shape = [&[batch], shape].concat();
    guarded(|| Ok(LibTorch::float_expand(value.clone(), shape.into())))
}
