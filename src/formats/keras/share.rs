//! Sharing a nested model's weights out among its layers.
//!
//! The file lists them flat: all that are trained in the order of the layers, then all others. The names mostly
//! tell whose they are, and then they are believed, as a slip in the order would go unnoticed: a batch norm's
//! four vectors look alike. Where names don't tell, the order does, as when Keras itself reads the file.

use std::collections::HashMap;

use super::Outcome;
use super::config::Fields;
use super::layer::{Variable, variables};
use super::network::{Network, in_layer};
use super::show;
use super::weight::Weight;

/// Indices of a layer in its network, and of the models around it, outermost first.
pub type Path = Vec<usize>;

/// A layer of a nested model that isn't a model itself.
struct Leaf<'a> {
    path: Path,
    name: &'a str,
    /// What it needs, if that is known.
    variables: Option<Vec<Variable>>,
    trainable: bool,
}

/// Gives each layer its part. If that can't be told, all of them stay at the model's own place.
///
/// # Errors
/// When there are more or less than all layers need.
pub fn out(
    body: &Network,
    index: usize,
    weights: Vec<Weight>,
    keras: u32,
) -> Outcome<Vec<(Path, Vec<Weight>)>> {
    let mut leaves = Vec::new();
    collect(body, &vec![index], &mut leaves)?;
    if let Some(owners) = by_name(&leaves, &weights) {
        return Ok(gathered(&leaves, &owners, weights));
    }
    if leaves.iter().any(|leaf| leaf.variables.is_none()) {
        return Ok(vec![(vec![index], weights)]);
    }
    let owners = in_order(body, &mut (0..), &leaves, keras);
    let owners = [owners.trained, owners.fixed].concat();
    if owners.len() == weights.len() {
        return Ok(gathered(&leaves, &owners, weights));
    }
    Err(format!(
        "needs {} weights for all its layers, and the file has {} ({})",
        owners.len(),
        weights.len(),
        show::names(weights.iter().map(|weight| weight.name.as_str()))
    ))
}

fn collect<'a>(network: &'a Network, path: &Path, leaves: &mut Vec<Leaf<'a>>) -> Outcome<()> {
    for (index, entry) in network.layers.iter().enumerate() {
        let path: Path = path.iter().copied().chain([index]).collect();
        if let Some(body) = &entry.body {
            collect(body, &path, leaves)?;
            continue;
        }
        let variables = variables(&entry.class, Fields(&entry.config));
        leaves.push(Leaf {
            path,
            name: &entry.name,
            variables: variables.map_err(|what| in_layer(&entry.name, &what))?,
            trainable: entry.trainable,
        });
    }
    Ok(())
}

/// `owners` says for each weight which leaf it belongs to.
fn gathered(leaves: &[Leaf], owners: &[usize], weights: Vec<Weight>) -> Vec<(Path, Vec<Weight>)> {
    let mut parts: Vec<_> = leaves
        .iter()
        .map(|leaf| (leaf.path.clone(), Vec::new()))
        .collect();
    for (&owner, weight) in owners.iter().zip(weights) {
        parts[owner].1.push(weight);
    }
    parts
}

/// The owners by the layers' names in the weights' names; `None` if that leaves a doubt.
fn by_name(leaves: &[Leaf], weights: &[Weight]) -> Option<Vec<usize>> {
    let mut named: HashMap<&str, Option<usize>> = HashMap::new();
    for (index, leaf) in leaves.iter().enumerate() {
        let twice = named.contains_key(leaf.name);
        named.insert(leaf.name, (!twice).then_some(index));
    }
    let owners: Vec<usize> = weights
        .iter()
        .map(|weight| owner(&named, weight))
        .collect::<Option<_>>()?;
    let mut counts = vec![0; leaves.len()];
    for &owner in &owners {
        counts[owner] += 1;
    }
    let right = |(leaf, count): (&Leaf, &usize)| {
        let needed = leaf.variables.as_ref();
        needed.is_none_or(|needed| needed.len() == *count)
    };
    leaves.iter().zip(&counts).all(right).then_some(owners)
}

/// The innermost part of a weight's name that is a layer's: `conv` in `base/block/conv/kernel:0`.
fn owner(named: &HashMap<&str, Option<usize>>, weight: &Weight) -> Option<usize> {
    const DEEPEST: usize = 32;
    let (folder, _) = weight.name.rsplit_once('/')?;
    let ends: Vec<usize> = folder.match_indices('/').map(|(at, _)| at).collect();
    if ends.len() > DEEPEST {
        return None;
    }
    // Layers' names may have slashes themselves.
    for &end in [folder.len()].iter().chain(ends.iter().rev()) {
        let starts = ends.iter().filter(|&&at| at < end).map(|at| at + 1);
        for start in [0].into_iter().chain(starts) {
            if let Some(owner) = named.get(&folder[start..end]) {
                return *owner;
            }
        }
    }
    None
}

/// The owners of a model's weights, in Keras's order.
#[derive(Default)]
struct Owners {
    trained: Vec<usize>,
    fixed: Vec<usize>,
}

/// Walks the model as [`collect`] does, so that `indices` count the leaves.
fn in_order(
    network: &Network,
    indices: &mut impl Iterator<Item = usize>,
    leaves: &[Leaf],
    keras: u32,
) -> Owners {
    let mut all = Owners::default();
    for entry in &network.layers {
        if let Some(body) = &entry.body {
            let inner = in_order(body, indices, leaves, keras);
            all.trained.extend(inner.trained);
            all.fixed.extend(inner.fixed);
            continue;
        }
        let Some((index, leaf)) = indices.next().and_then(|at| Some((at, leaves.get(at)?))) else {
            break;
        };
        for variable in leaf.variables.iter().flatten() {
            if variable.trainable && leaf.trainable {
                all.trained.push(index);
            } else {
                all.fixed.push(index);
            }
        }
    }
    // Keras 2 calls nothing in a frozen model trained; Keras 3 asks each weight.
    if keras < 3 && !network.trainable {
        all.fixed.splice(0..0, all.trained.drain(..));
    }
    all
}
