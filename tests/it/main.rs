//! One integration binary, one file per subject.

#![allow(unreachable_pub, reason = "a test binary has no outside")]

mod admitted;
mod anchors;
mod bundles;
mod certificates;
mod coming_from;
mod common;
mod fleets;
mod hierarchies;
mod identities;
mod interop;
mod layers;
mod limbo;
mod live;
mod names;
mod names_openssl;
mod openssl_paths;
mod path_cases;
mod policies;
mod records;
mod refusals;
mod refused;
mod remembered;
mod revocation;
mod revocation_lists;
mod rules;
mod rules_under_anchors;
mod selectors;
mod service;
mod stolen_names;
mod tool;
mod troubles;
mod unproven;
mod words;
