//! An SAP back end calls a gateway with its own self-signed certificate: the whole story, in one process.
//!
//! `cargo run --example quickstart` needs no files and no network but 127.0.0.1. Every step says what happens, shows what
//! was seen and checks it: if one does not come out as told, the program says which, and fails.
//!
//! To copy from: the set-up for trust, users and roles, `serve` and `answer` for a server, `Client` for a caller. The HTTP
//! is only as much as the story needs; in earnest, take a real HTTP server.

use std::error::Error;
use std::fmt::{Debug, Display};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use certmap::rustls::client::WantsClientCert;
use certmap::rustls::crypto::aws_lc_rs;
use certmap::rustls::pki_types::pem::PemObject;
use certmap::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer, UnixTime};
use certmap::rustls::server::{AcceptedAlert, Acceptor};
use certmap::rustls::{self, ClientConfig, ClientConnection, ConfigBuilder, RootCertStore, StreamOwned};
use certmap::tls::{End, Trouble, TroubleKind};
use certmap::{
    AccessLine, Authority, Caller, CertUserMapping, Certificate, ClientConfigBuilder, Endpoint, Host, Identity,
    IdentityRequest, Policy, PolicyBuilder, PolicyHandle, Role, RoleAssignment, Selector, TrustBundle,
};
use rcgen::{CertificateParams, DnType, KeyPair};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;
type Log = mpsc::Sender<String>;
/// Status and body.
type Answer = (u16, &'static str);
type Issuer = rcgen::Issuer<'static, KeyPair>;

/// Certificate and key of the ERP, in one file. For tests only: the key is public.
const ERP_PEM: &str = include_str!("data/erp-v1-test-only.pem");
/// The user that the ERP's certificate is mapped to. It need not exist anywhere else.
const USER: &str = "SAPERPUSER";
/// The role that the gateway asks for, and the same with a typing error.
const SEND: Role = Role::from_static("iflmap/ESBMessaging.send");
const MISSPELT: Role = Role::from_static("iflmap/ESBmessaging.send");
const ORDER: &str = "<order/>";
/// Bytes of a head, and of a body, that are read; and how long to wait for the other end.
const LIMIT: usize = 8192;
const PATIENCE: Duration = Duration::from_secs(10);

fn main() -> ExitCode {
    let story = story();
    let steps = STEPS.load(Ordering::Relaxed);
    if let Err(error) = story {
        let because = error.source().map_or_else(String::new, |cause| format!(": {cause}"));
        eprintln!("\nStep {steps} did not come out as told: {error}{because}");
        return ExitCode::FAILURE;
    }
    println!("\nAll {steps} steps came out as told.");
    ExitCode::SUCCESS
}

fn story() -> Result<()> {
    let scene = set_up()?;
    let mut open = ping_and_call(&scene)?;
    let newcomer = strangers(&scene)?;
    role_withdrawn_and_misspelt(&scene, &mut open)?;
    server_not_trusted(&scene)?;
    not_mapped(&scene, &mut open, &newcomer)?;
    wrong_host(&scene, &mut open)
}

// What is set up, once.

struct Scene {
    erp: Identity,
    /// Issued the gateway's server certificate.
    root: Certificate,
    bundle: TrustBundle,
    policy: Arc<PolicyHandle>,
    /// Where the gateway listens, and what it writes down.
    gateway: SocketAddr,
    log: mpsc::Receiver<String>,
}

fn set_up() -> Result<Scene> {
    let erp = load_identity()?;
    let exported = export_certificate(&erp)?;
    let (root, server) = make_server_identity()?;
    let bundle = pin_certificate(&exported)?;
    let policy = Arc::new(PolicyHandle::new(map_and_assign(&bundle, erp.certificate())?));
    step("Start the gateway");
    let (gateway, log) = start(Endpoint::single(Arc::clone(&policy), server)?.with_alpn(["http/1.1"]))?;
    say(format!("it listens on {gateway} and requires a client certificate"));
    Ok(Scene { erp, root, bundle, policy, gateway, log })
}

fn load_identity() -> Result<Identity> {
    step("Load the ERP's SSL client identity");
    let erp = Identity::from_pem(ERP_PEM.as_bytes())?.with_name("ERP");
    show(&erp.name(), erp.certificate());
    expect("the version", &erp.certificate().version(), &1)?;
    say("STRUST makes version 1. A stock rustls client refuses to present that:");
    let key = PrivateKeyDer::from_pem_slice(ERP_PEM.as_bytes())?;
    let stock = stock_client(RootCertStore::empty())?.with_client_auth_cert(erp.chain().to_vec(), key);
    let refusal = stock.err().ok_or("stock rustls took the certificate")?.to_string();
    say(&refusal);
    expect("that it is about the version", &refusal.contains("UnsupportedCertVersion"), &true)?;
    Ok(erp)
}

fn export_certificate(erp: &Identity) -> Result<String> {
    step("Export its certificate (in STRUST: Export own certificate, Base64)");
    let pem = erp.certificate().to_pem();
    say(format!("{} lines of PEM, without the key", pem.lines().count()));
    expect("private keys in the export", &pem.matches("PRIVATE").count(), &0)?;
    expect("the certificate read back", &Certificate::from_pem(pem.as_bytes())?, erp.certificate())?;
    Ok(pem)
}

fn make_server_identity() -> Result<(Certificate, Identity)> {
    step("Make the gateway's server certificate, issued by a root");
    let (root, issuer) = make_root("Gateway Root")?;
    let mut params = params("gateway");
    params.subject_alt_names = vec![rcgen::SanType::DnsName("localhost".try_into()?)];
    let server = issue(&params, &issuer)?;
    show("server", server.certificate());
    say("The ERP gets the root, to know the gateway by (in STRUST: the PSE's certificate list).");
    expect("the issuer", &server.certificate().issuer(), &root.subject())?;
    Ok((root, server))
}

fn pin_certificate(exported: &str) -> Result<TrustBundle> {
    step("Put the exported certificate into the gateway's bundle");
    let mut bundle = TrustBundle::new("partners".parse()?);
    bundle.add_pins_pem(exported.as_bytes())?;
    say(format!("bundle {}: {} of {} certificates", bundle.name(), bundle.len(), bundle.limit()));
    bundle.entries().for_each(|entry| show(&entry.kind().to_string(), entry.certificate()));
    expect("certificates in the bundle", &bundle.len(), &1)?;
    Ok(bundle)
}

fn map_and_assign(bundle: &TrustBundle, erp: &Certificate) -> Result<Policy> {
    step("Map the certificate to a user, and give the user a role");
    let policy = PolicyBuilder::for_host(host(bundle.clone())?)
        .mapping(CertUserMapping::new(Selector::certificate(erp.fingerprint()), USER.parse()?))
        .assignment(RoleAssignment::new(USER.parse()?, SEND))
        .build()?;
    policy.canonical_form().lines().for_each(say);
    say(format!("digest {}", policy.digest()));
    say("PolicyBuilder::partner pins, maps and assigns in one line, to the same digest.");
    let short = policy_of(TrustBundle::new(bundle.name().clone()), erp, Some(SEND))?;
    expect("the digest of the short way", &short.digest(), &policy.digest())?;
    Ok(policy)
}

// What must work.

fn ping_and_call(scene: &Scene) -> Result<Client> {
    step("Ping: an empty message, which the application does not like");
    let mut open = scene.client(&scene.erp)?;
    open.expect_answer("localhost", "", (500, "empty message"))?;
    scene.expect_access(Some(USER), 500)?;
    say("The user in the log proves who called. The 500 is the application's own.");

    step("A real call");
    open.expect_answer("localhost", ORDER, (200, "accepted"))?;
    scene.expect_access(Some(USER), 200)?;
    Ok(open)
}

// What must not work.

/// Returns the newcomer among them, who comes back later.
fn strangers(scene: &Scene) -> Result<Identity> {
    step("No certificate: refused in the handshake");
    let mut roots = RootCertStore::empty();
    roots.add(scene.root.der().into_owned())?;
    let client = Client::connect(stock_client(roots)?.with_no_client_auth(), scene.gateway)?;
    client.expect_no_answer(TroubleKind::CertificateRequired)?;
    scene.expect_line(&["code=no-certificate", "no certificate was presented"])?;

    step("A certificate that nobody knows: refused in the handshake");
    let request = IdentityRequest::new("CN=newcomer".parse()?, UnixTime::now(), Duration::from_secs(86_400));
    let newcomer = Identity::generate(&request)?;
    scene.client(&newcomer)?.expect_no_answer(TroubleKind::ClientRefused)?;
    scene.expect_line(&["code=untrusted", "it is not in the bundle"])?;

    step("A certificate CN=admin, issued with the ERP's key: refused, for a pin issues nothing");
    let admin = issue(&params("admin"), &erp_as_issuer()?)?;
    expect("its issuer", &admin.certificate().issuer(), &scene.erp.certificate().subject())?;
    scene.client(&admin)?.expect_no_answer(TroubleKind::ClientRefused)?;
    scene.expect_line(&["code=untrusted", "it claims to be issued by the pinned certificate"])?;
    Ok(newcomer)
}

fn role_withdrawn_and_misspelt(scene: &Scene, open: &mut Client) -> Result<()> {
    step("The role is withdrawn: the open connection feels it, and so does a new one");
    scene.policy.replace(policy_of(scene.bundle.clone(), scene.erp.certificate(), None)?);
    for client in [&mut *open, &mut scene.client(&scene.erp)?] {
        client.expect_answer("localhost", ORDER, (403, "role-missing"))?;
        scene.expect_line(&["role-missing", "assign `iflmap/ESBMessaging.send` to `SAPERPUSER`"])?;
        scene.expect_access(Some(USER), 403)?;
    }

    step("The role is given back, misspelt");
    scene.policy.replace(policy_of(scene.bundle.clone(), scene.erp.certificate(), Some(MISSPELT))?);
    open.expect_answer("localhost", ORDER, (403, "role-missing"))?;
    scene.expect_line(&["role-missing", "the user has `iflmap/ESBmessaging.send`"])?;
    scene.expect_access(Some(USER), 403)
}

fn server_not_trusted(scene: &Scene) -> Result<()> {
    step("The ERP does not know the gateway's root (SAP: ICM_HTTP_SSL_PEER_CERT_UNTRUSTED)");
    let (another, _) = make_root("Another Root")?;
    let config = ClientConfigBuilder::new(scene.erp.clone(), servers(another)?).build()?;
    Client::connect(config, scene.gateway)?.expect_no_answer(TroubleKind::ServerUntrusted)?;
    scene.expect_line(&["server-untrusted", "the root of this server"]).map(drop)
}

fn not_mapped(scene: &Scene, open: &mut Client, newcomer: &Identity) -> Result<()> {
    step("The newcomer is pinned, but no rule says who it is");
    let mut bundle = scene.bundle.clone();
    bundle.add_pin(newcomer.certificate().clone())?;
    scene.policy.replace(policy_of(bundle, scene.erp.certificate(), Some(SEND))?);
    scene.client(newcomer)?.expect_answer("localhost", ORDER, (401, "not-mapped"))?;
    scene.expect_line(&["code=not-mapped", "no rule says whose certificate"])?;
    scene.expect_access(None, 401)?;
    say("The ERP has its role again, on the connection that was open all the time:");
    open.expect_answer("localhost", ORDER, (200, "accepted"))?;
    scene.expect_access(Some(USER), 200)
}

fn wrong_host(scene: &Scene, open: &mut Client) -> Result<()> {
    step("A request for another host, on the ERP's connection");
    open.expect_answer("admin.example.com", ORDER, (421, "misdirected"))?;
    scene.expect_line(&["misdirected", "`admin.example.com`"])?;
    scene.expect_access(None, 421)
}

// The gateway.

fn start(endpoint: Endpoint) -> io::Result<(SocketAddr, mpsc::Receiver<String>)> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    let address = listener.local_addr()?;
    let (write, log) = mpsc::channel();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (endpoint, log) = (endpoint.clone(), write.clone());
            thread::spawn(move || serve(&endpoint, &stream, &log));
        }
    });
    Ok((address, log))
}

