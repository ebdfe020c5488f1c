//! Paths that are valid, and such as are broken in one way each: made at random, named by what was done to them.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use certmap::testing::{KeyUsageBit as Bit, NOW, TestCertificate, TestIdentity, TestName, TestRevocationList};
use certmap::{Certificate, NewKey};
use fastrand::Rng;

/// A place of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    EndEntity,
    Intermediate,
    Root,
}

use Place::{EndEntity, Intermediate, Root};

/// At which places of a path something is done, each with the number of intermediates that a path needs to have it.
type At = &'static [(Place, usize)];

const ANYWHERE: At = &[(EndEntity, 0), (Intermediate, 1), (Root, 0)];
const CAS: At = &[(Intermediate, 1), (Root, 0)];
const END_ENTITY: At = &[(EndEntity, 0)];
const INTERMEDIATES: At = &[(Intermediate, 1)];
/// CAs below which there is an intermediate.
const UPPER_CAS: At = &[(Intermediate, 2), (Root, 1)];

/// What is done to a plan, at one place of it: 0 is the end entity, the last one the root.
type Change = fn(&mut Plan, usize);

/// Classes that are valid.
const VALID: &[(&str, At, Change)] = &[
    ("plain", END_ENTITY, |_, _| ()),
    ("presented with its root, strangers and twice", END_ENTITY, |plan, _| plan.extras = true),
    ("first second", ANYWHERE, |plan, at| plan.members[at].validity.0 = NOW.as_secs()),
    ("last second but one", ANYWHERE, |plan, at| plan.members[at].validity.1 = NOW.as_secs() + 1),
    ("path length just enough", CAS, |plan, at| plan.members[at].basic = Some((true, u8::try_from(at - 1).ok()))),
    ("self-issued beyond the path length", UPPER_CAS, |plan, at| {
        plan.members[at].basic = Some((true, u8::try_from(at - 2).ok()));
        plan.members[at - 1].name = plan.members[at].name.clone();
        // Two CAs of one name have lists of one name.
        plan.unlisted = true;
    }),
    ("no key usage", ANYWHERE, |plan, at| plan.members[at].usage = None),
    ("client purpose", ANYWHERE, |plan, at| plan.members[at].purposes = Some(vec![2])),
    ("client and server purposes", ANYWHERE, |plan, at| plan.members[at].purposes = Some(vec![1, 2])),
    ("no purposes", END_ENTITY, |plan, _| plan.members[0].purposes = None),
    ("no basic constraints", END_ENTITY, |plan, _| plan.members[0].basic = None),
    ("DNS name permitted", CAS, |plan, at| {
        plan.names(TestName::Dns("erp.acme.example"));
        plan.permit(at, &[TestName::Dns("other.example"), TestName::Dns("acme.example")]);
    }),
    ("DNS name not excluded", CAS, |plan, at| {
        plan.names(TestName::Dns("erp.acme.example"));
        plan.exclude(at, &[TestName::Dns("evil.example")]);
    }),
    ("address permitted", CAS, |plan, at| {
        plan.names(TestName::Ip(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 9))));
        plan.permit(at, &[TestName::Network(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 0)), 24)]);
    }),
    ("other kinds of names constrained", CAS, |plan, at| {
        plan.names(TestName::Dns("erp.acme.example"));
        plan.permit(at, &[TestName::Email("acme.example"), TestName::Uri("acme.example")]);
    }),
    ("lists", END_ENTITY, |plan, _| plan.lists()),
    ("lists that revoke others", CAS, |plan, at| plan.list(at).revokes.push(99)),
    ("a list that will be out of date in a second", CAS, |plan, at| plan.list(at).dates.1 = NOW.as_secs() + 1),
];

