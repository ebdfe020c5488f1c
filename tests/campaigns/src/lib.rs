//! What the campaigns share. Each campaign is a program in `src/bin`: one question, run long, and its figure last.
