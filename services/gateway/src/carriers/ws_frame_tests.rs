//! Frames whole, cut, fragmented and broken.

use super::*;
use proptest::prelude::*;

fn frame(first: u8, payload: &[u8], mask: [u8; 4]) -> Vec<u8> {
    let mut out = vec![first];
    match payload.len() {
        n @ 0..=125 => out.push(0x80 | n as u8),
        n @ 126..=0xFFFF => {
            out.push(0x80 | 126);
            out.extend_from_slice(&(n as u16).to_be_bytes());
        }
        n => {
            out.push(0x80 | 127);
            out.extend_from_slice(&(n as u64).to_be_bytes());
        }
    }
    out.extend_from_slice(&mask);
    out.extend(payload.iter().enumerate().map(|(i, b)| b ^ mask[i % 4]));
    out
}

fn read_all(bytes: &[u8]) -> Result<Vec<Incoming>, Violation> {
    let mut assembler = Assembler::default();
    assembler.feed(bytes);
    let mut all = Vec::new();
    while let Some(incoming) = assembler.next()? {
        all.push(incoming);
    }
    Ok(all)
}

#[test]
fn control_frames_may_stand_between_fragments() {
    let mask = [1, 2, 3, 4];
    let bytes = [
        frame(0x01, b"hel", mask),
        frame(0x89, b"p", mask),
        frame(0x80, b"lo", mask),
        frame(0x88, b"", mask),
    ]
    .concat();
    let hello = Incoming::Message { text: true, payload: b"hello".to_vec() };
    let expected = [Incoming::Ping(b"p".to_vec()), hello, Incoming::Close];
    assert_eq!(read_all(&bytes).unwrap(), expected);
}

#[test]
fn broken_rules_are_named() {
    let mask = [0; 4];
    let protocol = |bytes: &[u8]| matches!(read_all(bytes), Err(Violation::Protocol(_)));
    assert!(protocol(&[0x82, 0x01, b'x']), "no mask");
    assert!(protocol(&frame(0xC2, b"x", mask)), "reserved bit");
    assert!(protocol(&frame(0x83, b"x", mask)), "unknown opcode");
    assert!(protocol(&frame(0x80, b"x", mask)), "nothing to continue");
    assert!(protocol(&frame(0x09, b"x", mask)), "fragmented ping");
    assert!(protocol(&frame(0x89, &[0; 126], mask)), "long ping");
    assert!(protocol(&[frame(0x02, b"x", mask), frame(0x82, b"y", mask)].concat()));
}

#[test]
fn too_large_is_found_before_the_payload_comes() {
    assert_eq!(read_all(&[0x82, 0xFF, 0xFF, 0, 0, 0, 0, 0, 0, 0]), Err(Violation::TooLarge));
    let half = frame(0x02, &vec![0; MAX_BATCH_BYTES], [0; 4]);
    assert_eq!(read_all(&half), Ok(Vec::new()));
    let over = [half, frame(0x80, b"x", [0; 4])].concat();
    assert_eq!(read_all(&over), Err(Violation::TooLarge));
}

#[test]
fn an_idle_assembler_holds_no_memory() {
    let mut assembler = Assembler::default();
    assembler.feed(&frame(0x82, &[7; 5_000], [9; 4]));
    assert!(assembler.next().unwrap().is_some());
    assert!(assembler.next().unwrap().is_none());
    assert_eq!(assembler.bytes.capacity(), 0);
}

#[test]
fn headers_are_written_for_every_length() {
    for (len, start) in [(0, 8), (125, 8), (126, 6), (65_535, 6), (65_536, 0)] {
        let mut out = [0; MAX_HEADER];
        assert_eq!(write_header(&mut out, Opcode::Binary, len), start, "{len}");
        assert_eq!(out[start], 0x82);
    }
}

proptest! {
    #[test]
    fn messages_survive_any_cut(
        messages in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..400), 1..6),
        mask: [u8; 4],
        cut in 1..50_usize,
    ) {
        let bytes: Vec<u8> = messages.iter().flat_map(|m| frame(0x82, m, mask)).collect();
        let mut assembler = Assembler::default();
        let mut read = Vec::new();
        for part in bytes.chunks(cut) {
            assembler.feed(part);
            while let Some(incoming) = assembler.next().unwrap() {
                let Incoming::Message { text: false, payload } = incoming else { panic!() };
                read.push(payload);
            }
        }
        prop_assert_eq!(read, messages);
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = read_all(&bytes);
    }
}
