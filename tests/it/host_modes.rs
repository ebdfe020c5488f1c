//! `none`, `request` and `require`, refused in the handshake or let to decide, with every kind of certificate: one table,
//! the same for configurations that serve one connection and those that serve many.

use certmap::decision::Peer;
use certmap::policy::{ClientAuth, Hints, UntrustedClients};
use certmap::rustls::HandshakeKind;
use certmap::testing::{NOW, TestCertificate, TestIdentity};
use certmap::{Authority, Host, Outcome, TrustBundle};

use crate::common::{SERVER, everywhere};
use crate::hosting::{DAY, Ends, Site, World, believing, call_fixed};

/// Mode, untrusted clients, certificate: handshake, outcome of the decision, `identify`, `admit`.
const TABLE: &str = "
none     refuse-in-handshake  nothing    | full               anonymous                    anonymous                    no-certificate
none     refuse-in-handshake  good       | full               anonymous                    anonymous                    no-certificate
none     refuse-in-handshake  untrusted  | full               anonymous                    anonymous                    no-certificate
none     refuse-in-handshake  expired    | full               anonymous                    anonymous                    no-certificate
none     let-decide           nothing    | full               anonymous                    anonymous                    no-certificate
none     let-decide           good       | full               anonymous                    anonymous                    no-certificate
none     let-decide           untrusted  | full               anonymous                    anonymous                    no-certificate
none     let-decide           expired    | full               anonymous                    anonymous                    no-certificate
request  refuse-in-handshake  nothing    | full               anonymous                    anonymous                    no-certificate
request  refuse-in-handshake  good       | full               PARTNER                      PARTNER                      PARTNER
request  refuse-in-handshake  untrusted  | untrusted          -                            -                            -
request  refuse-in-handshake  expired    | certificate-expired -                           -                            -
request  let-decide           nothing    | full               anonymous                    anonymous                    no-certificate
request  let-decide           good       | full               PARTNER                      PARTNER                      PARTNER
request  let-decide           untrusted  | full               untrusted                    untrusted                    untrusted
request  let-decide           expired    | full               certificate-expired          certificate-expired          certificate-expired
require  refuse-in-handshake  nothing    | no-certificate     -                            -                            -
require  refuse-in-handshake  good       | full               PARTNER                      PARTNER                      PARTNER
require  refuse-in-handshake  untrusted  | untrusted          -                            -                            -
require  refuse-in-handshake  expired    | certificate-expired -                           -                            -
require  let-decide           nothing    | full               no-certificate               no-certificate               no-certificate
require  let-decide           good       | full               PARTNER                      PARTNER                      PARTNER
require  let-decide           untrusted  | full               untrusted                    untrusted                    untrusted
require  let-decide           expired    | full               certificate-expired          certificate-expired          certificate-expired
";

fn mode(word: &str) -> ClientAuth {
    let modes = [ClientAuth::None, ClientAuth::Request, ClientAuth::Require];
    modes.into_iter().find(|mode| mode.as_str() == word).unwrap()
}

fn untrusted(word: &str) -> UntrustedClients {
    let ways = [UntrustedClients::LetDecide, UntrustedClients::RefuseInHandshake];
    ways.into_iter().find(|way| way.as_str() == word).unwrap()
}

/// Handshake, outcome, `identify`, `admit`, in words.
fn in_words(ends: &Ends) -> [String; 4] {
    let selected = ends.selected();
    if let Some(error) = &ends.server_error {
        assert!(ends.client_error.is_some(), "the client is told");
        assert!(selected.caller(ends.server()).is_err());
        let refused = selected.refused(error, NOW).unwrap_or_else(|| panic!("not a refusal: {error}"));
        return [refused.code().as_str(), "-", "-", "-"].map(str::to_owned);
    }
    assert_eq!(ends.client_error, None);
    assert_eq!(ends.server().handshake_kind(), Some(HandshakeKind::Full));
    let caller = selected.caller(ends.server()).unwrap();
    let decision = caller.decide(NOW);
    let outcome = match decision.outcome() {
        Outcome::Admitted(principal) => principal.user().to_string(),
        Outcome::Anonymous => "anonymous".to_owned(),
        Outcome::Refused(refusal) => refusal.code().to_string(),
    };
    let anonymous = outcome == "anonymous";
    assert_eq!(decision.principal().is_some(), outcome == "PARTNER");
    assert_eq!(decision.refusal().is_some(), !anonymous && outcome != "PARTNER");
    let identified = match caller.identify(Authority::NotHttp, NOW) {
        Ok(Peer::Anonymous) => "anonymous".to_owned(),
        Ok(Peer::User(principal)) => principal.user().to_string(),
        Err(refused) => refused.code().to_string(),
    };
    // Twice, because the second answer may be one that is remembered.
    let admitted = [(); 2].map(|()| match caller.admit(Authority::NotHttp, NOW) {
        Ok(principal) => principal.user().to_string(),
        Err(refused) => {
            assert_eq!(refused.http_status(), 401);
            refused.code().to_string()
        }
    });
    assert_eq!(admitted[0], admitted[1]);
    ["full".to_owned(), outcome, identified, admitted[0].clone()]
}

