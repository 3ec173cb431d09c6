//! What the whole-process tests share: starting, killing and restarting the
//! real binary, speaking to it over every carrier, and real dialogues.
//!
//! Black-box: nothing here looks into the server but through its protocol, its
//! standard output and its data folder. Waiting is always for a condition, with
//! a deadline; a broken promise panics, which is what fails a test.

pub mod accounts;
pub mod binary;
pub mod cluster;
pub mod collector;
pub mod corpus;
pub mod deadline;
pub mod fresh;
pub mod http;
pub mod linear;
pub mod load;
pub mod logs;
pub mod printed;
pub mod process;
pub mod proxy;
pub mod replay;
pub mod server;
pub mod shift;
pub mod wire;
