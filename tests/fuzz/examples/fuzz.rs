//! The decoders under libFuzzer: all in one program, of which `FUZZ_TARGET` names one.
//! Started by `tests/fuzz/run.sh`, which also has it write its samples (`FUZZ_SEEDS`) and
//! show an input as the text that `tests/fuzz/corpus` keeps (`FUZZ_SHOW`).

#![no_main]

use frontdesk_fuzz::{Target, kept, targets, to_text};
use std::alloc::{GlobalAlloc, Layout, System};
use std::collections::BTreeSet;
use std::ffi::{c_char, c_int};
use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::{env, fs, process};

/// Bytes that a decoder may hold at once for an input of a few kilobytes.
const MAX_HELD: usize = 64 * 1024 * 1024;
/// Words for libFuzzer to put in.
const MAX_WORDS: usize = 400;

static TARGET: OnceLock<Target> = OnceLock::new();
static HELD: AtomicUsize = AtomicUsize::new(0);

/// The system's memory, of which a decoder gets so much.
struct Bounded;

#[global_allocator]
static MEMORY: Bounded = Bounded;

// SAFETY: all is left to the system's allocator; counting allocates nothing.
unsafe impl GlobalAlloc for Bounded {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let held = HELD.fetch_add(layout.size(), Relaxed).saturating_add(layout.size());
        if held > MAX_HELD {
            // Saying why would allocate: an input that ends here took too much memory.
            process::abort();
        }
        // SAFETY: the caller's layout, as it was given.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Relaxed);
        // SAFETY: the caller's place and layout, as they were given.
        unsafe { System.dealloc(place, layout) }
    }
}

/// Before the first input.
#[unsafe(export_name = "LLVMFuzzerInitialize")]
extern "C" fn initialize(_: *mut c_int, _: *mut *mut *mut c_char) -> c_int {
    if let Some(folder) = env::var_os("FUZZ_SEEDS") {
        let mut refused = 0;
        for target in targets() {
            write_seeds(Path::new(&folder), &target);
            println!("{}", target.name);
            for (n, sample) in target.samples.iter().enumerate() {
                if !(target.decode)(sample) {
                    eprintln!("{}: its sample {n} is refused", target.name);
                    refused = 1;
                }
            }
        }
        process::exit(refused);
    }
    if let Some(file) = env::var_os("FUZZ_SHOW") {
        println!("{}", to_text(&fs::read(file).expect("a file that can be read")));
        process::exit(0);
    }
    let wanted = env::var("FUZZ_TARGET").expect("FUZZ_TARGET names a target");
    let target = targets().into_iter().find(|target| target.name == wanted);
    let target = target.unwrap_or_else(|| panic!("there is no target {wanted}"));
    assert!(TARGET.set(target).is_ok(), "initialised twice");
    0
}

/// One input. A panic does not pass `extern "C"`: it ends the program, and libFuzzer keeps
/// the input.
#[unsafe(export_name = "LLVMFuzzerTestOneInput")]
extern "C" fn test_one_input(bytes: *const u8, len: usize) -> c_int {
    let input = match len {
        0 => &[],
        // SAFETY: libFuzzer gives so many bytes, which stay as they are meanwhile.
        _ => unsafe { std::slice::from_raw_parts(bytes, len) },
    };
    (TARGET.get().expect("initialised first").decode)(input);
    0
}

/// The samples and what is kept, as files, and the words in them.
fn write_seeds(folder: &Path, target: &Target) {
    let place = folder.join(target.name);
    fs::create_dir_all(&place).expect("a folder can be made");
    let kept = kept(target.name).expect("lines of inputs");
    let all: Vec<_> = target.samples.iter().chain(&kept).collect();
    for (n, input) in all.iter().enumerate() {
        fs::write(place.join(format!("seed-{n}")), input).expect("a file can be written");
    }
    // Never empty: libFuzzer takes no list without a word.
    let mut words = BTreeSet::from([b"null".to_vec()]);
    for input in all {
        let parts = input.split(|byte| !byte.is_ascii_alphanumeric() && *byte != b'_');
        words.extend(parts.filter(|word| (2..=24).contains(&word.len())).map(<[u8]>::to_vec));
    }
    let words = words.iter().take(MAX_WORDS);
    let lines: String = words.map(|word| format!("\"{}\"\n", word.escape_ascii())).collect();
    fs::write(folder.join(format!("{}.words", target.name)), lines).expect("as before");
}
