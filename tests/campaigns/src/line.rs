//! Connections over the network of this host, both ends in one thread.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use certmap::rustls::server::Acceptor;
use certmap::rustls::{
    ClientConfig, ClientConnection, ConnectionCommon, Error, HandshakeKind, ServerConnection, SideData,
};
use certmap::testing::NOW;
use certmap::{Endpoint, PolicyDigest, Selected};

/// The name of every server here.
pub(crate) const SERVER: &str = "gateway.example";
/// Nobody waits longer for the other end.
const PATIENCE: Duration = Duration::from_secs(30);

/// What became of one connection.
pub(crate) enum Answer {
    Admitted { user: String, policy: PolicyDigest, caller: certmap::Caller },
    Refused { code: String, early: bool, policy: Option<PolicyDigest> },
}

/// Where connections are made: both ends in one thread, over the network of this host.
pub(crate) struct Line {
    listener: TcpListener,
    address: SocketAddr,
}

impl Line {
    pub(crate) fn new() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        Ok(Self { address: listener.local_addr()?, listener })
    }

    fn sockets(&self) -> io::Result<[TcpStream; 2]> {
        let near = TcpStream::connect(self.address)?;
        let (far, _) = self.listener.accept()?;
        for socket in [&near, &far] {
            socket.set_nodelay(true)?;
            socket.set_read_timeout(Some(PATIENCE))?;
        }
        Ok([near, far])
    }

    /// One connection to its end.
    pub(crate) fn call(&self, endpoint: &Endpoint, config: &Arc<ClientConfig>) -> Result<(Answer, bool), String> {
        let [mut near, mut far] = self.sockets().map_err(|error| error.to_string())?;
        let name = SERVER.try_into().expect("a name");
        let mut client = ClientConnection::new(Arc::clone(config), name).expect("a client");
        let mut acceptor = Acceptor::default();
        let mut sent = write(&mut client, &mut near)?;
        let accepted = loop {
            sent -= acceptor.read_tls(&mut (&mut far).take(sent as u64)).map_err(|error| error.to_string())?;
            match acceptor.accept() {
                Ok(Some(accepted)) => break accepted,
                Ok(None) if sent > 0 => {}
                Ok(None) => return Err("half a first message".to_owned()),
                Err((error, _)) => return Err(error.to_string()),
            }
        };
        let selected = endpoint.select(&accepted.client_hello()).map_err(|unknown| format!("{unknown:?}"))?;
        let mut server = accepted.into_connection(selected.config()).map_err(|(error, _)| error.to_string())?;
        let mut refused = None;
        loop {
            let answered = carry(&mut server, &mut far, &mut client, &mut near)?;
            if let (_, Err(error)) = answered
                && refused.is_none()
            {
                return Err(format!("the client gives up: {error}"));
            }
            let asked =
                if refused.is_none() { carry(&mut client, &mut near, &mut server, &mut far)? } else { (0, Ok(())) };
            if let (_, Err(error)) = &asked {
                refused = Some(error.clone());
            }
            if answered.0 + asked.0 == 0 {
                break;
            }
        }
        answer(&selected, &server, refused.as_ref(), client.is_handshaking())
    }
}

fn answer(
    selected: &Selected,
    server: &ServerConnection,
    error: Option<&Error>,
    handshaking: bool,
) -> Result<(Answer, bool), String> {
    if let Some(error) = error {
        let refused = selected.refused(error, NOW).ok_or_else(|| format!("no refusal: {error}"))?;
        return Ok((Answer::Refused { code: refused.code().to_string(), early: true, policy: None }, false));
    }
    if handshaking {
        return Err("the handshake has no end".to_owned());
    }
    let caller = selected.caller(server).map_err(|error| error.to_string())?;
    let resumed = server.handshake_kind() == Some(HandshakeKind::Resumed);
    let decision = caller.decide(NOW);
    let policy = decision.policy();
    let answer = match decision.into_result() {
        Ok(principal) => Answer::Admitted { user: principal.user().to_string(), policy, caller },
        Err(refused) => Answer::Refused { code: refused.code().to_string(), early: false, policy: Some(policy) },
    };
    Ok((answer, resumed))
}

/// Everything that one end has to write.
fn write<S: SideData>(from: &mut ConnectionCommon<S>, socket: &mut TcpStream) -> Result<usize, String> {
    let mut bytes = Vec::new();
    while from.wants_write() {
        from.write_tls(&mut bytes).map_err(|error| error.to_string())?;
    }
    socket.write_all(&bytes).map_err(|error| error.to_string())?;
    Ok(bytes.len())
}

/// Carries what one end has to write to the other, which reads exactly that; how much, and what it made of it.
fn carry<A: SideData, B: SideData>(
    from: &mut ConnectionCommon<A>,
    out: &mut TcpStream,
    to: &mut ConnectionCommon<B>,
    into: &mut TcpStream,
) -> Result<(usize, Result<(), Error>), String> {
    let all = write(from, out)?;
    let mut left = all;
    while left > 0 {
        let read = to.read_tls(&mut into.take(left as u64)).map_err(|error| error.to_string())?;
        if read == 0 {
            return Err("closed".to_owned());
        }
        left -= read;
        if let Err(error) = to.process_new_packets() {
            return Ok((all, Err(error)));
        }
    }
    Ok((all, Ok(())))
}
