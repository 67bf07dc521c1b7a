//! Finished patterns on disk: `$XDG_CACHE_HOME/convscope/patterns` or `~/.cache/convscope/patterns`.
//!
//! A pattern is found again by what it was made from: the values of the weights in front of its filter, and all
//! settings. Its file holds a checksum over that and the content, and what fails it isn't there. Files come into being
//! whole, under their name at once; when they take too much room the oldest go.

use std::collections::HashMap;
use std::fmt::{self, Write as _};
use std::fs::{self, DirEntry, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use etcetera::BaseStrategy;
use etcetera::base_strategy::Xdg;
use sha2::{Digest, Sha256};

use super::prefix::ancestors;
use super::settings::MOST_STEPS;
use super::{Objective, Pattern, Recipe, Settings};
use crate::array::{Array, npy};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::model::{NodeId, Op, Parameter, Values};

/// What all the user's patterns may take: 256 MiB, about a thousand of the book's.
const BUDGET: u64 = 256 << 20;

/// What a file begins with. Another way to make or to write patterns is another number.
const MAGIC: &[u8; 20] = b"convscope pattern 1\n";

/// Bytes of a checksum.
const SUM: usize = 32;

/// No file is longer: the largest picture and the most losses.
const LONGEST: u64 = 64 << 20;

const ENDING: &str = "pattern";
const TEMPORARY: &str = ".convscope-";

/// Unfinished files of that age are nobody's.
const FORGOTTEN: Duration = Duration::from_hours(24);

/// Values hashed at a time.
const PIECE: usize = 1 << 18;

/// What a pattern was made from, in 256 bits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key([u8; SUM]);

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({self})")
    }
}

/// A folder of patterns. It may not be there yet.
pub struct Shelf {
    folder: PathBuf,
    budget: u64,
    /// Of parameters that were read already, by identity.
    sums: Mutex<HashMap<usize, Sum>>,
}

/// A parameter's checksum. Holding its source keeps its identity from being another's.
struct Sum {
    _source: Arc<dyn Values>,
    sum: [u8; SUM],
}

impl fmt::Debug for Shelf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Shelf({})", self.folder.display())
    }
}

impl Shelf {
    /// The user's.
    ///
    /// # Errors
    /// When the user has no home folder.
    pub fn of_user() -> Result<Self> {
        let folders = Xdg::new().map_err(|_| {
            Error::request(
                "there is no folder to keep patterns in: neither XDG_CACHE_HOME nor HOME is set",
            )
        })?;
        let folder = folders.cache_dir().join("convscope").join("patterns");
        Ok(Self::in_folder(folder, BUDGET))
    }

    /// Any folder, whose patterns may take `budget` bytes.
    pub fn in_folder(folder: impl Into<PathBuf>, budget: u64) -> Self {
        Self {
            folder: folder.into(),
            budget,
            sums: Mutex::default(),
        }
    }

    /// Where it is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Under what a pattern is kept. Reads each weight in front of the objective once in a shelf's life.
    ///
    /// # Errors
    /// When the model has no such objective, or weights can't be read.
    pub fn key(&self, engine: &Engine, objective: Objective, settings: &Settings) -> Result<Key> {
        let model = engine.model();
        let unit = objective.unit(model, &settings.shapes(model))?;
        let mut hasher = Sha256::new();
        // Results repeat on one kind of device only.
        let device = engine.device().to_string();
        let device = device.split(':').next().unwrap_or_default();
        let Settings {
            recipe,
            size,
            steps,
            seed,
            start,
        } = settings;
        let mut what = format!(
            "{device} {} {size:?} {steps} {seed} {unit:?}",
            recipe.name()
        );
        if *recipe == Recipe::Lucid {
            let ours = &model.preprocessing;
            let arithmetic = (ours.channels, ours.scale, ours.mean, ours.std);
            write!(what, " {arithmetic:?}").unwrap_or_default();
        }
        hasher.update(MAGIC);
        hasher.update(&what);
        if let Some(start) = start {
            update(&mut hasher, start.values());
        }
        for id in ancestors(model, unit.node) {
            self.node(&mut hasher, id, &model.node(id).op, &model.node(id).inputs)?;
        }
        Ok(Key(hasher.finalize().into()))
    }

    fn node(&self, hasher: &mut Sha256, id: NodeId, op: &Op, inputs: &[NodeId]) -> Result<()> {
        // Everything about the op but its parameters' values.
        hasher.update(format!("\n{id:?} {inputs:?} {op:?}"));
        for parameter in parameters(op) {
            hasher.update(self.sum(parameter)?);
        }
        Ok(())
    }

    fn sum(&self, parameter: &Parameter) -> Result<[u8; SUM]> {
        let sums = || self.sums.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = sums().get(&parameter.identity()) {
            return Ok(known.sum);
        }
        let mut hasher = Sha256::new();
        hasher.update(format!("{:?}", parameter.order));
        let total = parameter.len();
        let mut piece = vec![0.0; PIECE.min(total)];
        let mut start = 0;
        while start < total {
            let count = PIECE.min(total - start);
            parameter.values.read(start, &mut piece[..count])?;
            update(&mut hasher, &piece[..count]);
            start += count;
        }
        let sum = hasher.finalize().into();
        let entry = Sum {
            _source: parameter.values.clone(),
            sum,
        };
        sums().insert(parameter.identity(), entry);
        Ok(sum)
    }

