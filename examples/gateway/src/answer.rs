//! One request: who is it, may it, and then the upstream's answer.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use certmap::decision::Peer;
use certmap::rustls::pki_types::UnixTime;
use certmap::{AccessLine, Authority, Caller, Principal};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body as _, Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HOST, HeaderValue};
use hyper::{Request, Response, StatusCode, Uri};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

use crate::Gateway;
use crate::config::Access;
use crate::headers::identify;

pub(crate) type Body = BoxBody<Bytes, hyper::Error>;

/// What the requests of one connection have in common.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) gateway: Arc<Gateway>,
    pub(crate) caller: Caller,
    pub(crate) peer: SocketAddr,
    pub(crate) number: u64,
}

/// Where requests go that are admitted.
#[derive(Debug)]
pub(crate) struct Upstream {
    base: Uri,
    client: Client<HttpConnector, Incoming>,
}

impl Upstream {
    pub(crate) fn new(base: Uri) -> Self {
        Self { base, client: Client::builder(TokioExecutor::new()).build_http() }
    }

    async fn forward(
        &self,
        mut request: Request<Incoming>,
        principal: Option<&Principal>,
    ) -> Result<Response<Body>, String> {
        let path = request.uri().path_and_query().map_or("/", |path| path.as_str()).to_owned();
        let base = self.base.to_string();
        *request.uri_mut() =
            (base.trim_end_matches('/').to_owned() + &path).parse().map_err(|error| format!("{error}"))?;
        *request.version_mut() = hyper::Version::HTTP_11;
        identify(request.headers_mut(), principal);
        request.headers_mut().remove(HOST);
        let response = self.client.request(request).await.map_err(|error| format!("upstream: {error}"))?;
        Ok(response.map(http_body_util::BodyExt::boxed))
    }
}

/// Answers a request, and writes down that it did.
pub(crate) async fn answer(this: &Connection, request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
    let now = UnixTime::now();
    let line = format!("{} {} {:?}", request.method(), request.uri().path(), request.version());
    let (user, response) = decide(this, request, now).await;
    let size = response.body().size_hint().exact().unwrap_or_default();
    let access = AccessLine::new(this.peer.ip(), now, &line, response.status().as_u16(), size);
    this.gateway.log.access(&access.with_user(user.as_deref()));
    Ok(response)
}

async fn decide(this: &Connection, request: Request<Incoming>, now: UnixTime) -> (Option<String>, Response<Body>) {
    let gateway = &this.gateway;
    let host = this.caller.evidence().host();
    let authority = request.uri().authority().map(|authority| authority.as_str().to_owned());
    let header = || request.headers().get(HOST).and_then(|host| host.to_str().ok()).map(str::to_owned);
    let authority = authority.or_else(header).unwrap_or_default();
    let peer = match this.caller.identify(Authority::Host(&authority), now) {
        Ok(peer) => peer,
        Err(refused) => {
            gateway.metrics.count(host, refused.code().as_str());
            eprintln!("{}", refused.record().with_peer(this.peer).with_connection(this.number.to_string()));
            return (None, problem(refused.http_status(), refused.code().as_str()));
        }
    };
    let Some(access) = gateway.routes.borrow().access(request.uri().path()) else {
        return (None, problem(400, "path"));
    };
    let principal = match (peer, &access) {
        (Peer::User(principal), _) => principal,
        (Peer::Anonymous, Access::Everybody) => {
            gateway.metrics.count(host, "anonymous");
            return (None, served(this, request, None).await);
        }
        (Peer::Anonymous, Access::Users | Access::Role(_)) => {
            gateway.metrics.count(host, "no-certificate");
            return (None, problem(401, "no-certificate"));
        }
    };
    let user = Some(principal.user().to_string());
    if let Access::Role(role) = &access
        && let Err(missing) = principal.require(role)
    {
        gateway.metrics.count(host, missing.code());
        eprintln!("{}", missing.record(now).with_peer(this.peer).with_connection(this.number.to_string()));
        return (user, problem(missing.http_status(), missing.code()));
    }
    gateway.metrics.count(host, "admitted");
    (user, served(this, request, Some(&principal)).await)
}

async fn served(this: &Connection, request: Request<Incoming>, principal: Option<&Principal>) -> Response<Body> {
    match (request.uri().path(), &this.gateway.upstream) {
        ("/whoami", _) => text(200, "application/json", whoami(principal)),
        ("/metrics", _) => {
            let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
            text(200, kind, this.gateway.metrics.text())
        }
        (_, Some(upstream)) => upstream.forward(request, principal).await.unwrap_or_else(|said| {
            eprintln!("connection {}: {said}", this.number);
            problem(502, "upstream")
        }),
        (_, None) => text(200, "text/plain", "admitted\n".to_owned()),
    }
}

fn whoami(principal: Option<&Principal>) -> String {
    let Some(principal) = principal else { return "{\"user\":null,\"roles\":[]}\n".to_owned() };
    let roles: Vec<_> = principal.roles().iter().map(|role| quoted(role.as_str())).collect();
    let (user, strength) = (quoted(principal.user().as_str()), quoted(principal.strength().as_str()));
    format!("{{\"user\":{user},\"strength\":{strength},\"roles\":[{}]}}\n", roles.join(","))
}

/// A JSON string.
fn quoted(text: &str) -> String {
    let escape = |c: char| match c {
        '"' | '\\' => format!("\\{c}"),
        c if c.is_control() => format!("\\u{:04x}", u32::from(c)),
        c => c.to_string(),
    };
    format!("\"{}\"", text.chars().map(escape).collect::<String>())
}

/// A problem as RFC 9457 has it: the code, and nothing else that the peer need not know.
fn problem(status: u16, code: &str) -> Response<Body> {
    text(status, "application/problem+json", format!("{{\"status\":{status},\"code\":{}}}\n", quoted(code)))
}

fn text(status: u16, kind: &'static str, body: String) -> Response<Body> {
    let mut response = Response::new(Full::from(body).map_err(|never| match never {}).boxed());
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}
