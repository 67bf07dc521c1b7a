//! Bytes from a connection to a file.

use std::io::{self, ErrorKind, Read, Write};

/// Bytes that are read and written at a time.
const PIECE: usize = 1 << 17;

/// Why copying ended before the end.
#[derive(Debug)]
pub(super) enum Stopped {
    Reading(io::Error),
    Writing(io::Error),
    /// There is more than was allowed.
    TooLong,
}

/// Copies up to `limit` bytes; `each` is told after each piece how many they are by then.
pub(super) fn copy(
    from: &mut impl Read,
    to: &mut impl Write,
    limit: u64,
    each: &mut dyn FnMut(u64),
) -> Result<(), Stopped> {
    let mut bytes = vec![0; PIECE];
    let mut done = 0;
    loop {
        let count = match from.read(&mut bytes) {
            Ok(0) => return Ok(()),
            Ok(count) => count,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(Stopped::Reading(error)),
        };
        if count as u64 > limit - done {
            return Err(Stopped::TooLong);
        }
        to.write_all(&bytes[..count]).map_err(Stopped::Writing)?;
        done += count as u64;
        each(done);
    }
}

#[cfg(test)]
mod tests {
    use super::super::part;
    use super::*;

    /// A disk with room for some bytes.
    struct Disk(Vec<u8>, usize);

    impl Write for Disk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let count = bytes.len().min(self.1 - self.0.len());
            if count == 0 {
                return Err(ErrorKind::StorageFull.into());
            }
            self.0.extend(&bytes[..count]);
            Ok(count)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_full_disk_keeps_what_it_has_and_says_what_is_missing() {
        let bytes = vec![7; 3 * PIECE];
        let mut disk = Disk(Vec::new(), PIECE + 10);
        let mut told = Vec::new();
        let stopped = copy(&mut &bytes[..], &mut disk, u64::MAX, &mut |done| {
            told.push(done);
        });
        let Err(Stopped::Writing(error)) = stopped else {
            panic!("{stopped:?}");
        };
        assert_eq!((disk.0.len(), told), (PIECE + 10, vec![PIECE as u64]));
        let what = part::write_failure(error, 1000, Some(1500));
        assert_eq!(
            what,
            "no space is left on the device: 500 more bytes are needed of 1500"
        );
    }

    #[test]
    fn no_more_than_the_limit_is_written() {
        let bytes = vec![7; 1000];
        let mut to = Vec::new();
        assert!(copy(&mut &bytes[..], &mut to, 1000, &mut |_| {}).is_ok());
        assert_eq!(to, bytes);
        let mut to = Vec::new();
        let stopped = copy(&mut &bytes[..], &mut to, 999, &mut |_| {});
        assert!(matches!(stopped, Err(Stopped::TooLong)), "{stopped:?}");
        assert!(to.is_empty());
    }
}
