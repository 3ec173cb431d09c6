//! Network namespaces: each process of the cluster gets a network of its own, joined
//! to the others by a bridge, so that it can be cut off as by a broken switch. Needs
//! root and iproute2. Must never touch an interface that it has not made.

use super::UpError;
use super::roster::Namespace;
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::process::Stdio;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

/// Subnets of 198.18.0.0/15, which is kept for tests between networks (RFC 2544).
const SUBNETS: u64 = 512;
/// A neighbour that nobody is: what is sent to it is lost.
const NOWHERE: &str = "02:00:00:00:00:00";
/// The one interface of a namespace.
const INTERFACE: &str = "eth0";

/// The networks of one cluster.
#[derive(Debug)]
pub(super) struct Network {
    /// Begins the names of all that is made: short, as interfaces' names are.
    tag: String,
    subnet: [u8; 3],
    hosts: BTreeMap<Ipv4Addr, Namespace>,
}

impl Network {
    /// For the cluster in a folder; the same folder gets the same names.
    pub(super) async fn plan(folder: &Path) -> Result<Self, UpError> {
        let mut hasher = DefaultHasher::new();
        std::path::absolute(folder)?.hash(&mut hasher);
        let hash = hasher.finish();
        let taken = ip(&["-4", "-oneline", "address", "show"], "").await?;
        let subnet = (0..SUBNETS)
            .map(|n| (hash + n) % SUBNETS)
            .map(|n| [198, 18 + (n / 256) as u8, (n % 256) as u8])
            .find(|[a, b, c]| !taken.contains(&format!(" {a}.{b}.{c}.")));
        let subnet = subnet.ok_or_else(|| UpError::Settings("198.18.0.0/15 is in use".into()))?;
        Ok(Self { tag: format!("fd{:06x}", hash & 0xff_ffff), subnet, hosts: BTreeMap::new() })
    }

    /// The address of a process that is to have a namespace.
    pub(super) fn host(&mut self, process: &str) -> Result<IpAddr, UpError> {
        let full = || UpError::Settings("250 processes have a namespace at most".into());
        let number = u8::try_from(self.hosts.len() + 2).ok().filter(|n| *n < 253);
        let address = self.address(number.ok_or_else(full)?);
        let namespace = Namespace { name: format!("{}-{process}", self.tag), address };
        self.hosts.insert(address, namespace);
        Ok(address.into())
    }

    /// The namespace whose address this is.
    pub(super) fn namespace(&self, address: IpAddr) -> Option<&Namespace> {
        match address {
            IpAddr::V4(address) => self.hosts.get(&address),
            IpAddr::V6(_) => None,
        }
    }

    fn address(&self, host: u8) -> Ipv4Addr {
        let [a, b, c] = self.subnet;
        Ipv4Addr::new(a, b, c, host)
    }

    /// Makes bridge and namespaces; what an earlier run has left goes first.
    pub(super) async fn make(&self) -> Result<(), UpError> {
        self.remove().await;
        let (tag, own) = (&self.tag, self.address(1));
        let bridge = format!(
            "link add {tag} type bridge\naddress add {own}/24 dev {tag}\nlink set {tag} up\n"
        );
        ip(&["-batch", "-"], &bridge).await?;
        for (number, Namespace { name, address }) in self.hosts.values().enumerate() {
            let port = format!("{tag}-{number}");
            let joined = format!(
                "netns add {name}\n\
                 link add {port} type veth peer name {INTERFACE} netns {name}\n\
                 link set {port} master {tag} up\n"
            );
            ip(&["-batch", "-"], &joined).await?;
            let inside = format!(
                "address add {address}/24 dev {INTERFACE}\n\
                 link set {INTERFACE} up\nlink set lo up\n"
            );
            ip(&["-n", name, "-batch", "-"], &inside).await?;
        }
        Ok(())
    }

    /// Removes what there is of it.
    pub(super) async fn remove(&self) {
        for Namespace { name, .. } in self.hosts.values() {
            // Fails when there is none, as before the first start.
            let _ = ip(&["netns", "delete", name], "").await;
        }
        let _ = ip(&["link", "delete", &self.tag], "").await;
    }
}

/// Whatever either sends to the other is lost from now on.
pub(super) async fn cut(one: &Namespace, other: &Namespace) -> Result<(), UpError> {
    for (from, to) in [(one, other), (other, one)] {
        let lost = format!(
            "neighbour replace {} lladdr {NOWHERE} nud permanent dev {INTERFACE}\n",
            to.address
        );
        ip(&["-n", &from.name, "-batch", "-"], &lost).await?;
    }
    Ok(())
}

/// Everybody reaches it again, and it everybody, unless they are cut off themselves.
pub(super) async fn heal(namespace: &Namespace) -> Result<(), UpError> {
    let flush = ["neighbour", "flush", "nud", "permanent", "dev", INTERFACE];
    ip(&[&["-n", namespace.name.as_str()], &flush[..]].concat(), "").await.map(drop)
}

/// Runs `ip`, with these lines to read; gives what it printed.
async fn ip(args: &[&str], input: &str) -> Result<String, UpError> {
    let mut command = Command::new("ip");
    command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let missing = |source| UpError::Program { program: "ip", package: "iproute2", source };
    let mut child = command.spawn().map_err(missing)?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(input.as_bytes()).await?;
    }
    let output = child.wait_with_output().await?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr).trim().replace('\n', "; ");
    Err(UpError::Settings(format!("namespaces need root: ip {}: {said}", args.join(" "))))
}
