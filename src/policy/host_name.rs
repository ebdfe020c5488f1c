//! Names of hosts, as operators write them, clients ask for them and requests carry them.

use core::fmt;
use core::net::IpAddr;
use core::str::FromStr;

use rustls::pki_types::DnsName;

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

impl HostName {
    /// The name in a `ClientHello` or an authority: never a wildcard.
    pub(super) fn asked_for(text: &str) -> Option<Self> {
        text.parse().ok().filter(|name: &Self| !matches!(name.0, Kind::Wildcard(_)))
    }

    /// The wildcard that stands for it, if it is the name of a machine in a domain.
    pub(super) fn wildcard(&self) -> Option<Self> {
        let Kind::Dns(name) = &self.0 else { return None };
        name.split_once('.').map(|(_, domain)| Self(Kind::Wildcard(domain.to_owned())))
    }
}

impl FromStr for HostName {
    type Err = InvalidHostName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Ok(address) = text.parse() {
            return Ok(Self(Kind::Ip(address)));
        }
        let (wildcard, name) = text.strip_prefix("*.").map_or((false, text), |domain| (true, domain));
        let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
        // A name of digits and dots only is an address that somebody mistyped.
        let is_name = DnsName::try_from(name.as_str()).is_ok() && name.parse::<IpAddr>().is_err();
        match (is_name, wildcard) {
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

/// The host in an authority, without port, brackets and trailing dot (RFC 3986, section 3.2.2); `None` if it is none.
pub(super) fn host_of(authority: &str) -> Option<HostName> {
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
    HostName::asked_for(host)
}
