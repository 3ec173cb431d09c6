//! Damaged copies of good input, the same for the same seed.

/// What decoders stumble over: lengths, nesting, ends of text.
const SPITE: [&[u8]; 14] = [
    b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
    b"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80",
    b"\x00",
    b"\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b",
    b"\"",
    b"\\ud800",
    b"\xed\xa0\x80",
    b"[[[[[[[[[[[[[[[[",
    b"{\"a\":{\"a\":{\"a\":",
    b"-1e999",
    b"184467440737095516160",
    b"&a [*a, *a]",
    b"- - - - - - -",
    b"\xf0\x9f\xaa\x91",
];
/// Inputs stay below this.
const MAX_BYTES: usize = 16 * 1024;

/// Endless damage to a corpus.
pub(super) struct Mutations<'a> {
    state: u64,
    corpus: &'a [Vec<u8>],
}

impl<'a> Mutations<'a> {
    pub(super) fn new(seed: u64, corpus: &'a [Vec<u8>]) -> Self {
        assert!(!corpus.is_empty(), "nothing to damage");
        Self { state: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1, corpus }
    }

    /// Xorshift: good enough to damage bytes, and the same everywhere.
    fn below(&mut self, bound: usize) -> usize {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        usize::try_from(self.state >> 33).unwrap_or(0) % bound.max(1)
    }

    pub(super) fn next_input(&mut self) -> Vec<u8> {
        let chosen = self.below(self.corpus.len());
        let mut input = self.corpus[chosen].clone();
        for _ in 0..=self.below(4) {
            self.damage(&mut input);
        }
        input.truncate(MAX_BYTES);
        input
    }

    fn damage(&mut self, input: &mut Vec<u8>) {
        let at = self.below(input.len() + 1);
        let end = (at + 1 + self.below(16)).min(input.len());
        match self.below(7) {
            0 if at < input.len() => input[at] ^= 1 << self.below(8),
            1 if at < end => drop(input.drain(at..end)),
            2 => input.truncate(at),
            3 if at < end => {
                let part = input[at..end].to_vec();
                let times = 1 + self.below(64);
                input.splice(at..at, part.repeat(times));
            }
            4 => {
                let (spite, times) = (SPITE[self.below(SPITE.len())], 1 + self.below(300));
                input.splice(at..at, spite.repeat(times));
            }
            5 => {
                let other = &self.corpus[self.below(self.corpus.len())];
                let from = self.below(other.len() + 1);
                let part = other[from..].to_vec();
                input.truncate(at);
                input.extend(part);
            }
            _ if at < input.len() => input[at] = [0, 0x7f, 0x80, 0xff][self.below(4)],
            _ => input.push(b'0'),
        }
    }
}

#[test]
fn the_same_seed_is_the_same_damage() {
    let corpus = [b"some good input".to_vec(), b"other".to_vec()];
    let inputs = |seed| {
        let mut mutations = Mutations::new(seed, &corpus);
        (0..50).map(|_| mutations.next_input()).collect::<Vec<_>>()
    };
    assert_eq!(inputs(7), inputs(7));
    assert_ne!(inputs(7), inputs(8));
    assert!(inputs(7).iter().any(|input| !corpus.contains(input)));
}
