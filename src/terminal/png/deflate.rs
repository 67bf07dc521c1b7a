//! zlib data in which bytes stand for themselves, or repeat the one before them: RFC 1950 and 1951. Maps are noise and
//! runs; to look for other things that come again takes long and finds little.

/// Tokens of a block, whose codes suit it.
const BLOCK: usize = 1 << 16;

/// The shortest and the longest run, without the byte that it repeats.
const RUN: std::ops::RangeInclusive<usize> = 3..=258;

/// The symbol at a block's end; beyond it are those of the runs.
const END: usize = 256;

/// Symbols of bytes, the end, and runs.
const SYMBOLS: usize = 286;

/// In which order the lengths of the codes for lengths are told.
const ORDER: [usize; 19] = [
    16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15,
];

/// A byte, or [`END`] and how many more than the fewest a run has.
type Token = u16;

/// Data as a zlib stream.
pub(super) fn zlib(data: &[u8]) -> Vec<u8> {
    let mut out = Bits {
        // 32 KiB of memory, the fastest of compressions.
        bytes: vec![0x78, 0x01],
        ..Bits::default()
    };
    let tokens = tokens(data);
    let mut blocks = tokens.chunks(BLOCK).peekable();
    while let Some(block) = blocks.next() {
        write(block, blocks.peek().is_none(), &mut out);
    }
    let mut bytes = out.finish();
    bytes.extend_from_slice(&adler32(data).to_be_bytes());
    bytes
}

fn tokens(data: &[u8]) -> Vec<Token> {
    let mut tokens = Vec::with_capacity(data.len() / 2);
    for run in data.chunk_by(|a, b| a == b) {
        let byte = Token::from(run[0]);
        tokens.push(byte);
        let mut left = run.len() - 1;
        while left >= *RUN.start() {
            let length = left.min(*RUN.end());
            tokens.push((END + length - RUN.start()) as Token);
            left -= length;
        }
        tokens.extend(std::iter::repeat_n(byte, left));
    }
    tokens
}

/// A block with codes of its own.
fn write(tokens: &[Token], last: bool, out: &mut Bits) {
    let runs: [Run; 256] = std::array::from_fn(|more| Run::new(more + RUN.start()));
    let mut counts = [0; SYMBOLS];
    for &token in tokens {
        let token = usize::from(token);
        counts[token
            .checked_sub(END)
            .map_or(token, |more| runs[more].symbol)] += 1;
    }
    counts[END] = 1;
    let codes = Code::all(&counts, 15);
    out.put(u32::from(last) | 2 << 1, 3);
    write_codes(&codes, out);
    for &token in tokens {
        let token = usize::from(token);
        if token < END {
            out.put_code(codes[token]);
        } else {
            let run = &runs[token - END];
            out.put_code(codes[run.symbol]);
            // And one bit for the only distance.
            out.put(run.extra, run.bits + 1);
        }
    }
    out.put_code(codes[END]);
}

/// The codes' lengths, and then that of the only distance, as [`length_symbols`], which have codes themselves.
fn write_codes(codes: &[Code], out: &mut Bits) {
    let count = codes
        .iter()
        .rposition(|code| code.length > 0)
        .unwrap_or(END)
        + 1;
    let lengths = codes[..count].iter().map(|code| code.length);
    let symbols = length_symbols(&lengths.chain([1]).collect::<Vec<_>>());
    let mut counts = [0; ORDER.len()];
    for (symbol, ..) in &symbols {
        counts[usize::from(*symbol)] += 1;
    }
    let codes = Code::all(&counts, 7);
    let told = ORDER.iter().rposition(|&symbol| codes[symbol].length > 0);
    let told = told.map_or(4, |last| last + 1).max(4);
    out.put((count - 257) as u32, 5);
    out.put(0, 5);
    out.put((told - 4) as u32, 4);
    for &symbol in &ORDER[..told] {
        out.put(u32::from(codes[symbol].length), 3);
    }
    for (symbol, extra, bits) in symbols {
        out.put_code(codes[usize::from(symbol)]);
        out.put(extra, bits);
    }
}

