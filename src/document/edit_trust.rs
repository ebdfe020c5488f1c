//! Editing whom hosts believe: `add-ca`, `list-cas`, `remove-ca` and `set-ssl-host`, as SAP's console has them.

use core::fmt;
use std::collections::BTreeSet;

use rustls::pki_types::UnixTime;

use super::Document;
use super::changes::{Change, Changes};
use super::edit::{EditError, Editor, take};
use super::kind::AddedAs;
use super::place::Item;
use super::reference::References;
use super::understood::{Known, Understood};
use super::write::{self, added};
use super::written::{self, List, Text};
use crate::cert::{Certificate, Fingerprint, SerialNumber, Standing, show};
use crate::policy::{ClientAuth, Hints, HostId, HostName, ListenerName, UntrustedClients};
use crate::trust::{Alias, BundleName};

/// Which certificates of a bundle are taken out.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Removal<'a> {
    /// All of them, and the bundle.
    Bundle,
    /// Those whose validity ended before this time.
    Expired(UnixTime),
    /// This one.
    Fingerprint(&'a Fingerprint),
    /// Those with one of these serial numbers; several CAs may have given the same.
    Serials(&'a [SerialNumber]),
}

/// A certificate of a document. Prints on one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedCertificate {
    bundle: BundleName,
    kind: AddedAs,
    alias: Option<Alias>,
    certificate: Certificate,
}

impl ListedCertificate {
    /// The bundle in which it is.
    #[must_use]
    pub fn bundle(&self) -> &BundleName {
        &self.bundle
    }

    /// As what it is there.
    #[must_use]
    pub fn kind(&self) -> AddedAs {
        self.kind
    }

    /// Its name, for people and rules.
    #[must_use]
    pub fn alias(&self) -> Option<&Alias> {
        self.alias.as_ref()
    }

    /// The certificate.
    #[must_use]
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }
}

impl fmt::Display for ListedCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { bundle, kind, alias, certificate } = self;
        let (subject, issuer, serial) = (certificate.subject(), certificate.issuer(), certificate.serial());
        let (until, fingerprint) = (show(certificate.validity().not_after()), certificate.fingerprint());
        let alias = alias.as_ref().map_or("-", Alias::as_str);
        write!(
            f,
            "{bundle} {kind} {alias} subject=\"{subject}\" issuer=\"{issuer}\" serial={serial} not-after={until} {fingerprint}"
        )
    }
}

impl Document {
    /// The certificates of a bundle, or of all bundles, in the order of bundle, kind and fingerprint. What cannot be read
    /// is no certificate; it is a problem when the document is built.
    #[must_use]
    pub fn list_cas(&self, bundle: Option<&BundleName>, references: &dyn References) -> Vec<ListedCertificate> {
        let known = Understood::of(self, references).certificates.into_iter().flatten();
        let known = known.filter(|known| bundle.is_none_or(|bundle| *bundle == known.bundle));
        let mut listed: Vec<_> = known
            .map(|Known { bundle, kind, alias, certificate }| ListedCertificate { bundle, kind, alias, certificate })
            .collect();
        listed.sort_by_cached_key(|one| (one.bundle.clone(), one.kind.as_str(), one.certificate.fingerprint()));
        listed
    }
}

/// What of a host shall be as said here; the rest stays.
///
/// ```
/// use certmap::document::HostSettings;
/// use certmap::policy::ClientAuth;
/// let settings = HostSettings::new().with_bundle("partners".parse()?, ClientAuth::Request);
/// # Ok::<(), certmap::InvalidLabel>(())
/// ```
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct HostSettings {
    bundle: Option<BundleName>,
    client_auth: Option<ClientAuth>,
    listener: Option<ListenerName>,
    server_names: Option<Vec<HostName>>,
    untrusted: Option<UntrustedClients>,
    hints: Option<Hints>,
    default: Option<bool>,
}

impl HostSettings {
    /// Everything stays.
    pub fn new() -> Self {
        Self::default()
    }

    /// Which bundle it believes, and whether it asks for a certificate: SAP's `--ca-bundle partners:require`.
    pub fn with_bundle(self, bundle: BundleName, client_auth: ClientAuth) -> Self {
        Self { bundle: Some(bundle), client_auth: Some(client_auth), ..self }
    }

    /// Whether it asks for a certificate.
    pub fn with_client_auth(self, client_auth: ClientAuth) -> Self {
        Self { client_auth: Some(client_auth), ..self }
    }

    /// Behind which listener it is.
    pub fn with_listener(self, listener: ListenerName) -> Self {
        Self { listener: Some(listener), ..self }
    }

    /// For which server names it answers.
    pub fn with_server_names(self, names: impl IntoIterator<Item = HostName>) -> Self {
        Self { server_names: Some(names.into_iter().collect()), ..self }
    }

