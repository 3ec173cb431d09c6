//! Moves records from the `recent` tables into `runs`, a portion with each
//! group, so that it costs no commits of its own and delays nobody for long.
//!
//! Of the two tables one is filled while the other is filed; when that is done
//! it is emptied whole, and when the first is full they change places. After a
//! crash both are read again: what is in `runs` already is passed over.

use super::packed;
use super::runs::{self, MAX_BYTES, MAX_RECORDS};
use super::tail::Tail;
use crate::sqlite::error::bad_column;
use frontdesk_core::ids::{ConversationId, Seq};
use rusqlite::Connection;
use std::collections::{HashMap, VecDeque};

/// Records of a full `recent` table. The more there are, the more of them share
/// a row of `runs`; and all of both tables are in memory, packed: 2 × 32,768 ×
/// about 400 bytes are 25 MiB.
pub(super) const TABLE_RECORDS: usize = 32 * 1024;
/// Bytes of a full `recent` table.
const TABLE_BYTES: usize = 16 * 1024 * 1024;
/// Records filed per record appended: the one table is filed when the other is
/// half full.
const PORTION_PER_RECORD: usize = 2;
/// A group files at least one in so many of a table's records: 64, 1 ms of work.
const PORTIONS: usize = 512;
/// The same when the table that is being filled is full already, which takes
/// payloads of very different sizes.
const LARGE_PORTIONS: usize = 8;

/// One of the two `recent` tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Table {
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

    /// Appends a group to it.
    fn insert(self) -> &'static str {
        match self {
            Self::Zero => "INSERT INTO recent_0 (records) VALUES (?1)",
            Self::One => "INSERT INTO recent_1 (records) VALUES (?1)",
        }
    }

    fn read(self, connection: &Connection) -> rusqlite::Result<Vec<Vec<u8>>> {
        connection.prepare(self.select())?.query_map([], |row| row.get(0))?.collect()
    }

    fn empty(self) -> &'static str {
        match self {
            Self::Zero => "DELETE FROM recent_0",
            Self::One => "DELETE FROM recent_1",
        }
    }

    /// Its groups, the oldest first.
    fn select(self) -> &'static str {
        match self {
            Self::Zero => "SELECT records FROM recent_0 ORDER BY id",
            Self::One => "SELECT records FROM recent_1 ORDER BY id",
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
        let (zero, one) = (Table::Zero.read(connection)?, Table::One.read(connection)?);
        let filling = if one.is_empty() { Table::Zero } else { Table::One };
        let both = !zero.is_empty() && !one.is_empty();
        let filled = if filling == Table::Zero { &zero } else { &one };
        let filled_bytes = filled.iter().map(Vec::len).sum();
        let filled_records = filled.iter().map(|group| packed::group(group).count()).sum();
        adopt(connection, tail, &zero, &one)?;
        let mut filing =
            Self { table_records, filling, filled_records, filled_bytes, to_file: VecDeque::new() };
        if both {
            filing.file_all(connection, tail)?;
        }
        Ok(filing)
    }

    /// Appends a group of packed records to the table that is being filled.
    pub(super) fn append(&self, connection: &Connection, group: &[u8]) -> rusqlite::Result<()> {
        if !group.is_empty() {
            connection.prepare_cached(self.filling.insert())?.execute([group])?;
        }
        Ok(())
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
        let mut left = most;
        for &(conversation, up_to) in &self.to_file {
            let last = file(connection, tail, conversation, up_to, &mut left)?;
            portion.filed.push((conversation, last));
            if left == 0 {
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
        let mut all = usize::MAX;
        for &(conversation, head) in &heads {
            file(&transaction, tail, conversation, head, &mut all)?;
        }
        transaction.execute(Table::Zero.empty(), [])?;
        transaction.execute(Table::One.empty(), [])?;
        transaction.commit()?;
        heads.into_iter().for_each(|(conversation, head)| tail.filed(conversation, head));
        (self.filled_records, self.filled_bytes) = (0, 0);
        Ok(())
    }
}

/// Files records of a conversation up to `up_to`, about as many as are `left` of
/// a portion; gives the last of them.
fn file(
    connection: &Connection,
    tail: &Tail,
    conversation: ConversationId,
    up_to: Seq,
    left: &mut usize,
) -> rusqlite::Result<Seq> {
    let mut last = Seq::ZERO;
    while *left > 0
        && let Some(run) = tail.between(conversation, (last, up_to), MAX_RECORDS, MAX_BYTES)
    {
        runs::insert(connection, conversation, &run)?;
        *left = left.saturating_sub(run.fingerprints.len());
        last = run.last;
    }
    Ok(last)
}

/// How many records a file holds.
pub(in crate::sqlite) fn count_events(connection: &Connection) -> rusqlite::Result<u64> {
    let filed: i64 =
        connection.query_row("SELECT coalesce(sum(last - first + 1), 0) FROM runs", [], |row| {
            row.get(0)
        })?;
    let mut tail = Tail::default();
    let (zero, one) = (Table::Zero.read(connection)?, Table::One.read(connection)?);
    adopt(connection, &mut tail, &zero, &one)?;
    Ok(filed.unsigned_abs() + tail.records())
}

/// Gives the tail what is not yet in `runs`. Either table may be the older one.
fn adopt(
    connection: &Connection,
    tail: &mut Tail,
    zero: &[Vec<u8>],
    one: &[Vec<u8>],
) -> rusqlite::Result<()> {
    let mut records = Vec::new();
    for group in zero.iter().chain(one) {
        for item in packed::group(group) {
            records.push(item.map_err(|e| bad_column(0, e))?);
        }
    }
    records.sort_unstable_by_key(|(conversation, seq, _)| (*conversation, *seq));
    let mut filed: HashMap<ConversationId, Seq> = HashMap::new();
    for (conversation, seq, record) in records {
        let filed = match filed.get(&conversation) {
            Some(seq) => *seq,
            None => {
                let seq = runs::head(connection, conversation)?;
                filed.insert(conversation, seq);
                seq
            }
        };
        if seq > filed {
            tail.push(conversation, filed, record);
        }
    }
    Ok(())
}
