//! The schema only grows: what the last release, or before the first one the commit
//! before, could say is still said in the same way. Two versions run side by side
//! during an upgrade, and clients are never upgraded with the server.

use prost::Message as _;
use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{DescriptorProto, EnumDescriptorProto, FileDescriptorSet};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

#[test]
fn the_schema_only_grows() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    // The first commit has nothing before it.
    let Some(before) = release_before(&root) else { return };
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let old = compile(folder.path(), &checked_out(&root, &before, folder.path()));
    let new = root.join("proto");
    let breaks = breaks(&old, &compile(&new, &schema_files(&new)));
    assert!(breaks.is_empty(), "since {before}:\n{}", breaks.join("\n"));
}

/// The last tag, else the commit before this one.
fn release_before(root: &Path) -> Option<String> {
    let said = |arguments: &[&str]| git(root, arguments).map(|text| text.trim().to_owned());
    said(&["describe", "--tags", "--abbrev=0"])
        .or_else(|| said(&["rev-parse", "-q", "--verify", "HEAD~1"]))
}

fn git(root: &Path, arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").arg("-C").arg(root).args(arguments).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Writes the schema as it was into a folder; gives its files.
fn checked_out(root: &Path, revision: &str, folder: &Path) -> Vec<PathBuf> {
    let listed = git(root, &["ls-tree", "-r", "--name-only", revision, "proto/frontdesk"]);
    let listed = listed.expect("a revision can be listed");
    let files = listed.lines().filter(|path| path.ends_with(".proto")).map(|path| {
        let text = git(root, &["show", &format!("{revision}:{path}")]).expect("it is listed");
        let place = PathBuf::from(path.strip_prefix("proto/").expect("it is below proto"));
        let target = folder.join(&place);
        std::fs::create_dir_all(target.parent().expect("it has a folder"))
            .expect("a folder can be made");
        std::fs::write(target, text).expect("a file can be written");
        place
    });
    files.collect()
}

fn schema_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![folder.join("frontdesk")];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).expect("a folder can be read").flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "proto") {
                files.push(path.strip_prefix(folder).expect("it is below").to_owned());
            }
        }
    }
    files
}

fn compile(folder: &Path, files: &[PathBuf]) -> FileDescriptorSet {
    let compiled = protox::compile(files, [folder]).expect("a schema that compiles");
    FileDescriptorSet::decode(&*compiled.encode_to_vec()).expect("what was encoded")
}

/// What an old program would not understand any more, or misunderstand.
fn breaks(old: &FileDescriptorSet, new: &FileDescriptorSet) -> Vec<String> {
    let (old, new) = (facts(old), facts(new));
    let changed = old.iter().filter(|(name, fact)| new.get(*name) != Some(fact));
    changed
        .map(|(name, was)| match new.get(name) {
            Some(is) => format!("{name} was {was} and is {is}"),
            None => format!("{name} ({was}) is gone"),
        })
        .collect()
}

/// Everything that must stay as it is, by name.
fn facts(set: &FileDescriptorSet) -> BTreeMap<String, String> {
    let mut facts = BTreeMap::new();
    for file in set.file.iter().filter(|file| file.package().starts_with("frontdesk")) {
        for message in &file.message_type {
            facts_of_message(file.package(), message, &mut facts);
        }
        for kind in &file.enum_type {
            facts_of_enum(file.package(), kind, &mut facts);
        }
        for service in &file.service {
            for method in &service.method {
                let name = format!("{}.{}/{}", file.package(), service.name(), method.name());
                let stream = |is: bool| if is { "stream " } else { "" };
                let fact = format!(
                    "{}{} → {}{}",
                    stream(method.client_streaming()),
                    method.input_type(),
                    stream(method.server_streaming()),
                    method.output_type()
                );
                facts.insert(name, fact);
            }
        }
    }
    facts
}

fn facts_of_message(parent: &str, message: &DescriptorProto, facts: &mut BTreeMap<String, String>) {
    let name = format!("{parent}.{}", message.name());
    for field in &message.field {
        let repeated = if field.label() == Label::Repeated { "repeated " } else { "" };
        let kind = match field.r#type() {
            Type::Message | Type::Enum => field.type_name().to_owned(),
            scalar => scalar.as_str_name().to_owned(),
        };
        let oneof = field.oneof_index.map_or(String::new(), |n| format!(" in choice {n}"));
        let json = field.json_name();
        let fact = format!("{repeated}{kind} {} \"{json}\"{oneof}", field.name());
        facts.insert(format!("{name}#{}", field.number()), fact);
    }
    for nested in &message.nested_type {
        facts_of_message(&name, nested, facts);
    }
    for kind in &message.enum_type {
        facts_of_enum(&name, kind, facts);
    }
}

fn facts_of_enum(parent: &str, kind: &EnumDescriptorProto, facts: &mut BTreeMap<String, String>) {
    for value in &kind.value {
        let name = format!("{parent}.{}#{}", kind.name(), value.number());
        facts.insert(name, value.name().to_owned());
    }
}

/// Compiles one small schema.
fn small(text: &str) -> FileDescriptorSet {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let text = format!("syntax = \"proto3\"; package frontdesk.test; {text}");
    std::fs::write(folder.path().join("test.proto"), text).expect("a file can be written");
    compile(folder.path(), &[PathBuf::from("test.proto")])
}

#[test]
fn what_is_new_breaks_nothing() {
    let old = small("message M { string a = 1; } enum E { E_A = 0; }");
    let new =
        small("message M { string a = 1; M b = 2; } enum E { E_A = 0; E_B = 1; } message N {}");
    assert_eq!(breaks(&old, &new), [] as [String; 0]);
}

#[test]
fn what_has_changed_or_gone_is_named() {
    let old = "message M { string a = 1; repeated uint32 b = 2; } enum E { E_A = 0; E_B = 1; }
        service S { rpc Do(M) returns (stream M); }";
    for (new, what) in [
        (old.replace("string a = 1;", ""), "frontdesk.test.M#1 "),
        (old.replace("string a", "bytes a"), "frontdesk.test.M#1 was TYPE_STRING"),
        (old.replace("string a", "string other"), "frontdesk.test.M#1 was"),
        (old.replace("repeated uint32", "uint32"), "frontdesk.test.M#2 was repeated"),
        (old.replace("E_B = 1;", ""), "frontdesk.test.E#1 (E_B) is gone"),
        (old.replace("stream M", "M"), "frontdesk.test.S/Do was"),
    ] {
        let breaks = breaks(&small(old), &small(&new));
        assert!(breaks.len() == 1 && breaks[0].starts_with(what), "{breaks:?}");
    }
}
