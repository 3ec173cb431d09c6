//! An authority for one machine: for `frontdesk cluster up` and for tests. Anything
//! larger has an authority of its own.

use super::inspect::CertificateTerm;
use super::{INTERNAL_NAME, TlsError, TlsFiles};
use frontdesk_core::time::{Millis, Timestamp};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::{Duration, SystemTime};

/// Names and addresses besides the internal name.
const NAMES: [&str; 2] = ["localhost", "127.0.0.1"];
/// How long the certificates hold.
const VALIDITY: Duration = Duration::from_secs(30 * 24 * 3_600);
/// Clocks may differ a little.
const BEFORE: Duration = Duration::from_secs(3_600);
/// Certificates that end within this time are not kept.
const SPARE: Millis = Millis::from_secs(10 * 24 * 3_600);

/// What [`local_ca`] has made there before, for as long as it is good for ten days more;
/// else made anew. So whatever starts again does not shut out what still runs.
pub fn kept_local_ca(folder: &Path, now: Timestamp) -> Result<TlsFiles, TlsError> {
    let there = files_in(folder);
    let is_good = |term: &CertificateTerm| term.from <= now && now + SPARE <= term.until;
    let key_is_there = there.key.try_exists().unwrap_or(false);
    match there.terms() {
        Ok(terms) if key_is_there && terms.iter().all(is_good) => Ok(there),
        _ => local_ca(folder),
    }
}

fn files_in(folder: &Path) -> TlsFiles {
    let place = |name: &str| folder.join(name);
    TlsFiles { cert: place("cert.pem"), key: place("key.pem"), ca: Some(place("ca.pem")) }
}

/// Makes an authority and one certificate of it in a folder, valid for 30 days and
/// readable by its owner alone, and says where they are. The authority's key is
/// not kept.
pub fn local_ca(folder: &Path) -> Result<TlsFiles, TlsError> {
    let failed = |e: rcgen::Error| TlsError::Make(e.to_string());
    fs::create_dir_all(folder)
        .map_err(|source| TlsError::Read { path: folder.to_owned(), source })?;
    let ca_key = KeyPair::generate().map_err(failed)?;
    let mut ca = params(&[], "Frontdesk local authority").map_err(failed)?;
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let ca_cert = ca.self_signed(&ca_key).map_err(failed)?;
    let issuer = Issuer::new(ca, ca_key);

    let key = KeyPair::generate().map_err(failed)?;
    let names = [&[INTERNAL_NAME], &NAMES[..]].concat();
    let mut leaf = params(&names, "Frontdesk").map_err(failed)?;
    leaf.extended_key_usages =
        vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    let cert = leaf.signed_by(&key, &issuer).map_err(failed)?;

    let place = |name: &str| folder.join(name);
    write(&place("ca.pem"), &ca_cert.pem())?;
    write(&place("cert.pem"), &cert.pem())?;
    write(&place("key.pem"), &key.serialize_pem())?;
    Ok(files_in(folder))
}

fn params(names: &[&str], subject: &str) -> Result<CertificateParams, rcgen::Error> {
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name.push(DnType::CommonName, subject);
    let now = SystemTime::now();
    params.not_before = (now - BEFORE).into();
    params.not_after = (now + VALIDITY).into();
    Ok(params)
}

/// Whole or not at all: a process may be reading it.
fn write(path: &Path, text: &str) -> Result<(), TlsError> {
    let failed = |source| TlsError::Read { path: path.to_owned(), source };
    let temporary = path.with_extension("new");
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&temporary)
        .map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)?;
    file.sync_all().map_err(failed)?;
    fs::rename(&temporary, path).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        Timestamp::from_millis(u64::try_from(since.as_millis()).unwrap())
    }

    #[test]
    fn certificates_stay_until_they_are_about_to_end_or_one_is_missing() {
        let folder = tempfile::tempdir().unwrap();
        let read = |files: &TlsFiles| fs::read_to_string(&files.cert).unwrap();
        let first = read(&kept_local_ca(folder.path(), now()).unwrap());
        assert_eq!(read(&kept_local_ca(folder.path(), now()).unwrap()), first);

        let near_their_end = now() + Millis::from_secs(21 * 24 * 3_600);
        let second = read(&kept_local_ca(folder.path(), near_their_end).unwrap());
        assert_ne!(second, first);

        fs::remove_file(folder.path().join("key.pem")).unwrap();
        assert_ne!(read(&kept_local_ca(folder.path(), now()).unwrap()), second);
    }
}
