//! The certificates, made once, and a plan as a policy of the crate.

use std::time::Duration;

use certmap::cert::SerialNumber;
use certmap::decision::Outcome;
use certmap::policy::ClientAuth;
use certmap::rustls::crypto::CryptoProvider;
use certmap::rustls::pki_types::UnixTime;
use certmap::testing::{NOW, TestCertificate, TestIdentity, TestName, TestRevocationList};
use certmap::trust::{ClientPurpose, Denial, Entry, Revocation};
use certmap::{
    CertUserMapping, Certificate, Decision, Enforcement, Evidence, Host, Policy, PolicyBuilder, RoleAssignment,
    Selector, Strength, TrustBundle, UserSource,
};

use super::model::subject;
use super::plan::{
    Answer, Bundle, CERTS, Cert, Denied, Enforce, Field, Holder, HostPlan, Kind, List, Mode, Plan, Quantifier, Rule,
    Selector as Who, Source, Strong, Test, cert,
};
use super::signatures::provider;

/// The certificates of [`CERTS`].
#[derive(Debug)]
pub struct World {
    certificates: Vec<(&'static Cert, TestIdentity)>,
    provider: CryptoProvider,
}

impl World {
    /// Makes them.
    ///
    /// # Panics
    /// Never: what is written here is well formed.
    #[must_use]
    pub fn new() -> Self {
        let mut made: Vec<(&'static Cert, TestIdentity)> = Vec::new();
        for cert in &CERTS {
            let find = |name: &str| &made.iter().find(|(known, _)| known.name == name).expect("issuers come first").1;
            let (first, last) = cert.validity;
            let mut new = TestCertificate::new(&subject(cert))
                .with_serial(&[cert.serial])
                .with_validity(at(first).as_secs(), at(last).as_secs());
            if cert.ca {
                new = new.as_ca();
            }
            if let Some(purpose) = cert.purpose {
                new = new.with_purpose(purpose);
            }
            if !cert.dns.is_empty() {
                let names: Vec<_> = cert.dns.iter().map(|name| TestName::Dns(name)).collect();
                new = new.with_alternative_names(&names);
            }
            if cert.key != cert.name {
                new = new.with_key_of(find(cert.key));
            }
            let real = if cert.issuer == cert.name {
                new.self_signed()
            } else {
                new.signed_with_wrong_key(find(cert.issuer), find(cert.signer))
            };
            made.push((cert, real));
        }
        Self { certificates: made, provider: provider() }
    }

    fn identity(&self, name: &str) -> &TestIdentity {
        &self.certificates.iter().find(|(known, _)| known.name == name).expect("a name of this world").1
    }

    fn real(&self, name: &str) -> &Certificate {
        self.identity(name).certificate()
    }

    /// True if the tests of these rules can be written.
    #[must_use]
    pub fn can_be_written(&self, test: &Test) -> bool {
        words(test).parse::<certmap::map::NameTest>().is_ok()
    }

    /// The policy itself.
    ///
    /// # Errors
    /// The codes of its problems, sorted.
    ///
    /// # Panics
    /// If a rule is not well formed.
    pub fn policy(&self, plan: &Plan) -> Result<Policy, Vec<&'static str>> {
        let mut hosts = plan.hosts.iter().map(|host| self.host(host));
        let mut builder = PolicyBuilder::for_host(hosts.next().expect("a plan has a host"));
        for host in hosts {
            builder = builder.host(host);
        }
        builder = builder.mappings(plan.rules.iter().map(|rule| self.rule(rule)));
        for assignment in &plan.assignments {
            let role = assignment.role.parse().expect("a role");
            let new = match assignment.holder {
                Holder::Rule(name) => RoleAssignment::to_rule(name.parse().expect("a name"), role),
                Holder::User(user) => RoleAssignment::new(user.parse().expect("a user"), role),
            };
            let enforcement = match assignment.enforce {
                Enforce::Enforce => Enforcement::Enforce,
                Enforce::Observe => Enforcement::Observe,
                Enforce::Warn => Enforcement::Warn,
            };
            builder = builder.assignment(new.at_least(real_strength(assignment.least)).with_enforcement(enforcement));
        }
        for user in &plan.disabled {
            builder = builder.disabled_user(user.parse().expect("a user"));
        }
        builder = builder.denials(plan.denials.iter().map(|denial| match denial {
            Denied::Key(name) => Denial::key(self.real(name).spki_fingerprint()),
            Denied::Serial(name) => {
                let serial = format!("{:02x}", cert(name).serial).parse::<SerialNumber>().expect("a serial number");
                Denial::serial(self.real(name).issuer().clone(), serial)
            }
        }));
        if !plan.lists.is_empty() {
            let grace = Duration::from_secs(plan.grace.into());
            let mut revocation = Revocation::new().danger_accept_stale_lists(grace);
            for list in &plan.lists {
                revocation.add_pem(self.list(list).as_bytes()).expect("a good list");
            }
            builder = builder.revocation(revocation);
        }
        if let Some(paths) = plan.remembered {
            builder = builder.remembered_paths(paths);
        }
        builder.build_with_provider(&self.provider).map_err(|error| {
            let mut codes: Vec<_> = error.problems().iter().map(certmap::policy::Problem::code).collect();
            codes.sort_unstable();
            codes.dedup();
            codes
        })
    }

