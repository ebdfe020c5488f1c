//! What the campaigns share. Each campaign is a program in `src/bin`: one question, run long, and its figure last.

pub mod agree;
pub mod broken;
mod line;
pub mod records;
pub mod soak;
