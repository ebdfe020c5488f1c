//! Every stated bound, with its reason.
//!
//! Peers and files choose the input, so each kind of input has a largest size. What is larger is an error or a
//! refusal, never a truncation (the log is the one place that shortens, and it says by how much).

use core::time::Duration;

/// Bytes of one certificate (DER). Real ones are 0.5 to 4 KiB; TLS would allow 16 MiB.
pub const CERTIFICATE_BYTES: usize = 16 * 1024;

/// Certificates that a peer may present, its own included. Real chains have one to four.
pub const CHAIN_LENGTH: usize = 8;

/// Subject alternative names in one certificate.
pub const NAMES_PER_CERTIFICATE: usize = 256;

/// Bytes of one distinguished name, as DER or as text.
pub const NAME_BYTES: usize = 16 * 1024;

/// Attributes in one distinguished name.
pub const NAME_ATTRIBUTES: usize = 128;

/// Content octets of one object identifier.
pub const OBJECT_IDENTIFIER_BYTES: usize = 64;

/// Bytes of one PEM or DER file of certificates: 2,000 certificates of 4 KiB.
pub const PEM_BYTES: usize = 8 * 1024 * 1024;

/// Bytes of one revocation list (DER): more than a million entries. The largest that public CAs make have some ten MiB.
pub const REVOCATION_LIST_BYTES: usize = 64 * 1024 * 1024;

/// Bytes of one PEM or DER file of revocation lists: one of [`REVOCATION_LIST_BYTES`] as PEM.
pub const REVOCATION_LIST_FILE_BYTES: usize = 96 * 1024 * 1024;

/// Octets of the number of a revocation list; RFC 5280, section 5.2.3 has CAs use no more.
pub const REVOCATION_LIST_NUMBER_BYTES: usize = 20;

/// Certificates in a trust bundle unless told otherwise; the limit of SAP's `add-ca`.
pub const BUNDLE_ENTRIES: usize = 150;

/// Characters of a user name; the limit of SAP's certificate-to-user mapping.
pub const USER_NAME_CHARACTERS: usize = 150;

/// Bytes of a bundle name, host id, rule name, alias, application or role name.
pub const LABEL_BYTES: usize = 128;

/// Bytes of one selector or user source as text: the longest name twice, for its escapes.
pub const RULE_BYTES: usize = 2 * NAME_BYTES;

/// Items in one list of a policy document: hosts, certificates, mappings. A landscape of SAP's has some 2,000 mappings.
pub const DOCUMENT_ITEMS: usize = 200_000;

/// Bytes of one text in a policy document, the longest rule; a certificate or a revocation list may be longer.
pub const DOCUMENT_TEXT_BYTES: usize = RULE_BYTES;

/// Bytes of one certificate as text in a policy document: the largest one as PEM, with text around it.
pub const DOCUMENT_CERTIFICATE_BYTES: usize = 4 * CERTIFICATE_BYTES;

/// Names that the unknown names of a document, and those in its rules, are compared with to say which was meant, each time counted: a dozen slips in a
/// landscape of 2,000. The rest is told without a guess.
pub const GUESSES: usize = 24_000;

/// How deep `all` and `any` may be nested in one selector. People do not read beyond three.
pub const SELECTOR_DEPTH: usize = 8;

/// Tests in one selector. Each is looked at for each certificate that the rule could match.
pub const SELECTOR_TESTS: usize = 32;

/// Rules that one value of a certificate may lead to. More would make a decision's cost grow with the number of rules.
pub const RULES_PER_VALUE: usize = 32;

/// Tests of rules that one decision may cost, each user that is taken from a certificate counted as one: for a certificate
/// with the most names there may be and a rule for each under four anchors, twice over. Some 1 ms.
pub const TESTS_PER_DECISION: usize = 4096;

/// Smallest RSA modulus: below, no provider of rustls verifies a signature (NIST SP 800-131A asks for the same).
pub const RSA_BITS_MIN: usize = 2048;

/// Largest RSA modulus: beyond, one verification is a denial of service.
pub const RSA_BITS_MAX: usize = 8192;

/// Longest lifetime of a certificate made by [`Identity::generate`](crate::Identity::generate): what STRUST and most
/// partners find long, and still short of "for ever".
pub const GENERATED_LIFETIME: Duration = Duration::from_secs(20 * 366 * 86_400);

/// How deep the BER of a file may be nested. PKCS#12 files of Windows need some ten.
pub const ENCODING_DEPTH: usize = 24;

