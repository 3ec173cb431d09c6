//! Uploaded files in the database, in pieces, so that every gateway of a cluster
//! can serve what any other has received. Large installations keep them in an
//! object store instead.

use super::database::Database;
use super::error::{Failure, PostgresError};
use super::migrate::migrate;
use super::settings::PostgresSettings;
use crate::attachments::{AttachmentBody, AttachmentError, AttachmentStore};
use async_trait::async_trait;
use bytes::Bytes;
use frontdesk_core::ids::{AttachmentId, SiteId};
use futures::stream::{StreamExt as _, try_unfold};
use std::io;

/// Uploads and downloads share these.
const CONNECTIONS: u8 = 2;
/// Bytes of a piece: one download holds no more than this in memory.
const PIECE_BYTES: usize = 256 * 1024;

/// Replaces whatever stood there, whole or not at all.
const PUT: &str = "WITH gone AS (
        DELETE FROM attachment_pieces WHERE site = $1 AND id = $2 AND piece >= $4)
    INSERT INTO attachment_pieces (site, id, piece, bytes)
        SELECT $1, $2, p.n - 1, p.bytes
        FROM unnest($3::bytea[]) WITH ORDINALITY AS p (bytes, n)
    ON CONFLICT (id, site, piece) DO UPDATE SET bytes = excluded.bytes";
const SIZE: &str = "SELECT sum(octet_length(bytes))::bigint FROM attachment_pieces
    WHERE site = $1 AND id = $2";
const PIECE: &str =
    "SELECT bytes FROM attachment_pieces WHERE site = $1 AND id = $2 AND piece = $3";
const REMOVE: &str = "DELETE FROM attachment_pieces WHERE site = $1 AND id = $2";

/// See the module.
pub struct PostgresAttachments {
    database: Database,
}

impl PostgresAttachments {
    /// Brings the tables up to date.
    pub async fn open(settings: &PostgresSettings) -> Result<Self, PostgresError> {
        migrate(settings).await?;
        Ok(Self { database: Database::new(settings, CONNECTIONS)? })
    }
}

fn failed(failure: Failure) -> io::Error {
    io::Error::other(failure.to_string())
}

#[async_trait]
impl AttachmentStore for PostgresAttachments {
    async fn put(
        &self,
        site: &SiteId,
        id: AttachmentId,
        bytes: Bytes,
    ) -> Result<(), AttachmentError> {
        // An empty file is one empty piece.
        let mut pieces: Vec<&[u8]> = bytes.chunks(PIECE_BYTES).collect();
        if pieces.is_empty() {
            pieces.push(&[]);
        }
        let count = i32::try_from(pieces.len()).unwrap_or(i32::MAX);
        let (site, id) = (site.as_str(), id.as_uuid());
        self.database.query(PUT, &[&site, &id, &pieces, &count]).await.map_err(failed)?;
        Ok(())
    }

    async fn open(
        &self,
        site: &SiteId,
        id: AttachmentId,
    ) -> Result<Option<AttachmentBody>, AttachmentError> {
        let found = self.database.row(SIZE, &[&site.as_str(), &id.as_uuid()]).await;
        let size: Option<i64> = found.map_err(failed)?.and_then(|row| row.get(0));
        let Some(size) = size.map(i64::cast_unsigned) else { return Ok(None) };
        let start = (self.database.clone(), site.clone(), 0_i32, 0_u64);
        let chunks = try_unfold(start, move |(database, site, piece, sent)| async move {
            if sent >= size {
                return Ok(None);
            }
            let row = database.row(PIECE, &[&site.as_str(), &id.as_uuid(), &piece]).await;
            let row = row.map_err(failed)?;
            let bytes: Vec<u8> = match row {
                Some(row) => row.get(0),
                None => return Err(io::Error::from(io::ErrorKind::UnexpectedEof)),
            };
            let sent = sent + bytes.len() as u64;
            Ok(Some((Bytes::from(bytes), (database, site, piece + 1, sent))))
        });
        Ok(Some(AttachmentBody { size, chunks: chunks.boxed() }))
    }

    async fn remove(&self, site: &SiteId, id: AttachmentId) -> Result<(), AttachmentError> {
        let removed = self.database.query(REMOVE, &[&site.as_str(), &id.as_uuid()]).await;
        removed.map_err(failed)?;
        Ok(())
    }
}
