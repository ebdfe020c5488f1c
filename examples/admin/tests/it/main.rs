//! The program as an operator drives it: each test starts it, and looks at what it says and what is on disk.

mod crash;
mod folder;
mod import;
mod notes;
mod partners;
mod preflight;
mod refusals;
mod rotation;
mod tool;
