//! One request: who is it, may it, and then the upstream's answer.

use std::convert::Infallible;
use std::sync::Arc;

use certmap::decision::{AuditRecord, Peer};
use certmap::rustls::pki_types::UnixTime;
use certmap::{AccessLine, Authority, Caller, Principal};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body as _, Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HOST, HeaderValue};
use hyper::{Request, Response, StatusCode};

use crate::Gateway;
use crate::routes::Access;
use crate::serve::Handle;

pub(crate) type Body = BoxBody<Bytes, hyper::Error>;

/// What the requests of one connection have in common.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) gateway: Arc<Gateway>,
    pub(crate) caller: Caller,
    pub(crate) handle: Arc<Handle>,
}

/// What was decided of one request, all of it on one generation.
struct Decided {
    status: u16,
    outcome: &'static str,
    principal: Option<Principal>,
    record: AuditRecord,
}

/// Answers a request, and writes down why and that it did: the size is 0 where the upstream does not tell it beforehand.
pub(crate) async fn answer(this: &Connection, request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
    let now = UnixTime::now();
    let (gateway, peer) = (&this.gateway, this.handle.peer);
    let line = format!("{} {} {:?}", request.method(), request.uri().path(), request.version());
    let Decided { status, outcome, principal, record } = decide(this, &request, now);
    gateway.metrics.count(this.caller.evidence().host(), outcome);
    gateway.log.say(record.with_peer(peer).with_connection(this.handle.number.to_string())).await;
    let response = match status {
        200 => served(this, request, principal.as_ref()).await,
        _ => problem(status, outcome),
    };
    let size = response.body().size_hint().exact().unwrap_or_default();
    let access = AccessLine::new(peer.ip(), now, &line, response.status().as_u16(), size);
    gateway.log.access(&access.with_user(principal.as_ref().map(|principal| principal.user().as_str()))).await;
    Ok(response)
}

fn decide(this: &Connection, request: &Request<Incoming>, now: UnixTime) -> Decided {
    let routes = this.gateway.generation();
    let access = routes.access(request.uri().path());
    let authority = Authority::Host(authority(request));
    let peer = match access {
        Ok(Access::Everybody) => this.caller.identify(authority, now),
        Ok(Access::Users | Access::Role(_)) | Err(_) => this.caller.admit(authority, now).map(Peer::User),
    };
    let principal = match peer {
        Ok(Peer::User(principal)) => principal,
        Ok(Peer::Anonymous) => {
            let record = this.caller.decide(now).record();
            return Decided { status: 200, outcome: "anonymous", principal: None, record };
        }
        Err(refused) => {
            let (status, outcome) = (refused.http_status(), refused.code().as_str());
            return Decided { status, outcome, principal: None, record: refused.record() };
        }
    };
    let (status, outcome, record) = match access {
        Err((status, outcome)) => (status, outcome, principal.record(now)),
        Ok(Access::Role(role)) => match principal.require(&role) {
            Ok(()) => (200, "admitted", principal.record(now)),
            Err(missing) => (missing.http_status(), missing.code(), missing.record(now)),
        },
        Ok(Access::Everybody | Access::Users) => (200, "admitted", principal.record(now)),
    };
    Decided { status, outcome, principal: Some(principal), record }
}

/// The host that a request is for; nothing, which is no host, if it does not say so once.
fn authority(request: &Request<Incoming>) -> &str {
    let mut headers = request.headers().get_all(HOST).iter();
    let header = match (headers.next(), headers.next()) {
        (Some(host), None) => host.to_str().unwrap_or_default(),
        _ => "",
    };
    request.uri().authority().map_or(header, |authority| authority.as_str())
}

async fn served(this: &Connection, request: Request<Incoming>, principal: Option<&Principal>) -> Response<Body> {
    let gateway = &this.gateway;
    match (request.uri().path(), &gateway.upstream) {
        ("/whoami", _) => text(200, "application/json", whoami(principal)),
        ("/metrics", _) => {
            let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
            text(200, kind, gateway.metrics.text())
        }
        (_, Some(upstream)) => {
            let _waiting = Arc::clone(&this.handle.waiting);
            match upstream.forward(request, principal).await {
                Ok(response) => response,
                Err(said) => {
                    gateway.log.say(format!("connection {}: upstream: {said}", this.handle.number)).await;
                    problem(502, "upstream")
                }
            }
        }
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