    fn host(&self, plan: &HostPlan) -> Host {
        let mode = match plan.mode {
            Mode::None => ClientAuth::None,
            Mode::Request => ClientAuth::Request,
            Mode::Require => ClientAuth::Require,
        };
        let mut host = Host::new(plan.id.parse().expect("an id"), self.bundle(&plan.bundle)).with_client_auth(mode);
        if !plan.names.is_empty() {
            host = host.with_server_names(plan.names.iter().map(|name| name.parse().expect("a name")));
        }
        if plan.default { host.as_default() } else { host }
    }

    fn bundle(&self, plan: &Bundle) -> TrustBundle {
        let purpose = |always| if always { ClientPurpose::Required } else { ClientPurpose::IfStated };
        let mut bundle = TrustBundle::new(plan.name.parse().expect("a name")).with_purpose(purpose(plan.stated));
        if let Some(always) = plan.pins_stated {
            bundle = bundle.with_pin_purpose(purpose(always));
        }
        if let Some(most) = plan.most {
            bundle = bundle.with_path_length(most);
        }
        for (kind, name) in &plan.entries {
            let certificate = self.real(name).clone();
            let entry = match kind {
                Kind::Anchor => Entry::anchor(certificate),
                Kind::KeyPin => Entry::key_pin(certificate),
                Kind::Pin => Entry::pin(certificate),
            };
            bundle.add(entry.expect("a good certificate")).expect("each certificate once");
        }
        bundle
    }

    fn rule(&self, rule: &Rule) -> CertUserMapping {
        let selector = self.selector(&rule.selector);
        let new = match &rule.source {
            Source::User(user) => CertUserMapping::new(selector, user.parse().expect("a user")),
            Source::Template(_) => CertUserMapping::from_source(selector, source(&rule.source)),
        };
        let new = match rule.name {
            Some(name) => new.with_name(name.parse().expect("a name")),
            None => new,
        };
        if rule.exception { new.as_exception_over_name_rules() } else { new }
    }

    fn selector(&self, who: &Who) -> Selector {
        let text = match who {
            Who::Certificate(name) => self.real(name).fingerprint().to_string(),
            Who::Key(name) => self.real(name).spki_fingerprint().to_string(),
            Who::Under { anchor, through, by, test } => {
                let mut parts = vec![format!("under {}", self.real(anchor).fingerprint())];
                parts.extend(through.iter().map(|name| format!("through {}", self.real(name).fingerprint())));
                parts.extend(by.iter().map(|name| format!("issued-by {}", self.real(name).spki_fingerprint())));
                parts.push(words(test));
                parts.join(" ")
            }
        };
        text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    fn list(&self, list: &List) -> String {
        let mut new =
            TestRevocationList::new().with_dates(at(list.dates.0).as_secs(), Some(at(list.dates.1).as_secs()));
        for serial in &list.serials {
            new = new.revoking(&[*serial]);
        }
        new.signed_with_wrong_key(self.identity(list.issuer), self.identity(list.signer)).pem()
    }

    /// What a peer that presents these certificates leaves.
    ///
    /// # Panics
    /// If there is no such certificate, or `host` is no id.
    #[must_use]
    pub fn evidence(&self, host: &str, presented: &[&str]) -> Evidence {
        let chain = presented.iter().map(|name| self.real(name).der());
        Evidence::after_handshake(host.parse().expect("an id"), chain)
    }
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

/// The second as a time.
#[must_use]
pub fn at(second: i64) -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(NOW.as_secs().saturating_add_signed(second)))
}

/// What the crate said, in the model's words.
///
/// # Panics
/// On a word that there is none for.
#[must_use]
pub fn answer(decision: &Decision) -> Answer {
    match decision.outcome() {
        Outcome::Admitted(principal) => Answer::Admitted {
            user: principal.user().as_str().to_owned(),
            strong: strong(principal.strength()),
            roles: principal.roles().iter().map(|role| known(role.as_str())).collect(),
            short: principal
                .shortfalls()
                .iter()
                .map(|short| (known(short.role().as_str()), strong(short.least()), enforce(short.enforcement())))
                .collect(),
        },
        Outcome::Anonymous => Answer::Anonymous,
        Outcome::Refused(refusal) => Answer::Refused(vec![refusal.code().as_str()]),
    }
}

/// Every role there is.
pub const ROLES: [&str; 2] = ["app/read", "app/write"];

fn known(role: &str) -> &'static str {
    ROLES.iter().find(|known| **known == role).expect("a role of this world")
}

