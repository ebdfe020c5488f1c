//! A value of every public type that has room for a secret or for what others wrote, made where both are about, and shown: what
//! comes of those of `canaries_of_values` when somebody calls.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use certmap::cert::GeneralName;
use certmap::identity::{IdentityHandle, IdentityRequest, Import};
use certmap::limits::KEY_ITERATIONS_MIN;
use certmap::live::{Callers, Change};
use certmap::review::{self, Rotation, Shadow, diff, explain, forecast, lint, preflight, preflight_server};
use certmap::rustls::pki_types::CertificateDer;
use certmap::rustls::sign::{CertifiedKey, SingleCertAndKey};
use certmap::rustls::{ClientConnection, KeyLog};
use certmap::testing::{NOW, TestCertificate, TestClock, TestIdentity};
use certmap::tls::{End, Resumption, TicketKey, TicketKeys, Trouble, UnfitHints};
use certmap::{
    Authority, Caller, CertUserMapping, Certificate, ClientConfigBuilder, DistinguishedName, Endpoint, Host, Identity,
    NewKey, PolicyBuilder, PolicyHandle, Role, Selector, TrustBundle,
};

use crate::anchors::client;
use crate::canaries::{PASSWORD, Watch};
use crate::canaries_of_policies::Secrets;
use crate::canaries_of_values::{NAME, RAW, World};
use crate::common::{Backend, Gateway, SERVER, Version, user};
use crate::fleets::{exact, rule};
use crate::hosting::{Site, accept, written_by};

const YEAR: Duration = Duration::from_secs(400 * 86_400);

/// Shows what is decided, told about policies, and done on connections.
pub fn show(watch: &mut Watch, world: &World) {
    decisions(watch, world);
    reviews(watch, world);
    identities(watch, world);
    connections(watch, world);
    what_goes_wrong(watch, world);
}

fn decisions(watch: &mut Watch, world: &World) {
    let handle = Arc::new(PolicyHandle::new(world.policy()));
    let callers = Callers::with_limit(20);
    let mut registered = Vec::new();
    for evidence in world.evidences() {
        let evidence = evidence.with_server_name("main".parse().unwrap(), Some(RAW));
        watch.debug(&evidence);
        let caller = Caller::new(Arc::clone(&handle), evidence);
        watch.debug(&caller);
        let decision = caller.decide(NOW);
        watch.display(&decision);
        watch.debug(decision.outcome());
        watch.display(&decision.record().with_connection(RAW));
        if let Some(refusal) = decision.refusal() {
            watch.display(refusal);
            refusal.untrusted().into_iter().for_each(|untrusted| watch.display(untrusted));
        }
        match caller.identify(Authority::Host(RAW), NOW) {
            Ok(peer) => watch.debug(&peer),
            Err(refused) => watch.error(&refused),
        }
        if let Ok(principal) = decision.into_result() {
            watch.debug(&principal);
            principal.shortfalls().iter().for_each(|shortfall| watch.debug(shortfall));
            watch.error(&principal.require(&Role::from_static("a/b")).unwrap_err());
        }
        registered.push(callers.register(caller, RAW, NOW).unwrap());
    }
    for one in &registered {
        watch.debug(one);
    }
    watch.debug(&callers);
    handle.replace(world.builder().disabled_user(user("ACME")).build().unwrap());
    callers.review(NOW).iter().for_each(|change: &Change<_>| watch.debug(change));
}

