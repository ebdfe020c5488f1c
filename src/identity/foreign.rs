//! Files that hold no identity, or none in a form that is read here: what they are, and the command that helps.

use core::fmt;

use super::ber::{
    BIT_STRING, GENERALIZED_TIME, INTEGER, OBJECT_IDENTIFIER, OCTET_STRING, Reader, SEQUENCE, UTC_TIME, context,
};

/// What a file is that was taken for an identity or for certificates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ForeignFile {
    /// A certificate with OpenSSL's notes about trust behind it.
    AnnotatedCertificate,
    /// A request for a certificate (PKCS#10) without anything else.
    CertificateRequest,
    /// A CMS or PKCS#7 message that is not a list of certificates: encrypted, compressed.
    CmsMessage,
    /// A private key for DSA.
    DsaKey,
    /// A private key for Diffie-Hellman or another use than signatures, or parameters of such.
    OtherKey,
    /// A Java keystore of the type JCEKS.
    JavaCryptoKeystore,
    /// A Java keystore of the type JKS.
    JavaKeystore,
    /// HTML or XML: mostly the page that says that a download failed, or a login page.
    Markup,
    /// A private key as OpenSSH writes it.
    OpenSshKey,
    /// A file of PGP.
    Pgp,
    /// A PKCS#12 file, where this build reads none.
    Pkcs12,
    /// A PSE of SAP's, where this build reads none.
    Pse,
    /// A public key without a certificate.
    PublicKey,
    /// A private key as `PuTTY` writes it.
    PuttyKey,
    /// A revocation list.
    RevocationList,
    /// A public key as OpenSSH writes it.
    SshPublicKey,
    /// A ZIP archive.
    Zip,
}

impl ForeignFile {
    /// The command that converts it, or what else to do.
    #[must_use]
    pub fn cure(self) -> &'static str {
        match self {
            Self::AnnotatedCertificate => "write it anew without them, `openssl x509 -in FILE -out plain.pem`",
            Self::CertificateRequest => "send it to the CA, and import its answer together with the private key",
            Self::CmsMessage => "ask for the certificates alone, `openssl crl2pkcs7 -nocrl -certfile certificates.pem`",
            Self::DsaKey | Self::OtherKey => "make a new key for RSA or ECDSA, nobody verifies signatures of this one",
            Self::JavaCryptoKeystore => {
                "convert it, `keytool -importkeystore -srckeystore FILE -srcstoretype JCEKS -destkeystore new.p12 -deststoretype PKCS12`"
            }
            Self::JavaKeystore => {
                "convert it, `keytool -importkeystore -srckeystore FILE -srcstoretype JKS -destkeystore new.p12 -deststoretype PKCS12`"
            }
            Self::Markup => "open it in a browser to see what it says, and fetch the file again",
            Self::OpenSshKey => "copy it and convert the copy, `ssh-keygen -p -m PKCS8 -f COPY`",
            Self::Pgp => "ask for an X.509 certificate, PGP keys are not used in TLS",
            Self::Pkcs12 => {
                "enable the feature `pkcs12`, or convert it, `openssl pkcs12 -in FILE -nodes -out plain.pem` (add `-legacy` if it is old)"
            }
            Self::Pse => {
                "enable the feature `pse`, or convert it, `sapgenpse export_p12 -p FILE new.p12` and `openssl pkcs12 -in new.p12 -nodes -out plain.pem`"
            }
            Self::PublicKey => "give the certificate, which has the public key in it",
            Self::PuttyKey => {
                "convert it, `puttygen FILE -O private-openssh -o key` and `ssh-keygen -p -m PKCS8 -f key`"
            }
            Self::RevocationList => "give it to the revocation of a bundle",
            Self::SshPublicKey => "ask for an X.509 certificate, SSH keys are not used in TLS",
            Self::Zip => "unpack it, `unzip FILE`",
        }
    }

    /// By how the file begins, for those that are neither PEM nor DER.
    pub(super) fn of_file(file: &[u8]) -> Option<Self> {
        let text = file.strip_prefix(&[0xef, 0xbb, 0xbf]).unwrap_or(file).trim_ascii_start();
        let begins =
            |start: &str| text.get(..start.len()).is_some_and(|text| text.eq_ignore_ascii_case(start.as_bytes()));
        match file {
            [0xfe, 0xed, 0xfe, 0xed, ..] => return Some(Self::JavaKeystore),
            [0xce, 0xce, 0xce, 0xce, ..] => return Some(Self::JavaCryptoKeystore),
            [b'P', b'K', 3, 4, ..] => return Some(Self::Zip),
            _ => {}
        }
        if begins("PuTTY-User-Key-File-") {
            Some(Self::PuttyKey)
        } else if begins("-----BEGIN PGP ") {
            Some(Self::Pgp)
        } else if begins("---- BEGIN SSH2 ") || begins("ssh-") || begins("ecdsa-sha2-") || begins("sk-ssh-") {
            Some(Self::SshPublicKey)
        } else if begins("<!") || begins("<?xml") || begins("<html") {
            Some(Self::Markup)
        } else {
            None
        }
    }

    /// By the label of a PEM section.
    pub(super) fn of_label(label: &str) -> Option<Self> {
        match label {
            "CERTIFICATE REQUEST" | "NEW CERTIFICATE REQUEST" => Some(Self::CertificateRequest),
            "DSA PRIVATE KEY" | "DSA PARAMETERS" => Some(Self::DsaKey),
            "OPENSSH PRIVATE KEY" => Some(Self::OpenSshKey),
            "PUBLIC KEY" | "RSA PUBLIC KEY" => Some(Self::PublicKey),
            "SSH2 PUBLIC KEY" => Some(Self::SshPublicKey),
            "TRUSTED CERTIFICATE" => Some(Self::AnnotatedCertificate),
            "X509 CRL" | "CRL" => Some(Self::RevocationList),
            "X9.42 DH PRIVATE KEY" | "DH PRIVATE KEY" => Some(Self::OtherKey),
            label if label.starts_with("PGP ") => Some(Self::Pgp),
            _ => None,
        }
    }
}

