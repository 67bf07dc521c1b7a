//! A weight's values where they lie: read by position, in pieces, when they are asked for.

use std::path::PathBuf;

use hdf5_reader::error::Result as Hdf5Result;
use hdf5_reader::io::Cursor;
use hdf5_reader::messages::HdfMessage;
use hdf5_reader::messages::layout::DataLayout;
use hdf5_reader::{Dataset, Datatype, H5Type, Hdf5File, SliceInfo, SliceInfoElem};

use super::Outcome;
use super::file::{File, damaged};
use super::number::Number;
use super::show::excerpt;
use super::slab::slabs;
use crate::error::{Error, Result};
use crate::model::Values;

/// Values converted at a time, so that reading needs no second copy of a weight.
const PIECE: usize = 1 << 16;
/// The same for compressed data, where each piece costs a walk through the index of chunks.
const PACKED_PIECE: usize = 1 << 20;
/// Deflate can't pack tighter, by its format: 258 bytes for two bits.
const TIGHTEST: u64 = 1032;

/// What data sets may claim, all together: a small file must not announce gigabytes of weights.
pub struct Budget {
    plain: u64,
    packed: u64,
}

impl Budget {
    /// That of a file: as many bytes as it has, and compressed ones as many as could come out of it.
    pub fn of(file: &File) -> Self {
        Self {
            plain: file.length(),
            packed: file.length().saturating_mul(TIGHTEST),
        }
    }

    fn spend(left: &mut u64, bytes: u64) -> Outcome<()> {
        *left = left.checked_sub(bytes).ok_or_else(|| {
            "claims more data than the file can hold: it is damaged or cut short".to_owned()
        })?;
        Ok(())
    }
}

/// Where the bytes are.
enum Place {
    /// In one piece, at this position.
    Contiguous(u64),
    /// In the data set's header.
    Compact(Vec<u8>),
    /// In chunks, compressed or not.
    Chunked(Box<Dataset>),
}

/// See the module.
pub struct Stored {
    path: PathBuf,
    name: String,
    file: Hdf5File,
    shape: Vec<usize>,
    number: Number,
    place: Place,
}

impl Stored {
    /// Looks at a data set's description and checks that the file covers what it claims.
    ///
    /// # Errors
    /// When it isn't numeric, was never written, lies in another file or outside of this one.
    pub fn find(file: &File, dataset: Dataset, name: &str, budget: &mut Budget) -> Outcome<Self> {
        let number = Number::of(&dataset)?;
        let too_large = || "is too large".to_owned();
        let shape = dataset
            .shape()
            .iter()
            .map(|&axis| usize::try_from(axis).map_err(|_| too_large()))
            .collect::<Outcome<Vec<_>>>()?;
        let bytes = shape
            .iter()
            .try_fold(number.bytes(), |size, &axis| size.checked_mul(axis))
            .ok_or_else(too_large)?;
        if dataset.num_elements().map_err(damaged)? != (bytes / number.bytes()) as u64 {
            return Err("holds no values".to_owned());
        }
        let place = Self::place(file, dataset, bytes as u64, budget)?;
        Ok(Self {
            path: file.path().to_path_buf(),
            name: name.to_owned(),
            file: file.hdf5().clone(),
            shape,
            number,
            place,
        })
    }