#[test]
fn a_host_of_which_nothing_is_said_is_the_strictest_there_is() {
    let host = Host::new("gw".parse().unwrap(), TrustBundle::new("partners".parse().unwrap()));
    let said = (host.client_auth(), host.untrusted(), host.hints());
    assert_eq!(said, (ClientAuth::Require, UntrustedClients::RefuseInHandshake, Hints::None));
}

#[test]
fn every_mode_with_every_certificate_has_the_answer_of_the_table() {
    let world = World::new();
    let untrusted_one = TestCertificate::new("CN=partner").with_serial(&[7]).with_purpose(2).issued_by(&world.other_ca);
    let validity = (NOW.as_secs() - 2 * DAY, NOW.as_secs() - 1);
    let expired =
        TestCertificate::new("CN=partner").with_purpose(2).with_validity(validity.0, validity.1).issued_by(&world.ca);
    let certificates: [(&str, Option<&TestIdentity>); 4] = [
        ("nothing", None),
        ("good", Some(&world.partner)),
        ("untrusted", Some(&untrusted_one)),
        ("expired", Some(&expired)),
    ];
    let rows: Vec<_> = TABLE.lines().filter(|line| !line.is_empty()).collect();
    assert_eq!(rows.len(), 3 * 2 * 4);
    for (backend, version) in everywhere() {
        for row in &rows {
            let place = format!("{backend:?} {version:?} {row}");
            let words: Vec<_> = row.split_whitespace().collect();
            let [auth, way, certificate, _, expected @ ..] = &words[..] else { panic!("{row}") };
            let host = believing("gw", &world.ca).with_client_auth(mode(auth)).with_untrusted(untrusted(way));
            let site = Site::new(world.builder(host).build().unwrap(), backend);
            let (_, identity) = certificates.iter().find(|(name, _)| name == certificate).unwrap();
            let client = site.client(*identity, backend, version);
            assert_eq!(in_words(&site.call(&client, SERVER)), *expected, "{place}");
            let fixed = site.endpoint.only().unwrap();
            assert_eq!(in_words(&call_fixed(&fixed, &client, SERVER)), *expected, "{place}");
        }
    }
}

#[test]
fn who_came_without_a_certificate_never_becomes_a_user_whatever_the_policy_says_later() {
    let world = World::new();
    for (backend, version) in everywhere() {
        for auth in [ClientAuth::None, ClientAuth::Request] {
            let policy = |auth| world.builder(believing("gw", &world.ca).with_client_auth(auth)).build().unwrap();
            let site = Site::new(policy(auth), backend);
            let ends = site.call(&site.client(None, backend, version), SERVER);
            let caller = ends.selected().caller(ends.server()).unwrap();
            for later in [ClientAuth::None, ClientAuth::Request, ClientAuth::Require, auth] {
                site.policy.replace(policy(later));
                let refused = caller.admit(Authority::NotHttp, NOW).unwrap_err();
                assert_eq!(refused.code().as_str(), "no-certificate", "{later:?}");
                let identified = caller.identify(Authority::NotHttp, NOW);
                assert_eq!(matches!(identified, Ok(Peer::Anonymous)), later != ClientAuth::Require, "{later:?}");
            }
        }
    }
}

#[test]
fn a_mode_that_changes_before_the_first_message_admits_nobody_it_should_not() {
    // A connection to a fixed configuration may wait long for its first message.
    let world = World::new();
    let policy = |auth| world.builder(believing("gw", &world.ca).with_client_auth(auth)).build().unwrap();
    let modes = [ClientAuth::None, ClientAuth::Request, ClientAuth::Require];
    for (backend, version) in everywhere() {
        for (before, after) in modes.into_iter().flat_map(|before| modes.map(|after| (before, after))) {
            for identity in [None, Some(&world.partner)] {
                let place = format!("{backend:?} {version:?} {before:?} {after:?} {}", identity.is_some());
                let site = Site::new(policy(before), backend);
                let fixed = site.endpoint.only().unwrap();
                let client = site.client(identity, backend, version);
                let mut waiting = crate::hosting::waiting(&fixed, &client, SERVER);
                site.policy.replace(policy(after));
                waiting.run();
                let admitted = waiting.server_error.is_none()
                    && fixed.caller(waiting.server()).unwrap().admit(Authority::NotHttp, NOW).is_ok();
                let may = identity.is_some() && after != ClientAuth::None;
                // rustls keeps the messages of TLS 1.2 for a signature only if it knew from the start that it will ask.
                let fails = version == crate::common::Version::Tls12 && before == ClientAuth::None;
                assert_eq!(admitted, may && !fails, "{place} {:?}", waiting.server_error);
            }
        }
    }
}
