//! libtorch reports trouble by C++ exceptions, which arrive as panics. Here they become errors of the
//! request that caused them, without a word on the screen.

use std::any::Any;
use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

use crate::error::{Error, Result};

thread_local! {
    static COMPUTING: Cell<bool> = const { Cell::new(false) };
}

/// Runs a computation; a panic inside becomes an [`Error::Request`] with libtorch's first line.
pub(super) fn guarded<T>(compute: impl FnOnce() -> Result<T>) -> Result<T> {
    static QUIET: Once = Once::new();
    QUIET.call_once(|| {
        let shout = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !COMPUTING.get() {
                shout(info);
            }
        }));
    });
    let outer = COMPUTING.replace(true);
    let result = panic::catch_unwind(AssertUnwindSafe(compute));
    COMPUTING.set(outer);
    result.unwrap_or_else(|payload| Err(Error::request(complaint(payload.as_ref()))))
}

fn complaint(payload: &(dyn Any + Send)) -> String {
    let text = payload
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| payload.downcast_ref::<&str>().copied())
        .unwrap_or("unknown trouble");
    // tch wraps the message as `called Result::unwrap() on an Err value: Torch("...\nException raised..")`.
    let text = text.split_once("Torch(\"").map_or(text, |(_, inner)| inner);
    let line = text.split("\\n").next().unwrap_or(text).trim();
    if line.contains("out of memory") || line.contains("can't allocate memory") {
        return format!("the device has not enough memory for this: {line}");
    }
    format!("libtorch refused the computation: {line}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_torch_exception_is_one_line() {
        let wrong = guarded(|| {
            let a = tch::Tensor::zeros([2, 3], (tch::Kind::Float, tch::Device::Cpu));
            Ok(a.matmul(&a))
        });
        let message = wrong.expect_err("2x3 times 2x3").to_string();
        assert!(
            message.starts_with("libtorch refused the computation: "),
            "{message}"
        );
        assert!(!message.contains('\n') && message.len() < 200, "{message}");
    }
}
