//! One connection: choose its host, finish its handshake, serve its requests, close it when it has lost its standing.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use certmap::Caller;
use certmap::rustls::pki_types::UnixTime;
use certmap::rustls::server::Acceptor;
use certmap::tls::{End, Trouble};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, interval, sleep_until, timeout};
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::io::{InspectReader, InspectWriter};

use crate::Gateway;
use crate::answer::{Connection, answer};

/// How long a peer may take for its handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// How long requests may go on of a peer that has lost its standing.
const GRACE: Duration = Duration::from_secs(10);
/// What is read of a refused peer, so that its alert is not overtaken by a reset.
const LEFTOVER: u64 = 64 * 1024;
/// The head of a request at most.
const HEAD: usize = 64 * 1024;

/// The connections that are open.
#[derive(Debug)]
pub(crate) struct Connections {
    room: Arc<Semaphore>,
    stop: watch::Sender<bool>,
    tasks: Mutex<JoinSet<()>>,
}

/// What others need to know of an open connection.
#[derive(Debug)]
pub(crate) struct Handle {
    pub(crate) number: u64,
    pub(crate) peer: SocketAddr,
    /// Its standing is lost.
    pub(crate) lost: Notify,
    /// One more for each request that waits for the upstream.
    pub(crate) waiting: Arc<()>,
}

impl Connections {
    pub(crate) fn with_limit(limit: usize) -> Self {
        Self { room: Arc::new(Semaphore::new(limit)), stop: watch::Sender::new(false), tasks: Mutex::default() }
    }

    /// The next connection, as soon as there is room for it: before that it waits in the listener's queue.
    pub(crate) async fn accept(
        &self,
        listener: &TcpListener,
    ) -> io::Result<(OwnedSemaphorePermit, TcpStream, SocketAddr)> {
        let room = Arc::clone(&self.room).acquire_owned().await.map_err(io::Error::other)?;
        let (stream, peer) = listener.accept().await?;
        stream.set_nodelay(true)?;
        Ok((room, stream, peer))
    }

    pub(crate) fn spawn(&self, gateway: Arc<Gateway>, room: OwnedSemaphorePermit, stream: TcpStream, peer: SocketAddr) {
        static NUMBER: AtomicU64 = AtomicU64::new(1);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let handle = Arc::new(Handle { number, peer, lost: Notify::new(), waiting: Arc::default() });
        let stop = self.stop.subscribe();
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        while tasks.try_join_next().is_some() {}
        tasks.spawn(async move {
            let _room = room;
            if let Err(said) = connection(&gateway, stream, handle, stop).await {
                gateway.log.say(format!("connection {number} of {peer}: {said}")).await;
            }
        });
    }

    /// Lets requests end, and no longer than this.
    pub(crate) async fn drain(self, most: Duration) {
        self.stop.send_replace(true);
        let mut tasks = self.tasks.into_inner().unwrap_or_else(PoisonError::into_inner);
        let _ = timeout(most, async { while tasks.join_next().await.is_some() {} }).await;
    }
}

async fn connection(
    gateway: &Arc<Gateway>,
    stream: TcpStream,
    handle: Arc<Handle>,
    mut stop: watch::Receiver<bool>,
) -> Result<(), String> {
    let handshake = timeout(HANDSHAKE, handshake(gateway, stream, &handle));
    let Some((stream, caller)) = handshake.await.map_err(|_| "the handshake takes too long")?? else { return Ok(()) };
    let registered = gateway.callers.register(caller.clone(), Arc::clone(&handle), UnixTime::now());
    let _registered = registered.map_err(|error| error.to_string())?;
    let this = Arc::new(Connection { gateway: Arc::clone(gateway), caller, handle: Arc::clone(&handle) });
    let service = service_fn(move |request| {
        let this = Arc::clone(&this);
        async move { answer(&this, request).await }
    });
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(gateway.idle).max_buf_size(HEAD);
    // As agreed in the handshake: not by what comes first, which may never come.
    let http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
    let builder = if http2 { builder.http2_only() } else { builder.http1_only() };
    // Whoever neither sends nor takes anything is closed: heads and bodies of requests, and answers.
    let moved = Arc::new(AtomicBool::new(true));
    let note = {
        let moved = Arc::clone(&moved);
        move |_: &[u8]| moved.store(true, Ordering::Relaxed)
    };
    let stream = InspectReader::new(InspectWriter::new(stream, note.clone()), note);
    let mut idle = interval(gateway.idle);
    let served = builder.serve_connection(TokioIo::new(stream), service);
    tokio::pin!(served);
    let mut cut = None;
    loop {
        tokio::select! {
            ended = served.as_mut() => return ended.map_err(|error| Trouble::new(End::Server, &*error).to_string()),
            () = handle.lost.notified() => { cut = Some(Instant::now() + GRACE); served.as_mut().graceful_shutdown(); }
            () = sleep_until(cut.unwrap_or_else(Instant::now)), if cut.is_some() => return Err("cut, because its standing is lost".to_owned()),
            _ = idle.tick() => if !moved.swap(false, Ordering::Relaxed) && Arc::strong_count(&handle.waiting) == 1 {
                return Err("closed, because nothing moves".to_owned());
            },
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
    handle: &Handle,
) -> Result<Option<(TlsStream<TcpStream>, Caller)>, String> {
    let trouble = |error: &io::Error| Trouble::new(End::Server, error).to_string();
    let start = LazyConfigAcceptor::new(Acceptor::default(), stream).await.map_err(|error| trouble(&error))?;
    let (selected, accept) = {
        // The host and its certificate are of one generation.
        let _generation = gateway.generation();
        match gateway.endpoint.select(&start.client_hello()) {
            Ok(selected) => (Ok(selected.clone()), start.into_stream(selected.config())),
            Err(unknown) => (Err(unknown.to_string()), start.into_stream(unknown.config())),
        }
    };
    let selected = match selected {
        Ok(selected) => selected,
        Err(unknown) => return Err(accept.await.map_or_else(|error| trouble(&error), |_| unknown)),
    };
    match accept.into_fallible().await {
        Ok(stream) => {
            let caller = selected.caller(stream.get_ref().1).map_err(|error| error.to_string())?;
            Ok(Some((stream, caller)))
        }
        Err((error, mut stream)) => {
            let said = match selected.refused(&error, UnixTime::now()) {
                Some(refused) => {
                    gateway.metrics.count(selected.host(), refused.code().as_str());
                    let record = refused.record().with_peer(handle.peer);
                    gateway.log.say(record.with_connection(handle.number.to_string())).await;
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