/// Lengths of codes as symbols, with bits that say how often: 16 repeats the one before, 17 and 18 are zeros.
fn length_symbols(lengths: &[u8]) -> Vec<(u8, u32, u32)> {
    let mut symbols = Vec::new();
    for run in lengths.chunk_by(|a, b| a == b) {
        let (length, mut left) = (run[0], run.len());
        if length > 0 {
            symbols.push((length, 0, 0));
            left -= 1;
        }
        while left >= 3 {
            let (symbol, fewest, most, bits) = match (length, left) {
                (0, 11..) => (18, 11, 138, 7),
                (0, _) => (17, 3, 10, 3),
                _ => (16, 3, 6, 2),
            };
            let count = left.min(most);
            symbols.push((symbol, (count - fewest) as u32, bits));
            left -= count;
        }
        symbols.extend(std::iter::repeat_n((length, 0, 0), left));
    }
    symbols
}

/// How the length of a run is written.
struct Run {
    symbol: usize,
    extra: u32,
    bits: u32,
}

impl Run {
    /// Four symbols for each number of bits; the longest run has a symbol of its own.
    fn new(length: usize) -> Self {
        let more = length - RUN.start();
        let bits = more.checked_ilog2().unwrap_or(0).saturating_sub(2);
        let (symbol, bits) = if length == *RUN.end() {
            (SYMBOLS - 1, 0)
        } else {
            (END + 1 + 4 * bits as usize + (more >> bits), bits)
        };
        Self {
            symbol,
            extra: more as u32 & ((1 << bits) - 1),
            bits,
        }
    }
}

/// A symbol's bits; none for one that isn't used.
#[derive(Clone, Copy, Debug, Default)]
struct Code {
    bits: u32,
    length: u8,
}

impl Code {
    /// For symbols that occur so often, at least two of them, with at most so many bits.
    fn all(counts: &[u32], most: u8) -> Vec<Self> {
        let lengths = lengths(counts, most);
        let mut next = 0_u32;
        let mut codes = vec![Self::default(); counts.len()];
        for length in 1..=most {
            next <<= 1;
            for (code, _) in codes
                .iter_mut()
                .zip(&lengths)
                .filter(|(_, of)| **of == length)
            {
                // The first bit comes first.
                let bits = next.reverse_bits() >> (32 - u32::from(length));
                *code = Self { bits, length };
                next += 1;
            }
        }
        codes
    }
}

/// Huffman's code lengths (1952). Where some are too long, the counts are made more alike.
fn lengths(counts: &[u32], most: u8) -> Vec<u8> {
    let mut counts = counts.to_vec();
    loop {
        let lengths = huffman(&counts);
        if lengths.iter().all(|length| *length <= most) {
            return lengths;
        }
        for count in counts.iter_mut().filter(|count| **count > 0) {
            *count = count.div_ceil(2);
        }
    }
}

fn huffman(counts: &[u32]) -> Vec<u8> {
    let mut leaves: Vec<usize> = (0..counts.len())
        .filter(|&symbol| counts[symbol] > 0)
        .collect();
    leaves.sort_by_key(|&symbol| counts[symbol]);
    // Leaves by weight, then the nodes above them, which come about by weight too.
    let mut weights: Vec<u32> = leaves.iter().map(|&symbol| counts[symbol]).collect();
    let (mut leaf, mut inner) = (0, leaves.len());
    let mut parents = vec![0; 2 * leaves.len()];
    while weights.len() + 1 < 2 * leaves.len() {
        let mut weight = 0;
        for _ in 0..2 {
            let is_leaf =
                leaf < leaves.len() && (inner == weights.len() || weights[leaf] <= weights[inner]);
            let lightest = if is_leaf { &mut leaf } else { &mut inner };
            parents[*lightest] = weights.len();
            weight += weights[*lightest];
            *lightest += 1;
        }
        weights.push(weight);
    }
    let mut depths = vec![0; weights.len()];
    for node in (0..weights.len().saturating_sub(1)).rev() {
        depths[node] = depths[parents[node]] + 1;
    }
    let mut lengths = vec![0; counts.len()];
    for (&symbol, depth) in leaves.iter().zip(depths) {
        lengths[symbol] = depth;
    }
    lengths
}