fn reviews(watch: &mut Watch, world: &World) {
    let (policy, host) = (world.policy(), "gw".parse().unwrap());
    let other = PolicyBuilder::for_host(Host::new("gw".parse().unwrap(), world.trust()))
        .mapping(exact(&world.partner, "OTHER"))
        .mapping(rule(&world.root, "upn", "\"all\""))
        .build()
        .unwrap();
    let difference = diff(&policy, &other);
    watch.display(&difference);
    difference.users().iter().for_each(|change| watch.display(change));
    for change in difference.changes() {
        watch.display(change);
        if let review::Change::Rule { from, to, .. } = change {
            from.iter().chain(to).for_each(|terms| watch.display(terms));
        }
    }
    difference.decisions(&world.evidences(), NOW).iter().for_each(|found| watch.display(found));
    watch.debug(&Shadow::new(world.policy()));
    for evidence in world.evidences() {
        let explanation = explain(&other, &evidence, NOW);
        watch.display(&explanation);
        explanation.steps().iter().for_each(|step| watch.display(step));
        explanation.nearest().iter().chain(explanation.matching()).for_each(|candidate| watch.display(candidate));
    }
    for finding in lint(&other, NOW, YEAR) {
        watch.display(&finding);
        watch.display(finding.place());
    }
    for ending in forecast(&policy, NOW, YEAR) {
        watch.display(&ending);
        watch.display(ending.cause());
        watch.display(ending.whose());
        ending.successor().into_iter().for_each(|successor| watch.display(successor));
    }
    let renewed = TestCertificate::new(&format!("CN=partner {NAME}")).with_key_of(&world.partner);
    let renewed = renewed.with_serial(&[2]).with_validity(NOW.as_secs(), NOW.as_secs() + 500 * 86_400).self_signed();
    let mut both = world.trust();
    both.add_pin(renewed.certificate().clone()).unwrap();
    let host_of_both = Host::new("gw".parse().unwrap(), both);
    let both = PolicyBuilder::for_host(host_of_both)
        .mapping(CertUserMapping::new(Selector::key(renewed.certificate().spki_fingerprint()), user("ACME")))
        .build()
        .unwrap();
    forecast(&both, NOW, YEAR)
        .iter()
        .filter_map(review::Ending::successor)
        .for_each(|successor| watch.display(successor));
    let [old, new] = [&world.partner, &renewed].map(|of| of.certificate().clone());
    let rotation = Rotation::new(old, new, Duration::from_secs(60)).unwrap();
    watch.debug(&rotation);
    rotation.check(&policy, NOW).iter().for_each(|problem| watch.display(problem));
    let mut servers = TrustBundle::new("servers".parse().unwrap());
    servers.add_pin(world.own.certificate().clone()).unwrap();
    for chain in world.chains() {
        watch.display(&preflight(&policy, &host, &chain, NOW));
        watch.display(&preflight_server(&servers, &SERVER.try_into().unwrap(), &chain, NOW).unwrap());
    }
}

fn identities(watch: &mut Watch, world: &World) {
    let [own, partner] = [&world.own, &world.partner].map(TestIdentity::identity);
    watch.debug(&own);
    watch.debug(&IdentityHandle::new(own.clone()));
    watch.debug(&own.certificate_request(&[]).unwrap());
    let asked: DistinguishedName = format!("CN={NAME}").parse().unwrap();
    watch.debug(&IdentityRequest::new(asked.clone(), NOW, YEAR).with_key(NewKey::Ed25519));
    for key in &world.pasted {
        let names = [GeneralName::Dns(key.clone()), GeneralName::Uri(key.clone()), GeneralName::Email(RAW.to_owned())];
        for name in names {
            watch.result(own.certificate_request_for(&asked, &[name]));
        }
        watch.result(own.with_answer([key.as_bytes()]));
        watch.result(Identity::from_pem(key.as_bytes()));
        let import = Import::new().with_password(PASSWORD);
        watch.debug(&import);
        watch.result(import.read(key.as_bytes()));
    }
    watch.error(&own.certificate_request_for(&"".parse().unwrap(), &[]).unwrap_err());
    watch.error(&own.with_answer([partner.chain_pem().as_bytes()]).unwrap_err());
    watch.error(&own.encrypted_key_pem("", KEY_ITERATIONS_MIN).unwrap_err());
    watch.result(own.encrypted_key_pem(PASSWORD, 1));
    let key = partner.private_key_der().unwrap().to_vec().try_into().unwrap();
    watch.error(&Identity::new(own.chain().to_vec(), key).unwrap_err());
    let answer = client(&format!("CN={NAME}")).with_key_of(&world.partner).issued_by(&world.root);
    let answer = answer.certificate().to_pem();
    watch.debug(&partner.with_answer([answer.as_bytes()]).unwrap());
    // The issuer is not there.
    let device = world.device.identity();
    let file = world.device.certificate().to_pem() + &device.private_key_pem().unwrap();
    let imported = Import::new().read(file.as_bytes()).unwrap();
    watch.debug(&imported);
    imported.notes().iter().for_each(|note| watch.display(note));
}