    /// A pattern that was put there, whole and unchanged.
    pub fn get(&self, key: Key) -> Option<Pattern> {
        let path = self.path(key);
        // A pipe would be waited for without end.
        if !fs::metadata(&path).is_ok_and(|found| found.is_file()) {
            return None;
        }
        let mut bytes = Vec::new();
        let file = File::open(&path).ok()?;
        file.take(LONGEST + 1).read_to_end(&mut bytes).ok()?;
        unpacked(&bytes, key, &path)
    }

    /// Keeps a pattern, in place of one that was there under the same key, and removes the oldest where there are too
    /// many.
    ///
    /// # Errors
    /// When the folder can't be made or written to, or the device is full. Then nothing is there, or what was before.
    pub fn put(&self, key: Key, pattern: &Pattern) -> Result<()> {
        let fail = |error| Error::io(&self.folder, error);
        fs::create_dir_all(&self.folder).map_err(fail)?;
        let mut file = tempfile::Builder::new()
            .prefix(TEMPORARY)
            .suffix(".part")
            .tempfile_in(&self.folder)
            .map_err(fail)?;
        file.write_all(&packed(key, pattern)).map_err(fail)?;
        let path = self.path(key);
        let kept = file.persist(&path);
        kept.map_err(|error| Error::io(&path, error.error))?;
        self.make_room(&path);
        Ok(())
    }

    fn path(&self, key: Key) -> PathBuf {
        self.folder.join(format!("{key}.{ENDING}"))
    }

    /// Removes the oldest patterns until the rest is within the budget. What can't be removed stays.
    fn make_room(&self, kept: &Path) {
        let Ok(entries) = fs::read_dir(&self.folder) else {
            return;
        };
        let mut patterns: Vec<(SystemTime, u64, PathBuf)> = entries
            .filter_map(|entry| aged(&entry.ok()?))
            .filter(|(_, _, path)| path != kept)
            .collect();
        patterns.sort();
        let own = fs::metadata(kept).map_or(0, |found| found.len());
        let mut total = own + patterns.iter().map(|(_, length, _)| length).sum::<u64>();
        for (_, length, path) in patterns {
            if total <= self.budget {
                break;
            }
            if fs::remove_file(path).is_ok() {
                total -= length;
            }
        }
    }
}

/// When a pattern was written, and its length. What an ended process left unfinished is removed.
fn aged(entry: &DirEntry) -> Option<(SystemTime, u64, PathBuf)> {
    let path = entry.path();
    let found = entry.metadata().ok().filter(fs::Metadata::is_file)?;
    let written = found.modified().ok()?;
    let name = path.file_name()?.to_str()?;
    if name.starts_with(TEMPORARY) && written.elapsed().is_ok_and(|age| age > FORGOTTEN) {
        // Whoever can't remove it leaves it to the next.
        let _ = fs::remove_file(&path);
    }
    let pattern = path.extension().is_some_and(|ending| ending == ENDING);
    pattern.then_some((written, found.len(), path))
}

/// All weights of an op; those of a normalisation's constants too.
fn parameters(op: &Op) -> Vec<&Parameter> {
    match op {
        Op::Conv(conv) => std::iter::once(&conv.weight).chain(&conv.bias).collect(),
        Op::ConvTranspose(conv) => std::iter::once(&conv.weight).chain(&conv.bias).collect(),
        Op::Dense { weight, bias } => std::iter::once(weight).chain(bias).collect(),
        Op::BatchNorm(norm) => [&norm.mean, &norm.variance]
            .into_iter()
            .chain(&norm.gamma)
            .chain(&norm.beta)
            .collect(),
        Op::LayerNorm(norm) => norm.gamma.iter().chain(&norm.beta).collect(),
        Op::PRelu { alpha } => vec![alpha],
        // An affine's constants are in its description.
        _ => Vec::new(),
    }
}

fn update(hasher: &mut Sha256, values: &[f32]) {
    let bytes: Vec<u8> = values
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect();
    hasher.update(&bytes);
}

/// The magic, whether it is dead, the number of losses, the losses, the image as a `.npy` file, and a checksum over
/// the key and all of these.
fn packed(key: Key, pattern: &Pattern) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    bytes.push(u8::from(pattern.dead));
    bytes.extend((pattern.losses.len() as u32).to_le_bytes());
    bytes.extend(pattern.losses.iter().flat_map(|loss| loss.to_le_bytes()));
    bytes.extend(npy::bytes(&pattern.image));
    let sum = checksum(key, &bytes);
    bytes.extend(sum);
    bytes
}

fn unpacked(bytes: &[u8], key: Key, path: &Path) -> Option<Pattern> {
    let (body, sum) = bytes.split_last_chunk::<SUM>()?;
    if checksum(key, body) != *sum {
        return None;
    }
    // What follows was written by this program, or by someone who wants to be believed: nothing is taken on trust.
    let rest = body.strip_prefix(MAGIC)?;
    let (&[dead], rest) = rest.split_first_chunk()?;
    let (count, rest) = rest.split_first_chunk()?;
    let count = u32::from_le_bytes(*count) as usize;
    if count > MOST_STEPS + 1 {
        return None;
    }
    let (losses, image) = rest.split_at_checked(8 * count)?;
    let (losses, _) = losses.as_chunks();
    let image: Array = npy::decode(image, path).ok()?;
    let finite = image.values().iter().all(|value| value.is_finite());
    (finite && image.shape().len() == 3).then(|| Pattern {
        image,
        losses: losses.iter().copied().map(f64::from_le_bytes).collect(),
        dead: dead == 1,
    })
}

fn checksum(key: Key, body: &[u8]) -> [u8; SUM] {
    let mut hasher = Sha256::new();
    hasher.update(key.0);
    hasher.update(body);
    hasher.finalize().into()
}
