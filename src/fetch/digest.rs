//! Checksums: what a publisher states of a file, and working it out.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use md5::Md5;
use sha2::Sha256;
use sha2::digest::Digest as _;

use crate::error::{Error, Result};

/// Bytes hashed at a time.
const PIECE: usize = 1 << 18;

/// The ways of checksums that publishers use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// Keras's. Good against damage, not against forgery; https is there for that.
    Md5,
    /// torchvision's.
    Sha256,
}

impl Algorithm {
    /// Hexadecimal digits of a whole checksum.
    fn digits(self) -> usize {
        match self {
            Self::Md5 => 32,
            Self::Sha256 => 64,
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Md5 => "MD5",
            Self::Sha256 => "SHA-256",
        })
    }
}

/// A checksum, or the beginning of one, in small hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digest {
    algorithm: Algorithm,
    digits: String,
}

impl Digest {
    /// Fewest digits that tell files apart; torchvision's names have eight.
    const FEWEST: usize = 8;

    /// A checksum as it is written; of SHA-256 the beginning will do. `None` if it isn't one.
    pub fn parse(algorithm: Algorithm, digits: &str) -> Option<Self> {
        let lengths = match algorithm {
            Algorithm::Md5 => algorithm.digits()..=algorithm.digits(),
            Algorithm::Sha256 => Self::FEWEST..=algorithm.digits(),
        };
        let hexadecimal = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        (hexadecimal && lengths.contains(&digits.len())).then(|| Self {
            algorithm,
            digits: digits.to_ascii_lowercase(),
        })
    }

    /// The beginning of the SHA-256 that torchvision puts into the names of its files: `resnet18-f37072fd.pth`.
    /// A date, `net-20240131.h5`, is none.
    pub fn in_name(file_name: &str) -> Option<Self> {
        let (stem, _) = file_name.rsplit_once('.')?;
        let (_, digits) = stem.rsplit_once('-')?;
        (!is_date(digits)).then(|| Self::parse(Algorithm::Sha256, digits))?
    }

    /// How it is worked out.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The digits that are known.
    pub fn digits(&self) -> &str {
        &self.digits
    }

    /// Whether a file with this whole checksum is the one.
    pub fn fits(&self, whole: &Self) -> bool {
        self.algorithm == whole.algorithm && whole.digits.starts_with(&self.digits)
    }

    /// Works out a file's whole checksum.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn of_file(algorithm: Algorithm, path: &Path) -> Result<Self> {
        let fail = |error| Error::io(path, error);
        let mut hasher = Hasher::new(algorithm);
        hasher
            .read(&mut File::open(path).map_err(fail)?)
            .map_err(fail)?;
        Ok(hasher.finish())
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.algorithm, self.digits)?;
        if self.digits.len() < self.algorithm.digits() {
            f.write_str("...")?;
        }
        Ok(())
    }
}

/// Eight digits that are a day from 1900 to 2099.
fn is_date(digits: &str) -> bool {
    let number = |range| digits.get(range).and_then(|text: &str| text.parse().ok());
    digits.len() == 8
        && digits.bytes().all(|digit| digit.is_ascii_digit())
        && number(0..2).is_some_and(|century: u8| (19..=20).contains(&century))
        && number(4..6).is_some_and(|month| (1..=12).contains(&month))
        && number(6..8).is_some_and(|day| (1..=31).contains(&day))
}

/// A checksum in the making.
pub(super) enum Hasher {
    Md5(Md5),
    Sha256(Sha256),
}

impl Hasher {
    pub(super) fn new(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Md5 => Self::Md5(Md5::new()),
            Algorithm::Sha256 => Self::Sha256(Sha256::new()),
        }
    }

    pub(super) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Md5(state) => state.update(bytes),
            Self::Sha256(state) => state.update(bytes),
        }
    }

    /// Takes in all that is left to read.
    pub(super) fn read(&mut self, from: &mut impl Read) -> io::Result<()> {
        let mut bytes = vec![0; PIECE];
        loop {
            match from.read(&mut bytes) {
                Ok(0) => return Ok(()),
                Ok(count) => self.update(&bytes[..count]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    pub(super) fn finish(self) -> Digest {
        let (algorithm, bytes) = match self {
            Self::Md5(state) => (Algorithm::Md5, state.finalize().to_vec()),
            Self::Sha256(state) => (Algorithm::Sha256, state.finalize().to_vec()),
        };
        let digits = bytes
            .iter()
            .flat_map(|byte| [byte >> 4, byte & 15])
            .filter_map(|digit| char::from_digit(digit.into(), 16))
            .collect();
        Digest { algorithm, digits }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(algorithm: Algorithm, bytes: &[u8]) -> Digest {
        let mut hasher = Hasher::new(algorithm);
        hasher.read(&mut &bytes[..]).unwrap();
        hasher.finish()
    }

    /// RFC 1321, A.5, and FIPS 180-2, B.1.
    #[test]
    fn checksums_are_those_of_the_standards() {
        let md5 = whole(Algorithm::Md5, b"abc");
        assert_eq!(md5.digits(), "900150983cd24fb0d6963f7d28e17f72");
        let sha256 = whole(Algorithm::Sha256, b"abc");
        assert_eq!(
            sha256.digits(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }

    #[test]
    fn a_beginning_fits_the_whole() {
        let whole = whole(Algorithm::Sha256, b"abc");
        let beginning = Digest::parse(Algorithm::Sha256, "BA7816BF").unwrap();
        assert!(beginning.fits(&whole));
        assert_eq!(beginning.to_string(), "SHA-256 ba7816bf...");
        let other = Digest::parse(Algorithm::Sha256, "ba7816be").unwrap();
        assert!(!other.fits(&whole));
        let md5 = Digest::parse(Algorithm::Md5, "900150983cd24fb0d6963f7d28e17f72").unwrap();
        assert!(!md5.fits(&whole));
        assert_eq!(md5.to_string(), "MD5 900150983cd24fb0d6963f7d28e17f72");
        for (algorithm, digits) in [
            (Algorithm::Md5, "900150983cd24fb0"),
            (Algorithm::Sha256, "ba7816b"),
            (Algorithm::Sha256, "ba7816bg"),
            (Algorithm::Sha256, &"a".repeat(65)),
        ] {
            assert_eq!(Digest::parse(algorithm, digits), None, "{digits}");
        }
    }

    #[test]
    fn torchvisions_names_have_one() {
        let found = |name| Digest::in_name(name).map(|digest| digest.digits);
        assert_eq!(found("resnet18-f37072fd.pth").unwrap(), "f37072fd");
        assert_eq!(
            found("shufflenetv2_x1-5666bf0f80.pth").unwrap(),
            "5666bf0f80"
        );
        // Digits alone, and no day.
        assert_eq!(found("net-20241331.pth").unwrap(), "20241331");
        for name in [
            "vgg16_weights.h5",
            "net-20240131.h5",
            "net-f37072f.pth",
            "net-notahash.pth",
            "resnet18-f37072fd",
            "f37072fd.pth",
        ] {
            assert_eq!(found(name), None, "{name}");
        }
    }
}