/// One connection: the handshake, in which the peer may be refused, then its requests.
fn serve(endpoint: &Endpoint, mut stream: &TcpStream, log: &Log) -> Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    let peer = stream.peer_addr()?;
    let give_up = |(error, mut alert): (rustls::Error, AcceptedAlert)| {
        let _ = alert.write_all(&mut &*stream);
        let _ = log.send(Trouble::new(End::Server, &error).to_string());
        error
    };
    let mut acceptor = Acceptor::default();
    let accepted = loop {
        if acceptor.read_tls(&mut &*stream)? == 0 {
            return Ok(());
        }
        if let Some(accepted) = acceptor.accept().map_err(give_up)? {
            break accepted;
        }
    };
    let selected = match endpoint.select(&accepted.client_hello()) {
        Ok(selected) => selected,
        Err(unknown) => {
            accepted.into_connection(unknown.config()).map_err(give_up)?;
            return Ok(());
        }
    };
    let mut tls = accepted.into_connection(selected.config()).map_err(give_up)?;
    if let Err(error) = tls.complete_io(&mut stream) {
        log.send(match selected.refused(&error, UnixTime::now()) {
            Some(refused) => refused.record().with_peer(peer).to_string(),
            None => Trouble::new(End::Server, &error).to_string(),
        })?;
        // Closing with unread bytes would take away the alert that tells the peer what happened.
        stream.shutdown(Shutdown::Write)?;
        io::copy(&mut stream.take(LIMIT as u64), &mut io::sink())?;
        return Ok(());
    }
    let caller = selected.caller(&tls)?;
    let mut connection = BufReader::new(StreamOwned::new(tls, stream));
    while let Some((head, body)) = read_message(&mut connection)? {
        let (status, body) = answer(&caller, &head, &body, peer, log)?;
        let head = format!("HTTP/1.1 {status} \r\nContent-Length: {}\r\n\r\n", body.len());
        connection.get_mut().write_all((head + body).as_bytes())?;
        connection.get_mut().flush()?;
    }
    Ok(())
}

