//! Names of hosts, as operators write them, clients ask for them and requests carry them.

use core::fmt;
use core::net::IpAddr;
use core::str::FromStr;
use std::borrow::Cow;

use rustls::pki_types::DnsName;

use crate::table::Table;

/// A name that a host answers for: `gw.example.com`, `*.example.com`, or an IP address.
///
/// Names are compared without case and without a dot at the end. A wildcard stands for one label: `*.example.com` is
/// `a.example.com`, and neither `example.com` nor `a.b.example.com`. An exact name goes before a wildcard.
///
/// ```
/// use certmap::policy::HostName;
/// let name: HostName = "GW.Example.com.".parse()?;
/// assert_eq!(name.to_string(), "gw.example.com");
/// assert!("*.example.com".parse::<HostName>().is_ok());
/// assert!("gw.*.com".parse::<HostName>().is_err());
/// # Ok::<(), certmap::policy::InvalidHostName>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostName(Kind);

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Kind {
    /// In lower case, without dot at the end.
    Dns(String),
    Ip(IpAddr),
    /// What follows `*.`.
    Wildcard(String),
}

/// A name in a `ClientHello` or an authority, to be looked up: never a wildcard. Borrowed if it is written as it is compared,
/// because it is looked up for every decision and every request.
#[derive(Clone, Debug, PartialEq, Eq)]
enum AskedFor<'a> {
    /// In lower case, without dot at the end.
    Dns(Cow<'a, str>),
    Ip(IpAddr),
}

impl<'a> AskedFor<'a> {
    fn read(text: &'a str) -> Option<Self> {
        if let Some(address) = address(text) {
            return Some(Self::Ip(address));
        }
        let name = text.strip_suffix('.').unwrap_or(text);
        let upper = name.bytes().any(|byte| byte.is_ascii_uppercase());
        let name = if upper { Cow::Owned(name.to_ascii_lowercase()) } else { Cow::Borrowed(name) };
        is_dns_name(&name).then_some(Self::Dns(name))
    }
}

/// The address that this is, if it is one: IPv4 ends in a digit, IPv6 has a colon, and no name has to be tried as either.
fn address(text: &str) -> Option<IpAddr> {
    let may_be = text.ends_with(|last: char| last.is_ascii_digit()) || text.contains(':');
    may_be.then(|| text.parse().ok()).flatten()
}

/// A name of digits and dots only is an address that somebody mistyped. One dot at the end is taken off before.
fn is_dns_name(name: &str) -> bool {
    DnsName::try_from(name).is_ok() && !name.ends_with('.') && address(name).is_none()
}

/// What hosts answer for, each kind of name by itself, to be found without making a [`HostName`].
#[derive(Clone, Debug)]
pub(super) struct Names<T> {
    exact: Table<String, T>,
    /// By what follows `*.`.
    wildcards: Table<String, T>,
    addresses: Table<IpAddr, T>,
}

impl<T> Names<T> {
    pub(super) fn insert(&mut self, name: &HostName, value: T) {
        match name.0.clone() {
            Kind::Dns(name) => self.exact.insert(name, value),
            Kind::Ip(address) => self.addresses.insert(address, value),
            Kind::Wildcard(domain) => self.wildcards.insert(domain, value),
        };
    }

    /// That of the name itself, else that of the wildcard which stands for it, if there is one.
    pub(super) fn get(&self, asked: &str) -> Result<Option<&T>, InvalidHostName> {
        // Most write a name as it stands here, and what stands here is a name.
        if let Some(value) = self.exact.get(asked) {
            return Ok(Some(value));
        }
        Ok(match AskedFor::read(asked).ok_or(InvalidHostName)? {
            AskedFor::Ip(address) => self.addresses.get(&address),
            AskedFor::Dns(name) => self.exact.get(name.as_ref()).or_else(|| {
                let (_, domain) = name.split_once('.')?;
                self.wildcards.get(domain)
            }),
        })
    }
}

impl<T> Default for Names<T> {
    fn default() -> Self {
        Self { exact: Table::default(), wildcards: Table::default(), addresses: Table::default() }
    }
}

impl FromStr for HostName {
    type Err = InvalidHostName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some(address) = address(text) {
            return Ok(Self(Kind::Ip(address)));
        }
        let (wildcard, name) = text.strip_prefix("*.").map_or((false, text), |domain| (true, domain));
        let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
        match (is_dns_name(&name), wildcard) {
            (true, false) => Ok(Self(Kind::Dns(name))),
            (true, true) => Ok(Self(Kind::Wildcard(name))),
            (false, _) => Err(InvalidHostName),
        }
    }
}

impl fmt::Display for HostName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Dns(name) => f.write_str(name),
            Kind::Ip(address) => address.fmt(f),
            Kind::Wildcard(domain) => write!(f, "*.{domain}"),
        }
    }
}

impl fmt::Debug for HostName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HostName({self})")
    }
}

/// Text that is no [`HostName`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a DNS name, `*.` and a DNS name, or an IP address without brackets and port")]
#[non_exhaustive]
pub struct InvalidHostName;

/// For whom a request is, so that a connection made to one host cannot be used for another (RFC 9110, section 7.4).
///
/// There is no default: whoever asks for admission says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Authority<'a> {
    /// The request's `Host` header or `:authority`, as it was sent: `gw.example.com:8443`, `[::1]`.
    Host(&'a str),
    /// The protocol has no such thing.
    NotHttp,
}

/// The host in an authority, without port and brackets (RFC 3986, section 3.2.2), whether or not that is a name; `None` if it
/// is no authority.
pub(super) fn host_of(authority: &str) -> Option<&str> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (address, after) = rest.split_once(']')?;
            address.parse::<core::net::Ipv6Addr>().ok()?;
            (address, if after.is_empty() { None } else { Some(after.strip_prefix(':')?) })
        }
        None => authority.split_once(':').map_or((authority, None), |(host, port)| (host, Some(port))),
    };
    if port.is_some_and(|port| !port.bytes().all(|byte| byte.is_ascii_digit())) {
        return None;
    }
    Some(host)
}
