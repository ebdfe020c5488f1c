//! rustls on both ends: the configurations, the verifiers behind them, and the road from a connection to evidence.
//!
//! The verifiers refuse early what a decision would refuse for trust, by the same judgement; they decide nothing else,
//! because rustls does not ask them again on a resumed session.

mod client;
mod client_configs;
mod distrust;
mod endpoint;
mod hints;
mod resolver;
mod resumption;
mod selected;
mod settings;
mod tickets;
mod trouble;
mod verifier;

pub use client::{ClientConfigBuilder, ClientConfigError};
pub use client_configs::ClientConfigs;
pub use endpoint::{Endpoint, EndpointError, UnknownHost};
pub use hints::UnfitHints;
pub use resumption::{InvalidLifetime, Resumption};
pub use selected::{NoCaller, Selected};
pub use settings::ExtendedMasterSecret;
pub use tickets::{TicketKey, TicketKeys};
pub use trouble::{End, Trouble, TroubleKind};

pub(crate) use client::distrust_of;
pub(crate) use hints::{fits, issuers};
