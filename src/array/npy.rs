//! NumPy's `.npy` files.

mod header;

use std::fs::File;
use std::io::{self, BufReader, ErrorKind, Read};
use std::path::Path;

use self::header::Header;
use super::Array;
use crate::error::{Error, Result};

/// What a `.npy` file begins with.
pub const MAGIC: &[u8] = b"\x93NUMPY";

/// NumPy itself refuses headers of more than 10,000 bytes.
const MAX_HEADER: usize = 1 << 16;

/// One GiB of `f32`.
const MAX_VALUES: usize = 1 << 28;

/// NumPy has at most 64.
const MAX_AXES: usize = 64;

/// The data begin at a multiple of this.
const ALIGNMENT: usize = 64;

/// Reads an array from a file; `-` reads standard input. Floats of 2, 4 and 8 bytes, integers and booleans become
/// `f32`; either byte order; C or Fortran layout. What follows the data is not looked at, as NumPy does.
///
/// # Errors
/// If the file can't be read, isn't in this format, is cut short, or holds another type of values or more than 2^28.
pub fn read(path: &Path) -> Result<Array> {
    if path == Path::new("-") {
        return decode(io::stdin().lock(), Path::new("standard input"));
    }
    if path.is_dir() {
        return Err(Error::file(path, "is a folder, not a .npy file"));
    }
    let file = File::open(path).map_err(|source| Error::io(path, source))?;
    decode(BufReader::new(file), path)
}

/// Reads an array from anything; `path` is what errors name.
///
/// # Errors
/// As [`read`].
pub fn decode(mut reader: impl Read, path: &Path) -> Result<Array> {
    parse(&mut reader).map_err(|trouble| match trouble {
        Trouble::Content(what) => Error::file(path, what),
        Trouble::Io(error) if error.kind() == ErrorKind::UnexpectedEof => Error::file(
            path,
            "is cut short: the header of a NumPy file ends too early",
        ),
        Trouble::Io(error) => Error::io(path, error),
    })
}

/// The bytes of a `.npy` file that holds `array` as little-endian `f32` in C order.
pub fn bytes(array: &Array) -> Vec<u8> {
    let sides: Vec<_> = array.shape().iter().map(usize::to_string).collect();
    let mut shape = sides.join(", ");
    if sides.len() == 1 {
        // Without it, Python reads a number in parentheses.
        shape.push(',');
    }
    let mut header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({shape}), }}");
    // Magic, version, the header's length in two bytes (four in version 2), the header, a line feed.
    let version: u8 = if header.len() < usize::from(u16::MAX) - ALIGNMENT {
        1
    } else {
        2
    };
    let prefix = MAGIC.len() + 2 + if version == 1 { 2 } else { 4 };
    let padded = (prefix + header.len() + 1).next_multiple_of(ALIGNMENT);
    header.push_str(&" ".repeat(padded - prefix - header.len() - 1));
    header.push('\n');

    let values = array.values();
    let mut bytes = Vec::with_capacity(padded + 4 * values.len());
    bytes.extend(MAGIC);
    bytes.extend([version, 0]);
    let length = (header.len() as u32).to_le_bytes();
    bytes.extend(&length[..if version == 1 { 2 } else { 4 }]);
    bytes.extend(header.as_bytes());
    bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
    bytes
}

