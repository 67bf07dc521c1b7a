//! What tmux is to hand on to the terminal around it, unread.

/// The bytes that make tmux write `sequence`, if its option `allow-passthrough` is on.
pub(super) fn wrapped(sequence: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(sequence.len() + 16);
    bytes.extend_from_slice(b"\x1bPtmux;");
    for &byte in sequence {
        if byte == 0x1b {
            bytes.push(byte);
        }
        bytes.push(byte);
    }
    bytes.extend_from_slice(b"\x1b\\");
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_doubled() {
        assert_eq!(
            wrapped(b"\x1b_Gq\x1b\\"),
            b"\x1bPtmux;\x1b\x1b_Gq\x1b\x1b\\\x1b\\"
        );
    }
}
