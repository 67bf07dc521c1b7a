//! How a data set stores one number, and what that is as `f32`.

use half::{bf16, f16};
use hdf5_reader::{ByteOrder, Dataset, Datatype};

use super::Outcome;
use super::file::damaged;

/// A numeric type of HDF5.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Number {
    kind: Kind,
    big_endian: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    F16,
    Bf16,
    F32,
    F64,
    /// Of 1, 2, 4 or 8 bytes: counters and seeds.
    Integer {
        bytes: usize,
        signed: bool,
    },
}

impl Number {
    /// The type of a data set's elements.
    ///
    /// # Errors
    /// When they aren't numbers, or of an unusual format.
    pub fn of(dataset: &Dataset) -> Outcome<Self> {
        Self::of_type(dataset.dtype(), dataset)
    }

    fn of_type(datatype: &Datatype, dataset: &Dataset) -> Outcome<Self> {
        let (kind, order) = match datatype {
            Datatype::FloatingPoint { size, byte_order } => {
                (Self::float(*size, dataset)?, byte_order)
            }
            Datatype::FixedPoint {
                size: size @ (1 | 2 | 4 | 8),
                signed,
                byte_order,
            } => {
                let (bytes, signed) = (usize::from(*size), *signed);
                (Kind::Integer { bytes, signed }, byte_order)
            }
            // h5py's booleans.
            Datatype::Enum { base, .. } => return Self::of_type(base, dataset),
            _ => return Err("expected numbers, found data of another type".to_owned()),
        };
        Ok(Self {
            kind,
            big_endian: *order == ByteOrder::BigEndian,
        })
    }

    /// The reader tells only the size of a float; exponent and mantissa stand in the raw description, at the
    /// places of the HDF5 specification (IV.A.2.d, class 1).
    fn float(size: u8, dataset: &Dataset) -> Outcome<Kind> {
        let raw = dataset.raw_datatype().map_err(damaged)?;
        let at = |index: usize| raw.get(index).copied().unwrap_or(0);
        let (exponent, mantissa) = (at(13), at(15));
        match (size, exponent, mantissa) {
            (2, 5, 10) => Ok(Kind::F16),
            (2, 8, 7) => Ok(Kind::Bf16),
            (4, 8, 23) => Ok(Kind::F32),
            (8, 11, 52) => Ok(Kind::F64),
            _ => Err(format!(
                "expected floats of 16, 32 or 64 bits, found {size} bytes with {exponent} bits of \
                 exponent and {mantissa} of mantissa"
            )),
        }
    }

    /// Bytes per number.
    pub fn bytes(self) -> usize {
        match self.kind {
            Kind::F16 | Kind::Bf16 => 2,
            Kind::F32 => 4,
            Kind::F64 => 8,
            Kind::Integer { bytes, .. } => bytes,
        }
    }

    /// Converts as many numbers as `out` takes; `bytes` holds exactly those.
    pub fn decode(self, bytes: &[u8], out: &mut [f32]) {
        match self.kind {
            Kind::F16 => self.each(bytes, out, |b| f16::from_le_bytes(b).to_f32()),
            Kind::Bf16 => self.each(bytes, out, |b| bf16::from_le_bytes(b).to_f32()),
            Kind::F32 => self.each(bytes, out, f32::from_le_bytes),
            #[allow(clippy::cast_possible_truncation)]
            Kind::F64 => self.each(bytes, out, |b| f64::from_le_bytes(b) as f32),
            Kind::Integer {
                bytes: size,
                signed,
            } => self.integers(bytes, out, size, signed),
        }
    }

    fn each<const N: usize>(self, bytes: &[u8], out: &mut [f32], read: impl Fn([u8; N]) -> f32) {
        let (numbers, _) = bytes.as_chunks::<N>();
        for (value, number) in out.iter_mut().zip(numbers) {
            let mut number = *number;
            if self.big_endian {
                number.reverse();
            }
            *value = read(number);
        }
    }

    #[allow(clippy::cast_precision_loss)]
    fn integers(self, bytes: &[u8], out: &mut [f32], size: usize, signed: bool) {
        for (value, number) in out.iter_mut().zip(bytes.chunks_exact(size)) {
            let negative = signed && number[if self.big_endian { 0 } else { size - 1 }] & 0x80 != 0;
            let mut wide = [if negative { 0xff } else { 0 }; 8];
            wide[..size].copy_from_slice(number);
            if self.big_endian {
                wide[..size].reverse();
            }
            *value = if signed {
                i64::from_le_bytes(wide) as f32
            } else {
                u64::from_le_bytes(wide) as f32
            };
        }
    }
}
