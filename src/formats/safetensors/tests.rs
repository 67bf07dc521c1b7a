//! Values, and files that lie.

use std::fs;

use tempfile::tempdir;

use super::*;
use crate::formats::tests::{safetensors_bytes, shipped_file};

fn floats(table: &Tensors, name: &str) -> Vec<f32> {
    let tensor = table.get(name).unwrap();
    let Data::Floats(values) = &tensor.data else {
        panic!("{name} is not made of floats");
    };
    let mut out = vec![0.0; tensor.shape.iter().product()];
    values.read(0, &mut out).unwrap();
    out
}

/// A file with the given JSON header and `data` bytes of zeros behind it.
fn with_header(header: &str, data: usize) -> Vec<u8> {
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header.bytes());
    bytes.resize(bytes.len() + data, 0);
    bytes
}

/// The error that a file of these bytes gives.
fn refusal(name: &str, bytes: &[u8]) -> String {
    let folder = tempdir().unwrap();
    let path = folder.path().join("net.safetensors");
    fs::write(&path, bytes).unwrap();
    match tensors(&path) {
        Ok(_) => panic!("{name} was read"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn subnormal_half_floats_keep_their_value() {
    // Counted with NumPy; f16's smallest normal number is 2^-14.
    let table = tensors(&shipped_file("efficientnet_lite0.safetensors")).unwrap();
    let subnormal = |value: &&f32| **value != 0.0 && value.abs() < 2.0_f32.powi(-14);
    let count: usize = table
        .names()
        .map(|name| floats(&table, name).iter().filter(subnormal).count())
        .sum();
    assert_eq!(count, 7_530);
}

#[test]
fn every_float_type_becomes_f32() {
    let header = r#"{"a":{"dtype":"F16","shape":[2],"data_offsets":[0,4]},
        "b":{"dtype":"BF16","shape":[2],"data_offsets":[4,8]},
        "c":{"dtype":"F32","shape":[2],"data_offsets":[8,16]},
        "d":{"dtype":"F64","shape":[2],"data_offsets":[16,32]},
        "e":{"dtype":"I64","shape":[],"data_offsets":[32,40]}}"#;
    let mut bytes = with_header(header, 0);
    for value in [1.5, -6e-8] {
        bytes.extend(f16::from_f64(value).to_le_bytes());
    }
    for value in [1.5, -3e38] {
        bytes.extend(bf16::from_f64(value).to_le_bytes());
    }
    for value in [1.5_f32, f32::MIN_POSITIVE / 2.0] {
        bytes.extend(value.to_le_bytes());
    }
    for value in [1.5_f64, 0.1] {
        bytes.extend(value.to_le_bytes());
    }
    bytes.extend([0; 8]);
    let folder = tempdir().unwrap();
    let path = folder.path().join("net.safetensors");
    fs::write(&path, bytes).unwrap();
    let table = tensors(&path).unwrap();
    assert_eq!(floats(&table, "a"), [1.5, -(2.0_f32.powi(-24))]);
    assert_eq!(floats(&table, "b"), [1.5, bf16::from_f64(-3e38).to_f32()]);
    assert_eq!(floats(&table, "c"), [1.5, f32::MIN_POSITIVE / 2.0]);
    assert_eq!(floats(&table, "d"), [1.5, 0.1]);
    assert!(matches!(&table.get("e").unwrap().data, Data::Other(kind) if kind == "I64"));
}

#[test]
fn a_range_across_pieces_is_read_in_order() {
    let all: Vec<f32> = (0..40_000_u16).map(f32::from).collect();
    let folder = tempdir().unwrap();
    let path = folder.path().join("net.safetensors");
    fs::write(&path, safetensors_bytes(&[("w", &[40_000], &all)])).unwrap();
    let table = tensors(&path).unwrap();
    let Data::Floats(values) = &table.get("w").unwrap().data else {
        panic!("not floats");
    };
    let mut out = vec![0.0; 20_000];
    values.read(15_000, &mut out).unwrap();
    assert_eq!(out, all[15_000..35_000]);
    assert!(values.read(20_001, &mut out).is_err());
    assert!(values.read(usize::MAX, &mut out).is_err());
}

#[test]
fn a_file_shortened_after_opening_gives_an_error() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("net.safetensors");
    let bytes = safetensors_bytes(&[("w", &[4], &[1.0; 4])]);
    fs::write(&path, &bytes).unwrap();
    let table = tensors(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
    let Data::Floats(values) = &table.get("w").unwrap().data else {
        panic!("not floats");
    };
    let message = values.read(0, &mut [0.0; 4]).unwrap_err().to_string();
    assert!(message.contains("tensor 'w': can't be read"), "{message}");
}

#[test]
fn headers_that_lie_are_refused() {
    let huge = usize::MAX;
    let tensor = |shape: &str, begin: usize, end: usize| {
        format!(r#""w":{{"dtype":"F32","shape":{shape},"data_offsets":[{begin},{end}]}}"#)
    };
    let one = |shape: &str, begin: usize, end: usize| format!("{{{}}}", tensor(shape, begin, end));
    let cases = [
        (
            "nothing behind",
            with_header(&one("[2]", 0, 8), 7),
            "incomplete",
        ),
        ("more behind", with_header(&one("[2]", 0, 8), 9), "damaged"),
        ("backwards", with_header(&one("[2]", 8, 0), 8), "offset"),
        ("gap", with_header(&one("[1]", 4, 8), 8), "offset"),
        (
            "overlap",
            with_header(
                r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},
                    "b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}"#,
                12,
            ),
            "offset",
        ),
        (
            "the same twice",
            with_header(
                r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},
                    "b":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#,
                8,
            ),
            "offset",
        ),
        (
            "one name twice",
            with_header(
                &format!("{{{},{}}}", tensor("[1]", 0, 4), tensor("[1]", 4, 8)),
                8,
            ),
            "damaged",
        ),
        ("shape", with_header(&one("[3]", 0, 8), 8), "shape"),
        (
            "overflow",
            with_header(&one(&format!("[{huge},2]"), 0, 8), 8),
            "overflow",
        ),
        ("far end", with_header(&one("[2]", 0, huge), 8), "damaged"),
        ("negative", with_header(&one("[-1]", 0, 8), 8), "damaged"),
        ("no tensors", with_header("{}", 0), "holds no tensors"),
        ("no json", with_header("{nonsense", 0), "damaged"),
        ("deep", with_header(&"{\"a\":".repeat(10_000), 0), "damaged"),
        (
            "not utf-8",
            [&[2, 0, 0, 0, 0, 0, 0, 0, b'{', 0xff][..]].concat(),
            "damaged",
        ),
        (
            "long header",
            u64::MAX.to_le_bytes().to_vec(),
            "header should be",
        ),
        ("short", vec![1, 2, 3], "at least 8 bytes"),
    ];
    for (name, bytes, expected) in cases {
        let message = refusal(name, &bytes);
        assert!(message.contains("net.safetensors: "), "{name}: {message}");
        assert!(message.contains(expected), "{name}: {message}");
    }
}

#[test]
fn truncations_and_flipped_bits_never_panic() {
    let whole = safetensors_bytes(&[("a", &[2, 3], &[1.0; 6]), ("b", &[2], &[0.5; 2])]);
    let folder = tempdir().unwrap();
    let path = folder.path().join("net.safetensors");
    let data = 8 * size_of::<f32>();
    let mut refused = 0;
    for length in 0..whole.len() {
        fs::write(&path, &whole[..length]).unwrap();
        assert!(tensors(&path).is_err(), "cut to {length}");
    }
    for index in 0..whole.len() - data {
        for bit in 0..8 {
            let mut bytes = whole.clone();
            bytes[index] ^= 1 << bit;
            fs::write(&path, bytes).unwrap();
            match tensors(&path) {
                // A changed name, say. What is there can be read.
                Ok(table) => table.names().for_each(|name| {
                    if let Data::Floats(values) = &table.get(name).unwrap().data {
                        let shape = &table.get(name).unwrap().shape;
                        let mut out = vec![0.0; shape.iter().product()];
                        values.read(0, &mut out).unwrap();
                    }
                }),
                Err(_) => refused += 1,
            }
        }
    }
    assert!(refused > whole.len(), "only {refused} refused");
}