fn connections(watch: &mut Watch, world: &World) {
    let mut gateway = Gateway::new(world.policy(), Backend::AwsLcRs);
    watch.key(&gateway.certificate.identity());
    let octets: [u8; 32] = std::array::from_fn(|at| u8::try_from(at * 7 % 251).unwrap() ^ 0xa5);
    watch.secret("the ticket key", &octets);
    watch.debug(&TicketKey::new(octets));
    let tickets = TicketKeys::new(TicketKey::new(octets)).unwrap();
    watch.debug(&tickets);
    let resumption = Resumption::scoped(Duration::from_secs(60)).unwrap().with_tickets(tickets);
    watch.debug(&resumption);
    gateway.endpoint = gateway.endpoint.with_resumption(resumption).unwrap();
    watch.debug(&gateway.endpoint);
    let selected = gateway.endpoint.only().unwrap();
    watch.debug(&selected);
    let partner = world.partner.identity();
    let mut servers = TrustBundle::new("servers".parse().unwrap());
    let builder = ClientConfigBuilder::new(partner.clone(), servers.clone());
    watch.debug(&builder);
    watch.error(&builder.build().unwrap_err());
    servers.add_pin(gateway.certificate.certificate().clone()).unwrap();
    watch.debug(&ClientConfigBuilder::new(partner.clone(), servers).build_per_identity().unwrap());
    let nobody =
        Endpoint::new(Arc::clone(&gateway.policy), "main".parse().unwrap(), [("other".parse().unwrap(), partner)]);
    watch.error(&nobody.unwrap_err());
    for version in [Version::Tls12, Version::Tls13] {
        let log = Arc::new(Secrets::default());
        let mut client = gateway.client(world.partner.identity(), Backend::AwsLcRs, version);
        client.key_log = Arc::clone(&log) as Arc<dyn KeyLog>;
        let ends = gateway.call(client);
        assert_eq!((&ends.client_error, &ends.server_error), (&None, &None));
        assert!(log.watched(watch) > 0);
        watch.debug(&ends);
    }
}

fn what_goes_wrong(watch: &mut Watch, world: &World) {
    let gateway = Gateway::new(world.policy(), Backend::AwsLcRs);
    let key = world.partner.identity().private_key_der().unwrap().to_vec();
    for version in [Version::Tls12, Version::Tls13] {
        let hints = UnfitHints::default();
        let mut servers = TrustBundle::new("servers".parse().unwrap());
        servers.add_pin(gateway.certificate.certificate().clone()).unwrap();
        let builder = ClientConfigBuilder::new(world.own.identity(), servers).with_unfit_hints(hints.clone());
        let builder = builder.with_provider(Backend::AwsLcRs.speaking(version)).with_time_provider(TestClock::at(NOW));
        let stranger = builder.build().unwrap();
        // And one that presents a key beside its certificate.
        let mut careless = stranger.clone();
        let chain = [world.own.certificate().der().to_vec(), key.clone()].map(CertificateDer::from).into();
        let signs = Backend::AwsLcRs.provider().key_provider.load_private_key(world.own.key()).unwrap();
        careless.client_auth_cert_resolver = Arc::new(SingleCertAndKey::from(CertifiedKey::new(chain, signs)));
        for client in [stranger, careless] {
            let ends = gateway.call(client);
            watch.debug(&hints);
            let [theirs, ours] = [&ends.client_error, &ends.server_error].map(|error| error.as_ref().unwrap());
            watch.display(&Trouble::new(End::Client, theirs).with_unfit_hints(&hints));
            watch.display(&Trouble::new(End::Server, ours));
            watch.error(&gateway.endpoint.only().unwrap().refused(ours, NOW).unwrap());
        }
    }
    // What programs say that read a key where it should not be, in our words and in theirs, or were told by a stranger.
    for key in &world.pasted {
        let unread = Certificate::from_pem(key.as_bytes()).unwrap_err();
        watch.display(&Trouble::new(End::Client, &io::Error::other(unread)));
        watch.display(&Trouble::new(End::Client, &io::Error::other(format!("cannot read {key}"))));
        watch.display(&Trouble::new(End::Client, &certmap::rustls::Error::General(key.clone())));
        let unread = Identity::from_pem(&key.as_bytes()[..key.len() - 20]).unwrap_err();
        watch.display(&Trouble::new(End::Client, &io::Error::other(unread)));
    }
    watch.display(&Trouble::new(End::Client, &io::Error::other(RAW)));
    let host = Host::new("gw".parse().unwrap(), world.trust());
    let host = host.with_listener("main".parse().unwrap()).with_server_names(["gw.example".parse().unwrap()]);
    let site = Site::new(PolicyBuilder::for_host(host).build().unwrap(), Backend::AwsLcRs);
    let client = site.client(Some(&world.partner), Backend::AwsLcRs, Version::Tls13);
    let mut client = ClientConnection::new(client, "nobody.example".try_into().unwrap()).unwrap();
    let accepted = accept(&written_by(&mut client)).unwrap_or_else(|(error, _)| panic!("{error}"));
    watch.error(&site.endpoint.select(&accepted.client_hello()).unwrap_err());
}
