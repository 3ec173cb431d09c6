//! The library, set up for one bucket: how it is reached, signed for, and tried again.

use super::credentials::{KeyFile, surroundings};
use super::settings::{Place, S3Error, S3Settings};
use super::transport::Transport;
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::path::Path;
use object_store::{BackoffConfig, RetryConfig};
use std::sync::Arc;
use std::time::Duration;

/// How often a request that brought nothing is made again, and until when: within the
/// patience of whoever waits for it.
const RETRIES: usize = 3;
const RETRY_FOR: Duration = Duration::from_secs(10);
/// Pauses before that: at random, from the first up to three times the one before.
const PAUSE: BackoffConfig = BackoffConfig {
    init_backoff: Duration::from_millis(100),
    max_backoff: Duration::from_secs(1),
    base: 3.0,
};

/// A bucket and where in it the files are.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) store: AmazonS3,
    pub(super) transport: Transport,
    pub(super) place: Place,
    pub(super) region: String,
    prefix: Path,
}

impl Target {
    /// Asks nobody.
    pub(super) fn new(settings: &S3Settings) -> Result<Self, S3Error> {
        let place = settings.place()?;
        let transport = Transport::new(settings)?;
        let builder = AmazonS3Builder::new()
            .with_bucket_name(&settings.bucket)
            .with_region(&settings.region)
            // The whole address of the bucket, whichever style it is in.
            .with_endpoint(&place.url)
            .with_virtual_hosted_style_request(true)
            // Not every store knows how to remove several.
            .with_disable_bulk_delete(true)
            .with_http_connector(transport.clone())
            .with_retry(RetryConfig {
                backoff: PAUSE,
                max_retries: RETRIES,
                retry_timeout: RETRY_FOR,
            });
        let store = signing(builder, settings)?.build();
        Ok(Self {
            store: store.map_err(|error| S3Error::Refused(error.to_string()))?,
            transport,
            place,
            region: settings.region.clone(),
            prefix: Path::from_iter(settings.parts()),
        })
    }

    /// The key with these parts, below the prefix.
    pub(super) fn key<'a>(&self, parts: impl IntoIterator<Item = &'a str>) -> Path {
        parts.into_iter().fold(self.prefix.clone(), |path, part| path.join(part))
    }
}

fn signing(builder: AmazonS3Builder, settings: &S3Settings) -> Result<AmazonS3Builder, S3Error> {
    Ok(match (&settings.credentials_file, &settings.access_key_id, &settings.secret_access_key) {
        (Some(file), _, _) => builder.with_credentials(Arc::new(KeyFile::open(file)?)),
        (None, Some(key), Some(secret)) => {
            builder.with_access_key_id(key).with_secret_access_key(secret)
        }
        _ => surroundings(builder, |name| std::env::var(name).ok()),
    })
}