/// One request: who is it, may it, and what does the application say. Asked anew for every request.
fn answer(caller: &Caller, head: &str, body: &[u8], peer: SocketAddr, log: &Log) -> Result<Answer> {
    let now = UnixTime::now();
    let admitted = caller.admit(Authority::Host(header(head, "host")), now);
    let (status, body) = match &admitted {
        Ok(principal) => match principal.require(&SEND) {
            Ok(()) => application(body),
            Err(missing) => {
                log.send(missing.record(now).with_peer(peer).to_string())?;
                (missing.http_status(), missing.code())
            }
        },
        Err(refused) => {
            log.send(refused.record().with_peer(peer).to_string())?;
            (refused.http_status(), refused.code().as_str())
        }
    };
    let user = admitted.as_ref().ok().map(|principal| principal.user().as_str());
    let request = head.lines().next().unwrap_or_default();
    let line = AccessLine::new(peer.ip(), now, request, status, body.len() as u64).with_user(user);
    log.send(line.to_string())?;
    Ok((status, body))
}

/// What the gateway protects. It dislikes empty messages.
fn application(body: &[u8]) -> Answer {
    if body.is_empty() { (500, "empty message") } else { (200, "accepted") }
}

// The caller.

struct Client(BufReader<StreamOwned<ClientConnection, TcpStream>>);