    /// What becomes of clients that nothing vouches for.
    pub fn with_untrusted(self, untrusted: UntrustedClients) -> Self {
        Self { untrusted: Some(untrusted), ..self }
    }

    /// What is hinted to clients.
    pub fn with_hints(self, hints: Hints) -> Self {
        Self { hints: Some(hints), ..self }
    }

    /// Makes it the default host of its listener, although it has names.
    pub fn as_default(self) -> Self {
        Self { default: Some(true), ..self }
    }

    /// Makes it the default host no more.
    pub fn as_no_default(self) -> Self {
        Self { default: Some(false), ..self }
    }

    /// Writes it into a host; every key that has another value now.
    fn write(&self, host: &mut written::Host) -> Vec<(&'static str, Option<String>, Option<String>)> {
        let mut changes = Vec::new();
        let mut set = |key, field: &mut Option<Text>, value: Option<&str>, usual: Option<&str>| {
            let Some(value) = value else { return };
            let present = match field {
                Some(Text::Plain(text)) => Some(&**text),
                Some(Text::PrivateKey) => None,
                None => usual,
            };
            if present == Some(value) {
                return;
            }
            changes.push((key, present.map(str::to_owned), Some(value.to_owned())));
            *field = if usual == Some(value) { None } else { Some(value.into()) };
        };
        set("bundle", &mut host.bundle, self.bundle.as_ref().map(BundleName::as_str), None);
        let usual = ClientAuth::default().as_str();
        set("client-auth", &mut host.client_auth, self.client_auth.map(ClientAuth::as_str), Some(usual));
        set("listener", &mut host.listener, self.listener.as_ref().map(ListenerName::as_str), Some("main"));
        let usual = UntrustedClients::default().as_str();
        set("untrusted", &mut host.untrusted, self.untrusted.map(UntrustedClients::as_str), Some(usual));
        set("hints", &mut host.hints, self.hints.map(Hints::as_str), Some(Hints::default().as_str()));
        if let Some(names) = &self.server_names {
            let names: BTreeSet<_> = names.iter().map(ToString::to_string).collect();
            let texts: Vec<Text> = names.iter().map(|name| name.as_str().into()).collect();
            let present = host.server_names.as_ref().map(|names| names_of(&names.0));
            let next = Some(names_of(&texts));
            if present != next {
                changes.push(("server-names", present, next));
                host.server_names = Some(List(texts));
            }
        }
        if let Some(default) = self.default
            && default != (host.default == Some(true))
        {
            let word = |default: bool| Some(default.to_string());
            changes.push(("default", word(!default), word(default)));
            host.default = default.then_some(true);
        }
        changes
    }
}

fn names_of(names: &[Text]) -> String {
    let plain = names.iter().filter_map(|name| match name {
        Text::Plain(name) => Some(&**name),
        Text::PrivateKey => None,
    });
    plain.collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>().join(", ")
}

