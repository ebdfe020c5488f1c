//! Reading the files that an operator names, and those that a policy refers to.

use std::error::Error;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Component, Path, PathBuf};

use certmap::cert::InvalidCertificate;
use certmap::document::{Reference, References};
use certmap::identity::Import;
use certmap::limits::{PEM_BYTES, REVOCATION_LIST_FILE_BYTES};
use certmap::{Certificate, Identity};
use zeroize::Zeroizing;

use crate::answer::{Failure, causes};

/// The content of a file; identities come this way too, so it is wiped.
pub(crate) fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let content = bounded(path, PEM_BYTES).map(Zeroizing::new);
    content.map_err(|cause| Failure::unreadable("file", format!("`{}` cannot be read: {cause}", path.display())))
}

/// The certificates of a file; of one with a private key in it those of that identity.
pub(crate) fn certificates(path: &Path) -> Result<Vec<Certificate>, Failure> {
    let pem = read(path)?;
    if let Ok(identity) = Identity::from_pem(&pem) {
        return Ok(identity.chain().iter().filter_map(|der| Certificate::from_der(der).ok()).collect());
    }
    certificates_in(&pem, path)
}

/// The certificates of a file that has nothing else in it: what partners send.
pub(crate) fn certificates_alone(path: &Path) -> Result<Vec<Certificate>, Failure> {
    certificates_in(&read(path)?, path)
}

fn certificates_in(file: &[u8], path: &Path) -> Result<Vec<Certificate>, Failure> {
    Import::new().certificates(file).map_err(|cause| invalid(path, &cause))
}

/// The one that a file begins with.
pub(crate) fn first_certificate(path: &Path) -> Result<Certificate, Failure> {
    let first = certificates(path)?.into_iter().next();
    first.ok_or_else(|| Failure::refused("invalid-certificate", format!("`{}` has no certificate", path.display())))
}

/// The only one of a file that has nothing else in it.
pub(crate) fn certificate_alone(path: &Path) -> Result<Certificate, Failure> {
    let one = <[_; 1]>::try_from(certificates_alone(path)?).map(|[one]| one);
    one.map_err(|several| invalid(path, &InvalidCertificate::Several { count: several.len() }))
}

fn invalid(path: &Path, cause: &(dyn Error + 'static)) -> Failure {
    let (path, causes) = (path.display(), causes(cause));
    Failure::refused("invalid-certificate", format!("`{path}` does not do as a certificate: {causes}"))
}

fn bounded(path: &Path, limit: usize) -> io::Result<Vec<u8>> {
    let file = File::open(path)?;
    let mut content = Vec::with_capacity(usize::try_from(file.metadata()?.len()).unwrap_or(limit).min(limit) + 1);
    file.take(limit as u64 + 1).read_to_end(&mut content)?;
    if content.len() > limit {
        return Err(io::Error::other(format!("it has more than {limit} bytes")));
    }
    Ok(content)
}

/// Certificates and revocation lists in the folder of the policy: whoever writes the policy names no other file.
pub(crate) struct Beside(pub(crate) PathBuf);

impl References for Beside {
    fn resolve(&self, reference: Reference<'_>) -> Result<Vec<u8>, Box<dyn Error + Send + Sync>> {
        let relative = Path::new(reference.text());
        if !relative.components().all(|part| matches!(part, Component::Normal(_))) {
            return Err("write the path of a file in the folder of the policy, without `..`".into());
        }
        let path = self.0.join(relative).canonicalize()?;
        if !path.starts_with(self.0.canonicalize()?) {
            return Err("the file is outside the folder of the policy: copy it there".into());
        }
        Ok(bounded(&path, REVOCATION_LIST_FILE_BYTES)?)
    }
}
