//! Who signs: a key in a file that may be replaced while the process runs, or what the
//! surroundings of the process say. Nothing of a key is ever logged.

use super::settings::S3Error;
use async_trait::async_trait;
use object_store::CredentialProvider;
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey, AwsCredential};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// How long a file that was read is taken to be as it was.
const FRESH: Duration = Duration::from_secs(10);

/// Variables by which a process is told who it is, in the order in which the library goes
/// by them: keys, a web identity (IRSA), a container's, and with none of them the machine's.
/// What else they could say (a region, an address) is in the settings alone.
const SURROUNDINGS: [(&str, AmazonS3ConfigKey); 10] = [
    ("AWS_ACCESS_KEY_ID", AmazonS3ConfigKey::AccessKeyId),
    ("AWS_SECRET_ACCESS_KEY", AmazonS3ConfigKey::SecretAccessKey),
    ("AWS_SESSION_TOKEN", AmazonS3ConfigKey::Token),
    ("AWS_WEB_IDENTITY_TOKEN_FILE", AmazonS3ConfigKey::WebIdentityTokenFile),
    ("AWS_ROLE_ARN", AmazonS3ConfigKey::RoleArn),
    ("AWS_ROLE_SESSION_NAME", AmazonS3ConfigKey::RoleSessionName),
    ("AWS_ENDPOINT_URL_STS", AmazonS3ConfigKey::StsEndpoint),
    ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", AmazonS3ConfigKey::ContainerCredentialsRelativeUri),
    ("AWS_CONTAINER_CREDENTIALS_FULL_URI", AmazonS3ConfigKey::ContainerCredentialsFullUri),
    ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", AmazonS3ConfigKey::ContainerAuthorizationTokenFile),
];

/// Has the library go by what `variable` says of the surroundings.
pub(super) fn surroundings(
    builder: AmazonS3Builder,
    variable: impl Fn(&str) -> Option<String>,
) -> AmazonS3Builder {
    SURROUNDINGS.into_iter().fold(builder, |builder, (name, key)| match variable(name) {
        Some(value) if !value.is_empty() => builder.with_config(key, value),
        _ => builder,
    })
}

/// A key in a file.
#[derive(Debug)]
pub(super) struct KeyFile {
    path: PathBuf,
    read: Mutex<(Instant, Arc<AwsCredential>)>,
}

impl KeyFile {
    /// Reads it the first time.
    pub(super) fn open(path: &Path) -> Result<Self, S3Error> {
        let text = std::fs::read_to_string(path);
        let text = text.map_err(|e| S3Error::File(format!("{}: {e}", path.display())))?;
        let read = Mutex::new((Instant::now(), Arc::new(parse(path, &text)?)));
        Ok(Self { path: path.to_owned(), read })
    }

    fn known(&self) -> (Instant, Arc<AwsCredential>) {
        self.read.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[async_trait]
impl CredentialProvider for KeyFile {
    type Credential = AwsCredential;

    /// What can be used of the file stands until it can be used again.
    async fn get_credential(&self) -> object_store::Result<Arc<AwsCredential>> {
        let (at, known) = self.known();
        if at.elapsed() < FRESH {
            return Ok(known);
        }
        let parsed = match tokio::fs::read_to_string(&self.path).await {
            Ok(text) => parse(&self.path, &text),
            Err(error) => Err(S3Error::File(format!("{}: {error}", self.path.display()))),
        };
        let credential = match parsed {
            Ok(credential) => Arc::new(credential),
            Err(error) => {
                tracing::warn!(%error, "the key of before is used on");
                known
            }
        };
        let now = (Instant::now(), credential.clone());
        *self.read.lock().unwrap_or_else(PoisonError::into_inner) = now;
        Ok(credential)
    }
}

/// The keys of the first section, as AWS's programs write them: `name = value` lines.
fn parse(path: &Path, text: &str) -> Result<AwsCredential, S3Error> {
    let lines = text.lines().map(str::trim).filter(|line| !line.starts_with(['#', ';']));
    let first = lines.skip_while(|line| line.is_empty() || line.starts_with('['));
    let first: Vec<_> = first.take_while(|line| !line.starts_with('[')).collect();
    let value = |wanted: &str| {
        let mut pairs = first.iter().filter_map(|line| line.split_once('='));
        let (_, value) = pairs.find(|(name, _)| name.trim() == wanted)?;
        Some(value.trim().to_owned()).filter(|value| !value.is_empty())
    };
    let needed = |name: &str| {
        value(name).ok_or_else(|| S3Error::File(format!("{}: no {name}", path.display())))
    };
    Ok(AwsCredential {
        key_id: needed("aws_access_key_id")?,
        secret_key: needed("aws_secret_access_key")?,
        token: value("aws_session_token"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    const FILE: &str = "# ours\n[default]\naws_access_key_id = AKIA1\n\
        aws_secret_access_key=s3/cr+t==\n\n[other]\naws_session_token = no\n";

    #[test]
    fn a_file_of_keys_is_read_as_awss_programs_write_it() {
        let read = parse(Path::new("f"), FILE).unwrap();
        let expected =
            AwsCredential { key_id: "AKIA1".into(), secret_key: "s3/cr+t==".into(), token: None };
        assert_eq!(read, expected);
        for bad in ["", "[default]\n", "aws_access_key_id = a\n", &FILE.replace("s3/cr+t==", "")] {
            let error = parse(Path::new("f"), bad).unwrap_err().to_string();
            assert!(error.starts_with("attachments.s3: f: no aws_"), "{error}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_key_is_replaced_while_the_process_runs_and_a_bad_one_replaces_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("credentials");
        assert!(KeyFile::open(&path).is_err());
        fs::write(&path, FILE).unwrap();
        let file = KeyFile::open(&path).unwrap();
        let key = async || file.get_credential().await.unwrap().key_id.clone();
        for (text, then) in [(FILE.replace("AKIA1", "AKIA2"), "AKIA2"), ("x".into(), "AKIA2")] {
            let before = key().await;
            fs::write(&path, text).unwrap();
            assert_eq!(key().await, before, "it was read a moment ago");
            tokio::time::advance(FRESH).await;
            assert_eq!(key().await, then);
        }
    }

    #[test]
    fn the_surroundings_name_the_key_and_nothing_else() {
        let builder = surroundings(AmazonS3Builder::new(), |name| match name {
            "AWS_WEB_IDENTITY_TOKEN_FILE" => Some("/token".into()),
            "AWS_ROLE_ARN" => Some("arn:aws:iam::1:role/files".into()),
            "AWS_ACCESS_KEY_ID" => Some(String::new()),
            _ => None,
        });
        let value = |key| builder.get_config_value(&key);
        assert_eq!(value(AmazonS3ConfigKey::WebIdentityTokenFile).as_deref(), Some("/token"));
        assert_eq!(value(AmazonS3ConfigKey::AccessKeyId), None);
        let other = SURROUNDINGS.iter().find(|(name, _)| name.contains("REGION"));
        assert!(other.is_none(), "{other:?}");
    }
}
