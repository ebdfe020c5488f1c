//! Where requests go that are admitted.

use std::time::Duration;

use certmap::Principal;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::http::uri::{PathAndQuery, Scheme};
use hyper::{Request, Response, Uri, Version};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::time::timeout;

use crate::answer::Body;
use crate::headers::{end_hop, identify};

/// How long the upstream may take until its answer begins.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub(crate) struct Upstream {
    base: Uri,
    client: Client<HttpConnector, Incoming>,
}

/// An address that requests can go to.
pub(crate) fn base(text: &str) -> Result<Uri, String> {
    let base: Uri = text.parse().map_err(|error| format!("{error}"))?;
    if base.scheme() != Some(&Scheme::HTTP) || base.query().is_some() {
        return Err("expected http://HOST[:PORT][/PATH]".to_owned());
    }
    Ok(base)
}

impl Upstream {
    pub(crate) fn new(base: Uri) -> Self {
        Self { base, client: Client::builder(TokioExecutor::new()).build_http() }
    }

    /// Hands a request on in the name of the user, and the answer back.
    pub(crate) async fn forward(
        &self,
        request: Request<Incoming>,
        principal: Option<&Principal>,
    ) -> Result<Response<Body>, String> {
        let (mut head, body) = request.into_parts();
        identify(&mut head.headers, principal)
            .map_err(|error| format!("the user cannot stand in a header: {error}"))?;
        let asked = head.uri.path_and_query().map_or("/", PathAndQuery::as_str);
        let onward = self.base.to_string().trim_end_matches('/').to_owned() + asked;
        let mut request = Request::new(body);
        *request.method_mut() = head.method;
        *request.uri_mut() = onward.parse().map_err(|error| format!("{onward:?}: {error}"))?;
        *request.headers_mut() = head.headers;
        let answer = timeout(PATIENCE, self.client.request(request)).await;
        let answer = answer.map_err(|_| "it takes too long")?;
        let mut answer = answer.map_err(|error| match std::error::Error::source(&error) {
            Some(cause) => format!("{error}: {cause}"),
            None => error.to_string(),
        })?;
        end_hop(answer.headers_mut());
        *answer.version_mut() = Version::HTTP_11;
        Ok(answer.map(BodyExt::boxed))
    }
}
