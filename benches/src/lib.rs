//! What is measured, next to what, and how.
//!
//! [`Comparison`] times calls in turn and [`Report`] prints what came out. [`Partners`] makes policies of any size, [`clients`]
//! those below an anchor, [`fleet`] rules over names; [`ends`] are both ends of a handshake, and [`peers`] what people use
//! without certmap.

pub mod chart;
pub mod clients;
pub mod ends;
pub mod fleet;
pub mod growth;
mod measure;
mod partners;
pub mod peers;
mod report;

pub use measure::{Comparison, Times, is_measuring};
pub use partners::{
    Copies, PINS, Partners, SEND, another_each_time, erp_v1, evidence, fingerprint_mappings, partner_v3, user,
    with_many_roles,
};
pub use report::{Bound, Report};