/// Certificates in one file with a private key: a chain, and a store of roots beside it.
pub const IDENTITY_FILE_CERTIFICATES: usize = 256;

/// Certificates in one file of certificates that is read by [`Import`](crate::identity::Import): what a partner sends.
pub const IMPORTED_CERTIFICATES: usize = 2048;

/// Private keys in one file; more than one is an error that says how many.
pub const IMPORTED_KEYS: usize = 64;

/// Bags and other parts of one PKCS#12 file or PSE: each of the certificates, and as much besides.
pub const CONTAINER_PARTS: usize = 2 * IMPORTED_CERTIFICATES;

/// Iterations with which a password is hashed to open a file, unless told otherwise: `GnuTLS` writes 600,000, Java 10,000,
/// OpenSSL 2,048. Together those of one file may be four times as many, because each part has its own: some two seconds.
pub const IMPORT_ITERATIONS: u32 = 1_000_000;

/// Bytes of a salt in a file under a password. Programs write 8 to 64.
pub const SALT_BYTES: usize = 256;

/// Bytes that scrypt may use to open a part of a file, over all its lanes; all parts together four times as many. OpenSSL
/// writes 16 MiB.
pub const SCRYPT_BYTES: u64 = 64 * 1024 * 1024;

/// Iterations of PBKDF2-HMAC-SHA256 that are a good number for the password of a private key: what OWASP asks for, 2023.
pub const KEY_ITERATIONS: u32 = 600_000;

/// Fewest iterations with which a private key is encrypted: what RFC 8018, section 4.2 calls appropriate, ten times over.
pub const KEY_ITERATIONS_MIN: u32 = 10_000;

/// Most iterations with which a private key is encrypted: as many as are read back without further words.
pub const KEY_ITERATIONS_MAX: u32 = IMPORT_ITERATIONS;

/// Public keys that anchors of one name may have in one bundle: a CA that renews has two, cross-signing makes three.
pub const ANCHOR_KEYS_PER_NAME: usize = 4;

/// Signature verifications that one decision may cost, over all anchors: a chain of four under four anchors of its name.
pub const SIGNATURES_PER_DECISION: usize = 16;

/// How often one decision asks whether a revocation list is signed by the issuer of a certificate on the way. Beyond it the answer is
/// "too much work", because a list that was not asked may revoke. What is known of a list counts as much as what is verified now, so
/// that the answer does not depend on who was decided before.
pub const LISTS_PER_DECISION: usize = CHAIN_LENGTH * REVOCATION_LISTS_PER_NAME;

/// Revocation lists whose issuers' names are alike that a policy may have: as many for each certificate of a chain that one path fits
/// into [`LISTS_PER_DECISION`].
pub const REVOCATION_LISTS_PER_NAME: usize = 32;

/// Certificates that one decision may look at while it searches for paths, counted each time.
pub const PATH_STEPS_PER_DECISION: usize = 64;

/// How far in the future a revocation list may begin: the clocks of a CA and of a gateway differ.
pub const REVOCATION_SKEW: Duration = Duration::from_secs(300);

/// Valid paths that a policy remembers unless told otherwise, at some 4 KiB each.
pub const REMEMBERED_PATHS: usize = 4096;

/// Names that a host hints to its clients: a bundle of the usual size.
pub const HINT_ENTRIES: usize = 150;

/// Bytes of the names that a host hints: Windows reads 16 KiB of them and cuts the rest, Java 32 KiB of a whole message.
pub const HINT_BYTES: usize = 12 * 1024;

/// Longest time for which a session may be resumed: what TLS 1.3 allows (RFC 8446, section 4.6.1).
pub const RESUMPTION_LIFETIME: Duration = Duration::from_secs(7 * 86_400);

/// Servers whose hints a client remembers if its identity does not fit them.
pub const UNFIT_HINTS: usize = 8;

/// Names of one server's hints that a client remembers.
pub const UNFIT_HINT_NAMES: usize = 32;

/// Sessions that are remembered for resumption, at some 4 KiB each and at most [`SESSION_BYTES`].
pub const STORED_SESSIONS: usize = 4096;

/// Rules that did not match and that an explanation tells of, the nearest ones; of the rest it tells how many.
pub const EXPLAINED_RULES: usize = 16;

/// Bytes of one session, stored or in a ticket, the client's certificates among them: what fits into one record of TLS. A
/// longer one is not resumed.
pub const SESSION_BYTES: usize = 16_000;
