//! A small gateway: mutual TLS in, users and roles by policy, HTTP to an upstream.
//!
//! It is short because the library decides who it is; what stands here is sockets, files, a clock and a log.

mod answer;
mod config;
mod headers;
mod log;
mod metrics;
mod reload;
mod serve;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use certmap::live::Callers;
use certmap::policy::{HostId, ListenerName};
use certmap::{Endpoint, PolicyHandle};
use clap::Parser;
use hyper::Uri;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use config::{Routes, Source};
use log::Log;
use metrics::Metrics;

/// Open connections at most.
const CONNECTIONS: usize = 10_000;
/// How long requests may go on after the gateway was told to stop.
const DRAIN: Duration = Duration::from_secs(30);

/// Lets partners in by their certificates, and nobody else.
#[derive(Debug, Parser)]
#[command(
    after_help = "Example:\n  gateway --policy policy.toml --identity gw=gw.pem --listen 0.0.0.0:8443 --upstream http://127.0.0.1:8080\n\nThe policy is read again on SIGHUP and whenever it changes. SIGTERM lets requests end, then stops."
)]
struct Options {
    /// The policy: a TOML file, or a folder of them; each may have `[[routes]]` too.
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
    #[arg(long)]
    upstream: Option<Uri>,
    /// Where the access log goes; without it to the standard output.
    #[arg(long)]
    http_log: Option<PathBuf>,
}

fn identity(text: &str) -> Result<(HostId, PathBuf), String> {
    let (host, file) = text.split_once('=').ok_or("expected HOST=PEM")?;
    Ok((host.parse().map_err(|error| format!("{error}"))?, file.into()))
}

/// What every connection needs.
#[derive(Debug)]
struct Gateway {
    endpoint: Endpoint,
    routes: watch::Receiver<Arc<Routes>>,
    callers: Callers<Arc<tokio::sync::Notify>>,
    upstream: Option<answer::Upstream>,
    log: Log,
    metrics: Metrics,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let options = Options::parse();
    let source = Source::new(options.policy, options.identity);
    let stamp = source.stamp();
    let generation = source.read().map_err(|error| error.to_string())?;
    let (routes_sender, routes) = watch::channel(Arc::new(generation.routes));
    let handle = Arc::new(PolicyHandle::new(generation.policy));
    let endpoint =
        Endpoint::new(Arc::clone(&handle), options.listener, generation.identities)?.with_alpn(["h2", "http/1.1"]);
    let gateway = Arc::new(Gateway {
        endpoint,
        routes,
        callers: Callers::with_limit(CONNECTIONS),
        upstream: options.upstream.map(answer::Upstream::new),
        log: Log::new(options.http_log.as_deref())?,
        metrics: Metrics::default(),
    });
    let listener = TcpListener::bind(options.listen).await?;
    println!("listening on https://{} with policy {}", listener.local_addr()?, handle.current().digest());

    let mut hangup = signal(SignalKind::hangup())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut watcher = reload::Watcher::new(source, stamp, routes_sender);
    let connections = serve::Connections::default();
    let mut tick = tokio::time::interval(Duration::from_secs(1));
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => connections.spawn(Arc::clone(&gateway), stream, peer),
                // Out of file descriptors, say: not a reason to stop, but one to wait.
                Err(error) => { eprintln!("accept: {error}"); tokio::time::sleep(Duration::from_millis(100)).await; }
            },
            _ = hangup.recv() => watcher.reload(&gateway, true),
            _ = tick.tick() => watcher.reload(&gateway, false),
            _ = terminate.recv() => break,
            _ = tokio::signal::ctrl_c() => break,
        }
    }
    drop(listener);
    println!("draining");
    connections.drain(DRAIN).await;
    Ok(())
}
