//! Small policies in plain words: what the model reads, and what [`world`](super::world) makes real.

/// A certificate, as far as anything depends on it.
#[derive(Debug)]
pub struct Cert {
    /// What it is called here.
    pub name: &'static str,
    /// The attributes of the subject, in the order of the certificate.
    pub subject: &'static [(&'static str, &'static str)],
    /// The DNS names, in the order of the certificate.
    pub dns: &'static [&'static str],
    /// The serial number.
    pub serial: u8,
    /// The first certificate that has its key.
    pub key: &'static str,
    /// A certificate with the issuer's name; itself, if it is self-signed.
    pub issuer: &'static str,
    /// A certificate with the key that signed it.
    pub signer: &'static str,
    /// First and last second of its validity.
    pub validity: (i64, i64),
    /// True if it is a CA.
    pub ca: bool,
    /// The one purpose that it states: 1 for servers, 2 for clients.
    pub purpose: Option<u8>,
}

/// As what a certificate stands in a bundle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// This certificate.
    Pin,
    /// Whatever has its key.
    KeyPin,
    /// What it issues.
    Anchor,
}

/// Whether a host asks for a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// It does not.
    None,
    /// It does, and takes it if there is none.
    Request,
    /// There has to be one.
    Require,
}

/// A host and its bundle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostPlan {
    /// Its id.
    pub id: &'static str,
    /// Whether it asks.
    pub mode: Mode,
    /// The names that it answers for.
    pub names: Vec<&'static str>,
    /// Whether it is said to be the default host.
    pub default: bool,
    /// Whom it believes.
    pub bundle: Bundle,
}

/// Whom a host believes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bundle {
    /// Its name.
    pub name: &'static str,
    /// What is in it, each certificate once.
    pub entries: Vec<(Kind, &'static str)>,
    /// How many intermediates may stand below an anchor.
    pub most: Option<u32>,
    /// True if clients below anchors have to state their purpose.
    pub stated: bool,
    /// Whether pins have to be for clients: where they say so (`false`), or always (`true`).
    pub pins_stated: Option<bool>,
}

/// What in a certificate a test looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// An attribute of the subject.
    Attribute(&'static str),
    /// The DNS names.
    Dns,
    /// The serial number.
    Serial,
    /// The whole subject.
    Subject,
}

/// Which of several values is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantifier {
    /// All of them.
    All,
    /// One of them.
    Any,
    /// The only one.
    Only,
    /// The one at this place.
    Nth(usize),
}

/// A test of one field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ValueTest {
    /// What it looks at.
    pub field: Field,
    /// Which value.
    pub which: Quantifier,
    /// True if the case of letters does not matter.
    pub any_case: bool,
    /// What has to stand there; `None` for whatever does.
    pub value: Option<&'static str>,
}

/// What a certificate has to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Test {
    /// All of the first hold, and surely none of the others.
    All(Vec<Test>, Vec<Test>),
    /// One of them holds.
    Any(Vec<Test>),
    /// Nothing.
    Every,
    /// This.
    Value(ValueTest),
}

/// Who is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selector {
    /// This certificate.
    Certificate(&'static str),
    /// Whatever has its key.
    Key(&'static str),
    /// What an anchor vouches for.
    Under {
        /// The anchor.
        anchor: &'static str,
        /// Intermediates that the path has.
        through: Vec<&'static str>,
        /// A certificate with the key that signed the client's.
        by: Option<&'static str>,
        /// What the certificate says.
        test: Test,
    },
}

/// Where the user's name comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// This user.
    User(&'static str),
    /// What the certificate says.
    Template(Template),
}

/// A user's name of three pieces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// What stands before the value.
    pub before: &'static str,
    /// Where the value stands.
    pub field: Field,
    /// At which place; `None` if it is the only one.
    pub nth: Option<usize>,
    /// What the value begins with, which is left out.
    pub prefix: &'static str,
    /// What the value ends with, which is left out.
    pub suffix: &'static str,
    /// True if it is turned into lower case.
    pub lower: bool,
    /// What stands behind the value.
    pub after: &'static str,
    /// Who there is, if that is listed.
    pub among: Vec<&'static str>,
}

