//! Large files that are nearly all zero, kept as the runs of bytes that are not: see
//! `tests/golden/keras/make_official.py`.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// Makes the file at `to` that the `.runs` file at `from` describes. File systems keep no blocks for the zeros.
pub fn unpack(from: &Path, to: &Path) {
    let runs = std::fs::read(from).expect("a .runs file");
    let file = File::create(to).expect("a new file");
    let (length, mut rest) = runs.split_at(8);
    file.set_len(u64::from_le_bytes(length.try_into().expect("8 bytes")))
        .expect("room");
    while let Some((head, behind)) = rest.split_at_checked(12) {
        let (offset, count) = head.split_at(8);
        let offset = u64::from_le_bytes(offset.try_into().expect("8 bytes"));
        let count = u32::from_le_bytes(count.try_into().expect("4 bytes")) as usize;
        file.write_all_at(&behind[..count], offset)
            .expect("written");
        rest = &behind[count..];
    }
}
