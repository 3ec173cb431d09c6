//! Real dialogues in many languages, from the package `chatterbot-corpus`.

use serde::Deserialize;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Where `tests/setup-corpus.sh` puts the package, below the repository.
const FOLDER: &str = "target/corpus/chatterbot_corpus/data";

/// One dialogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dialogue {
    /// Folder it was found in: `japanese`.
    pub language: String,
    /// Said in turn, the visitor first. At least two, none empty.
    pub lines: Vec<String>,
}

#[derive(Deserialize)]
struct File {
    #[serde(default)]
    conversations: Vec<Lines>,
}

/// A few entries are bare strings instead of dialogues.
#[derive(Deserialize)]
#[serde(untagged)]
enum Lines {
    Dialogue(Vec<String>),
    Other(serde::de::IgnoredAny),
}

/// The repository's folder.
pub fn repository() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().expect("the package lies in the repository").to_owned()
}

/// `per_language` dialogues of every language, spread over all of its files and
/// the longest first. Panics when the corpus has not been fetched.
pub fn dialogues(per_language: usize) -> Vec<Dialogue> {
    let folder = repository().join(FOLDER);
    assert!(folder.is_dir(), "no dialogues: run tests/setup-corpus.sh first");
    let mut chosen = Vec::new();
    for (language, mut found) in by_language(&folder) {
        // Longer dialogues have more turns that could be lost or swapped.
        found.sort_by_key(|lines| std::cmp::Reverse(lines.len()));
        found.dedup();
        found.truncate(per_language);
        let language = |lines| Dialogue { language: language.clone(), lines };
        chosen.extend(found.into_iter().map(language));
    }
    chosen
}

fn by_language(folder: &Path) -> BTreeMap<String, Vec<Vec<String>>> {
    let mut found: BTreeMap<String, Vec<Vec<String>>> = BTreeMap::new();
    for language in entries(folder) {
        let name = language.file_name().map(|n| n.to_string_lossy().into_owned());
        let dialogues = found.entry(name.expect("entries have names")).or_default();
        let files = entries(&language);
        for path in files.iter().filter(|p| p.extension().is_some_and(|e| e == "yml")) {
            dialogues.extend(read(path));
        }
    }
    found
}

fn read(path: &Path) -> Vec<Vec<String>> {
    let text = fs::read_to_string(path).expect("the corpus can be read");
    let file: File = serde_saphyr::from_str(&text)
        .unwrap_or_else(|e| panic!("{} is not as expected: {e}", path.display()));
    let usable = |lines: Lines| match lines {
        Lines::Dialogue(lines) if lines.len() >= 2 && lines.iter().all(|l| !l.is_empty()) => {
            Some(lines)
        }
        Lines::Dialogue(_) | Lines::Other(_) => None,
    };
    file.conversations.into_iter().filter_map(usable).collect()
}

/// The entries of a folder, sorted, so that every run takes the same dialogues.
fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = match fs::read_dir(folder) {
        Ok(entries) => entries.filter_map(Result::ok).map(|e| e.path()).collect(),
        Err(_) => Vec::new(),
    };
    paths.sort();
    paths
}
