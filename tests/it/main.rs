//! One integration binary, one file per subject.

#![allow(unreachable_pub, reason = "a test binary has no outside")]

mod admitted;
mod common;
mod live;
mod names;
mod policies;
mod records;
mod refused;
mod unproven;