    fn place(file: &File, dataset: Dataset, bytes: u64, budget: &mut Budget) -> Outcome<Place> {
        let header = file.hdf5().get_or_parse_header(dataset.address());
        let header = header.map_err(damaged)?;
        let messages = || header.messages.iter();
        if messages().any(|message| matches!(message, HdfMessage::ExternalFiles(_))) {
            return Err("keeps its values in another file".to_owned());
        }
        let layout = messages().find_map(|message| match message {
            HdfMessage::DataLayout(message) => Some(&message.layout),
            _ => None,
        });
        let nowhere = |address| {
            let offset_size = file.hdf5().superblock().offset_size;
            bytes > 0 && Cursor::is_undefined_offset(address, offset_size)
        };
        match layout {
            Some(DataLayout::Compact { data }) => {
                if data.len() as u64 != bytes {
                    return Err(format!("should have {bytes} bytes, found {}", data.len()));
                }
                Budget::spend(&mut budget.plain, bytes)?;
                Ok(Place::Compact(data.clone()))
            }
            Some(&DataLayout::Contiguous { address, .. }) => {
                if nowhere(address) {
                    return Err("was never written".to_owned());
                }
                let end = address.checked_add(bytes);
                let inside = end.is_some_and(|end| end <= file.hdf5().storage().len());
                if bytes > 0 && !inside {
                    return Err(format!(
                        "should lie at bytes {address} to {}, and the file has {}",
                        end.unwrap_or(u64::MAX),
                        file.length()
                    ));
                }
                Budget::spend(&mut budget.plain, bytes)?;
                Ok(Place::Contiguous(address))
            }
            Some(&DataLayout::Chunked { address, .. }) => {
                if nowhere(address) {
                    return Err("was never written".to_owned());
                }
                // A chunk is decoded as a whole, and may be larger than the data set.
                let chunk = dataset.chunks().unwrap_or_default();
                let chunk = chunk
                    .iter()
                    .fold(1_u64, |size, &axis| size.saturating_mul(axis.into()));
                let largest = file.length().saturating_mul(TIGHTEST);
                if chunk.saturating_mul(dataset.raw_element_size().map_err(damaged)? as u64)
                    > largest
                {
                    return Err("is cut into chunks larger than the file can hold".to_owned());
                }
                Budget::spend(&mut budget.packed, bytes)?;
                Ok(Place::Chunked(Box::new(dataset)))
            }
            None => Err("is damaged: it has no layout".to_owned()),
        }
    }

    /// The data set's shape.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn read_piece(&self, start: usize, out: &mut [f32]) -> Outcome<()> {
        let size = self.number.bytes();
        match &self.place {
            Place::Contiguous(address) => {
                // Inside the file, as has been checked: no overflow.
                let position = address + (start * size) as u64;
                let bytes = self.file.storage().read_range(position, out.len() * size);
                self.number.decode(&bytes.map_err(damaged)?, out);
            }
            Place::Compact(data) => {
                self.number.decode(&data[start * size..], out);
            }
            Place::Chunked(dataset) => self.read_chunks(dataset, start, out)?,
        }
        Ok(())
    }

    fn read_chunks(&self, dataset: &Dataset, start: usize, mut out: &mut [f32]) -> Outcome<()> {
        for slab in slabs(&self.shape, start, start + out.len()) {
            let selections = slab
                .iter()
                .map(|axis| SliceInfoElem::Slice {
                    start: axis.start as u64,
                    end: axis.end as u64,
                    step: 1,
                })
                .collect();
            let found = dataset.read_slice::<Raw>(&SliceInfo { selections });
            let found = found.map_err(damaged)?;
            if found.len() > out.len() {
                return Err("is damaged: its chunks don't fit its shape".to_owned());
            }
            let (now, later) = out.split_at_mut(found.len());
            let size = self.number.bytes();
            for (value, raw) in now.iter_mut().zip(&found) {
                self.number
                    .decode(&raw.0[..size], std::slice::from_mut(value));
            }
            out = later;
        }
        Ok(())
    }
}

impl Values for Stored {
    fn read(&self, start: usize, out: &mut [f32]) -> Result<()> {
        let piece = match self.place {
            Place::Chunked(_) => PACKED_PIECE,
            _ => PIECE,
        };
        let mut start = start;
        for out in out.chunks_mut(piece) {
            self.read_piece(start, out).map_err(|what| {
                let name = excerpt(&self.name);
                Error::file(
                    &self.path,
                    format!("the values of '{name}' can't be read: it {what}"),
                )
            })?;
            start += out.len();
        }
        Ok(())
    }
}

/// The bytes of one number, whatever its type: the reader's own conversion knows no `f16`.
#[derive(Clone)]
struct Raw([u8; 8]);

impl H5Type for Raw {
    fn hdf5_type() -> Datatype {
        Datatype::Opaque {
            size: 8,
            tag: String::new(),
        }
    }

    fn from_bytes(bytes: &[u8], _: &Datatype) -> Hdf5Result<Self> {
        let mut raw = [0; 8];
        for (to, from) in raw.iter_mut().zip(bytes) {
            *to = *from;
        }
        Ok(Self(raw))
    }

    fn element_size(datatype: &Datatype) -> usize {
        hdf5_reader::dtype_element_size(datatype).unwrap_or(1)
    }
}