/// Classes that are broken, each in one way.
const BROKEN: &[(&str, At, Change)] = &[
    ("own certificate not first", INTERMEDIATES, |plan, at| plan.first = at),
    ("own certificate not first, but one that may sign anything", INTERMEDIATES, |plan, at| {
        plan.first = at;
        plan.members[at].usage = Some(vec![Bit::DigitalSignature, Bit::KeyCertSign, Bit::CrlSign]);
    }),
    ("missing", CAS, |plan, at| plan.missing = Some(at)),
    ("last second", ANYWHERE, |plan, at| plan.members[at].validity.1 = NOW.as_secs()),
    ("expired", ANYWHERE, |plan, at| plan.members[at].validity.1 = NOW.as_secs() - 1),
    ("not yet valid", ANYWHERE, |plan, at| plan.members[at].validity.0 = NOW.as_secs() + 1),
    ("no CA by its basic constraints", CAS, |plan, at| plan.members[at].basic = Some((false, None))),
    ("no basic constraints", CAS, |plan, at| plan.members[at].basic = None),
    ("no basic constraints and no key usage", CAS, |plan, at| {
        plan.members[at].basic = None;
        plan.members[at].usage = None;
    }),
    ("CA by its basic constraints", END_ENTITY, |plan, _| plan.members[0].basic = Some((true, None))),
    ("version 1", ANYWHERE, |plan, at| {
        plan.members[at] = Member { version: 1, basic: None, usage: None, purposes: None, ..plan.members[at].clone() };
        plan.members[at].identified = false;
    }),
    ("version 1 with extensions", ANYWHERE, |plan, at| plan.members[at].version = 1),
    ("path length", UPPER_CAS, |plan, at| plan.members[at].basic = Some((true, u8::try_from(at - 2).ok()))),
    ("no keyCertSign", CAS, |plan, at| plan.members[at].usage = Some(vec![Bit::DigitalSignature, Bit::CrlSign])),
    ("no digitalSignature", END_ENTITY, |plan, _| plan.members[0].usage = Some(vec![Bit::KeyEncipherment])),
    ("keyAgreement only", END_ENTITY, |plan, _| plan.members[0].usage = Some(vec![Bit::KeyAgreement])),
    ("keyCertSign", END_ENTITY, |plan, _| {
        plan.members[0].usage = Some(vec![Bit::DigitalSignature, Bit::KeyCertSign]);
    }),
    ("DNS name not permitted", CAS, |plan, at| {
        plan.names(TestName::Dns("erp.evil.example"));
        plan.permit(at, &[TestName::Dns("acme.example")]);
    }),
    ("DNS name not permitted, not critical", CAS, |plan, at| {
        plan.names(TestName::Dns("erp.evil.example"));
        plan.permit(at, &[TestName::Dns("acme.example")]);
        plan.members[at].constraints_critical = false;
    }),
    ("DNS name excluded", CAS, |plan, at| {
        plan.names(TestName::Dns("erp.evil.example"));
        plan.exclude(at, &[TestName::Dns("evil.example")]);
    }),
    ("DNS name of an intermediate not permitted", UPPER_CAS, |plan, at| {
        plan.members[at - 1].names.push(TestName::Dns("ca.evil.example"));
        plan.permit(at, &[TestName::Dns("acme.example")]);
    }),
    ("common name like a DNS name not permitted", CAS, |plan, at| {
        "CN=erp.evil.example".clone_into(&mut plan.members[0].name);
        plan.permit(at, &[TestName::Dns("acme.example")]);
    }),
    ("DNS name permitted with a leading period", CAS, |plan, at| {
        plan.names(TestName::Dns("erp.acme.example"));
        plan.permit(at, &[TestName::Dns(".acme.example")]);
    }),
    ("address not permitted", CAS, |plan, at| {
        plan.names(TestName::Ip(IpAddr::V4(Ipv4Addr::new(198, 51, 100, 9))));
        plan.permit(at, &[TestName::Network(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 0)), 24)]);
    }),
    ("address excluded", CAS, |plan, at| {
        plan.names(TestName::Ip(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 9))));
        plan.exclude(at, &[TestName::Network(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 0)), 24)]);
    }),
    ("mail address not permitted", CAS, |plan, at| {
        plan.names(TestName::Email("erp@evil.example"));
        plan.permit(at, &[TestName::Email("acme.example")]);
    }),
    ("mail address permitted", CAS, |plan, at| {
        plan.names(TestName::Email("erp@acme.example"));
        plan.permit(at, &[TestName::Email("acme.example")]);
    }),
    ("mail address in the subject not permitted", CAS, |plan, at| {
        plan.members[0].name.insert_str(0, "1.2.840.113549.1.9.1=#1610617474406576696c2e6578616d706c65+");
        plan.permit(at, &[TestName::Email("acme.example")]);
    }),
    ("mail address in the subject excluded", CAS, |plan, at| {
        plan.members[0].name.insert_str(0, "1.2.840.113549.1.9.1=#1610617474406576696c2e6578616d706c65+");
        plan.exclude(at, &[TestName::Email("evil.example")]);
    }),
    ("URI not permitted", CAS, |plan, at| {
        plan.names(TestName::Uri("https://erp.evil.example/"));
        plan.permit(at, &[TestName::Uri("erp.acme.example")]);
    }),
    ("URI permitted", CAS, |plan, at| {
        plan.names(TestName::Uri("https://erp.acme.example/"));
        plan.permit(at, &[TestName::Uri("erp.acme.example")]);
    }),
    ("directory name not permitted", CAS, |plan, at| plan.permit(at, &[TestName::Directory("O=Acme")])),
    ("directory name not excluded", CAS, |plan, at| plan.exclude(at, &[TestName::Directory("O=Acme")])),
    ("empty constraints", CAS, |plan, at| plan.members[at].others.push(("2.5.29.30", true, &[0x30, 0]))),
    ("constraints", END_ENTITY, |plan, _| plan.permit(0, &[TestName::Dns("acme.example")])),
    ("wrong key", ANYWHERE, |plan, at| plan.members[at].forged = true),
    ("for servers", ANYWHERE, |plan, at| plan.members[at].purposes = Some(vec![1])),
    ("for no purpose", ANYWHERE, |plan, at| plan.members[at].purposes = Some(vec![])),
    ("for any purpose", ANYWHERE, |plan, at| plan.members[at].any_purpose()),
    ("unknown critical extension", ANYWHERE, |plan, at| plan.members[at].others.push(("1.2.3.4", true, &[5, 0]))),
    ("critical policies", ANYWHERE, |plan, at| plan.members[at].others.push(("2.5.29.32", true, ANY_POLICY))),
    ("revoked", ANYWHERE, |plan, at| {
        let serial = plan.members[at].serial;
        plan.list((at + 1).min(plan.root())).revokes.push(serial);
    }),
    ("revoked by the older of two lists", END_ENTITY, |plan, _| {
        let serial = plan.members[0].serial;
        plan.list(1).revoked_before.push(serial);
    }),
    // The operator decides by an anchor's list that everything below it is checked: without it, nothing is.
    ("no list", INTERMEDIATES, |plan, at| plan.list(at).left_out = true),
    ("list out of date", CAS, |plan, at| plan.list(at).dates.1 = NOW.as_secs() - 1),
    ("list in its last second", CAS, |plan, at| plan.list(at).dates.1 = NOW.as_secs()),
    ("list of the future", CAS, |plan, at| plan.list(at).dates.0 = NOW.as_secs() + 301),
    ("list of the near future", CAS, |plan, at| plan.list(at).dates.0 = NOW.as_secs() + 299),
    ("list with a wrong signature", CAS, |plan, at| plan.list(at).forged = true),
    ("list without a number", CAS, |plan, at| plan.list(at).numbered = false),
    ("list without cRLSign", CAS, |plan, at| {
        plan.lists();
        plan.members[at].usage = Some(vec![Bit::KeyCertSign]);
    }),
];

