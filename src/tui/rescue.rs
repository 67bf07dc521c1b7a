//! A slip in one piece of work must not take the explorer down.

use std::any::Any;
use std::panic::{self, AssertUnwindSafe};

/// Does some work; a panic becomes a message. What the work had borrowed must be fit to be used afterwards.
pub(super) fn rescued<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    panic::catch_unwind(AssertUnwindSafe(work)).map_err(|payload| complaint(payload.as_ref()))
}

fn complaint(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| payload.downcast_ref::<&str>().copied());
    format!(
        "a slip in convscope itself: {}",
        text.unwrap_or("of unknown kind")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_a_message() {
        assert_eq!(rescued(|| 7), Ok(7));
        let complaint = rescued(|| -> u8 { panic!("channel {} of 3", 4) });
        assert_eq!(
            complaint,
            Err("a slip in convscope itself: channel 4 of 3".to_owned())
        );
    }
}
