//! The colours of everything but pictures. No other file names one: what each part of the screen looks like is said
//! in `themes/`, or in a theme of the user's own.

mod built_in;
mod file;
mod folder;
mod look;
#[cfg(test)]
mod tests;

use std::path::Path;

use anyhow::{Result, bail};

use self::built_in::BuiltIn;
use self::folder::Folder;
pub use self::look::Look;
use crate::terminal::ColorDepth;

/// The themes that come with convscope.
pub const NAMES: [&str; 4] = ["default", "dark", "light", "monochrome"];

/// One list of the parts makes what the screen is drawn with, and what a theme's file may say.
macro_rules! parts {
    ($($(#[$doc:meta])* $part:ident,)*) => {
        /// What each part of the screen looks like.
        #[derive(Clone, Debug, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct Theme {
            $($(#[$doc])* pub $part: Look,)*
        }

        /// What a user's file says: the parts that differ from its base.
        #[derive(serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Written {
            base: Option<BuiltIn>,
            $($part: Option<Look>,)*
        }

        impl Theme {
            fn map(self, change: impl Fn(Look) -> Look) -> Self {
                Self { $($part: change(self.$part),)* }
            }

            #[cfg(test)]
            fn parts(&self) -> Vec<(&'static str, Look)> {
                vec![$((stringify!($part), self.$part),)*]
            }
        }

        impl Written {
            fn over(self, base: Theme) -> Theme {
                Theme { $($part: self.$part.unwrap_or(base.$part),)* }
            }
        }
    };
}

parts! {
    /// The program's name.
    title,
    /// Around a pane.
    border,
    /// Around the pane that has the keys.
    border_focused,
    /// A pane's heading.
    heading,
    /// The first line of a table, which names its columns.
    header,
    /// A view that isn't shown.
    tab,
    /// The view that is.
    tab_selected,
    /// The chosen one of several.
    selected,
    /// The chosen one, in a pane that doesn't have the keys.
    selected_elsewhere,
    /// The frame around the channel at hand.
    cursor,
    /// A channel or class that stands out, such as one that pushes the class.
    mark,
    /// What is less important, or not up to date.
    dimmed,
    /// A name of a number.
    label,
    /// Something is on its way.
    busy,
    /// Something went well.
    notice,
    /// Something went wrong.
    error,
    /// A probability's bar.
    bar,
    /// A key in the footer and in the help.
    key,
}

impl Theme {
    /// The theme that is asked for by its name, or by the path of a file that ends in `.toml`. A file in the user's
    /// own folder goes before a theme of the same name that comes with convscope.
    ///
    /// Where none is asked for, it is the one that suits the terminal: `monochrome` if it has no colours, `dark` or
    /// `light` if its background is known (sRGB), else `default`.
    ///
    /// # Errors
    /// If there is no such theme, or its file can't be read or says something that makes no sense.
    pub fn choose(
        wanted: Option<&str>,
        depth: ColorDepth,
        background: Option<[u8; 3]>,
    ) -> Result<Self> {
        Self::choose_from(&Folder::of_user(), wanted, depth, background)
    }

    fn choose_from(
        folder: &Folder,
        wanted: Option<&str>,
        depth: ColorDepth,
        background: Option<[u8; 3]>,
    ) -> Result<Self> {
        let name = wanted.unwrap_or_else(|| BuiltIn::suiting(depth, background).name());
        let theme = if let Some(path) = path(name) {
            file::read(path)?
        } else if let Some(path) = folder.find(name) {
            file::read(&path)?
        } else if let Some(theme) = BuiltIn::by_name(name) {
            theme.read()?
        } else {
            bail!(
                "there is no theme '{name}'; there are {}, and {}",
                NAMES.join(", "),
                folder.contents()
            );
        };
        Ok(theme.map(|look| look.at(depth)))
    }
}

/// A theme's file, if that is what the user named.
fn path(wanted: &str) -> Option<&Path> {
    let path = Path::new(wanted);
    path.extension()
        .is_some_and(|ending| ending == "toml")
        .then_some(path)
}