impl fmt::Display for ForeignFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AnnotatedCertificate => "a certificate with OpenSSL's notes about trust",
            Self::CertificateRequest => "a certificate request, not a certificate",
            Self::CmsMessage => "a CMS message that is no list of certificates",
            Self::DsaKey => "a DSA key",
            Self::OtherKey => "a key that cannot sign",
            Self::JavaCryptoKeystore => "a Java keystore (JCEKS)",
            Self::JavaKeystore => "a Java keystore (JKS)",
            Self::Markup => "HTML or XML",
            Self::OpenSshKey => "a private key in OpenSSH's own form",
            Self::Pgp => "a PGP file",
            Self::Pkcs12 => "a PKCS#12 file, which this build does not read",
            Self::Pse => "a PSE of SAP's, which this build does not read",
            Self::PublicKey => "a public key without a certificate",
            Self::PuttyKey => "a private key of PuTTY's",
            Self::RevocationList => "a revocation list",
            Self::SshPublicKey => "an SSH public key",
            Self::Zip => "a ZIP archive",
        })
    }
}

/// What a piece of DER (or BER) is, by its first few elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Certificate,
    /// PKCS#7 or CMS.
    ContentInfo,
    EncryptedPkcs8,
    Foreign(ForeignFile),
    Pkcs1,
    Pkcs12,
    Pkcs8,
    Pse,
    Sec1,
    Unknown,
}

impl Shape {
    pub(super) fn of(der: &[u8]) -> Self {
        let Ok(mut parts) = Reader::only(der, SEQUENCE).and_then(|whole| whole.parts()) else { return Self::Unknown };
        let Some(first) = parts.next() else { return Self::Unknown };
        let second = parts.next();
        let tag = second.as_ref().map_or(0, |second| second.tag);
        match (first.tag, first.number(), tag, parts.peek()) {
            (OBJECT_IDENTIFIER, _, tag, _) if tag == context(0) => Self::ContentInfo,
            (INTEGER, Ok(3), SEQUENCE, _) => Self::Pkcs12,
            (INTEGER, Ok(0 | 1), SEQUENCE, OCTET_STRING) => Self::Pkcs8,
            (INTEGER, Ok(1), OCTET_STRING, _) => Self::Sec1,
            (INTEGER, Ok(0 | 1), INTEGER, INTEGER) => Self::Pkcs1,
            (INTEGER, Ok(2), tag, 0) if tag == context(0) => Self::Pse,
            (INTEGER, Ok(4 | 256), tag, 0) if tag == context(3) => Self::Pse,
            (INTEGER, Ok(2), SEQUENCE, 0) => {
                let body = second.and_then(|second| second.parts().ok());
                let is_content = body.is_some_and(|mut body| body.next().is_some() && body.peek() == GENERALIZED_TIME);
                if is_content { Self::Pse } else { Self::Unknown }
            }
            (INTEGER, _, INTEGER, 0) | (SEQUENCE, _, BIT_STRING, 0) => Self::Foreign(ForeignFile::PublicKey),
            (SEQUENCE, _, OCTET_STRING, 0) => Self::EncryptedPkcs8,
            (SEQUENCE, _, SEQUENCE, BIT_STRING) => first.parts().map_or(Self::Unknown, Self::of_signed),
            _ => Self::Unknown,
        }
    }

    /// Something signed, by what was signed: certificate, request, or revocation list.
    fn of_signed(mut parts: Reader<'_>) -> Self {
        const REQUEST: Shape = Shape::Foreign(ForeignFile::CertificateRequest);
        const LIST: Shape = Shape::Foreign(ForeignFile::RevocationList);
        let mut tags = [0u8; 5];
        let mut third = None;
        for (at, tag) in tags.iter_mut().enumerate() {
            let Some(element) = parts.next() else { break };
            *tag = element.tag;
            if at == 2 {
                third = Some(element);
            }
        }
        let third = third.and_then(|third| third.parts().ok());
        let third_is_key = third.is_some_and(|mut third| third.next().is_some() && third.peek() == BIT_STRING);
        match tags {
            [INTEGER, SEQUENCE, SEQUENCE, ..] if third_is_key => REQUEST,
            [INTEGER, SEQUENCE, SEQUENCE, UTC_TIME | GENERALIZED_TIME, ..]
            | [SEQUENCE, SEQUENCE, UTC_TIME | GENERALIZED_TIME, ..] => LIST,
            [INTEGER, SEQUENCE, SEQUENCE, SEQUENCE, ..] => Self::Certificate,
            [tag, INTEGER, SEQUENCE, SEQUENCE, ..] if tag == context(0) => Self::Certificate,
            _ => Self::Unknown,
        }
    }
}
