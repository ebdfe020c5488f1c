//! The TLS endpoint that clients connect to, as the policy sees it.

use core::fmt;

use rustls::pki_types::ServerName;

use crate::label::label;
use crate::trust::TrustBundle;

label! {
    /// The id of a host, for records and evidence.
    HostId, "host id"
}

/// A TLS endpoint: the bundle that says whom it lets in, and the names it answers for. It requires a client certificate.
#[derive(Clone)]
pub struct Host {
    id: HostId,
    bundle: TrustBundle,
    server_names: Vec<ServerName<'static>>,
}

impl Host {
    /// A host that admits whom `bundle` vouches for, and answers for every server name.
    #[must_use]
    pub fn new(id: HostId, bundle: TrustBundle) -> Self {
        Self { id, bundle, server_names: Vec::new() }
    }

    /// Says for which server names the host answers; a request for another is refused with 421
    /// ([`Authority`]).
    #[must_use]
    pub fn with_server_names(self, names: impl IntoIterator<Item = ServerName<'static>>) -> Self {
        Self { server_names: names.into_iter().collect(), ..self }
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> &HostId {
        &self.id
    }

    /// Whom it lets in.
    #[must_use]
    pub fn bundle(&self) -> &TrustBundle {
        &self.bundle
    }

    /// The server names it answers for; empty means every one.
    #[must_use]
    pub fn server_names(&self) -> &[ServerName<'static>] {
        &self.server_names
    }

    pub(super) fn bundle_mut(&mut self) -> &mut TrustBundle {
        &mut self.bundle
    }

    /// True if a request for `authority` may be answered on a connection of this host.
    pub(crate) fn answers_for(&self, authority: Authority<'_>) -> bool {
        match authority {
            Authority::NotHttp => true,
            Authority::Host(_) if self.server_names.is_empty() => true,
            Authority::Host(text) => host_of(text).is_some_and(|name| self.server_names.contains(&name)),
        }
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, bundle, server_names } = self;
        write!(f, "Host({id}, {bundle:?}, {server_names:?})")
    }
}

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
fn host_of(authority: &str) -> Option<ServerName<'static>> {
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
    ServerName::try_from(host.to_owned()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn authorities_are_compared_without_port_brackets_dot_and_case() {
        let names = ["gw.example.com", "::1", "192.0.2.1"].map(|name| ServerName::try_from(name).unwrap());
        let bundle = TrustBundle::new("b".parse().unwrap());
        let host = Host::new("h".parse().unwrap(), bundle.clone()).with_server_names(names);
        for good in ["gw.example.com", "GW.Example.Com.", "gw.example.com:8443", "[::1]", "[0:0::1]:443", "192.0.2.1:1"]
        {
            assert!(host.answers_for(Authority::Host(good)), "{good}");
        }
        for bad in [
            "",
            "example.com",
            "gw.example.com.evil",
            "gw.example.com@evil",
            "gw.example.com:8443:1",
            "gw.example.com:x",
            "[::1",
            "[::1]x",
            "[gw.example.com]",
            "::1",
            "gw.example.com, evil",
            " gw.example.com",
            "192.0.2.10",
            "*",
        ] {
            assert!(!host.answers_for(Authority::Host(bad)), "{bad}");
        }
        assert!(host.answers_for(Authority::NotHttp));
        assert!(Host::new("h".parse().unwrap(), bundle).answers_for(Authority::Host("anything")));
    }
}
