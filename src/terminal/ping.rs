//! A question that every terminal of a kind answers, after it has drawn what came before.

use super::canvas::Canvas;
use super::probe::Traits;

/// Whether a picture of one pixel would do, which isn't kept.
pub(super) const PICTURE: &[u8] = b"\x1b_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\x1b\\";

/// A question whose answer looks like keys that nobody presses: `ESC _` or `ESC ]` to `ESC \\`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ping {
    /// [`PICTURE`].
    Picture,
    /// The colour of the background.
    Background,
}

impl Ping {
    /// What a terminal is known to answer. Through tmux it is asked otherwise.
    pub(super) fn new(canvas: Canvas, traits: &Traits) -> Option<Self> {
        let directly = traits.kitty && traits.tmux().is_none();
        match (canvas.tmux, directly) {
            (true, _) => None,
            (false, true) => Some(Self::Picture),
            (false, false) => traits.answers_background.then_some(Self::Background),
        }
    }

    /// On the wire.
    pub(super) fn question(self) -> &'static [u8] {
        match self {
            Self::Picture => PICTURE,
            Self::Background => b"\x1b]11;?\x1b\\",
        }
    }
}
