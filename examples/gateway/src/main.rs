//! A small gateway: mutual TLS in, users and roles by policy, HTTP to an upstream.
//!
//! It is short because the library decides who it is; what stands here is sockets, files, a clock and a log.

mod answer;
mod config;
mod headers;
mod log;
mod metrics;
mod reload;
mod routes;
mod serve;
mod upstream;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;

use certmap::live::Callers;
use certmap::policy::{HostId, ListenerName};
use certmap::{Endpoint, PolicyHandle};
use clap::Parser;
use hyper::Uri;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use config::Source;
use log::Log;
use metrics::Metrics;
use reload::Watcher;
use routes::Routes;
use serve::{Connections, Handle};
use upstream::Upstream;

/// How long requests may go on after the gateway was told to stop.
const DRAIN: Duration = Duration::from_secs(30);

/// Lets partners in by their certificates, and nobody else.
#[derive(Debug, Parser)]
#[command(
    after_help = "Example:\n  gateway --policy policy.toml --identity gw=gw.pem --listen 0.0.0.0:8443 --upstream http://127.0.0.1:8080\n\nPolicy, routes and certificates are read again on SIGHUP, and a second or two after they changed.\nA record of each decision goes to the standard error, with all else that operators need to know.\nSIGTERM lets requests end, then stops."
)]
struct Options {
    /// The policy: a TOML file, or a folder of them; each may have `[[routes]]` too, and then other paths are refused.
    #[arg(long)]
    policy: PathBuf,
    /// The gateway's own certificate and key for a host of the policy, in one PEM file; may be given several times.
    #[arg(long, value_name = "HOST=PEM", required = true, value_parser = identity)]
    identity: Vec<(HostId, PathBuf)>,
    /// Where to listen.
    #[arg(long, default_value = "127.0.0.1:8443")]
    listen: SocketAddr,
    /// The listener of the policy whose hosts are served here.
    #[arg(long, default_value = "main")]
    listener: ListenerName,
    /// Where requests go that are admitted; without it the gateway answers itself.
    #[arg(long, value_name = "URL", value_parser = upstream::base)]
    upstream: Option<Uri>,
    /// Where the access log goes; without it to the standard output.
    #[arg(long, value_name = "FILE")]
    http_log: Option<PathBuf>,
    /// Connections at most; others wait. Each needs a file descriptor, and another one for the upstream.
    #[arg(long, value_name = "NUMBER", default_value = "10000", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    connections: u32,
    /// After so many seconds in which nothing moves, a connection is closed.
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = clap::value_parser!(u64).range(1..))]
    idle: u64,
}

fn identity(text: &str) -> Result<(HostId, PathBuf), String> {
    let (host, file) = text.split_once('=').ok_or("expected HOST=PEM")?;
    Ok((host.parse().map_err(|error| format!("{error}"))?, file.into()))
}

/// What every connection needs.
#[derive(Debug)]
struct Gateway {
    endpoint: Endpoint,
    routes: RwLock<Routes>,
    callers: Callers<Arc<Handle>>,
    upstream: Option<Upstream>,
    idle: Duration,
    log: Log,
    metrics: Metrics,
}

impl Gateway {
    /// The generation in force: as long as this is held, the policy and the identities of the endpoint belong to these
    /// routes. Whoever changes one of the three holds the lock for writing.
    fn generation(&self) -> RwLockReadGuard<'_, Routes> {
        self.routes.read().unwrap_or_else(PoisonError::into_inner)
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let options = Options::parse();
    let limit = usize::try_from(options.connections)?;
    let source = Source::new(options.policy, options.identity);
    let (generation, seen) = source.read();
    let generation = generation.map_err(|error| error.to_string())?;
    let handle = Arc::new(PolicyHandle::new(generation.policy));
    let endpoint =
        Endpoint::new(Arc::clone(&handle), options.listener, generation.identities)?.with_alpn(["h2", "http/1.1"]);
    let gateway = Arc::new(Gateway {
        endpoint,
        routes: RwLock::new(generation.routes),
        callers: Callers::with_limit(limit),
        upstream: options.upstream.map(Upstream::new),
        idle: Duration::from_secs(options.idle),
        log: Log::new(options.http_log.as_deref())?,
        metrics: Metrics::default(),
    });
    // Before it says that it listens: a signal that nobody waits for would end it.
    let (hangup, mut terminate) = (signal(SignalKind::hangup())?, signal(SignalKind::terminate())?);
    let listener = TcpListener::bind(options.listen).await?;
    let log = &gateway.log;
    for warning in generation.warnings {
        log.say(format!("warning: {warning}")).await;
    }
    log.say(format!("listening on https://{} with policy {}", listener.local_addr()?, handle.current().digest())).await;

    let mut watching = tokio::spawn(Watcher::new(source, seen).watch(Arc::clone(&gateway), hangup));
    let connections = Connections::with_limit(limit);
    loop {
        tokio::select! {
            accepted = connections.accept(&listener) => match accepted {
                Ok((room, stream, peer)) => connections.spawn(Arc::clone(&gateway), room, stream, peer),
                // Out of file descriptors, say: not a reason to stop, but one to wait.
                Err(error) => {
                    log.say(format!("accept: {error}")).await;
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            },
            // Better no gateway than one that goes by an old policy for ever.
            panic = &mut watching => return Err(panic?.into()),
            _ = terminate.recv() => break,
            _ = tokio::signal::ctrl_c() => break,
        }
    }
    drop(listener);
    log.say("draining").await;
    connections.drain(DRAIN).await;
    log.end().await;
    Ok(())
}