/// `anyPolicy`.
const ANY_POLICY: &[u8] = &[0x30, 8, 0x30, 6, 6, 4, 0x55, 0x1d, 32, 0];

/// A path to be made.
#[derive(Clone, Debug)]
struct Plan {
    /// The end entity, the intermediates from there upwards, the root.
    members: Vec<Member>,
    /// The revocation lists of the CAs, by their places; none of them or all.
    lists: BTreeMap<usize, List>,
    /// Which certificate is presented first.
    first: usize,
    missing: Option<usize>,
    extras: bool,
    unlisted: bool,
}

#[derive(Clone, Debug)]
struct Member {
    name: String,
    /// One more than its place.
    serial: u8,
    /// The serial number of the one above; a root has none.
    above: Option<u8>,
    version: u8,
    key: NewKey,
    validity: (u64, u64),
    basic: Option<(bool, Option<u8>)>,
    usage: Option<Vec<Bit>>,
    /// Last arcs of the purposes.
    purposes: Option<Vec<u8>>,
    names: Vec<TestName<'static>>,
    permitted: Vec<TestName<'static>>,
    excluded: Vec<TestName<'static>>,
    constraints_critical: bool,
    others: Vec<(&'static str, bool, &'static [u8])>,
    /// Has identifiers of its key and of its issuer's.
    identified: bool,
    /// Signed by somebody else; a root: of the same name on another key.
    forged: bool,
}

