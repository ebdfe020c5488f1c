//! Why the crate is as it is: pages for readers, no code.

#[doc = include_str!("architecture.md")]
pub mod architecture {}

#[doc = include_str!("decisions.md")]
pub mod decisions {}

#[doc = include_str!("threats.md")]
pub mod threats {}

#[doc = include_str!("evidence.md")]
pub mod evidence {}

#[doc = include_str!("glossary.md")]
pub mod glossary {}

#[doc = include_str!("coming-from.md")]
pub mod coming_from {}

#[doc = include_str!("policy-file.md")]
pub mod policy_file {}

#[doc = include_str!("programs.md")]
pub mod programs {}