/// Why reading failed, before the file's name is known.
enum Trouble {
    Io(io::Error),
    Content(String),
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

fn content<T>(what: impl Into<String>) -> Result<T, Trouble> {
    Err(Trouble::Content(what.into()))
}

fn parse(reader: &mut impl Read) -> Result<Array, Trouble> {
    let header = Header::parse(&header_text(reader)?).map_err(Trouble::Content)?;
    let values = values(reader, &header)?;
    let values = if header.fortran_order {
        row_major(&values, &header.shape)
    } else {
        values
    };
    Ok(Array::new(header.shape, values))
}

fn header_text(reader: &mut impl Read) -> Result<String, Trouble> {
    let mut start = [0; MAGIC.len() + 2];
    let other = "is not a NumPy file (.npy)";
    match reader.read_exact(&mut start) {
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => return content(other),
        read => read?,
    }
    let Some([version, _]) = start.strip_prefix(MAGIC) else {
        return content(other);
    };
    let mut length = [0; 4];
    match version {
        1 => reader.read_exact(&mut length[..2])?,
        2 | 3 => reader.read_exact(&mut length)?,
        _ => {
            return content(format!(
                "is a NumPy file of version {version}; 1 to 3 can be read"
            ));
        }
    }
    let length = u32::from_le_bytes(length) as usize;
    if length > MAX_HEADER {
        return content(format!(
            "has a NumPy header of {length} bytes, more than {MAX_HEADER}"
        ));
    }
    let mut header = vec![0; length];
    reader.read_exact(&mut header)?;
    Ok(String::from_utf8_lossy(&header).into_owned())
}

/// The values in the file's order. Memory grows with what is read, not with what the header promises.
fn values(reader: &mut impl Read, header: &Header) -> Result<Vec<f32>, Trouble> {
    let shape = &header.shape;
    if shape.len() > MAX_AXES {
        return content(format!("has {} axes, more than {MAX_AXES}", shape.len()));
    }
    let total = shape
        .iter()
        .try_fold(1, |size: usize, side| size.checked_mul(*side));
    let Some(total) = total.filter(|total| *total <= MAX_VALUES) else {
        return content(format!(
            "has shape {shape:?}, more than {MAX_VALUES} values"
        ));
    };
    let size = header.element.size();
    let mut values = Vec::new();
    let mut piece = Vec::new();
    while values.len() < total {
        let wanted = size * (total - values.len()).min(1 << 14);
        piece.clear();
        reader
            .by_ref()
            .take(wanted as u64)
            .read_to_end(&mut piece)?;
        values.extend(
            piece
                .chunks_exact(size)
                .map(|bytes| header.element.value(bytes)),
        );
        if piece.len() < wanted {
            let found = values.len();
            return content(format!(
                "is cut short: shape {shape:?} has {total} values, the file {found}"
            ));
        }
    }
    Ok(values)
}

/// From Fortran's layout, in which the first axis runs fastest, to C's.
fn row_major(values: &[f32], shape: &[usize]) -> Vec<f32> {
    let mut size = 1;
    let mut strides = Vec::with_capacity(shape.len());
    for side in shape {
        strides.push(size);
        size *= side;
    }
    let mut index = vec![0; shape.len()];
    let mut at = 0;
    let mut ordered = Vec::with_capacity(values.len());
    while ordered.len() < values.len() {
        ordered.push(values[at]);
        for axis in (0..shape.len()).rev() {
            index[axis] += 1;
            at += strides[axis];
            if index[axis] < shape[axis] {
                break;
            }
            at -= strides[axis] * shape[axis];
            index[axis] = 0;
        }
    }
    ordered
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Array, bytes, decode};

    /// A file as NumPy writes it, version 1.
    fn file(descr: &str, fortran_order: &str, shape: &str, data: &[u8]) -> Vec<u8> {
        let header =
            format!("{{'descr': '{descr}', 'fortran_order': {fortran_order}, 'shape': {shape}, }}");
        with_header(&header, data)
    }

    fn with_header(header: &str, data: &[u8]) -> Vec<u8> {
        let length = (header.len() as u16).to_le_bytes();
        [
            b"\x93NUMPY\x01\x00",
            length.as_slice(),
            header.as_bytes(),
            data,
        ]
        .concat()
    }

    fn read(file: &[u8]) -> Array {
        decode(file, Path::new("x.npy")).unwrap()
    }

    fn refusal(file: &[u8]) -> String {
        let message = decode(file, Path::new("x.npy")).unwrap_err().to_string();
        message.strip_prefix("x.npy: ").unwrap().to_owned()
    }

    #[test]
    fn what_is_written_is_numpys() {
        let array = Array::new([3], vec![0.0, 1.0, -2.5]);
        let expected = [
            b"\x93NUMPY\x01\x00\x76\x00".as_slice(),
            b"{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }",
            b"                                                            \n",
            b"\0\0\0\0\0\0\x80\x3f\0\0\x20\xc0",
        ];
        assert_eq!(bytes(&array), expected.concat());
    }

    #[test]
    fn what_is_written_is_read() {
        for shape in [&[][..], &[5], &[2, 3], &[1, 3, 4, 5], &[2, 0, 3]] {
            let size: usize = shape.iter().product();
            let values = (0..size).map(|value| value as f32 - 2.5).collect();
            let array = Array::new(shape, values);
            let file = bytes(&array);
            assert_eq!((file.len() - 4 * size) % 64, 0);
            assert_eq!(read(&file), array);
        }
    }