impl Editor<'_> {
    /// Puts the certificates of a PEM or DER file into a bundle, which is made if there is none of that name: all of them
    /// or, if one cannot be added, none. What is there already, as the same kind, is no change.
    ///
    /// Without a kind, what is no CA becomes a pin. Every CA certificate, an intermediate's too, wants a kind. An alias is for one
    /// certificate.
    ///
    /// # Errors
    /// [`EditError::PinOrAnchor`] for a CA certificate without a kind: whatever a program guessed, it would be
    /// wrong for half of them, and one mistake makes a partner a certificate authority. [`EditError::Certificate`], and
    /// [`EditError::Problems`] if it does not fit or the bundle is full.
    pub fn add_ca(
        &mut self,
        bundle: &BundleName,
        pem: &[u8],
        kind: Option<AddedAs>,
        alias: Option<&Alias>,
    ) -> Result<Changes, EditError> {
        let certificates = match alias {
            Some(_) => Certificate::from_pem(pem).map(|one| vec![one]),
            None => Certificate::all_from_pem(pem),
        };
        let certificates = certificates.map_err(EditError::Certificate)?;
        let understood = self.understood();
        let mut next = self.document.clone();
        let mut changes = Vec::new();
        if !understood.bundles.contains_key(bundle) {
            next.bundles.push(added(written::Bundle { name: Some(write::text(bundle)), ..written::Bundle::default() }));
            changes.push(Change::BundleAdded(bundle.clone()));
        }
        let mut seen = BTreeSet::new();
        for certificate in certificates {
            let kind = kind_of(kind, &certificate)?;
            let same = |known: &Known| {
                known.bundle == *bundle
                    && known.certificate == certificate
                    && known.kind == kind
                    && (alias.is_none() || known.alias.as_ref() == alias)
            };
            if understood.certificates.iter().flatten().any(same) || !seen.insert(certificate.fingerprint()) {
                continue;
            }
            next.certificates.push(added(write::new_certificate(bundle, kind.as_str(), alias, &certificate)));
            changes.push(Change::CertificateAdded {
                bundle: bundle.clone(),
                kind,
                fingerprint: certificate.fingerprint(),
                subject: certificate.subject(),
            });
        }
        self.accept(next, changes)
    }

    /// Takes certificates out of a bundle. Of a list of serial numbers each must be there; expired ones need not be.
    ///
    /// # Errors
    /// [`EditError::NotFound`], and [`EditError::Problems`] if a rule needs one of them by name, or a host would be left
    /// with nobody to believe.
    pub fn remove_ca(&mut self, bundle: &BundleName, which: Removal<'_>) -> Result<Changes, EditError> {
        let understood = self.understood();
        if !understood.bundles.contains_key(bundle) {
            return Err(EditError::NotFound { what: format!("bundle `{bundle}`") });
        }
        let in_bundle = |known: &Known| known.bundle == *bundle;
        let is_meant = |known: &Known| {
            let certificate = &known.certificate;
            match which {
                Removal::Bundle => true,
                Removal::Expired(now) => certificate.validity().standing(now) == Standing::Late,
                Removal::Fingerprint(fingerprint) => certificate.fingerprint() == *fingerprint,
                Removal::Serials(serials) => serials.contains(certificate.serial()),
            }
        };
        let mut next = self.document.clone();
        let removed = take(&mut next.certificates, &understood.certificates, |one| in_bundle(one) && is_meant(one));
        let lacking = match which {
            Removal::Bundle | Removal::Expired(_) => None,
            Removal::Fingerprint(fingerprint) => removed.is_empty().then(|| fingerprint.to_string()),
            Removal::Serials(serials) => {
                let lacks = |serial: &&SerialNumber| !removed.iter().any(|one| one.certificate.serial() == *serial);
                let lacking: Vec<_> = serials.iter().filter(lacks).map(ToString::to_string).collect();
                (!lacking.is_empty()).then(|| format!("with serial number {}", lacking.join(", ")))
            }
        };
        if let Some(lacking) = lacking {
            return Err(EditError::NotFound { what: format!("a certificate {lacking} in bundle `{bundle}`") });
        }
        let mut changes: Vec<_> = removed
            .into_iter()
            .map(|known| Change::CertificateRemoved {
                bundle: bundle.clone(),
                kind: known.kind,
                fingerprint: known.certificate.fingerprint(),
                subject: known.certificate.subject(),
            })
            .collect();
        if matches!(which, Removal::Bundle) {
            next.bundles.retain(|item| !is(item.written.name.as_ref(), bundle.as_str()));
            // What cannot be read is in the bundle too.
            next.certificates.retain(|item| !is(item.written.bundle.as_ref(), bundle.as_str()));
            changes.push(Change::BundleRemoved(bundle.clone()));
        }
        self.accept(next, changes)
    }

    /// Sets what is said of a host, which is made if there is none of that id.
    ///
    /// # Errors
    /// [`EditError::Problems`] if it would contradict another host, or believe a bundle that is empty or not there.
    pub fn set_ssl_host(&mut self, host: &HostId, settings: &HostSettings) -> Result<Changes, EditError> {
        let mut next = self.document.clone();
        let mut changes = Vec::new();
        if !next.hosts.iter().any(|item| is(item.written.id.as_ref(), host.as_str())) {
            next.hosts.push(added(written::Host { id: Some(write::text(host)), ..written::Host::default() }));
            changes.push(Change::HostAdded(host.clone()));
        }
        if let Some(item) = next.hosts.iter_mut().find(|item| is(item.written.id.as_ref(), host.as_str())) {
            let set = settings.write(&mut item.written).into_iter();
            changes.extend(set.map(|(key, from, to)| Change::HostChanged { host: host.clone(), key, from, to }));
        }
        self.accept(next, changes)
    }

    /// Takes out a host.
    ///
    /// # Errors
    /// [`EditError::NotFound`], and [`EditError::Problems`] if it is the last one.
    pub fn remove_ssl_host(&mut self, host: &HostId) -> Result<Changes, EditError> {
        let mut next = self.document.clone();
        next.hosts.retain(|item: &Item<written::Host>| !is(item.written.id.as_ref(), host.as_str()));
        if next.hosts.len() == self.document.hosts.len() {
            return Err(EditError::NotFound { what: format!("host `{host}`") });
        }
        self.accept(next, vec![Change::HostRemoved(host.clone())])
    }
}

fn is(text: Option<&Text>, value: &str) -> bool {
    matches!(text, Some(Text::Plain(text)) if **text == *value)
}

/// What is said, or what a certificate can only be.
fn kind_of(said: Option<AddedAs>, certificate: &Certificate) -> Result<AddedAs, EditError> {
    match said {
        Some(kind) => Ok(kind),
        None if !certificate.is_ca() => Ok(AddedAs::Pin),
        None => Err(EditError::PinOrAnchor { fingerprint: certificate.fingerprint(), subject: certificate.subject() }),
    }
}