/// Bits, the lowest first.
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    held: u64,
    count: u32,
}

impl Bits {
    /// At most 32.
    fn put(&mut self, bits: u32, count: u32) {
        self.held |= u64::from(bits) << self.count;
        self.count += count;
        if self.count >= 32 {
            self.bytes
                .extend_from_slice(&(self.held as u32).to_le_bytes());
            self.held >>= 32;
            self.count -= 32;
        }
    }

    fn put_code(&mut self, code: Code) {
        self.put(code.bits, u32::from(code.length));
    }

    fn finish(mut self) -> Vec<u8> {
        let left = self.count.div_ceil(8) as usize;
        self.bytes
            .extend_from_slice(&self.held.to_le_bytes()[..left]);
        self.bytes
    }
}

/// Mark Adler's checksum.
fn adler32(data: &[u8]) -> u32 {
    const MODULUS: u32 = 65521;
    let (mut a, mut b) = (1_u32, 0_u32);
    // As many as don't overflow.
    for piece in data.chunks(5552) {
        for &byte in piece {
            a += u32::from(byte);
            b += a;
        }
        a %= MODULUS;
        b %= MODULUS;
    }
    b << 16 | a
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_adlers() {
        assert_eq!(adler32(b"Wikipedia"), 0x11e6_0398);
        assert_eq!(adler32(&[255; 6000]), 0xa40f_587c);
    }

    #[test]
    fn bytes_and_runs() {
        assert_eq!(tokens(&[7, 7, 7, 9]), [7, 7, 7, 9]);
        assert_eq!(tokens(&[7; 4]), [7, END as u16]);
        assert_eq!(tokens(&[7; 259]), [7, END as u16 + 255]);
        assert_eq!(tokens(&[7; 261]), [7, END as u16 + 255, 7, 7]);
        let told = |length| {
            let run = Run::new(length);
            (run.symbol, run.extra, run.bits)
        };
        // RFC 1951, section 3.2.5.
        assert_eq!([3, 10].map(told), [(257, 0, 0), (264, 0, 0)]);
        assert_eq!([11, 12].map(told), [(265, 0, 1), (265, 1, 1)]);
        assert_eq!([66, 67].map(told), [(276, 7, 3), (277, 0, 4)]);
        assert_eq!([257, 258].map(told), [(284, 30, 5), (285, 0, 0)]);
    }

    #[test]
    fn codes_are_short_for_what_comes_often() {
        let lengths = |counts: &[u32], most| super::lengths(counts, most);
        assert_eq!(lengths(&[8, 0, 4, 2, 1], 15), [1, 0, 2, 3, 3]);
        assert_eq!(lengths(&[5, 5], 15), [1, 1]);
        // Fibonacci's numbers make the longest codes.
        let counts: Vec<u32> = (0..25)
            .scan((1, 1), |(a, b), _| {
                (*a, *b) = (*b, *a + *b);
                Some(*a)
            })
            .collect();
        for most in [7, 15] {
            let lengths = lengths(&counts, most);
            assert!(lengths.iter().all(|length| (1..=most).contains(length)));
            // Every sequence of bits means something.
            let share: u32 = lengths.iter().map(|length| 1 << (most - length)).sum();
            assert_eq!(share, 1 << most);
        }
    }

    #[test]
    fn lengths_of_codes_are_told_in_runs() {
        let lengths = [&[0; 150][..], &[8; 8], &[0; 3], &[9, 9]].concat();
        let told = [
            (18, 127, 7),
            (18, 1, 7),
            (8, 0, 0),
            (16, 3, 2),
            (8, 0, 0),
            (17, 0, 3),
            (9, 0, 0),
            (9, 0, 0),
        ];
        assert_eq!(length_symbols(&lengths), told);
    }
}
