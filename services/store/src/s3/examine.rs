//! What a bucket lets us do, for people who look after it: an object of our own is put,
//! read and removed. Touches nothing else.

use super::attachments::{code, is_absent};
use super::settings::{S3Error, S3Settings};
use super::target::Target;
use http::{Method, Request};
use object_store::aws::AwsAuthorizer;
use object_store::client::{HttpRequestBody, HttpResponseBody, HttpService as _};
use object_store::path::Path;
use object_store::{Error, ObjectStoreExt as _};
use std::time::Duration;
use tokio::time::timeout;
use uuid::Uuid;

/// For each of the steps.
const PATIENCE: Duration = Duration::from_secs(15);
/// What the probe holds.
const PROBE: &[u8] = b"frontdesk doctor";

/// What came of one step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// It works.
    Done,
    /// The store refuses: its own word, such as `AccessDenied`, or what it said.
    Refused(String),
    /// It does not answer, or not as a store does.
    Away(String),
    /// An earlier step has failed.
    Skipped,
}

/// Whether the bucket keeps what is removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Versioning {
    /// It does.
    On,
    /// No longer, but it may have what it kept before.
    Suspended,
    /// It does not.
    Off,
    /// The store does not say.
    Untold,
}

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketExamination {
    /// Asking for what is not there, and being told so.
    pub look: Step,
    /// Putting the probe.
    pub put: Step,
    /// Reading it, as it was put.
    pub get: Step,
    /// Removing it, for good.
    pub remove: Step,
    /// Whether removing removes.
    pub versioning: Versioning,
}

/// Tries the bucket. Fails only when the settings make no sense.
pub async fn examine(settings: &S3Settings) -> Result<BucketExamination, S3Error> {
    let target = Target::new(settings)?;
    let key = target.key(["doctor", &Uuid::now_v7().to_string()]);
    let look = step(absent(&target, &key)).await;
    let mut found = BucketExamination {
        look,
        put: Step::Skipped,
        get: Step::Skipped,
        remove: Step::Skipped,
        versioning: Versioning::Untold,
    };
    if matches!(found.look, Step::Away(_)) {
        return Ok(found);
    }
    found.put = step(async {
        target.store.put(&key, PROBE.into()).await?;
        Ok(Step::Done)
    })
    .await;
    if found.put == Step::Done {
        found.get = step(read(&target, &key)).await;
        found.remove = step(async {
            target.store.delete(&key).await?;
            absent(&target, &key).await
        })
        .await;
    }
    found.versioning = versioning(&target).await;
    Ok(found)
}

async fn step(asked: impl Future<Output = Result<Step, Error>>) -> Step {
    match timeout(PATIENCE, asked).await {
        Ok(Ok(step)) => step,
        Ok(Err(error)) => match code(&error) {
            Some(code) => Step::Refused(code),
            None => Step::Away(error.to_string()),
        },
        Err(_) => Step::Away("no answer in time".to_owned()),
    }
}

async fn absent(target: &Target, key: &Path) -> Result<Step, Error> {
    match target.store.get(key).await {
        Err(error) if is_absent(&error) => Ok(Step::Done),
        Err(error) => Err(error),
        Ok(_) => Ok(Step::Away("there is what should not be".to_owned())),
    }
}

async fn read(target: &Target, key: &Path) -> Result<Step, Error> {
    let bytes = target.store.get(key).await?.bytes().await?;
    Ok(match &bytes[..] == PROBE {
        true => Step::Done,
        false => Step::Away("what was read is not what was put".to_owned()),
    })
}

/// Not every store has this question, and not every key may ask it.
async fn versioning(target: &Target) -> Versioning {
    let asked = timeout(PATIENCE, ask_versioning(target));
    asked.await.ok().flatten().map_or(Versioning::Untold, |answer| told(&answer))
}

async fn ask_versioning(target: &Target) -> Option<String> {
    let url = format!("{}?versioning=", target.place.url);
    let request = Request::builder().method(Method::GET).uri(url);
    let mut request = request.body(HttpRequestBody::empty()).ok()?;
    let credential = target.store.credentials().get_credential().await.ok()?;
    let authorizer = AwsAuthorizer::new(&credential, "s3", &target.region);
    authorizer.try_authorize(&mut request, None).ok()?;
    let answer = target.transport.call(request).await.ok()?;
    if !answer.status().is_success() {
        return None;
    }
    let bytes = HttpResponseBody::bytes(answer.into_body()).await.ok()?;
    String::from_utf8(bytes.into()).ok()
}

/// What was answered; some stores answer another question.
fn told(answer: &str) -> Versioning {
    match answer {
        _ if !answer.contains("<VersioningConfiguration") => Versioning::Untold,
        _ if answer.contains("<Status>Enabled</Status>") => Versioning::On,
        _ if answer.contains("<Status>Suspended</Status>") => Versioning::Suspended,
        _ => Versioning::Off,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whether_a_bucket_keeps_versions_is_understood() {
        let answer = |inner: &str| {
            format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<VersioningConfiguration \
                 xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">{inner}</VersioningConfiguration>"
            )
        };
        assert_eq!(told(&answer("<Status>Enabled</Status>")), Versioning::On);
        assert_eq!(told(&answer("<Status>Suspended</Status>")), Versioning::Suspended);
        assert_eq!(told(&answer("")), Versioning::Off);
        assert_eq!(told("<ListBucketResult></ListBucketResult>"), Versioning::Untold);
    }
}
