//! One integration binary, one file per subject.

#![allow(unreachable_pub, reason = "a test binary has no outside")]

mod admitted;
mod bundles;
mod certificates;
mod common;
mod identities;
mod interop;
mod layers;
mod live;
mod names;
mod policies;
mod records;
mod refusals;
mod refused;
mod service;
mod tool;
mod troubles;
mod unproven;
mod words;
