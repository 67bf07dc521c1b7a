//! One image after the other.

use std::path::PathBuf;

use anyhow::{Result, bail};

/// Does something with each image. Of several, one that fails is told and passed by.
///
/// # Errors
/// If the only image fails, or any of several.
pub(super) fn each(images: &[PathBuf], mut work: impl FnMut(usize) -> Result<()>) -> Result<()> {
    let mut failed = 0;
    for index in 0..images.len() {
        match work(index) {
            Err(error) if images.len() > 1 => {
                eprintln!("convscope: {error:#}");
                failed += 1;
            }
            result => result?,
        }
    }
    if failed > 0 {
        bail!("{failed} of {} images failed", images.len());
    }
    Ok(())
}
