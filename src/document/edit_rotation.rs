//! Editing while a partner changes its certificate: both stand side by side, then the old one goes.

use std::collections::BTreeSet;

use super::changes::{Change, Changes};
use super::edit::{EditError, Editor, take};
use super::kind::AddedAs;
use super::names::Names;
use super::understood::{Known, Understood};
use super::write::{self, Aliases, added};
use super::written::{List, Text};
use crate::cert::Certificate;
use crate::map::{CertUserMapping, Selector};
use crate::trust::{Alias, Entry};

impl Editor<'_> {
    /// Puts a partner's new certificate beside its old one: pinned in each bundle where that is pinned, as the same kind and
    /// for the same server names, and named by rules of the same kind, with the same users and names, so that both are the
    /// same user with the same roles. What holds of the new one already is no change.
    ///
    /// The new one answers for the servers for which the old one did, whatever names are in it. That a rule is an exception over
    /// name rules is not carried over: declare it anew if the new certificate needs it. Whose the new certificate is
    /// already says [`Rotation::claims`](crate::review::Rotation::claims), on the policy before.
    ///
    /// A rule under a CA and a rule or pin of the key, if the new certificate has the same one, need nothing beside them.
    /// Whether both really are the same user is for
    /// [`Rotation::check`](crate::review::Rotation::check) to say, on the policy that is built then.
    ///
    /// # Errors
    /// [`EditError::NotFound`] if the old one is neither pinned nor named by a rule of its own, and [`EditError::Problems`]: if
    /// the new one is somebody else's already, for instance, or a bundle is full.
    ///
    /// ```
    /// use certmap::document::{AddedAs, Document, NoReferences};
    /// use certmap::CertUserMapping;
    /// # use certmap::testing::TestCertificate;
    /// # let (old, new) = (TestCertificate::new("CN=acme").self_signed(), TestCertificate::new("CN=acme").self_signed());
    /// # let (old, new) = (old.certificate().clone(), new.certificate().clone());
    /// let mut document = Document::new();
    /// let mut edit = document.edit(&NoReferences);
    /// edit.add_ca(&"partners".parse()?, &old.der(), Some(AddedAs::Pin), None)?;
    /// edit.map(&CertUserMapping::new(format!("{}", old.fingerprint()).parse()?, "ACME".parse()?))?;
    ///
    /// assert_eq!(edit.stage_rotation(&old, &new, None)?.as_slice().len(), 2);
    /// // … until the partner has switched …
    /// assert_eq!(edit.finish_rotation(&old, &new)?.as_slice().len(), 2);
    /// assert_eq!(document.list_cas(None, &NoReferences)[0].certificate(), &new);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn stage_rotation(
        &mut self,
        old: &Certificate,
        new: &Certificate,
        alias: Option<&Alias>,
    ) -> Result<Changes, EditError> {
        let understood = self.understood();
        let steps = Steps::of(&understood, old, new);
        if !steps.found {
            return Err(EditError::NotFound { what: described(old) });
        }
        let mut next = self.document.clone();
        let mut changes = Vec::new();
        for (at, known) in steps.pins {
            let Some(item) = self.document.certificates.get(at) else { continue };
            let mut written = write::new_certificate(&known.bundle, known.kind.as_str(), alias, new);
            written.server_names = item.written.server_names.clone().or_else(|| names_of_old(old, new));
            next.certificates.push(added(written));
            changes.push(Change::CertificateAdded {
                bundle: known.bundle.clone(),
                kind: known.kind,
                fingerprint: new.fingerprint(),
                subject: new.subject(),
            });
        }
        let aliases = Names::of(self.document, &understood.certificates).unique();
        for rule in steps.rules {
            next.mappings.push(added(write::mapping(&rule, &aliases)));
            changes.push(Change::Mapped { selector: rule.selector().clone(), user: rule.source().clone() });
        }
        self.accept(next, changes)
    }

    /// Takes out a partner's old certificate after it has switched to the new one: its pins and the rules of its own.
    ///
    /// Whether nobody uses it any more is for [`Rotation::safe_to_remove`](crate::review::Rotation::safe_to_remove) to say.
    ///
    /// # Errors
    /// [`EditError::NotFound`] if there is nothing of it, [`EditError::NotStaged`] if the new one does not stand beside it
    /// everywhere, and [`EditError::Problems`].
    pub fn finish_rotation(&mut self, old: &Certificate, new: &Certificate) -> Result<Changes, EditError> {
        let understood = self.understood();
        let steps = Steps::of(&understood, old, new);
        if !steps.found {
            return Err(EditError::NotFound { what: described(old) });
        }
        let lacking = steps.pins.first().map(|(_, known)| format!("in bundle `{}`", known.bundle));
        let lacking = lacking.or_else(|| steps.rules.first().map(|rule| format!("as {}", rule.source())));
        if let Some(lacking) = lacking {
            return Err(EditError::NotStaged { certificate: new.fingerprint(), lacking });
        }
        let mut next = self.document.clone();
        let turn = Turn { old, new };
        let pins = take(&mut next.certificates, &understood.certificates, |known| turn.ends_pin(known));
        // A rule of the key that both have stays, and may be written by the alias of the certificate that goes.
        let of_both = Selector::key(old.spki_fingerprint());
        for (item, rule) in next.mappings.iter_mut().zip(&understood.mappings) {
            if let Some(rule) = rule.as_ref().filter(|rule| turn.same_key() && *rule.selector() == of_both) {
                item.written.selector = write::mapping(rule, &Aliases::new()).selector;
            }
        }
        let rules = take(&mut next.mappings, &understood.mappings, |rule| turn.ends_rule(rule.selector()));
        let removed = pins.into_iter().map(|known| Change::CertificateRemoved {
            bundle: known.bundle.clone(),
            kind: known.kind,
            fingerprint: known.certificate.fingerprint(),
            subject: known.certificate.subject(),
        });
        let unmapped = rules
            .into_iter()
            .map(|rule| Change::Unmapped { selector: rule.selector().clone(), user: rule.source().clone() });
        let changes = removed.chain(unmapped).collect();
        self.accept(next, changes)
    }
}