    #[test]
    fn every_type_becomes_f32() {
        let cases: [(&str, &[u8]); 14] = [
            ("<f2", b"\x00\xc1"),
            (">f2", b"\xc1\x00"),
            ("<f4", b"\x00\x00\x20\xc0"),
            (">f4", b"\xc0\x20\x00\x00"),
            ("<f8", b"\x00\x00\x00\x00\x00\x00\x04\xc0"),
            (">f8", b"\xc0\x04\x00\x00\x00\x00\x00\x00"),
            ("|i1", b"\xfe"),
            ("<i2", b"\xfe\xff"),
            (">i4", b"\xff\xff\xff\xfe"),
            ("<i8", b"\xfe\xff\xff\xff\xff\xff\xff\xff"),
            ("|u1", b"\xc8"),
            (">u2", b"\x00\xc8"),
            ("<u4", b"\xc8\x00\x00\x00"),
            ("|b1", b"\x01"),
        ];
        for (descr, data) in cases {
            let expected = match &descr[1..2] {
                "f" => -2.5,
                "i" => -2.0,
                "u" => 200.0,
                _ => 1.0,
            };
            assert_eq!(
                read(&file(descr, "False", "(1,)", data)).values(),
                [expected],
                "{descr}"
            );
        }
    }

    #[test]
    fn fortrans_order_is_turned_round() {
        let array = read(&file(
            "|u1",
            "True",
            "(2, 3, 2)",
            &[0, 6, 2, 8, 4, 10, 1, 7, 3, 9, 5, 11],
        ));
        assert_eq!(array.shape(), [2, 3, 2]);
        assert!(
            array
                .values()
                .iter()
                .enumerate()
                .all(|(at, value)| *value == at as f32)
        );
    }

    #[test]
    fn other_versions_and_spellings_are_read() {
        let header = br#"{"shape":(2L,),"fortran_order":False,"descr":"|u1"}"#;
        let length = (header.len() as u32).to_le_bytes();
        for version in [2, 3] {
            let start = [b"\x93NUMPY".as_slice(), &[version, 0], &length].concat();
            let file = [start.as_slice(), header, &[7, 9]].concat();
            assert_eq!(read(&file).values(), [7.0, 9.0]);
        }
    }

    #[test]
    fn each_trouble_has_its_words() {
        assert_eq!(refusal(b""), "is not a NumPy file (.npy)");
        assert_eq!(
            refusal(b"\x89PNG\r\n\x1a\n and so on"),
            "is not a NumPy file (.npy)"
        );
        assert!(refusal(b"\x93NUMPY\x09\x00").contains("version 9"));
        assert!(refusal(b"\x93NUMPY\x02\x00\xff\xff\xff\xff").contains("4294967295 bytes"));
        assert!(refusal(b"\x93NUMPY\x01\x00\xff\x00{").contains("header"));
        let short = file("<f4", "False", "(2, 3)", &[0; 9]);
        assert_eq!(
            refusal(&short),
            "is cut short: shape [2, 3] has 6 values, the file 2"
        );
        // Nothing of this size is allocated.
        let huge = file("<f4", "False", "(1000000000000, 8)", &[0; 9]);
        assert!(refusal(&huge).contains("more than 268435456 values"));
        let huge = file("<f4", "False", &format!("({0}, {0})", usize::MAX), &[]);
        assert!(refusal(&huge).contains("more than 268435456 values"));
        let complex = file("<c8", "False", "(1,)", &[0; 8]);
        assert!(refusal(&complex).contains("\"<c8\""));
        let records = with_header("{'descr': [('x', '<f4')], 'shape': (1,)}", &[]);
        assert!(refusal(&records).contains("records"));
        for header in [
            "",
            "{",
            "{}",
            "{'descr'",
            "{'descr': '<f4' 'shape': (1,)}",
            "{'shape': (1",
        ] {
            assert!(
                refusal(&with_header(header, &[])).contains("can't be understood"),
                "{header}"
            );
        }
    }

    /// Whatever the bytes, there is an array or an error.
    #[test]
    fn broken_files_never_panic() {
        let files = [
            bytes(&Array::zeros([2, 3])),
            file(">i2", "True", "(3, 2)", &[1; 12]),
        ];
        for bytes in files {
            for at in 0..bytes.len() {
                let _ = decode(&bytes[..at], Path::new("x.npy"));
                for byte in 0..=u8::MAX {
                    let mut broken = bytes.clone();
                    broken[at] = byte;
                    let _ = decode(broken.as_slice(), Path::new("x.npy"));
                }
            }
        }
    }
}
