//! Every decoder that strangers, peers, files or operators reach, each with samples that
//! it must take and what must hold of whatever it takes. Two feed them: the seeded test of
//! `tests/tests/bad_input/fuzz`, the same in each run, and libFuzzer (`make fuzz`), which
//! is guided by what inputs reach.

mod checks;
mod clients;
mod kept;
mod load;
mod operators;
mod peers;
mod providers;
mod stored;

pub use kept::{NoText, from_text, kept, to_text};

/// A decoder.
pub struct Target {
    /// In small letters, with `-`; the name of its folder of inputs.
    pub name: &'static str,
    /// Inputs that it takes.
    pub samples: Vec<Vec<u8>>,
    /// Whether it took the input. Panics when what it made of it breaks a rule.
    pub decode: fn(&[u8]) -> bool,
}

/// All of them.
pub fn targets() -> Vec<Target> {
    [
        clients::targets(),
        providers::targets(),
        peers::targets(),
        stored::targets(),
        operators::targets(),
        load::targets(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn target(
    name: &'static str,
    samples: impl IntoIterator<Item = impl Into<Vec<u8>>>,
    decode: fn(&[u8]) -> bool,
) -> Target {
    Target { name, samples: samples.into_iter().map(Into::into).collect(), decode }
}
