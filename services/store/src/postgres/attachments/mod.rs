//! Uploaded files in the database, in pieces, so that every gateway of a cluster
//! can serve what any other has received. Large installations keep them in an
//! object store instead (`s3`), and what was here before is still read.
//!
//! A file is written in one transaction on a connection of its own: given up at
//! any point, by either side, it leaves nothing.

#[cfg(test)]
mod tests;

use super::database::{Database, Live};
use super::error::{Failure, PostgresError};
use super::migrate::migrate;
use super::settings::PostgresSettings;
use super::target::Target;
use crate::attachments::{AttachmentBody, AttachmentError, AttachmentStore};
use async_trait::async_trait;
use bytes::Bytes;
use frontdesk_core::ids::{AttachmentId, SiteId};
use futures::stream::{BoxStream, StreamExt as _, try_unfold};
use std::io;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;
use uuid::Uuid;

/// Connections that downloads share.
const CONNECTIONS: u8 = 2;
/// Uploads at the same time, each on a connection of its own.
const UPLOADS: usize = 4;
/// Bytes of a piece: one download holds no more than this in memory.
const PIECE_BYTES: usize = 256 * 1024;

const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED";
const ADD_PIECE: &str = "INSERT INTO attachment_bytes (id, site, body, piece, bytes)
    VALUES ($1, $2, $3, $4, $5)";
const PUT_FILE: &str = "INSERT INTO attachment_files (id, site, body, size)
    VALUES ($1, $2, $3, $4)
    ON CONFLICT (id, site) DO UPDATE SET body = excluded.body, size = excluded.size";
/// Sees what others had committed before `PUT_FILE` got the file's row.
const REMOVE_OTHER_BODIES: &str =
    "DELETE FROM attachment_bytes WHERE id = $1 AND site = $2 AND body <> $3";
const COMMIT: &str = "COMMIT";
const FILE: &str = "SELECT body, size FROM attachment_files WHERE id = $1 AND site = $2";
const PIECE: &str = "SELECT bytes FROM attachment_bytes
    WHERE id = $1 AND site = $2 AND body = $3 AND piece = $4";
const REMOVE: &str = "DELETE FROM attachment_files WHERE id = $1 AND site = $2";

/// See the module. Any number of processes may have one.
pub struct PostgresAttachments {
    settings: PostgresSettings,
    target: Target,
    downloads: Database,
    uploads: Semaphore,
}

impl PostgresAttachments {
    /// Brings the tables up to date.
    pub async fn open(settings: &PostgresSettings) -> Result<Self, PostgresError> {
        migrate(settings).await?;
        Ok(Self {
            settings: settings.clone(),
            target: settings.target()?,
            downloads: Database::new(settings, CONNECTIONS)?,
            uploads: Semaphore::new(UPLOADS),
        })
    }

    async fn turn(&self) -> io::Result<SemaphorePermit<'_>> {
        match timeout(self.settings.answer_timeout(), self.uploads.acquire()).await {
            Ok(turn) => turn.map_err(io::Error::other),
            Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, "too many uploads at once")),
        }
    }
}

/// The connection must be dropped after a failure: it is in a transaction.
async fn write(live: &Live, site: &SiteId, id: AttachmentId, bytes: &[u8]) -> Result<(), Failure> {
    let (site, id, body) = (site.as_str(), id.as_uuid(), Uuid::now_v7());
    live.query(BEGIN, &[]).await?;
    for (number, piece) in (0_i32..).zip(bytes.chunks(PIECE_BYTES)) {
        live.query(ADD_PIECE, &[&id, &site, &body, &number, &piece]).await?;
    }
    let size = i64::try_from(bytes.len()).unwrap_or(i64::MAX);
    live.query(PUT_FILE, &[&id, &site, &body, &size]).await?;
    live.query(REMOVE_OTHER_BODIES, &[&id, &site, &body]).await?;
    live.query(COMMIT, &[]).await?;
    Ok(())
}

fn failed(failure: Failure) -> io::Error {
    io::Error::other(failure)
}

/// A download between two pieces.
struct Reading {
    database: Database,
    site: SiteId,
    id: AttachmentId,
    body: Uuid,
    next: i32,
    /// Bytes that have not been read yet.
    left: u64,
}

impl Reading {
    async fn piece(mut self) -> io::Result<Option<(Bytes, Self)>> {
        if self.left == 0 {
            return Ok(None);
        }
        let (site, id) = (self.site.as_str(), self.id.as_uuid());
        let found = self.database.row(PIECE, &[&id, &site, &self.body, &self.next]).await;
        let Some(row) = found.map_err(failed)? else {
            // Removed or replaced meanwhile.
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof));
        };
        let bytes = Bytes::copy_from_slice(row.get(0));
        let longer = || io::Error::new(io::ErrorKind::InvalidData, "a file longer than it says");
        self.left = self.left.checked_sub(bytes.len() as u64).ok_or_else(longer)?;
        self.next += 1;
        Ok(Some((bytes, self)))
    }

    fn pieces(self) -> BoxStream<'static, io::Result<Bytes>> {
        try_unfold(self, Self::piece).boxed()
    }
}

#[async_trait]
impl AttachmentStore for PostgresAttachments {
    async fn put(
        &self,
        site: &SiteId,
        id: AttachmentId,
        bytes: Bytes,
    ) -> Result<(), AttachmentError> {
        let _turn = self.turn().await?;
        let live = Live::connect(&self.target, &self.settings).await.map_err(io::Error::other)?;
        write(&live, site, id, &bytes).await.map_err(failed)?;
        Ok(())
    }

    async fn open(
        &self,
        site: &SiteId,
        id: AttachmentId,
    ) -> Result<Option<AttachmentBody>, AttachmentError> {
        let found = self.downloads.row(FILE, &[&id.as_uuid(), &site.as_str()]).await;
        let Some(row) = found.map_err(failed)? else { return Ok(None) };
        let (body, size) = (row.get(0), row.get::<_, i64>(1).cast_unsigned());
        let (database, site) = (self.downloads.clone(), site.clone());
        let reading = Reading { database, site, id, body, next: 0, left: size };
        Ok(Some(AttachmentBody { size, chunks: reading.pieces() }))
    }

    async fn remove(&self, site: &SiteId, id: AttachmentId) -> Result<(), AttachmentError> {
        let removed = self.downloads.query(REMOVE, &[&id.as_uuid(), &site.as_str()]).await;
        removed.map_err(failed)?;
        Ok(())
    }
}