pub(super) fn strong(strength: Strength) -> Strong {
    match strength {
        Strength::Name => Strong::Name,
        Strength::Serial => Strong::Serial,
        Strength::Key => Strong::Key,
        Strength::Certificate => Strong::Certificate,
        other => panic!("no word for {other}"),
    }
}

fn real_strength(strong: Strong) -> Strength {
    match strong {
        Strong::Name => Strength::Name,
        Strong::Serial => Strength::Serial,
        Strong::Key => Strength::Key,
        Strong::Certificate => Strength::Certificate,
    }
}

fn enforce(enforcement: Enforcement) -> Enforce {
    match enforcement {
        Enforcement::Observe => Enforce::Observe,
        Enforcement::Warn => Enforce::Warn,
        Enforcement::Enforce => Enforce::Enforce,
        other => panic!("no word for {other:?}"),
    }
}

fn field(field: Field) -> String {
    match field {
        Field::Attribute(kind) => format!("attribute {kind}"),
        Field::Dns => "dns".to_owned(),
        Field::Serial => "serial".to_owned(),
        Field::Subject => "subject".to_owned(),
    }
}

/// A test as the grammar of selectors has it.
#[must_use]
pub fn words(test: &Test) -> String {
    let list = |tests: &[Test]| tests.iter().map(words).collect::<Vec<_>>();
    match test {
        Test::All(tests, nots) => {
            let mut parts = list(tests);
            parts.extend(list(nots).iter().map(|not| format!("not {not}")));
            format!("all({})", parts.join(", "))
        }
        Test::Any(tests) => format!("any({})", list(tests).join(", ")),
        Test::Every => "every-certificate".to_owned(),
        Test::Value(test) => {
            let mut parts = vec![field(test.field)];
            parts.extend(match test.which {
                Quantifier::All => Some("all".to_owned()),
                Quantifier::Any => Some("any".to_owned()),
                Quantifier::Nth(place) => Some(format!("nth({place})")),
                Quantifier::Only => None,
            });
            parts.extend(test.any_case.then(|| "ignoring-case".to_owned()));
            parts.extend(
                test.value.map(
                    |value| {
                        if test.field == Field::Serial { value.to_owned() } else { format!("\"{value}\"") }
                    },
                ),
            );
            parts.join(" ")
        }
    }
}

fn source(source: &Source) -> UserSource {
    let quoted = |text: &str| format!("\"{text}\"");
    let text = match source {
        Source::User(user) => quoted(user),
        Source::Template(template) => {
            let mut part = vec![field(template.field)];
            part.extend(template.nth.map(|place| format!("nth({place})")));
            for (word, text) in [("without-prefix", template.prefix), ("without-suffix", template.suffix)] {
                part.extend((!text.is_empty()).then(|| format!("{word} \"{text}\"")));
            }
            part.extend(template.lower.then(|| "in-lower-case".to_owned()));
            let mut pieces = vec![part.join(" ")];
            if !template.before.is_empty() {
                pieces.insert(0, quoted(template.before));
            }
            if !template.after.is_empty() {
                pieces.push(quoted(template.after));
            }
            let among: Vec<_> = template.among.iter().map(|user| quoted(user)).collect();
            let list = if among.is_empty() { String::new() } else { format!(" among ({})", among.join(", ")) };
            pieces.join(" + ") + &list
        }
    };
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}
