//! What trust has verified stays inside.

use certmap::trust::VerifiedCertificate;

fn main() {}
