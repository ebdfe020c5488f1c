//! One integration binary, one file per subject.

#![allow(unreachable_pub, reason = "a test binary has no outside")]

mod admitted;
mod common;
mod names;
mod records;
mod refused;