impl Client {
    fn connect(config: ClientConfig, address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let tls = ClientConnection::new(Arc::new(config), "localhost".try_into()?)?;
        Ok(Self(BufReader::new(StreamOwned::new(tls, stream))))
    }

    /// Sends a message and reads status and body of the answer. Only here does a TLS 1.3 client learn of its refusal.
    fn send(&mut self, host: &str, body: &str) -> io::Result<(u16, String)> {
        let head = format!("POST /sample/iflow HTTP/1.1\r\nHost: {host}\r\nContent-Length: {}\r\n\r\n", body.len());
        self.0.get_mut().write_all((head + body).as_bytes())?;
        self.0.get_mut().flush()?;
        let (head, body) = read_message(&mut self.0)?.ok_or(io::ErrorKind::UnexpectedEof)?;
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or(io::ErrorKind::InvalidData)?;
        Ok((status, String::from_utf8_lossy(&body).into_owned()))
    }

    fn expect_answer(&mut self, host: &str, body: &str, told: (u16, &str)) -> Result<()> {
        let (status, answer) = self.send(host, body)?;
        say(format!("caller  | {status} {answer}"));
        expect("the answer", &(status, answer.as_str()), &told)
    }

    fn expect_no_answer(mut self, told: TroubleKind) -> Result<()> {
        let error = self.send("localhost", ORDER).err().ok_or("the caller was answered")?;
        let trouble = Trouble::new(End::Client, &error);
        say(format!("caller  | {trouble}"));
        expect("the caller's trouble", &trouble.kind(), &told)
    }
}

/// Reads the head and the body of one HTTP/1.1 message, both of limited size; `None` at the end of the connection.
fn read_message(from: &mut impl BufRead) -> io::Result<Option<(String, Vec<u8>)>> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        let room = LIMIT - head.len();
        if from.by_ref().take(room as u64).read_line(&mut head)? == 0 {
            return if head.is_empty() { Ok(None) } else { Err(io::ErrorKind::InvalidData.into()) };
        }
    }
    let length = header(&head, "content-length").parse().ok().filter(|length| *length <= LIMIT);
    let mut body = vec![0; length.ok_or(io::ErrorKind::InvalidData)?];
    from.read_exact(&mut body)?;
    Ok(Some((head, body)))
}

fn header<'a>(head: &'a str, name: &str) -> &'a str {
    let mut headers = head.lines().filter_map(|line| line.split_once(':'));
    headers.find(|(found, _)| found.eq_ignore_ascii_case(name)).map_or("", |(_, value)| value.trim())
}

