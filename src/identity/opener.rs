//! The password of a file, and how much work may be spent on it.

use super::import::Format;
use super::import_error::ImportError;
use crate::limits::IMPORT_ITERATIONS;
#[cfg(feature = "encrypted-keys")]
use crate::limits::SCRYPT_BYTES;

/// What opens a file, with a budget that all its parts share.
pub(super) struct Opener<'a> {
    password: Option<&'a str>,
    limit: u64,
    spent: u64,
    /// Bytes that scrypt went over.
    filled: u64,
    accept_no_mac: bool,
    certificates_only: bool,
}

impl<'a> Opener<'a> {
    pub(super) fn new(password: Option<&'a str>, max_iterations: Option<u32>, accept_no_mac: bool) -> Self {
        let limit = u64::from(max_iterations.unwrap_or(IMPORT_ITERATIONS));
        Self { password, limit, spent: 0, filled: 0, accept_no_mac, certificates_only: false }
    }

    /// No key is opened.
    pub(super) fn for_certificates(self) -> Self {
        Self { certificates_only: true, ..self }
    }

    pub(super) fn certificates_only(&self) -> bool {
        self.certificates_only
    }

    pub(super) fn accepts_no_mac(&self) -> bool {
        self.accept_no_mac
    }

    pub(super) fn password(&self) -> Option<&'a str> {
        self.password
    }

    pub(super) fn needed_password(&self, format: Format) -> Result<&'a str, ImportError> {
        self.password.ok_or(ImportError::PasswordNeeded { format })
    }

    /// Pays for a scrypt over so many bytes (`None`: more than there are numbers for), before it is made: each part may cost
    /// [`SCRYPT_BYTES`], and all together four times as many.
    #[cfg(feature = "encrypted-keys")]
    pub(super) fn pay_scrypt(&mut self, bytes: Option<u64>) -> Result<(), ImportError> {
        let filled = bytes.filter(|bytes| *bytes <= SCRYPT_BYTES).and_then(|bytes| self.filled.checked_add(bytes));
        self.filled = filled.filter(|filled| *filled <= 4 * SCRYPT_BYTES).ok_or(ImportError::TooMany {
            what: "bytes of memory for scrypt",
            limit: usize::try_from(SCRYPT_BYTES).unwrap_or(usize::MAX),
        })?;
        Ok(())
    }

    /// Pays for so many iterations, before they are made.
    pub(super) fn pay(&mut self, iterations: u64, format: Format) -> Result<u32, ImportError> {
        let whole = self.limit.saturating_mul(4);
        let spent = self.spent.saturating_add(iterations);
        if iterations > self.limit {
            return Err(ImportError::TooManyIterations { iterations, limit: self.limit });
        }
        if spent > whole {
            return Err(ImportError::TooManyIterations { iterations: spent, limit: whole });
        }
        self.spent = spent;
        match u32::try_from(iterations) {
            Ok(iterations) if iterations > 0 => Ok(iterations),
            _ => Err(ImportError::Damaged { format, part: "iteration count" }),
        }
    }
}

#[cfg(all(test, feature = "encrypted-keys"))]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_a_file_share_what_scrypt_may_cost() {
        let mut opener = Opener::new(None, None, false);
        assert!(opener.pay_scrypt(None).is_err());
        assert!(opener.pay_scrypt(Some(SCRYPT_BYTES + 1)).is_err());
        for _ in 0..4 {
            assert_eq!(opener.pay_scrypt(Some(SCRYPT_BYTES)), Ok(()));
        }
        assert!(opener.pay_scrypt(Some(1)).is_err());
    }
}