/// From one certificate to the other.
#[derive(Clone, Copy)]
struct Turn<'a> {
    old: &'a Certificate,
    new: &'a Certificate,
}

impl Turn<'_> {
    fn same_key(self) -> bool {
        self.old.spki_fingerprint() == self.new.spki_fingerprint()
    }

    /// True for what is of the old certificate only. A pin of a key that both have is of both.
    fn ends_pin(self, known: &Known) -> bool {
        match known.kind {
            AddedAs::Anchor | AddedAs::OddAnchor => false,
            AddedAs::KeyPin => !self.same_key() && known.certificate.spki_fingerprint() == self.old.spki_fingerprint(),
            AddedAs::Pin => known.certificate == *self.old,
        }
    }

    /// As [`ends_pin`](Self::ends_pin), of rules.
    fn ends_rule(self, selector: &Selector) -> bool {
        *selector == Selector::certificate(self.old.fingerprint())
            || (!self.same_key() && *selector == Selector::key(self.old.spki_fingerprint()))
    }

    /// The selector of the same kind for the new certificate.
    fn turned(self, selector: &Selector) -> Selector {
        if *selector == Selector::certificate(self.old.fingerprint()) {
            Selector::certificate(self.new.fingerprint())
        } else {
            Selector::key(self.new.spki_fingerprint())
        }
    }
}

/// What the new certificate lacks that the old one has.
struct Steps<'a> {
    /// True if there is anything of the old one.
    found: bool,
    /// Each pin of the old one, by its place in the document.
    pins: Vec<(usize, &'a Known)>,
    rules: Vec<CertUserMapping>,
}

impl<'a> Steps<'a> {
    fn of(understood: &'a Understood, old: &Certificate, new: &Certificate) -> Self {
        let turn = Turn { old, new };
        let mut steps = Self { found: false, pins: Vec::new(), rules: Vec::new() };
        let known = || understood.certificates.iter().enumerate().filter_map(|(at, known)| Some((at, known.as_ref()?)));
        for (at, pin) in known().filter(|(_, known)| turn.ends_pin(known)) {
            steps.found = true;
            let there = |known: &Known| {
                let same = match pin.kind {
                    AddedAs::KeyPin => known.certificate.spki_fingerprint() == new.spki_fingerprint(),
                    AddedAs::Anchor | AddedAs::OddAnchor | AddedAs::Pin => known.certificate == *new,
                };
                same && known.bundle == pin.bundle && known.kind == pin.kind
            };
            let added = steps.pins.iter().any(|(_, other)| other.bundle == pin.bundle && other.kind == pin.kind);
            if !added && !known().any(|(_, known)| there(known)) {
                steps.pins.push((at, pin));
            }
        }
        let rules = || understood.mappings.iter().flatten();
        for rule in rules().filter(|rule| turn.ends_rule(rule.selector())) {
            steps.found = true;
            let turned = CertUserMapping::from_source(turn.turned(rule.selector()), rule.source().clone());
            let turned = match rule.name() {
                Some(name) => turned.with_name(name.clone()),
                None => turned,
            };
            let says_so = |present: &CertUserMapping| {
                (present.selector(), present.source(), present.name())
                    == (turned.selector(), turned.source(), turned.name())
            };
            if !rules().any(says_so) && !steps.rules.contains(&turned) {
                steps.rules.push(turned);
            }
        }
        steps
    }
}

/// The servers for which the old one answers by the names in it, if those in the new one are others.
fn names_of_old(old: &Certificate, new: &Certificate) -> Option<List<Text>> {
    let names = |certificate: &Certificate| {
        let pin = Entry::pin(certificate.clone()).ok()?;
        Some(pin.server_names().iter().map(|name| name.to_str().into_owned()).collect::<BTreeSet<_>>())
    };
    let (old, new) = (names(old)?, names(new)?);
    (!new.is_subset(&old)).then(|| List(old.iter().map(write::text).collect()))
}

fn described(old: &Certificate) -> String {
    format!("a pin or a rule of certificate {} (`{}`)", old.fingerprint(), old.subject())
}
