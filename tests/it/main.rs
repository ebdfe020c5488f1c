//! One integration binary, one file per subject.

#![allow(unreachable_pub, reason = "a test binary has no outside")]

mod admitted;
mod anchors;
mod bundles;
mod certificates;
mod common;
mod corpus_hosts;
mod corpus_sessions;
mod hierarchies;
mod hints;
mod host_modes;
mod host_problems;
mod hosting;
mod hosts;
mod identities;
mod interop;
mod layers;
mod limbo;
mod live;
mod names;
mod openssl_paths;
mod path_cases;
mod policies;
mod records;
mod refusals;
mod refused;
mod remembered;
mod resumption;
mod resumption_scopes;
mod resumption_tool;
mod revocation;
mod revocation_lists;
mod rules;
mod rules_under_anchors;
mod selectors;
mod service;
mod tool;
mod troubles;
mod unproven;
mod words;
