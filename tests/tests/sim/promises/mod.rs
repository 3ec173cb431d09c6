//! What Frontdesk promises, each under the faults that threaten it most.

mod p1_acknowledged_is_kept;
mod p2_one_order;
mod p3_said_once;
mod p4_nothing_missed;
mod p5_one_owner;
mod p6_one_agent;
mod p7_rolling;
mod p8_bounded;
