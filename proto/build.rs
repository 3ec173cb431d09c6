//! Compiles the schema with protox, so that no protoc is needed, into prost
//! types, tonic services and the canonical JSON mapping.

use std::{env, error::Error, fs, path::PathBuf};

use prost::Message as _;

const FILES: [&str; 7] = [
    "frontdesk/v1/event.proto",
    "frontdesk/v1/queue.proto",
    "frontdesk/v1/chat.proto",
    "frontdesk/v1/auth.proto",
    "frontdesk/v1/admin.proto",
    "frontdesk/internal/v1/delivery.proto",
    "frontdesk/internal/v1/fabric.proto",
];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=frontdesk");
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let descriptors = protox::compile(FILES, ["."])?;
    let encoded = descriptors.encode_to_vec();
    fs::write(out.join("frontdesk.bin"), &encoded)?;

    tonic_prost_build::configure()
        .compile_well_known_types(true)
        .extern_path(".google.protobuf.Timestamp", "crate::wkt::Timestamp")
        .extern_path(".google.protobuf.Duration", "crate::wkt::Duration")
        .bytes(".frontdesk.internal.v1")
        .boxed(".frontdesk.v1.ServerFrame.frame.welcome")
        .compile_fds(descriptors)?;

    pbjson_build::Builder::new()
        .register_descriptors(&encoded)?
        .ignore_unknown_fields()
        .build(&[".frontdesk.v1"])?;
    Ok(())
}
