//! Tests of the role on doubles, under a paused clock.

mod attach;
mod cluster;
mod commit;
mod property;
mod read;
mod refused;
mod residence;
mod sqlite;
mod traced;
mod visitors;
