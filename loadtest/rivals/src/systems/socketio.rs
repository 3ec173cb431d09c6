//! Socket.IO's servers: one node, or two with a Redis of their own.

use super::{Places, RedisAdapter, Run, SystemError, finish, ids, listening, temporary};
use crate::adapters::SocketIo;
use crate::drive::{self, Load};
use crate::process::Process;
use std::io;
use std::net::TcpListener;
use std::path::Path;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::process::Command;

const REDIS_WITHIN: Duration = Duration::from_secs(10);

fn node(places: &Places) -> Command {
    let mut command = Command::new("node");
    command.arg(places.node.join("server.mjs")).env("NODE_ENV", "production");
    command
}

pub(super) async fn one_node(places: &Places, load: &Load) -> Result<Run, SystemError> {
    let (process, port) = listening("node", node(places)).await?;
    let processes = vec![process];
    let adapter = SocketIo { ports: vec![port], bytes: load.bytes };
    let driven = drive::run(&adapter, load, &ids(&processes)).await;
    finish(processes, driven).await
}

pub(super) async fn two_nodes(places: &Places, load: &Load) -> Result<Run, SystemError> {
    let folder = temporary(places)?;
    let (redis, redis_port) = redis(folder.path()).await?;
    let adapter_name = match places.redis_adapter {
        RedisAdapter::Classic => "classic",
        RedisAdapter::Sharded => "sharded",
    };
    let mut processes = Vec::new();
    let mut ports = Vec::new();
    for name in ["node 1", "node 2"] {
        let mut command = node(places);
        command.args(["--redis", &redis_port.to_string(), adapter_name]);
        let (process, port) = listening(name, command).await?;
        processes.push(process);
        ports.push(port);
    }
    // The last to go: nodes end in disorder without it.
    processes.push(redis);
    let adapter = SocketIo { ports, bytes: load.bytes };
    let driven = drive::run(&adapter, load, &ids(&processes)).await;
    finish(processes, driven).await
}

/// A Redis that keeps nothing on disk.
async fn redis(folder: &Path) -> Result<(Process, u16), SystemError> {
    let port = free_port().map_err(SystemError::Redis)?;
    let mut command = Command::new("redis-server");
    command.args(["--bind", "127.0.0.1", "--port", &port.to_string()]);
    command.args(["--save", "", "--appendonly", "no", "--daemonize", "no"]);
    command.args(["--loglevel", "warning", "--dir"]).arg(folder);
    let process = Process::start("redis", command)?;
    let answers = async {
        while !answers_ping(port).await {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let late = |_| SystemError::Redis(io::ErrorKind::TimedOut.into());
    tokio::time::timeout(REDIS_WITHIN, answers).await.map_err(late)?;
    Ok((process, port))
}

async fn answers_ping(port: u16) -> bool {
    let asked = async {
        let mut redis = TcpStream::connect(("127.0.0.1", port)).await?;
        redis.write_all(b"PING\r\n").await?;
        let mut answer = [0; 5];
        redis.read_exact(&mut answer).await?;
        io::Result::Ok(answer)
    };
    asked.await.is_ok_and(|answer| &answer == b"+PONG")
}

/// A port that nobody had a moment ago.
fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}
