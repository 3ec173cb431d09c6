//! Uploaded files in an object store that speaks S3's protocol, for clusters. What speaks
//! it, signs and tries again is the library's; the connections are ours (`transport`), so
//! that TLS is the rest of the tree's and every wait has a limit.

mod attachments;
mod credentials;
mod examine;
mod settings;
mod target;
#[cfg(any(test, feature = "conformance"))]
pub mod testing;
#[cfg(test)]
mod tests;
mod transport;

pub use attachments::S3Attachments;
pub use examine::{BucketExamination, Step, Versioning, examine};
pub use settings::{S3Error, S3Settings};