/// A rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Who.
    pub selector: Selector,
    /// Is which user.
    pub source: Source,
    /// What it is called.
    pub name: Option<&'static str>,
    /// True if it is an exception.
    pub exception: bool,
}

/// Who has a role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holder {
    /// Whom rules of this name match.
    Rule(&'static str),
    /// This user.
    User(&'static str),
}

/// How strongly somebody is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Strong {
    /// By a name.
    Name,
    /// By a serial number.
    Serial,
    /// By a key.
    Key,
    /// By a certificate.
    Certificate,
}

/// What becomes of a role that asks for more strength than there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Enforce {
    /// It is given.
    Observe,
    /// It is given.
    Warn,
    /// It is not.
    Enforce,
}

/// A role for somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Assignment {
    /// Who.
    pub holder: Holder,
    /// What.
    pub role: &'static str,
    /// How strongly known.
    pub least: Strong,
    /// And if not.
    pub enforce: Enforce,
}

/// Who is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denied {
    /// Whatever has the key of this certificate.
    Key(&'static str),
    /// What has issuer and serial number of this certificate.
    Serial(&'static str),
}

/// A revocation list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct List {
    /// A certificate with the issuer's name.
    pub issuer: &'static str,
    /// A certificate with the key that signed it.
    pub signer: &'static str,
    /// The serial numbers.
    pub serials: Vec<u8>,
    /// When it was made and when the next one is due.
    pub dates: (i64, i64),
}

/// A small policy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// The hosts; at least one.
    pub hosts: Vec<HostPlan>,
    /// The rules.
    pub rules: Vec<Rule>,
    /// Who has which role.
    pub assignments: Vec<Assignment>,
    /// The users that are disabled.
    pub disabled: Vec<&'static str>,
    /// Who is refused.
    pub denials: Vec<Denied>,
    /// The revocation lists.
    pub lists: Vec<List>,
    /// For how many seconds lists are believed for longer.
    pub grace: u8,
    /// How many paths are remembered; `None` for as many as usual.
    pub remembered: Option<usize>,
}

