//! Moves records from the `recent` tables into `events`, a portion with each
//! group, so that it costs no commits of its own and delays nobody for long.
//!
//! Of the two tables one is filled while the other is filed; when that is done
//! it is emptied whole, and when the first is full they change places. After a
//! crash both are read again: what is in `events` already is passed over.

use super::rows::{RECORD_COLUMNS, insert_record, record};
use super::tail::Tail;
use crate::journal::Record;
use frontdesk_core::ids::{ConversationId, Seq};
use rusqlite::{Connection, OptionalExtension};
use std::collections::{HashMap, VecDeque};
use uuid::Uuid;

/// Records of a full `recent` table. More of them share a page of `events`, and
/// all of both tables are in memory: 2 × 32,768 × about 500 bytes are 32 MiB.
pub(super) const TABLE_RECORDS: usize = 32 * 1024;
/// Payload bytes of a full `recent` table.
const TABLE_BYTES: usize = 16 * 1024 * 1024;
/// Records filed per record appended: the one table is filed when the other is
/// half full.
const PORTION_PER_RECORD: usize = 2;
/// A group files at least one in so many of a table's records: 64, 1 ms of work.
const PORTIONS: usize = 512;
/// The same when the table that is being filled is full already, which takes
/// payloads of very different sizes.
const LARGE_PORTIONS: usize = 8;

const HEAD: &str = "SELECT seq FROM events WHERE conversation = ?1 ORDER BY seq DESC LIMIT 1";
const INSERT: &str = "INSERT INTO events
    (conversation, seq, prev_public, internal, sender, client_msg_id, payload)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";

/// One of the two `recent` tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Table {
    /// `recent_0`.
    Zero,
    /// `recent_1`.
    One,
}

impl Table {
    fn other(self) -> Self {
        match self {
            Self::Zero => Self::One,
            Self::One => Self::Zero,
        }
    }

    /// Appends a record to it.
    pub(super) fn insert(self) -> &'static str {
        match self {
            Self::Zero => {
                "INSERT INTO recent_0
                (conversation, seq, prev_public, internal, sender, client_msg_id, payload)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"
            }
            Self::One => {
                "INSERT INTO recent_1
                (conversation, seq, prev_public, internal, sender, client_msg_id, payload)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"
            }
        }
    }

    fn empty(self) -> &'static str {
        match self {
            Self::Zero => "DELETE FROM recent_0",
            Self::One => "DELETE FROM recent_1",
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Zero => "recent_0",
            Self::One => "recent_1",
        }
    }
}

/// How far filing has come.
#[derive(Debug)]
pub(super) struct Filing {
    /// Records of a full table.
    table_records: usize,
    filling: Table,
    filled_records: usize,
    filled_bytes: usize,
    /// Conversations of the other table, and up to where they are in it.
    to_file: VecDeque<(ConversationId, Seq)>,
}

/// What was filed in the open transaction.
#[derive(Debug, Default)]
pub(super) struct Portion {
    /// Conversations, and up to where they are filed now.
    pub(super) filed: Vec<(ConversationId, Seq)>,
}

impl Filing {
    /// Reads the `recent` tables of a file just opened into `tail`. A table is
    /// full at `table_records`.
    pub(super) fn restore(
        connection: &mut Connection,
        tail: &mut Tail,
        table_records: usize,
    ) -> rusqlite::Result<Self> {
        let (zero, one) =
            (read_table(connection, Table::Zero)?, read_table(connection, Table::One)?);
        let filling = if one.is_empty() { Table::Zero } else { Table::One };
        let both = !zero.is_empty() && !one.is_empty();
        let (filled_records, filled_bytes) = match filling {
            Table::Zero => (zero.len(), bytes(zero.iter().map(|(_, record)| record))),
            Table::One => (one.len(), bytes(one.iter().map(|(_, record)| record))),
        };
        adopt(connection, tail, zero.into_iter().chain(one).collect())?;
        let mut filing =
            Self { table_records, filling, filled_records, filled_bytes, to_file: VecDeque::new() };
        if both {
            filing.file_all(connection, tail)?;
        }
        Ok(filing)
    }

    /// The table that appends go to.
    pub(super) fn filling(&self) -> Table {
        self.filling
    }

