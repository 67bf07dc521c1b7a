//! One small model, stored in all ways that HDF5 offers, and files that are none.
//!
//! `packed.h5`: newest file version, chunks with deflate, shuffle and checksum. `chunked.h5`: 16-bit floats in
//! uneven chunks that may grow. `big_endian.h5`: 64-bit floats, the other way round, behind 512 bytes of the
//! user's, text of fixed length. `compact.h5`: values inside of the headers. `unwritten.h5`: described, and
//! never written. All by h5py 3.14; the value of index i is i / 8 - 1. Two more hold no model.

use super::*;

#[test]
fn values_are_the_same_however_they_are_stored() {
    for name in ["packed.h5", "chunked.h5", "big_endian.h5", "compact.h5"] {
        let model = read(&small(name)).unwrap();
        assert_eq!(model.format, "Keras 2.2.4-tf (HDF5)");
        assert_eq!(model.summary([6, 5]).total, 14 + 99, "{name}");
        let all = model.nodes.iter().flat_map(|node| node.op.parameters());
        for parameter in all {
            let wanted: Vec<f32> = (0_u16..)
                .map(|i| f32::from(i) / 8.0 - 1.0)
                .take(parameter.len())
                .collect();
            assert_eq!(values(parameter), wanted, "{} in {name}", parameter.name);
            // Pieces of odd lengths at odd places.
            for start in 0..parameter.len() {
                for length in [1, 2, 5, 31] {
                    let end = parameter.len().min(start + length);
                    let mut piece = vec![0.0; end - start];
                    parameter.values.read(start, &mut piece).unwrap();
                    assert_eq!(piece, wanted[start..end]);
                }
            }
        }
    }
}

#[test]
fn kernels_are_turned_by_their_order_and_not_copied() {
    let model = read(&small("packed.h5")).unwrap();
    let kernel = parameters(&model, "conv")[0];
    assert_eq!(
        (kernel.stored.as_slice(), kernel.shape()),
        (&[3, 2, 1, 2][..], vec![2, 1, 3, 2])
    );
}

#[test]
fn weights_of_the_shipped_convnet_are_those_that_h5py_reads() {
    let model = read(&root().join("weights/cats_and_dogs_small_2.h5")).unwrap();
    let kernel = parameters(&model, "dense_3")[0];
    assert_eq!(kernel.stored, [6272, 512]);
    let mut piece = [0.0; 3];
    for (start, wanted) in FIRST_AND_LAST {
        kernel.values.read(start, &mut piece).unwrap();
        assert_eq!(piece, wanted);
    }
}

/// `f["model_weights/dense_3/dense_3/kernel:0"][...].ravel()` at the beginning, across rows, and at the end.
const FIRST_AND_LAST: [(usize, [f32; 3]); 3] = [
    (0, [0.0026734916, 0.046794396, 0.04447361]),
    (511, [-0.019361835, -0.0032878784, -0.007271742]),
    (6272 * 512 - 3, [5.8567104e-05, -0.002777955, -0.055836566]),
];

#[test]
fn a_weight_that_was_never_written_is_an_error() {
    assert_eq!(
        message(&small("unwritten.h5")),
        "layer 'conv' has a weight 'conv/kernel:0' that was never written"
    );
}

#[test]
fn files_without_a_model_say_what_they_are() {
    assert_eq!(
        message(&small("keras3.weights.h5")),
        "holds weights only (no model_config), as Keras 3 saves them (.weights.h5): convscope reads those of \
         Keras 2, and whole models"
    );
    assert_eq!(
        message(&small("other.h5")),
        "is an HDF5 file and no Keras model: it has no model_config; its groups are table"
    );
}

#[test]
fn what_is_no_keras_file_says_so() {
    let folder = scratch("no-keras");
    assert_eq!(message(&folder), "is a folder, not a Keras file (.h5)");
    let file = folder.join("model.h5");
    std::fs::write(&file, b"").unwrap();
    assert_eq!(message(&file), "is empty, not a Keras file (.h5)");
    std::fs::write(&file, b"\x89PNG\r\n\x1a\n and more").unwrap();
    assert_eq!(
        message(&file),
        "is not an HDF5 file: begins with \"\\x89PNG\\r\\n\\x1a\\n and mor\""
    );
    std::fs::remove_file(&file).unwrap();
    assert!(message(&file).starts_with("No such file"));
    let whole = std::fs::read(fixture("fx_mixed_k2.h5")).unwrap();
    std::fs::write(&file, &whole[..whole.len() / 2]).unwrap();
    assert_eq!(
        message(&file),
        "is cut short: 34704 bytes of the 69408 that its header announces"
    );
}
