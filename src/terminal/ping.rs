//! A question that every terminal of a kind answers, after it has drawn what came before.

use super::canvas::Canvas;
use super::passthrough::wrapped;
use super::probe::Traits;

/// A question whose answer looks like keys that nobody presses: `ESC _` or `ESC ]` to `ESC \\`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ping {
    /// Whether a picture of one pixel would do, which isn't kept; through tmux or not.
    Picture {
        /// Through it.
        tmux: bool,
    },
    /// The colour of the background.
    Background,
}

impl Ping {
    /// What a terminal is known to answer. tmux answers the second in the terminal's place, which says at least that
    /// tmux has read so far.
    pub(super) fn new(canvas: Canvas, traits: &Traits) -> Option<Self> {
        if traits.kitty {
            Some(Self::Picture { tmux: canvas.tmux })
        } else {
            traits.background.map(|_| Self::Background)
        }
    }

    /// On the wire.
    pub(super) fn question(self) -> Vec<u8> {
        let picture = b"\x1b_Gi=4294967295,s=1,v=1,a=q,t=d,f=24;AAAA\x1b\\";
        match self {
            Self::Picture { tmux: true } => wrapped(picture),
            Self::Picture { tmux: false } => picture.to_vec(),
            Self::Background => b"\x1b]11;?\x1b\\".to_vec(),
        }
    }
}
