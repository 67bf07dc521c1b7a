//! What is computed on.

use std::env;
use std::path::Path;

use serde_json::{Value, json};

use super::Row;
use super::libtorch::Libtorch;
use crate::engine::{Device, DeviceChoice, threads};

/// What is computed on.
#[derive(Debug)]
pub(super) struct Computing {
    /// What `--device auto` gives.
    device: String,
    threads: usize,
    gpus: usize,
    why: String,
    libtorch: Libtorch,
}

impl Computing {
    pub(super) fn look() -> Self {
        let libtorch = Libtorch::loaded();
        let gpus = Device::gpus();
        let device = Device::open(DeviceChoice::Auto)
            .unwrap_or(Device::CPU)
            .to_string();
        let why = if device != "cpu" {
            counted(gpus)
        } else if gpus > 0 {
            unusable(gpus)
        } else {
            why_none(&libtorch)
        };
        Self {
            device,
            threads: threads(),
            gpus,
            why,
            libtorch,
        }
    }

    fn has_cuda(&self) -> bool {
        self.device != "cpu"
    }

    pub(super) fn rows(&self) -> Vec<Row> {
        let answer = if self.has_cuda() { "yes" } else { "no" };
        let version = self
            .libtorch
            .version
            .as_deref()
            .unwrap_or("of unknown version");
        let folder = self.libtorch.folder.as_ref();
        let folder = folder.map_or("an unknown folder".to_owned(), |folder| {
            folder.display().to_string()
        });
        vec![
            ("device", format!("{} (--device auto)", self.device)),
            ("threads", format!("{} (--threads)", self.threads)),
            ("CUDA", format!("{answer}: {}", self.why)),
            ("libtorch", format!("{version}, from {folder}")),
        ]
    }

    pub(super) fn json(&self) -> Value {
        json!({
            "device": self.device,
            "threads": self.threads,
            "cuda": {"available": self.has_cuda(), "devices": self.gpus, "why": self.why},
            "libtorch": {"version": self.libtorch.version, "folder": self.libtorch.folder},
        })
    }
}

fn counted(gpus: usize) -> String {
    if gpus == 1 {
        "1 GPU".to_owned()
    } else {
        format!("{gpus} GPUs")
    }
}

/// libtorch sees a GPU, and it can't be used: the reason is what asking for it by name says.
fn unusable(gpus: usize) -> String {
    match Device::open(DeviceChoice::Cuda(0)) {
        Err(error) => error.to_string(),
        Ok(_) => counted(gpus),
    }
}

/// Why libtorch sees no GPU.
fn why_none(libtorch: &Libtorch) -> String {
    if !libtorch.cuda {
        return "this libtorch is built for the CPU; 'make CUDA=1' takes the other".to_owned();
    }
    if !Path::new("/dev/nvidiactl").exists() {
        return "there is no NVIDIA driver here".to_owned();
    }
    match env::var("CUDA_VISIBLE_DEVICES") {
        Ok(visible) => format!("no GPU is visible, with CUDA_VISIBLE_DEVICES={visible:?}"),
        Err(_) => "the driver shows no GPU that this libtorch can use".to_owned(),
    }
}
