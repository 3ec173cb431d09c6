//! Both decoders take anything; pieces make whole batches.

use super::*;
use proptest::prelude::*;
use v1::server_frame::Frame;

const FORMATS: [WireFormat; 2] = [WireFormat::Protobuf, WireFormat::Json];

fn event(seq: u32) -> v1::Event {
    v1::Event {
        conversation_id: "0192f0c0-0000-7000-8000-000000000001".into(),
        seq,
        audience: v1::Audience::Public.into(),
        body: Some(v1::event::Body::Message(v1::Message {
            client_msg_id: "m".into(),
            text: "grüße \"你好\" 🙂\n".into(),
            attachments: Vec::new(),
        })),
        ..Default::default()
    }
}

fn batch_of(format: WireFormat, pieces: &[Bytes]) -> v1::ServerBatch {
    let mut out = Vec::new();
    open_batch(format, &mut out);
    for (i, piece) in pieces.iter().enumerate() {
        add_piece(format, &mut out, piece, i == 0);
    }
    close_batch(format, &mut out);
    match format {
        WireFormat::Protobuf => v1::ServerBatch::decode(&*out).unwrap(),
        WireFormat::Json => serde_json::from_slice(&out).unwrap(),
    }
}

#[test]
fn pieces_side_by_side_are_a_batch() {
    let frames = vec![
        v1::ServerFrame { id: 7, frame: Some(Frame::Done(v1::Done {})) },
        push_frame(Frame::Ping(v1::Ping {})),
        push_frame(Frame::Event(v1::EventPush { event: Some(event(300)), prev: 298 })),
    ];
    for format in FORMATS {
        let pieces: Vec<Bytes> = frames.iter().map(|f| piece(format, f)).collect();
        assert_eq!(batch_of(format, &pieces).frames, frames, "{format:?}");
    }
}

#[test]
fn an_event_put_together_by_hand_is_what_prost_would_write() {
    for prev in [0, 1, 127, 128, u32::MAX] {
        let push = v1::EventPush { event: Some(event(5)), prev };
        let expected = push_frame(Frame::Event(push));
        for format in FORMATS {
            let mut made = Vec::new();
            write_event(format, &event(5).encode_to_vec(), prev, &mut made).unwrap();
            assert_eq!(made, piece(format, &expected), "{format:?} {prev}");
        }
    }
}

#[test]
fn a_shared_event_is_encoded_once_for_each_reader_kind() {
    let bytes = event(9).encode_to_vec();
    let mut scratch = vec![1, 2, 3];
    let mut shared = SharedEvent::new(&bytes, &mut scratch);
    let first = shared.piece(WireFormat::Json, 8).unwrap().to_vec();
    assert_eq!(shared.piece(WireFormat::Json, 8).unwrap(), first);
    let other = shared.piece(WireFormat::Json, 5).unwrap().to_vec();
    assert_ne!(other, first);
    assert_eq!(shared.piece(WireFormat::Json, 8).unwrap(), first);
    assert_eq!(scratch.len(), first.len() + other.len());
}

#[test]
fn unknown_fields_are_ignored_and_unknown_requests_are_empty() {
    let frames =
        decode(WireFormat::Json, br#"{"frames":[{"id":3,"dance":{"x":[1]}}],"later":true}"#)
            .unwrap();
    assert_eq!((frames[0].id, &frames[0].request), (3, &None));
    // Field 1 of the batch: a frame with id 3 and an unknown field 1000.
    let frame = [0x08, 3, 0xC2, 0x3E, 2, 1, 2];
    let mut batch = vec![TAG_FRAMES, frame.len() as u8];
    batch.extend_from_slice(&frame);
    let frames = decode(WireFormat::Protobuf, &batch).unwrap();
    assert_eq!((frames[0].id, &frames[0].request), (3, &None));
}

#[test]
fn limits_are_exact() {
    let batch = |n| v1::ClientBatch { frames: vec![v1::ClientFrame::default(); n] };
    for format in FORMATS {
        let encode = |b: &v1::ClientBatch| match format {
            WireFormat::Protobuf => b.encode_to_vec(),
            WireFormat::Json => serde_json::to_vec(b).unwrap(),
        };
        assert_eq!(decode(format, &encode(&batch(64))).unwrap().len(), 64);
        assert_eq!(decode(format, &encode(&batch(65))), Err(DecodeError::TooMany));
        assert_eq!(decode(format, &vec![b' '; 65_537]), Err(DecodeError::TooLarge));
        assert_eq!(decode(format, b""), Ok(Vec::new()));
    }
}

#[test]
fn what_is_malformed_is_named() {
    let bad_json = [
        &b"{"[..],
        b"[]",
        b"{\"frames\":[{\"id\":-1}]}",
        b"{\"frames\":[{\"send\":{},\"typing\":{}}]}",
        b"{\"frames\":[{\"setStatus\":{\"status\":\"DANCING\"}}]}",
    ];
    for bytes in bad_json {
        assert!(matches!(decode(WireFormat::Json, bytes), Err(DecodeError::Json(_))), "{bytes:?}");
    }
    assert_eq!(decode(WireFormat::Json, b"{\"frames\":[\"\xff\"]}"), Err(DecodeError::Utf8));
    for bytes in [&b"\x0a\x05\x08"[..], b"\xff\xff\xff\xff", b"\x0a\x06\xf2\x01\x03\x12\x01\xff"] {
        let error = decode(WireFormat::Protobuf, bytes);
        assert!(matches!(error, Err(DecodeError::Protobuf(_))), "{bytes:?}: {error:?}");
    }
    let deep = [b"{\"frames\":".as_slice(), &b"[".repeat(30_000)].concat();
    assert!(decode(WireFormat::Json, &deep).is_err());
}

proptest! {
    #[test]
    fn any_bytes_decode_or_fail_cleanly(bytes in prop::collection::vec(any::<u8>(), 0..2_000)) {
        for format in FORMATS {
            if let Err(error) = decode(format, &bytes) {
                prop_assert!(!error.to_string().is_empty());
            }
        }
    }

    #[test]
    fn damaged_batches_decode_or_fail_cleanly(
        text in "\\PC{0,200}", id in any::<u32>(), at in any::<prop::sample::Index>(), byte: u8,
    ) {
        let request = v1::client_frame::Request::Send(v1::SendMessage {
            text, client_msg_id: "m".into(), ..Default::default()
        });
        let batch = v1::ClientBatch {
            frames: vec![v1::ClientFrame { id, request: Some(request) }],
        };
        for format in FORMATS {
            let mut bytes = match format {
                WireFormat::Protobuf => batch.encode_to_vec(),
                WireFormat::Json => serde_json::to_vec(&batch).unwrap(),
            };
            prop_assert_eq!(&decode(format, &bytes).unwrap(), &batch.frames);
            let i = at.index(bytes.len());
            bytes[i] = byte;
            let _ = decode(format, &bytes);
        }
    }
}

#[test]
fn nesting_has_an_end_in_both_formats() {
    let deep = format!("{{\"frames\":[],\"unknown\":{}", "[".repeat(MAX_BATCH_BYTES / 2));
    assert!(decode(WireFormat::Json, deep.as_bytes()).is_err());
    // Groups within groups, which nobody knows.
    let groups = vec![0x7b; MAX_BATCH_BYTES / 2];
    assert!(decode(WireFormat::Protobuf, &groups).is_err());
}
