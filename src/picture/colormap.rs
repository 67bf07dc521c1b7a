//! Colormaps: 256 exact colours each, so that a level means the same colour as in the reference.

use crate::error::{Error, Result};

/// The colours of levels 0 to 255, as red, green, blue.
pub type Palette = [[u8; 3]; 256];

/// A named table of 256 colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Colormap {
    /// matplotlib's default, and the book's for feature maps.
    #[default]
    Viridis,
    /// matplotlib's `magma`.
    Magma,
    /// matplotlib's `inferno`.
    Inferno,
    /// matplotlib's `plasma`.
    Plasma,
    /// matplotlib's `cividis`: the same to colour-blind eyes.
    Cividis,
    /// matplotlib's `turbo`.
    Turbo,
    /// Black to white.
    Gray,
    /// matplotlib's `coolwarm`: diverging, for signed values.
    Coolwarm,
    /// OpenCV's `COLORMAP_JET`, the book's for heatmaps.
    Jet,
    /// matplotlib's `jet`, which differs from OpenCV's.
    MplJet,
}

impl Colormap {
    /// Every colormap, in the order in which the explorer steps through them.
    pub const ALL: [Self; 10] = [
        Self::Viridis,
        Self::Magma,
        Self::Inferno,
        Self::Plasma,
        Self::Cividis,
        Self::Turbo,
        Self::Gray,
        Self::Coolwarm,
        Self::Jet,
        Self::MplJet,
    ];

    /// The colormap called `name`, in any case.
    ///
    /// # Errors
    /// If there is none; the message lists the names.
    pub fn by_name(name: &str) -> Result<Self> {
        let found = Self::ALL
            .into_iter()
            .find(|colormap| colormap.name().eq_ignore_ascii_case(name));
        found.ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            Error::request(format!("no colormap is called '{name}'; there are {names}"))
        })
    }

    /// The name on the command line and on the screen.
    pub fn name(self) -> &'static str {
        match self {
            Self::Viridis => "viridis",
            Self::Magma => "magma",
            Self::Inferno => "inferno",
            Self::Plasma => "plasma",
            Self::Cividis => "cividis",
            Self::Turbo => "turbo",
            Self::Gray => "gray",
            Self::Coolwarm => "coolwarm",
            Self::Jet => "jet",
            Self::MplJet => "mpl-jet",
        }
    }

    /// The one after this in [`Self::ALL`], round and round.
    #[must_use]
    pub fn next(self) -> Self {
        Self::ALL[(self as usize + 1) % Self::ALL.len()]
    }

    /// The colour of each level.
    pub fn palette(self) -> &'static Palette {
        match self {
            Self::Viridis => &VIRIDIS,
            Self::Magma => &MAGMA,
            Self::Inferno => &INFERNO,
            Self::Plasma => &PLASMA,
            Self::Cividis => &CIVIDIS,
            Self::Turbo => &TURBO,
            Self::Gray => &GRAY,
            Self::Coolwarm => &COOLWARM,
            Self::Jet => &JET,
            Self::MplJet => &MPL_JET,
        }
    }
}

static VIRIDIS: Palette = parse(include_bytes!("colormaps/viridis.hex"));
static MAGMA: Palette = parse(include_bytes!("colormaps/magma.hex"));
static INFERNO: Palette = parse(include_bytes!("colormaps/inferno.hex"));
static PLASMA: Palette = parse(include_bytes!("colormaps/plasma.hex"));
static CIVIDIS: Palette = parse(include_bytes!("colormaps/cividis.hex"));
static TURBO: Palette = parse(include_bytes!("colormaps/turbo.hex"));
static GRAY: Palette = parse(include_bytes!("colormaps/gray.hex"));
static COOLWARM: Palette = parse(include_bytes!("colormaps/coolwarm.hex"));
static JET: Palette = parse(include_bytes!("colormaps/jet.hex"));
static MPL_JET: Palette = parse(include_bytes!("colormaps/mpl-jet.hex"));

/// Reads 256 colours of six hexadecimal digits each. It runs while compiling, so that a damaged table
/// is a compile error.
const fn parse(text: &[u8]) -> Palette {
    let mut palette = [[0; 3]; 256];
    let mut digits = 0;
    let mut position = 0;
    while position < text.len() {
        let digit = match text[position] {
            byte @ b'0'..=b'9' => byte - b'0',
            byte @ b'a'..=b'f' => byte - b'a' + 10,
            byte => {
                assert!(byte.is_ascii_whitespace());
                position += 1;
                continue;
            }
        };
        let part = &mut palette[digits / 6][digits / 2 % 3];
        *part = *part << 4 | digit;
        digits += 1;
        position += 1;
    }
    assert!(digits == 256 * 6);
    palette
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::golden;

    #[test]
    fn tables_are_those_of_matplotlib_and_opencv() {
        let tables = golden::open("luts.safetensors");
        for colormap in Colormap::ALL {
            let key = match colormap {
                Colormap::Jet => "opencv.jet".to_string(),
                Colormap::MplJet => "mpl.jet".to_string(),
                other => format!("mpl.{}", other.name()),
            };
            let (shape, colours) = tables.u8(&key);
            assert_eq!(shape, [256, 3]);
            assert_eq!(colormap.palette().as_flattened(), colours, "{key}");
        }
    }

    #[test]
    fn a_colormap_is_found_by_its_name() {
        for colormap in Colormap::ALL {
            assert_eq!(Colormap::by_name(colormap.name()).unwrap(), colormap);
        }
        assert_eq!(Colormap::by_name("JET").unwrap(), Colormap::Jet);
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_known_ones() {
        let message = Colormap::by_name("rainbow").unwrap_err().to_string();
        assert!(message.starts_with("no colormap is called 'rainbow'; there are viridis, magma"));
        assert!(message.ends_with("jet, mpl-jet"));
    }

    #[test]
    fn stepping_visits_every_colormap_and_comes_back() {
        let mut colormap = Colormap::default();
        for expected in Colormap::ALL {
            assert_eq!(colormap, expected);
            colormap = colormap.next();
        }
        assert_eq!(colormap, Colormap::default());
    }
}
