//! One connection: choose its host, finish its handshake, serve its requests, close it when it has lost its standing.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use certmap::Caller;
use certmap::rustls::pki_types::UnixTime;
use certmap::rustls::server::Acceptor;
use certmap::tls::{End, Trouble};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::server::TlsStream;

use crate::Gateway;
use crate::answer::{Connection, answer};

/// How long a peer may take for its handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// What is read of a refused peer, so that its alert is not overtaken by a reset.
const LEFTOVER: u64 = 64 * 1024;

/// The connections that are open.
#[derive(Debug)]
pub(crate) struct Connections {
    stop: watch::Sender<bool>,
    tasks: std::sync::Mutex<JoinSet<()>>,
}

impl Default for Connections {
    fn default() -> Self {
        Self { stop: watch::Sender::new(false), tasks: std::sync::Mutex::default() }
    }
}

impl Connections {
    pub(crate) fn spawn(&self, gateway: Arc<Gateway>, stream: TcpStream, peer: SocketAddr) {
        static NUMBER: AtomicU64 = AtomicU64::new(1);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let stop = self.stop.subscribe();
        let mut tasks = self.tasks.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        while tasks.try_join_next().is_some() {}
        tasks.spawn(async move {
            if let Err(said) = connection(&gateway, stream, peer, number, stop).await {
                eprintln!("connection {number} of {peer}: {said}");
            }
        });
    }

    /// Lets requests end, and no longer than this.
    pub(crate) async fn drain(self, most: Duration) {
        self.stop.send_replace(true);
        let mut tasks = self.tasks.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        let _ = timeout(most, async { while tasks.join_next().await.is_some() {} }).await;
    }
}

async fn connection(
    gateway: &Arc<Gateway>,
    stream: TcpStream,
    peer: SocketAddr,
    number: u64,
    mut stop: watch::Receiver<bool>,
) -> Result<(), String> {
    let handshake = timeout(HANDSHAKE, handshake(gateway, stream, peer, number));
    let Some((stream, caller)) = handshake.await.map_err(|_| "the handshake takes too long")?? else { return Ok(()) };
    let lost = Arc::new(Notify::new());
    let registered = gateway.callers.register(caller.clone(), Arc::clone(&lost), UnixTime::now());
    let _registered = registered.map_err(|error| error.to_string())?;
    let this = Arc::new(Connection { gateway: Arc::clone(gateway), caller, peer, number });
    let service = service_fn(move |request| {
        let this = Arc::clone(&this);
        async move { answer(&this, request).await }
    });
    let builder = Builder::new(TokioExecutor::new());
    let served = builder.serve_connection(TokioIo::new(stream), service);
    tokio::pin!(served);
    loop {
        tokio::select! {
            ended = served.as_mut() => return ended.map_err(|error| Trouble::new(End::Server, &*error).to_string()),
            () = lost.notified() => served.as_mut().graceful_shutdown(),
            changed = stop.changed() => match changed {
                Ok(()) => served.as_mut().graceful_shutdown(),
                Err(_) => return Ok(()),
            },
        }
    }
}

/// `None` if the peer was refused, and told so.
async fn handshake(
    gateway: &Gateway,
    stream: TcpStream,
    peer: SocketAddr,
    number: u64,
) -> Result<Option<(TlsStream<TcpStream>, Caller)>, String> {
    let trouble = |error: &std::io::Error| Trouble::new(End::Server, error).to_string();
    let start = LazyConfigAcceptor::new(Acceptor::default(), stream).await.map_err(|error| trouble(&error))?;
    let selected = match gateway.endpoint.select(&start.client_hello()) {
        Ok(selected) => selected,
        Err(unknown) => {
            let refused = start.into_stream(unknown.config()).await;
            return Err(refused.map_or_else(|error| trouble(&error), |_| unknown.to_string()));
        }
    };
    match start.into_stream(selected.config()).into_fallible().await {
        Ok(stream) => {
            let caller = selected.caller(stream.get_ref().1).map_err(|error| error.to_string())?;
            Ok(Some((stream, caller)))
        }
        Err((error, mut stream)) => {
            let said = match selected.refused(&error, UnixTime::now()) {
                Some(refused) => {
                    gateway.metrics.count(selected.host(), refused.code().as_str());
                    eprintln!("{}", refused.record().with_peer(peer).with_connection(number.to_string()));
                    Ok(None)
                }
                None => Err(trouble(&error)),
            };
            let _ = stream.shutdown().await;
            let _ = tokio::io::copy(&mut stream.take(LEFTOVER), &mut tokio::io::sink()).await;
            said
        }
    }
}
