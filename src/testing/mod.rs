//! For tests, yours and ours: certificates as odd as people have them, and real handshakes without sockets.
//!
//! Needs the feature `testing` and one of `aws-lc-rs` and `ring`. Nothing here belongs into a gateway: keys are made for
//! a test and forgotten, and [`TestCertificate`] writes whatever it is told to.
//!
//! ```
//! use certmap::testing::{NOW, TestCertificate, TestClock, handshake};
//! use certmap::{Authority, ClientConfigBuilder, Endpoint, PolicyBuilder, PolicyHandle, TrustBundle};
//! use std::sync::Arc;
//!
//! let partner = TestCertificate::new("CN=partner").with_version(1).self_signed();
//! let server = TestCertificate::new("CN=gateway").with_server_name("gw.example").self_signed();
//!
//! let policy = PolicyBuilder::new().partner("SAPERPUSER".parse()?, partner.certificate().clone(), []).build()?;
//! let endpoint = Endpoint::single(Arc::new(PolicyHandle::new(policy)), server.identity())?.with_time_provider(TestClock::at(NOW));
//!
//! let mut servers = TrustBundle::new("servers".parse()?);
//! servers.add_pin(server.certificate().clone())?;
//! let mut client = ClientConfigBuilder::new(partner.identity(), servers).build()?;
//! client.time_provider = TestClock::at(NOW);
//!
//! let ends = handshake(Arc::new(client), endpoint.only()?.config(), "gw.example");
//! let caller = endpoint.only()?.caller(&ends.server)?;
//! assert_eq!(caller.admit(Authority::NotHttp, NOW).unwrap().user().as_str(), "SAPERPUSER");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod crl;
mod extension;
mod handshake;
mod identity;
mod name;
mod pki;

pub use crl::{TestCrl, TestRevocationList};
pub use extension::KeyUsageBit;
pub use handshake::{Handshake, TestClock, handshake};
pub use identity::TestIdentity;
pub use name::TestName;
pub use pki::TestCertificate;

use core::time::Duration;

use rustls::pki_types::UnixTime;

/// The time of every test that does not choose another: 2026-12-01T12:00:00Z.
pub const NOW: UnixTime = UnixTime::since_unix_epoch(Duration::from_secs(1_796_126_400));
