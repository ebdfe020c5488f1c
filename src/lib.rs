#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![warn(clippy::exhaustive_enums, clippy::exhaustive_structs)]
#![cfg_attr(not(test), warn(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice))]

mod code;
#[cfg(feature = "serde")]
mod form;
mod label;
mod memory;
mod pem;
mod provider;
mod role;
mod signature;
mod strength;
mod sync;
mod table;
mod text;
mod trace;
mod user;
mod voucher;

pub mod cert;
pub mod decision;
#[cfg(feature = "serde")]
pub mod document;
pub mod identity;
pub mod limits;
pub mod live;
pub mod map;
pub mod policy;
pub mod review;
#[cfg(all(feature = "testing", any(feature = "aws-lc-rs", feature = "ring")))]
pub mod testing;
pub mod tls;
pub mod trust;

#[cfg(doc)]
pub mod manual;

// The paved path: what a gateway and its partner's tools need. The rest is in the modules.
pub use cert::{Certificate, DistinguishedName, Fingerprint, SpkiFingerprint};
pub use decision::{
    AccessLine, AuditRecord, Caller, Decision, Evidence, Outcome, Principal, Refusal, RefusalCode, Refused, RoleMissing,
};
pub use identity::{Identity, IdentityError, IdentityHandle, Import, ImportError};
#[cfg(any(feature = "aws-lc-rs", feature = "ring"))]
pub use identity::{IdentityRequest, NewKey};
pub use label::InvalidLabel;
pub use map::{CertUserMapping, RuleName, Selector, UserSource};
pub use policy::{Authority, Host, HostId, Policy, PolicyBuilder, PolicyDigest, PolicyError, PolicyHandle};
pub use provider::NoCryptoProvider;
pub use role::{Enforcement, Holder, InvalidEnforcement, InvalidHolder, InvalidRole, Role, RoleAssignment, Shortfall};
pub use strength::{InvalidStrength, Strength};
pub use tls::{ClientConfigBuilder, ClientConfigs, Endpoint, Selected};
pub use trust::{BundleName, TrustBundle};
pub use user::{InvalidUserName, UserName};

/// The rustls that this crate is built on; a configuration is usable only with the same.
pub use rustls;
