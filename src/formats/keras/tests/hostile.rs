//! Damaged files: whatever happens to their bytes, reading gives a model or one clear line, and soon.

use std::io::Write;

use super::*;

/// xorshift: the same files at each run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % sides as u64).unwrap()
    }
}

/// Puts bytes into a file. Some file systems wait for the disk when a file is emptied first.
fn overwrite(path: &Path, bytes: &[u8]) {
    let mut options = std::fs::OpenOptions::new();
    let mut file = options
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
        .unwrap();
    file.write_all(bytes).unwrap();
    file.set_len(bytes.len() as u64).unwrap();
}

/// Reads everything there is to read.
fn exercise(path: &Path) -> bool {
    match read(path) {
        Ok(model) => {
            model.summary(model.input_size());
            let all = model.nodes.iter().flat_map(|node| node.op.parameters());
            for parameter in all {
                // A small file has small weights, whatever it says of them.
                assert!(parameter.len() < 100_000_000, "{parameter:?}");
                let mut piece = vec![0.0; parameter.len().min(1000)];
                let _ = parameter
                    .values
                    .read(parameter.len() - piece.len(), &mut piece);
            }
            true
        }
        Err(error) => {
            let text = error.to_string();
            assert!(
                text.len() < 1000 && !text.contains(char::is_control),
                "{text:?}"
            );
            false
        }
    }
}

fn files() -> [PathBuf; 5] {
    [
        fixture("fx_mixed_k2.h5"),
        fixture("fx_nested_k3.h5"),
        small("packed.h5"),
        small("chunked.h5"),
        small("big_endian.h5"),
    ]
}

#[test]
fn files_cut_short_anywhere_give_an_error() {
    let damaged = scratch("cut").join("model.h5");
    for file in files() {
        let whole = std::fs::read(&file).unwrap();
        for part in 0..120 {
            let mut bytes = whole[..whole.len() * part / 120].to_vec();
            overwrite(&damaged, &bytes);
            assert!(!exercise(&damaged), "{part}/120 of {}", file.display());
            // The same with a header that agrees with the length, where that is at its usual place.
            if bytes.len() > 48 {
                let length = bytes.len() as u64;
                bytes[40..48].copy_from_slice(&length.to_le_bytes());
                overwrite(&damaged, &bytes);
                exercise(&damaged);
            }
        }
    }
}

#[test]
fn flipped_bytes_give_an_error_or_a_model() {
    let damaged = scratch("flipped").join("model.h5");
    let mut dice = Dice(0x00C0_FFEE);
    for file in files() {
        let whole = std::fs::read(&file).unwrap();
        let mut opened = 0;
        for _ in 0..700 {
            let mut bytes = whole.clone();
            for _ in 0..=dice.roll(5) {
                // Half of them where the structure is densest.
                let end = [bytes.len(), bytes.len().min(8192)][dice.roll(2)];
                let at = dice.roll(end);
                bytes[at] = match dice.roll(3) {
                    0 => bytes[at] ^ 1 << dice.roll(8),
                    1 => [0, 0xff, 0x7f, 0x80][dice.roll(4)],
                    _ => u8::try_from(dice.roll(256)).unwrap(),
                };
            }
            overwrite(&damaged, &bytes);
            opened += usize::from(exercise(&damaged));
        }
        assert!((1..700).contains(&opened), "{opened} of {}", file.display());
    }
}

#[test]
fn flipped_bytes_in_a_weights_file_give_an_error() {
    let damaged = scratch("flipped-weights").join("model.h5");
    let mut dice = Dice(0x00C0_FFEE);
    let whole = std::fs::read(fixture("fx_nested_k2_weights.h5")).unwrap();
    for _ in 0..700 {
        let mut bytes = whole.clone();
        for _ in 0..=dice.roll(5) {
            let end = [bytes.len(), bytes.len().min(8192)][dice.roll(2)];
            let at = dice.roll(end);
            bytes[at] ^= 1 << dice.roll(8);
        }
        overwrite(&damaged, &bytes);
        assert!(!exercise(&damaged));
    }
}

#[test]
fn a_small_file_can_not_claim_much_data() {
    let whole = std::fs::read(small("big_endian.h5")).unwrap();
    let shape: Vec<u8> = [32_u64, 3]
        .iter()
        .flat_map(|axis| axis.to_le_bytes())
        .collect();
    let at = whole
        .windows(shape.len())
        .position(|window| window == shape)
        .unwrap();
    let claimed = scratch("claims").join("model.h5");
    for (rows, wanted) in [(1 << 20, "should lie at bytes"), (u64::MAX, "is too large")] {
        let mut bytes = whole.clone();
        bytes[at..at + 8].copy_from_slice(&rows.to_le_bytes());
        overwrite(&claimed, &bytes);
        let message = message(&claimed);
        assert!(message.starts_with("layer 'dense'"), "{message}");
        assert!(message.contains(wanted), "{message}");
    }
}
