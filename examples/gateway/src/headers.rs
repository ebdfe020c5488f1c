//! Headers that say who the user is: ours only, whatever the client sent.

use certmap::Principal;
use hyper::HeaderMap;
use hyper::header::{CONNECTION, CONTENT_LENGTH, HOST, HeaderName, HeaderValue, InvalidHeaderValue, TRANSFER_ENCODING};

const USER: HeaderName = HeaderName::from_static("x-certmap-user");
const ROLES: HeaderName = HeaderName::from_static("x-certmap-roles");

/// Of one hop only, whether named by `Connection` or not (RFC 9110, section 7.6.1).
const HOP: [&str; 8] = [
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Takes out what is of one hop only.
pub(crate) fn end_hop(headers: &mut HeaderMap) {
    let named: Vec<String> = headers
        .get_all(CONNECTION)
        .iter()
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
        .map(|name| String::from_utf8_lossy(name).trim().to_ascii_lowercase())
        .collect();
    if headers.contains_key(TRANSFER_ENCODING) {
        // The length of a body that came in chunks is what its chunks say (RFC 9112, section 6.3).
        headers.remove(CONTENT_LENGTH);
    }
    for name in names(headers) {
        if HOP.contains(&name.as_str()) || named.iter().any(|other| other == name.as_str()) {
            headers.remove(name);
        }
    }
}

/// Takes out what the client must not say, and says who it is.
pub(crate) fn identify(headers: &mut HeaderMap, principal: Option<&Principal>) -> Result<(), InvalidHeaderValue> {
    end_hop(headers);
    headers.remove(HOST);
    for name in names(headers) {
        // Some servers read `x_certmap_user` and `x.certmap.user` as `x-certmap-user`.
        let folded = name.as_str().replace(|c: char| !c.is_ascii_alphanumeric(), "-");
        if folded.starts_with("x-certmap-") {
            headers.remove(name);
        }
    }
    let Some(principal) = principal else { return Ok(()) };
    let roles: Vec<_> = principal.roles().iter().map(ToString::to_string).collect();
    headers.insert(USER, HeaderValue::from_bytes(principal.user().as_str().as_bytes())?);
    headers.insert(ROLES, HeaderValue::from_str(&roles.join(","))?);
    Ok(())
}

fn names(headers: &HeaderMap) -> Vec<HeaderName> {
    headers.keys().cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_looks_like_our_headers_comes_through() {
        let mut headers = HeaderMap::new();
        for name in ["x-certmap-user", "x_certmap_user", "X-CertMap_Roles", "x.certmap~new", "x-hop", "te", "accept"] {
            headers.append(
                HeaderName::from_bytes(name.as_bytes()).expect("a header name"),
                HeaderValue::from_static("evil"),
            );
        }
        // hyper looks after these two as well.
        headers.append(TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
        headers.append(CONTENT_LENGTH, HeaderValue::from_static("5"));
        // That the list is not all text makes none of it void.
        headers.append(CONNECTION, HeaderValue::from_bytes(b"close, X-Hop,\xff").expect("octets"));
        identify(&mut headers, None).expect("nothing to write");
        let left: Vec<_> = headers.keys().map(HeaderName::as_str).collect();
        assert_eq!(left, ["accept"]);
    }
}
