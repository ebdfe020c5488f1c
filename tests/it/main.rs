//! One integration binary, one file per subject.

#![allow(unreachable_pub, reason = "a test binary has no outside")]

mod admitted;
mod anchors;
mod bundles;
mod calling;
mod certificates;
mod common;
mod corpus_of_policies;
mod diff;
mod explain;
mod forecast;
mod hierarchies;
mod identities;
mod interop;
mod layers;
mod limbo;
mod lint;
mod live;
mod names;
mod openssl_paths;
mod path_cases;
mod policies;
mod records;
mod refusals;
mod refused;
mod registry;
mod remembered;
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