/// What becomes of a peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It is this user.
    Admitted {
        /// Who.
        user: String,
        /// How strongly known.
        strong: Strong,
        /// With these roles, sorted.
        roles: Vec<&'static str>,
        /// For these, sorted, the strength does not suffice: which would, and what was done about it.
        short: Vec<(&'static str, Strong, Enforce)>,
    },
    /// It presented none, or was not asked.
    Anonymous,
    /// It is nobody, for one of these reasons.
    Refused(Vec<&'static str>),
}

impl Answer {
    /// True if this is what is expected.
    #[must_use]
    pub fn is_one_of(&self, expected: &Self) -> bool {
        match (self, expected) {
            (Self::Refused(codes), Self::Refused(possible)) => codes.iter().all(|code| possible.contains(code)),
            _ => self == expected,
        }
    }
}

const CA: Cert = Cert {
    name: "",
    subject: &[],
    dns: &[],
    serial: 1,
    key: "",
    issuer: "",
    signer: "",
    validity: (0, 1000),
    ca: true,
    purpose: None,
};
const CLIENT: Cert = Cert { ca: false, purpose: Some(2), ..CA };

/// Every certificate there is, issuers first.
///
/// Two roots; one CA that both of them certified, and one below it; a partner with a renewed certificate on one key and one
/// with a name that CAs give to others; clients of each CA; and who is nobody's.
pub const CERTS: [Cert; 17] = [
    Cert { name: "R1", subject: &[("CN", "root 1")], key: "R1", issuer: "R1", signer: "R1", validity: (0, 2000), ..CA },
    Cert { name: "R2", subject: &[("CN", "root 2")], key: "R2", issuer: "R2", signer: "R2", validity: (0, 800), ..CA },
    Cert {
        name: "S1",
        subject: &[("CN", "sub")],
        serial: 20,
        key: "S1",
        issuer: "R1",
        signer: "R1",
        validity: (0, 900),
        ..CA
    },
    Cert { name: "S2", subject: &[("CN", "sub")], serial: 21, key: "S1", issuer: "R2", signer: "R2", ..CA },
    Cert { name: "T", subject: &[("CN", "deep")], serial: 22, key: "T", issuer: "S1", signer: "S1", ..CA },
    Cert { name: "z", subject: &[("CN", "z")], key: "z", issuer: "z", signer: "z", ..CLIENT },
    Cert { name: "a", subject: &[("CN", "a")], serial: 5, key: "a", issuer: "a", signer: "a", purpose: None, ..CLIENT },
    Cert {
        name: "b",
        subject: &[("CN", "a"), ("OU", "renewed")],
        serial: 6,
        key: "a",
        issuer: "b",
        signer: "a",
        validity: (500, 1500),
        ..CLIENT
    },
    Cert {
        name: "q",
        subject: &[("CN", "c"), ("OU", "x")],
        dns: &["a.example"],
        serial: 7,
        key: "q",
        issuer: "q",
        signer: "q",
        purpose: Some(1),
        ..CLIENT
    },
    Cert {
        name: "c1",
        subject: &[("CN", "c"), ("OU", "x")],
        dns: &["a.example"],
        serial: 7,
        key: "c1",
        issuer: "R1",
        signer: "R1",
        ..CLIENT
    },
    Cert {
        name: "c2",
        subject: &[("CN", "c"), ("OU", "x"), ("OU", "y")],
        dns: &["a.example", "B.example"],
        serial: 8,
        key: "c2",
        issuer: "R1",
        signer: "R1",
        purpose: None,
        ..CLIENT
    },
    Cert {
        name: "c3",
        subject: &[("CN", "x/y")],
        dns: &["*.example", "a.example"],
        serial: 9,
        key: "c3",
        issuer: "R1",
        signer: "R1",
        ..CLIENT
    },
    Cert {
        name: "c4",
        subject: &[("CN", "c")],
        serial: 10,
        key: "c4",
        issuer: "R1",
        signer: "R1",
        purpose: Some(1),
        ..CLIENT
    },
    Cert {
        name: "m",
        subject: &[("CN", "c"), ("OU", "x")],
        dns: &["X.dev.example"],
        serial: 7,
        key: "m",
        issuer: "S1",
        signer: "S1",
        ..CLIENT
    },
    Cert {
        name: "n",
        subject: &[("CN", "n")],
        dns: &["a.dev.example"],
        serial: 7,
        key: "n",
        issuer: "T",
        signer: "T",
        ..CLIENT
    },
    Cert {
        name: "o",
        subject: &[("CN", "c"), ("OU", "x")],
        dns: &["a.example"],
        serial: 7,
        key: "c1",
        issuer: "R2",
        signer: "R2",
        ..CLIENT
    },
    Cert {
        name: "f",
        subject: &[("CN", "c"), ("OU", "x")],
        dns: &["a.example"],
        serial: 7,
        key: "f",
        issuer: "R1",
        signer: "z",
        ..CLIENT
    },
];

/// What peers present, their own certificate first.
pub const PRESENTED: [&[&str]; 23] = [
    &[],
    &["a"],
    &["b"],
    &["q"],
    &["c1"],
    &["c2"],
    &["c3"],
    &["c4"],
    &["m", "S1"],
    &["m", "S2"],
    &["m", "S2", "S1"],
    &["m"],
    &["n", "T", "S1"],
    &["n", "S2", "T"],
    &["n", "T"],
    &["o"],
    &["f"],
    &["z"],
    &["z", "c1", "S1"],
    &["a", "c1"],
    &["c1", "R1", "a"],
    &["R1"],
    &["S1"],
];

/// Seconds at which something begins, has ended, or neither.
pub const TIMES: [i64; 16] = [-1, 0, 299, 300, 499, 500, 600, 601, 800, 801, 900, 901, 1000, 1001, 1500, 1501];

/// The ids of hosts that a peer may have connected to.
pub const HOSTS: [&str; 3] = ["gw", "ask", "other"];

/// The certificate of this name.
///
/// # Panics
/// If there is none.
#[must_use]
pub fn cert(name: &str) -> &'static Cert {
    CERTS.iter().find(|cert| cert.name == name).unwrap_or_else(|| panic!("no certificate {name}"))
}
