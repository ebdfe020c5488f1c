//! Headers that say who the user is: ours only, whatever the client sent.

use certmap::Principal;
use hyper::HeaderMap;
use hyper::header::{CONNECTION, HeaderName, HeaderValue};

const USER: HeaderName = HeaderName::from_static("x-certmap-user");
const ROLES: HeaderName = HeaderName::from_static("x-certmap-roles");

/// Of one hop only, or named by it: not for the upstream (RFC 9110, section 7.6.1).
const HOP: [&str; 7] =
    ["connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"];

/// Takes out what the client must not say, and says who it is.
pub(crate) fn identify(headers: &mut HeaderMap, principal: Option<&Principal>) {
    let named: Vec<String> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(',').map(|name| name.trim().to_ascii_lowercase()))
        .collect();
    let all: Vec<HeaderName> = headers.keys().cloned().collect();
    for name in all {
        // Some servers read `x_certmap_user` as `x-certmap-user`.
        let folded = name.as_str().replace('_', "-");
        let ours = folded.starts_with("x-certmap-");
        if ours || HOP.contains(&name.as_str()) || named.iter().any(|other| other == name.as_str()) {
            headers.remove(name);
        }
    }
    let Some(principal) = principal else { return };
    let roles: Vec<_> = principal.roles().iter().map(ToString::to_string).collect();
    let values = [(USER, principal.user().to_string()), (ROLES, roles.join(","))];
    for (name, value) in values {
        // User names have no control characters, so any of them can stand in a header.
        if let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) {
            headers.insert(name, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_looks_like_our_headers_comes_through() {
        let mut headers = HeaderMap::new();
        for name in ["x-certmap-user", "x_certmap_user", "X-CertMap_Roles", "x-hop", "connection", "accept"] {
            headers.append(
                HeaderName::from_bytes(name.as_bytes()).expect("a header name"),
                HeaderValue::from_static("evil"),
            );
        }
        headers.append(CONNECTION, HeaderValue::from_static("close, X-Hop"));
        identify(&mut headers, None);
        let left: Vec<_> = headers.keys().map(HeaderName::as_str).collect();
        assert_eq!(left, ["accept"]);
    }
}