    /// Files the next portion in the open transaction, after `appended` records.
    /// Nothing is changed here until `committed`.
    pub(super) fn portion(
        &self,
        connection: &Connection,
        tail: &Tail,
        appended: usize,
    ) -> rusqlite::Result<Portion> {
        let mut portion = Portion::default();
        if self.to_file.is_empty() {
            return Ok(portion);
        }
        let portions = if self.is_full() { LARGE_PORTIONS } else { PORTIONS };
        let most = (self.table_records / portions).max(appended * PORTION_PER_RECORD).max(1);
        let mut insert = connection.prepare_cached(INSERT)?;
        let mut count = 0;
        for &(conversation, up_to) in &self.to_file {
            let mut last = None;
            for record in tail.up_to(conversation, up_to).take(most - count) {
                insert_record(&mut insert, conversation, record)?;
                last = Some(record.seq);
                count += 1;
            }
            portion.filed.extend(last.map(|seq| (conversation, seq)));
            if count == most {
                break;
            }
        }
        if self.is_last(&portion) {
            connection.execute(self.filling.other().empty(), [])?;
        }
        Ok(portion)
    }

    /// Takes note of a committed transaction: what was filed in it, and the
    /// records that went to the table being filled. `tail` has them by now.
    pub(super) fn committed(
        &mut self,
        portion: &Portion,
        appended: usize,
        appended_bytes: usize,
        tail: &Tail,
    ) {
        self.filled_records += appended;
        self.filled_bytes += appended_bytes;
        for filed in &portion.filed {
            if self.to_file.front() == Some(filed) {
                self.to_file.pop_front();
            }
        }
        if self.to_file.is_empty() && self.is_full() {
            self.filling = self.filling.other();
            self.to_file = tail.heads().into();
            (self.filled_records, self.filled_bytes) = (0, 0);
        }
    }

    fn is_full(&self) -> bool {
        self.filled_records >= self.table_records || self.filled_bytes >= TABLE_BYTES
    }

    fn is_last(&self, portion: &Portion) -> bool {
        portion.filed.len() == self.to_file.len() && portion.filed.last() == self.to_file.back()
    }

    /// Files everything and empties both tables: after a crash that left both.
    fn file_all(&mut self, connection: &mut Connection, tail: &mut Tail) -> rusqlite::Result<()> {
        let transaction = connection.transaction()?;
        let heads = tail.heads();
        for &(conversation, head) in &heads {
            let mut insert = transaction.prepare_cached(INSERT)?;
            for record in tail.up_to(conversation, head) {
                insert_record(&mut insert, conversation, record)?;
            }
        }
        transaction.execute(Table::Zero.empty(), [])?;
        transaction.execute(Table::One.empty(), [])?;
        transaction.commit()?;
        heads.into_iter().for_each(|(conversation, head)| tail.filed(conversation, head));
        (self.filled_records, self.filled_bytes) = (0, 0);
        Ok(())
    }
}

/// The last record of a conversation in `events`.
pub(super) fn filed_head(
    connection: &Connection,
    conversation: ConversationId,
) -> rusqlite::Result<Seq> {
    let head = connection
        .prepare_cached(HEAD)?
        .query_row([conversation.as_bytes()], |row| row.get(0))
        .optional()?;
    Ok(head.map_or(Seq::ZERO, Seq::new))
}

/// Payload bytes of records.
pub(super) fn bytes<'r>(records: impl Iterator<Item = &'r Record>) -> usize {
    records.map(|record| record.payload.len()).sum()
}

fn read_table(
    connection: &Connection,
    table: Table,
) -> rusqlite::Result<Vec<(ConversationId, Record)>> {
    let sql = format!("SELECT {RECORD_COLUMNS}, conversation FROM {}", table.name());
    let mut statement = connection.prepare(&sql)?;
    let rows = statement.query_map([], |row| {
        let conversation = ConversationId::from_uuid(Uuid::from_bytes(row.get(6)?));
        Ok((conversation, record(row)?))
    })?;
    rows.collect()
}

/// Gives the tail what is not yet in `events`.
fn adopt(
    connection: &Connection,
    tail: &mut Tail,
    mut rows: Vec<(ConversationId, Record)>,
) -> rusqlite::Result<()> {
    rows.sort_unstable_by_key(|(conversation, record)| (*conversation, record.seq));
    let mut filed: HashMap<ConversationId, Seq> = HashMap::new();
    for (conversation, record) in rows {
        let filed = match filed.get(&conversation) {
            Some(seq) => *seq,
            None => {
                let seq = filed_head(connection, conversation)?;
                filed.insert(conversation, seq);
                seq
            }
        };
        if record.seq > filed {
            tail.push(conversation, filed, [record]);
        }
    }
    Ok(())
}
