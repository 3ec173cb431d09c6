//! Puts the consensus library's messages on a `RaftTransport`.

use super::transport::{Peer, PeerRequest, RaftTransport, RequestKind, TransportError};
use super::types::{Snapshot, SnapshotMeta, TypeConfig, Vote};
use crate::storage::SnapshotBytes;
use futures::FutureExt;
use openraft::errors::{
    NetworkError, RPCError, ReplicationClosed, StreamingError, Timeout, Unreachable,
};
use openraft::network::RPCOption;
use openraft::raft::{
    AppendEntriesRequest, AppendEntriesResponse, SnapshotResponse, TransferLeaderRequest,
    TransferLeaderResponse, VoteRequest, VoteResponse,
};
use openraft::{BasicNode, OptionalSend, RPCTypes, RaftNetworkFactory, RaftNetworkV2};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io;
use std::sync::Arc;
use std::time::Duration;

/// Makes connections to the other voters.
pub(crate) struct Network {
    pub(crate) own: u64,
    pub(crate) transport: Arc<dyn RaftTransport>,
}

impl RaftNetworkFactory<TypeConfig> for Network {
    type Network = Connection;

    async fn new_client(&mut self, target: u64, node: &BasicNode) -> Connection {
        Connection {
            own: self.own,
            peer: Peer { id: target, address: node.addr.clone() },
            transport: self.transport.clone(),
        }
    }
}

/// The way to one other voter.
pub(crate) struct Connection {
    own: u64,
    peer: Peer,
    transport: Arc<dyn RaftTransport>,
}

impl Connection {
    async fn call<Q: Serialize, A: DeserializeOwned>(
        &self,
        kind: RequestKind,
        request: &Q,
        deadline: Duration,
    ) -> Result<A, RPCError<TypeConfig>> {
        let body = encode(request).map_err(|e| RPCError::Network(NetworkError::new(&e)))?;
        let answer = self.send(kind, body, deadline).await?;
        decode(&answer).map_err(|e| RPCError::Network(NetworkError::new(&e)))
    }

    async fn send(
        &self,
        kind: RequestKind,
        body: Vec<u8>,
        deadline: Duration,
    ) -> Result<Vec<u8>, RPCError<TypeConfig>> {
        let request = PeerRequest { kind, body };
        self.transport.call(&self.peer, request, deadline).await.map_err(|e| match e {
            TransportError::Deadline(timeout) => RPCError::Timeout(Timeout {
                action: rpc_type(kind),
                id: self.own,
                target: self.peer.id,
                timeout,
            }),
            // Both are answered by waiting a little longer each time.
            TransportError::Unreachable(_) | TransportError::Refused(_) => {
                RPCError::Unreachable(Unreachable::new(&e))
            }
        })
    }
}

fn rpc_type(kind: RequestKind) -> RPCTypes {
    match kind {
        RequestKind::Vote | RequestKind::PreVote => RPCTypes::Vote,
        RequestKind::Snapshot => RPCTypes::InstallSnapshot,
        RequestKind::TransferLeader => RPCTypes::TransferLeader,
        RequestKind::Append
        | RequestKind::Propose
        | RequestKind::ReadIndex
        | RequestKind::Heartbeat
        | RequestKind::Membership => RPCTypes::AppendEntries,
    }
}

impl RaftNetworkV2<TypeConfig> for Connection {
    type SnapshotData = SnapshotBytes;

    async fn append_entries(
        &mut self,
        rpc: AppendEntriesRequest<TypeConfig>,
        option: RPCOption,
    ) -> Result<AppendEntriesResponse<TypeConfig>, RPCError<TypeConfig>> {
        self.call(RequestKind::Append, &rpc, option.hard_ttl()).await
    }

    async fn vote(
        &mut self,
        rpc: VoteRequest<TypeConfig>,
        option: RPCOption,
    ) -> Result<VoteResponse<TypeConfig>, RPCError<TypeConfig>> {
        self.call(RequestKind::Vote, &rpc, option.hard_ttl()).await
    }

    async fn pre_vote(
        &mut self,
        rpc: VoteRequest<TypeConfig>,
        option: RPCOption,
    ) -> Result<VoteResponse<TypeConfig>, RPCError<TypeConfig>> {
        self.call(RequestKind::PreVote, &rpc, option.hard_ttl()).await
    }

    async fn full_snapshot(
        &mut self,
        vote: Vote,
        snapshot: Snapshot,
        cancel: impl Future<Output = ReplicationClosed> + OptionalSend + 'static,
        option: RPCOption,
    ) -> Result<SnapshotResponse<TypeConfig>, StreamingError<TypeConfig>> {
        let body = encode_snapshot(&vote, &snapshot)
            .map_err(|e| StreamingError::Network(NetworkError::new(&e)))?;
        let answer = self.send(RequestKind::Snapshot, body, option.hard_ttl()).fuse();
        tokio::select! {
            closed = cancel => Err(StreamingError::Closed(closed)),
            answer = answer => {
                decode(&answer?).map_err(|e| StreamingError::Network(NetworkError::new(&e)))
            }
        }
    }

    async fn transfer_leader(
        &mut self,
        request: TransferLeaderRequest<TypeConfig>,
        option: RPCOption,
    ) -> Result<TransferLeaderResponse<TypeConfig>, RPCError<TypeConfig>> {
        self.call(RequestKind::TransferLeader, &request, option.hard_ttl()).await
    }
}

pub(crate) fn encode<T: Serialize>(value: &T) -> io::Result<Vec<u8>> {
    serde_json::to_vec(value).map_err(io::Error::from)
}

pub(crate) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> io::Result<T> {
    serde_json::from_slice(bytes).map_err(io::Error::from)
}

/// A line of JSON (vote and description), then the bytes as they are.
pub(crate) fn encode_snapshot(vote: &Vote, snapshot: &Snapshot) -> io::Result<Vec<u8>> {
    let mut body = encode(&(vote, &snapshot.meta))?;
    body.push(b'\n');
    body.extend_from_slice(&snapshot.snapshot);
    Ok(body)
}

/// Undoes `encode_snapshot`.
pub(crate) fn decode_snapshot(body: &[u8]) -> io::Result<(Vote, Snapshot)> {
    let end = body
        .iter()
        .position(|b| *b == b'\n')
        .ok_or_else(|| io::Error::from(io::ErrorKind::InvalidData))?;
    let (vote, meta): (Vote, SnapshotMeta) = decode(&body[..end])?;
    Ok((vote, Snapshot { meta, snapshot: Arc::from(&body[end + 1..]) }))
}