#[derive(Clone, Debug)]
struct List {
    revokes: Vec<u8>,
    /// On a list that is older, and on this one no more.
    revoked_before: Vec<u8>,
    dates: (u64, u64),
    left_out: bool,
    forged: bool,
    numbered: bool,
}

/// A path that was made.
#[derive(Debug)]
pub struct Case {
    pub class: &'static str,
    pub place: Place,
    pub valid: bool,
    pub presented: Vec<Certificate>,
    pub anchor: Certificate,
    pub lists: Vec<String>,
}

impl Plan {
    /// With at least so many intermediates.
    fn new(rng: &mut Rng, number: usize, least: usize) -> Self {
        let intermediates = rng.usize(least..=3);
        let keys = [NewKey::EcP256, NewKey::EcP256, NewKey::EcP384, NewKey::Ed25519, NewKey::Rsa2048];
        let member = |place: usize, rng: &mut Rng| {
            let is_ca = place > 0;
            let usage = if is_ca { vec![Bit::KeyCertSign, Bit::CrlSign] } else { vec![Bit::DigitalSignature] };
            Member {
                name: format!("CN={} {number}", if is_ca { format!("ca {place}") } else { "partner".to_owned() }),
                serial: u8::try_from(place).unwrap() + 1,
                above: (place <= intermediates).then(|| u8::try_from(place).unwrap() + 2),
                version: 3,
                key: keys[rng.usize(..keys.len())],
                validity: (NOW.as_secs() - 86_400, NOW.as_secs() + 86_400),
                basic: Some((is_ca, None)),
                usage: Some(usage),
                purposes: (!is_ca).then(|| vec![2]),
                names: Vec::new(),
                permitted: Vec::new(),
                excluded: Vec::new(),
                constraints_critical: true,
                others: Vec::new(),
                identified: true,
                forged: false,
            }
        };
        let members = (0..intermediates + 2).map(|place| member(place, rng)).collect();
        Self { members, lists: BTreeMap::new(), first: 0, missing: None, extras: false, unlisted: false }
    }

    fn root(&self) -> usize {
        self.members.len() - 1
    }

    fn names(&mut self, name: TestName<'static>) {
        self.members[0].names.push(name);
    }

