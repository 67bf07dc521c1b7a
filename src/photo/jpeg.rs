//! Whether a JPEG is whole. Decoders fill what is missing with grey and report success.

const END_OF_IMAGE: u8 = 0xD9;

/// Whether the segments of a JPEG lead to its end marker. What follows it (a second picture, a video) is not looked at,
/// nor is the thumbnail inside an EXIF segment, which has an end marker of its own.
pub(super) fn is_complete(bytes: &[u8]) -> bool {
    let mut rest = bytes;
    while let Some((marker, after)) = next_marker(rest) {
        rest = match marker {
            END_OF_IMAGE => return true,
            // Start of image, restarts, the empty marker, and a stuffed zero in a scan's data stand alone. After
            // a scan's header comes its data, then data, in which only these occur.
            0x00 | 0x01 | 0xD0..=0xD8 => after,
            _ => match segment(after) {
                Some(rest) => rest,
                None => return false,
            },
        };
    }
    false
}

/// The next `FF` that is followed by another byte, and what comes after the two. Any number of `FF` may precede a marker.
fn next_marker(bytes: &[u8]) -> Option<(u8, &[u8])> {
    let start = bytes.iter().position(|byte| *byte == 0xFF)?;
    let fill = bytes[start..].iter().position(|byte| *byte != 0xFF)?;
    let at = start + fill;
    Some((bytes[at], &bytes[at + 1..]))
}

/// What follows a segment, whose first two bytes are its length with themselves.
fn segment(bytes: &[u8]) -> Option<&[u8]> {
    let length = bytes.first_chunk::<2>()?;
    bytes.get(usize::from(u16::from_be_bytes(*length)).max(2)..)
}

#[cfg(test)]
mod tests {
    use super::is_complete;

    #[test]
    fn the_end_marker_is_looked_for_outside_of_segments() {
        let thumbnail = b"\xFF\xD8\xFF\xE1\x00\x06\xFF\xD9..";
        assert!(!is_complete(thumbnail));
        let whole = [
            thumbnail.as_slice(),
            b"\xFF\xDA\x00\x02data\xFF\x00\xFF\xD0more\xFF\xFF\xD9after",
        ];
        assert!(is_complete(&whole.concat()));
        assert!(!is_complete(b"\xFF\xD8\xFF\xE1\xFF"));
        assert!(!is_complete(b""));
    }
}
