//! (private) Which crypto provider to use when the caller names none: one precedence, and nothing is installed.

use std::sync::Arc;

use rustls::crypto::CryptoProvider;

/// No crypto provider was given, none is installed in the process and none is compiled in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "no crypto provider: give one (`…_with_provider`), install one in the process, or enable the feature `aws-lc-rs` or `ring`"
)]
#[non_exhaustive]
pub struct NoCryptoProvider;

/// The process default, else the compiled-in provider: aws-lc-rs, then ring.
pub(crate) fn default() -> Result<Arc<CryptoProvider>, NoCryptoProvider> {
    CryptoProvider::get_default().cloned().or_else(compiled_in).ok_or(NoCryptoProvider)
}

#[cfg(feature = "aws-lc-rs")]
#[allow(clippy::unnecessary_wraps, reason = "the same signature without a provider")]
fn compiled_in() -> Option<Arc<CryptoProvider>> {
    Some(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
}

#[cfg(all(feature = "ring", not(feature = "aws-lc-rs")))]
#[allow(clippy::unnecessary_wraps, reason = "the same signature without a provider")]
fn compiled_in() -> Option<Arc<CryptoProvider>> {
    Some(Arc::new(rustls::crypto::ring::default_provider()))
}

#[cfg(not(any(feature = "aws-lc-rs", feature = "ring")))]
fn compiled_in() -> Option<Arc<CryptoProvider>> {
    None
}