    fn permit(&mut self, at: usize, names: &[TestName<'static>]) {
        self.members[at].permitted.extend(names);
    }

    fn exclude(&mut self, at: usize, names: &[TestName<'static>]) {
        self.members[at].excluded.extend(names);
    }

    fn lists(&mut self) {
        for place in 1..=self.root() {
            self.lists.entry(place).or_insert_with(|| List {
                revokes: vec![77],
                revoked_before: Vec::new(),
                dates: (NOW.as_secs() - 3_600, NOW.as_secs() + 3_600),
                left_out: false,
                forged: false,
                numbered: true,
            });
        }
    }

    fn list(&mut self, at: usize) -> &mut List {
        self.lists();
        self.lists.get_mut(&at).unwrap()
    }

    fn make(&self, (class, place, valid): (&'static str, Place, bool), rng: &mut Rng) -> Case {
        let stranger = TestCertificate::new("CN=stranger").as_ca().self_signed();
        let mut made: Vec<TestIdentity> = Vec::new();
        for member in self.members.iter().rev() {
            made.push(match made.last() {
                None => member.certificate().self_signed(),
                Some(issuer) if member.forged => member.certificate().signed_with_wrong_key(issuer, &stranger),
                Some(issuer) => member.certificate().issued_by(issuer),
            });
        }
        made.reverse();
        let anchor = match (&self.members[self.root()], self.missing) {
            (_, Some(missing)) if missing == self.root() => stranger.certificate().clone(),
            // Another key under the name that the path leads to.
            (root, _) if root.forged => {
                root.certificate().with_new_key(NewKey::EcP256).self_signed().certificate().clone()
            }
            _ => made[self.root()].certificate().clone(),
        };
        let mut lists = Vec::new();
        for (place, list) in &self.lists {
            let issuer = &made[*place];
            let signer = if list.forged { &stranger } else { issuer };
            let (this, next) = list.dates;
            let write = |number: u8, revoked: &[u8], this: u64, next: u64| {
                let list = revoked.iter().fold(TestRevocationList::new(), |list, serial| list.revoking(&[*serial]));
                list.with_number(&[number]).with_dates(this, Some(next))
            };
            if !list.revoked_before.is_empty() {
                lists.push(write(1, &list.revoked_before, this - 9_000, next).signed_by(issuer).pem());
            }
            let new = write(2, &list.revokes, this, next.max(this + u64::from(next > NOW.as_secs())));
            let new = if list.numbered { new } else { new.without_number() };
            if !list.left_out {
                lists.push(new.signed_with_wrong_key(issuer, signer).pem());
            }
        }
        let mut presented: Vec<_> = made.iter().map(|made| made.certificate().clone()).collect();
        let root = presented.pop().unwrap();
        let first = presented.remove(self.first);
        if let Some(missing) = self.missing.filter(|missing| *missing < self.root()) {
            presented.remove(missing - 1);
        }
        if self.extras {
            presented.extend([root, stranger.certificate().clone(), first.clone()]);
        }
        rng.shuffle(&mut presented);
        presented.insert(0, first);
        Case { class, place, valid, presented, anchor, lists }
    }
}

impl Member {
    fn any_purpose(&mut self) {
        self.purposes = None;
        self.others.push(("2.5.29.37", false, &[0x30, 6, 6, 4, 0x55, 0x1d, 37, 0]));
    }

    fn certificate(&self) -> TestCertificate {
        let (first, last) = self.validity;
        let mut made = TestCertificate::new(&self.name)
            .with_serial(&[self.serial])
            .with_version(self.version)
            .with_validity(first, last)
            .with_new_key(self.key);
        if let Some((ca, path_length)) = self.basic {
            made = made.with_basic_constraints(ca, path_length, true);
        }
        if let Some(usage) = &self.usage {
            made = made.with_key_usage(usage);
        }
        if let Some(purposes) = &self.purposes {
            made = made.with_purposes(purposes);
        }
        if !self.names.is_empty() {
            made = made.with_alternative_names(&self.names);
        }
        if !self.permitted.is_empty() || !self.excluded.is_empty() {
            made = made.with_name_constraints(&self.permitted, &self.excluded, self.constraints_critical);
        }
        if self.identified {
            made = made.with_key_identifier(&[self.serial; 20]);
            if let Some(above) = self.above {
                let issuer = [&[0x30, 22, 0x80, 20][..], &[above; 20]].concat();
                made = made.with_extension("2.5.29.35", false, &issuer);
            }
        }
        self.others.iter().fold(made, |made, (oid, critical, value)| made.with_extension(oid, *critical, value))
    }
}

/// Every class of cases at each of its places, so many times.
pub fn cases(rounds: usize, rng: &mut Rng) -> Vec<Case> {
    let mut all = Vec::new();
    let classes = VALID.iter().map(|class| (true, class)).chain(BROKEN.iter().map(|class| (false, class)));
    for (valid, (class, places, change)) in classes {
        for round in 0..rounds {
            for (place, least) in *places {
                let mut plan = Plan::new(rng, all.len(), *least);
                let at = match place {
                    EndEntity => 0,
                    Intermediate => rng.usize(*least..plan.root()),
                    Root => plan.root(),
                };
                change(&mut plan, at);
                // What a case is not about varies.
                if round % 3 == 0 && !plan.unlisted {
                    plan.lists();
                }
                plan.extras |= rng.u8(..4) == 0 && plan.missing.is_none();
                all.push(plan.make((class, *place, valid), rng));
            }
        }
    }
    all
}