// Parts of the scene.

/// The gateway's host: it answers for `localhost`, and lets in whom the bundle vouches for.
fn host(bundle: TrustBundle) -> Result<Host> {
    Ok(Host::new("gateway".parse()?, bundle).with_server_names(["localhost".parse()?]))
}

fn policy_of(bundle: TrustBundle, erp: &Certificate, role: Option<Role>) -> Result<Policy> {
    Ok(PolicyBuilder::for_host(host(bundle)?).partner(USER.parse()?, erp.clone(), role).build()?)
}

/// The bundle by which a caller knows servers.
fn servers(root: Certificate) -> Result<TrustBundle> {
    let mut bundle = TrustBundle::new("servers".parse()?);
    bundle.add_anchor(root)?;
    Ok(bundle)
}

fn stock_client(roots: RootCertStore) -> Result<ConfigBuilder<ClientConfig, WantsClientCert>> {
    let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
    Ok(builder.with_safe_default_protocol_versions()?.with_root_certificates(roots))
}

fn params(common_name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, common_name);
    params
}

fn make_root(common_name: &str) -> Result<(Certificate, Issuer)> {
    let (key, mut params) = (KeyPair::generate()?, params(common_name));
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let root = Certificate::from_der(params.self_signed(&key)?.der())?;
    Ok((root, Issuer::new(params, key)))
}

fn issue(params: &CertificateParams, issuer: &Issuer) -> Result<Identity> {
    let key = KeyPair::generate()?;
    let chain = vec![params.signed_by(&key, issuer)?.into()];
    Ok(Identity::new(chain, PrivatePkcs8KeyDer::from(key.serialize_der()).into())?)
}

/// The ERP as a CA, which it is not. rcgen takes each kind of attribute once, so the second OU goes by its number.
fn erp_as_issuer() -> Result<Issuer> {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CountryName, "DE");
    params.distinguished_name.push(DnType::OrganizationName, "SAP Trust Community");
    params.distinguished_name.push(DnType::OrganizationalUnitName, "I0020123456");
    params.distinguished_name.push(DnType::CustomDnType(vec![2, 5, 4, 11]), "SAP Web AS");
    params.distinguished_name.push(DnType::CommonName, "ERP SSL client SSL Client (Standard)");
    let key = PrivateKeyDer::from_pem_slice(ERP_PEM.as_bytes())?;
    Ok(Issuer::new(params, KeyPair::try_from(&key)?))
}

// Saying and checking.

static STEPS: AtomicUsize = AtomicUsize::new(0);

fn step(title: &str) {
    println!("\n{:2}. {title}", STEPS.fetch_add(1, Ordering::Relaxed) + 1);
}

fn say(line: impl Display) {
    println!("    {line}");
}

fn show(what: &str, certificate: &Certificate) {
    say(format!("{what}: X.509 version {}, {}", certificate.version(), certificate.key_type()));
    say(format!("  subject      {}", certificate.subject()));
    say(format!("  issuer       {}", certificate.issuer()));
    say(format!("  serial       {}", certificate.serial()));
    say(format!("  valid        {}", certificate.validity()));
    say(format!("  fingerprint  {}", certificate.fingerprint()));
}

fn expect<T: Debug + PartialEq>(what: &str, seen: &T, told: &T) -> Result<()> {
    if seen == told { Ok(()) } else { Err(format!("{what} should be {told:?}, but is {seen:?}").into()) }
}

impl Scene {
    /// A caller that knows the gateway's root.
    fn client(&self, identity: &Identity) -> Result<Client> {
        let config = ClientConfigBuilder::new(identity.clone(), servers(self.root.clone())?).with_alpn(["http/1.1"]);
        Client::connect(config.build()?, self.gateway)
    }

    /// The gateway's next line in the log has these parts.
    fn expect_line(&self, parts: &[&str]) -> Result<String> {
        let line = self.log.recv_timeout(PATIENCE).map_err(|_| "the gateway logged nothing")?;
        say(format!("gateway | {line}"));
        let missing = parts.iter().find(|part| !line.contains(*part));
        missing.map_or(Ok(line), |part| Err(format!("there should be `{part}` in the log").into()))
    }

    /// The gateway's next line in the log is an access line with this user and status.
    fn expect_access(&self, user: Option<&str>, status: u16) -> Result<()> {
        let line: AccessLine = self.expect_line(&[])?.parse()?;
        expect("user and status in the log", &(line.user(), line.status()), &(user, status))
    }
}
