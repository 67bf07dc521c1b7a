//! `convscope models`.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::Args;
use serde_json::{Value, json};

use super::fetch::size;
use crate::fetch::{Algorithm, Cache, Entry, List};

#[derive(Args, Debug)]
pub(super) struct Models {
    /// Print a JSON list with one element for each model.
    #[arg(long)]
    json: bool,
}

/// What a fetched file that is not of the list is said to be.
const OTHER: &str = "fetched from another address";

impl Models {
    pub(super) fn run(self) -> Result<()> {
        let list = List::known()?;
        // Without a home folder nothing is fetched.
        let cache = Cache::of_user().ok();
        let found = |entry: &Entry| cache.as_ref().and_then(|cache| cache.find(entry));
        let others = match &cache {
            Some(cache) => cache.others(&list)?,
            None => Vec::new(),
        };
        let mut out = io::stdout().lock();
        if self.json {
            let listed = list
                .entries()
                .iter()
                .map(|entry| listed(entry, found(entry)));
            let all: Vec<Value> = listed
                .chain(others.iter().map(|path| other(path)))
                .collect();
            serde_json::to_writer_pretty(&mut out, &all).map_err(io::Error::from)?;
            writeln!(out)?;
            return Ok(());
        }
        let mut rows = vec![["Name", "Size", "What it is", "Fetched"].map(str::to_owned)];
        for entry in list.entries() {
            let place = found(entry).map_or("no".to_owned(), |path| path.display().to_string());
            let what = format!("{} ({})", entry.what, entry.licence);
            rows.push([entry.name.clone(), size(entry.size), what, place]);
        }
        for path in &others {
            let bytes = path.metadata().map_or(0, |found| found.len());
            let place = path.display().to_string();
            rows.push([name(path), size(bytes), OTHER.to_owned(), place]);
        }
        table(&mut out, &rows)?;
        writeln!(out)?;
        writeln!(
            out,
            "convscope fetch NAME fetches one; then NAME stands for it wherever a model is asked for."
        )?;
        Ok(())
    }
}

/// Columns as wide as their widest entry, the sizes aligned to the right.
fn table(out: &mut impl Write, rows: &[[String; 4]]) -> io::Result<()> {
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.max().unwrap_or(0)
    };
    let [names, sizes, what] = [width(0), width(1), width(2)];
    for [name, size, about, place] in rows {
        writeln!(
            out,
            "{name:<names$}  {size:>sizes$}  {about:<what$}  {place}"
        )?;
    }
    Ok(())
}

fn listed(entry: &Entry, path: Option<PathBuf>) -> Value {
    let digits = |algorithm| {
        let digest = Some(&entry.digest).filter(|digest| digest.algorithm() == algorithm);
        digest.map(|digest| digest.digits().to_owned())
    };
    json!({
        "name": entry.name,
        "what": entry.what,
        "url": entry.address.as_str(),
        "size": entry.size,
        "md5": digits(Algorithm::Md5),
        "sha256": digits(Algorithm::Sha256),
        "licence": entry.licence,
        "source": entry.source,
        "fetched": path.is_some(),
        "path": path.map(|path| path.to_string_lossy().into_owned()),
    })
}

/// A fetched file of which nothing is known.
fn other(path: &Path) -> Value {
    json!({
        "name": name(path),
        "what": OTHER,
        "url": null,
        "size": path.metadata().map(|found| found.len()).ok(),
        "md5": null,
        "sha256": null,
        "licence": null,
        "source": null,
        "fetched": true,
        "path": path.to_string_lossy(),
    })
}

fn name(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}
