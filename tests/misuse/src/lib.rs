//! Programs that must not build, each in a file of `cases`; see `tests/misuse.rs`.
