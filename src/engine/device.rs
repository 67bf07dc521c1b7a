//! Where to compute, and what has to be settled before computing starts.

use std::env;
use std::fmt;
use std::hint;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::str::FromStr;

use burn_tch::LibTorchDevice;
use tch::{Cuda, Kind, Tensor as Torch};

use super::guard::guarded;
use crate::error::{Error, Result};

/// What the user asks for: `auto`, `cpu`, `cuda` or `cuda:N`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DeviceChoice {
    /// The first GPU if there is one that works, else the CPU.
    #[default]
    Auto,
    /// The CPU.
    Cpu,
    /// The GPU of this number.
    Cuda(usize),
}

impl FromStr for DeviceChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(Self::Auto),
            "cpu" => Ok(Self::Cpu),
            "cuda" => Ok(Self::Cuda(0)),
            _ => text
                .strip_prefix("cuda:")
                .and_then(|number| number.parse().ok())
                .map(Self::Cuda)
                .ok_or_else(|| "expected auto, cpu, cuda or cuda:N".to_owned()),
        }
    }
}

/// A device that is known to work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Device(LibTorchDevice);

impl Device {
    /// The CPU, which always works.
    pub const CPU: Self = Self(LibTorchDevice::Cpu);

    /// Opens what was asked for.
    ///
    /// # Errors
    /// When a GPU was asked for by name and can't be used.
    pub fn open(choice: DeviceChoice) -> Result<Self> {
        match choice {
            DeviceChoice::Cuda(number) => Self::cuda(number),
            DeviceChoice::Auto if Cuda::is_available() => Ok(Self::cuda(0).unwrap_or(Self::CPU)),
            DeviceChoice::Auto | DeviceChoice::Cpu => Ok(Self::CPU),
        }
    }

    /// How many GPUs there are, whether they can be used or not.
    pub fn gpus() -> usize {
        usize::try_from(Cuda::device_count()).unwrap_or(0)
    }

    fn cuda(number: usize) -> Result<Self> {
        let count = Self::gpus();
        if !Cuda::is_available() || number >= count {
            return Err(Error::request(match count {
                0 => format!(
                    "cuda:{number} can't be used: no CUDA GPU is visible to this build of convscope \
                     (a build with CUDA is made by 'make CUDA=1')"
                ),
                _ => format!("cuda:{number} can't be used: there are {count} GPUs, counted from 0"),
            }));
        }
        let device = Self(LibTorchDevice::Cuda(number));
        if device.rounds_to_tf32()? {
            return Err(Error::request(format!(
                "{device} rounds numbers to TF32 in spite of NVIDIA_TF32_OVERRIDE=0, so its results would be \
                 inexact; use --device cpu"
            )));
        }
        Ok(device)
    }

    /// Convolves a number that f32 can hold and TF32 (10 bits of mantissa) can't.
    fn rounds_to_tf32(self) -> Result<bool> {
        guarded(|| {
            const SMALL: f64 = 1.0 / 65536.0;
            let exact = 1.0 + SMALL;
            let options = (Kind::Float, tch::Device::from(self.0));
            let image = Torch::full([1, 16, 16, 16], exact, options);
            let kernel = Torch::full([16, 16, 3, 3], 0.0, options);
            let _ = kernel.get(0).get(0).get(1).get(1).fill_(1.0);
            let result = image.conv2d::<Torch>(&kernel, None, [1, 1], [1, 1], [1, 1], 1);
            // An exact algorithm may round the last of 23 bits; TF32 loses all of the small part.
            Ok((result.double_value(&[0, 0, 8, 8]) - exact).abs() > SMALL / 4.0)
        })
    }

    pub(super) fn handle(self) -> LibTorchDevice {
        self.0
    }
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            LibTorchDevice::Cuda(number) => write!(f, "cuda:{number}"),
            _ => write!(f, "cpu"),
        }
    }
}

/// Sets how many threads compute on the CPU.
pub fn set_threads(count: usize) {
    tch::set_num_threads(i32::try_from(count).unwrap_or(i32::MAX));
}

/// How many threads compute on the CPU.
pub fn threads() -> usize {
    usize::try_from(tch::get_num_threads()).unwrap_or(1)
}

/// To be called first in `main`. libtorch lets cuDNN round to TF32 unless this variable was set before it
/// started; so where an NVIDIA driver is present the program starts itself over, once.
pub fn settle_environment() {
    keep_freed_memory();
    const SWITCH: &str = "NVIDIA_TF32_OVERRIDE";
    if env::var_os(SWITCH).is_some() || !Path::new("/dev/nvidiactl").exists() {
        return;
    }
    if let Ok(program) = env::current_exe() {
        let mut arguments = env::args_os();
        let mut command = Command::new(program);
        if let Some(name) = arguments.next() {
            command.arg0(name);
        }
        // Only comes back if it failed; then the check of the opened device still stands guard.
        let _ = command.args(arguments).env(SWITCH, "0").exec();
    }
}

/// A network's values come and go by the megabyte, and glibc gives what is freed back to the system: each value then
/// costs its page faults anew, a quarter of the time of a step towards a pattern. Freeing one block of the largest
/// size at which glibc adapts (32 MiB with its own head) teaches it to keep what is smaller. Nothing is touched, so
/// nothing is taken.
fn keep_freed_memory() {
    const LARGEST: usize = (32 << 20) - (64 << 10);
    drop(hint::black_box(Vec::<u8>::with_capacity(LARGEST)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_by_name() {
        assert_eq!("cuda".parse(), Ok(DeviceChoice::Cuda(0)));
        assert_eq!("cuda:3".parse(), Ok(DeviceChoice::Cuda(3)));
        for wrong in ["", "gpu", "cuda:", "cuda:-1"] {
            assert!(wrong.parse::<DeviceChoice>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_cpu_computes_in_full_f32() {
        assert!(!Device::CPU.rounds_to_tf32().expect("computable"));
    }
}
