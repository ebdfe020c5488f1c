//! What the lint says about the issuers of denials: which of them are nearly a CA that is known.

use certmap::review::FindingCode;
use certmap::testing::{TestCertificate, TestIdentity};
use certmap::trust::Denial;
use certmap::{Host, PolicyBuilder, TrustBundle};

use crate::anchors::bundle;
use crate::fleets::exact;
use crate::lint::told;

fn near_misses(trust: &TrustBundle, pin: &TestIdentity, denied: &[(&str, &str)]) -> Vec<String> {
    let denials =
        denied.iter().map(|(issuer, serial)| Denial::serial(issuer.parse().unwrap(), serial.parse().unwrap()));
    let builder = PolicyBuilder::for_host(Host::new("gw".parse().unwrap(), trust.clone()));
    let found = told(builder.mapping(exact(pin, "u")).denials(denials)).into_iter();
    found.filter(|(code, _)| *code == FindingCode::NearMissIssuer).map(|(_, text)| text).collect()
}

fn pinning(pins: &[&TestIdentity]) -> TrustBundle {
    let root = TestCertificate::new("CN=root").as_ca().self_signed();
    let mut trust = bundle(&[&root]);
    for pin in pins {
        trust.add_pin(pin.certificate().clone()).unwrap();
    }
    trust
}

#[test]
fn a_partner_that_made_its_certificate_itself_is_no_ca() {
    let pin = TestCertificate::new("CN=partner-a").self_signed();
    assert_eq!(near_misses(&pinning(&[&pin]), &pin, &[("CN=partner-b", "09")]), [] as [&str; 0]);
    // A denial of its own certificate means nobody else, however near another name is.
    let other = TestCertificate::new("CN=partner-c").as_ca().self_signed();
    assert_eq!(near_misses(&pinning(&[&pin, &other]), &pin, &[("CN=Partner-A", "09")]), [] as [&str; 0]);
}

#[test]
fn whoever_issued_a_pin_or_is_pinned_as_a_ca_is_a_ca() {
    let issuing = TestCertificate::new("CN=Acme Issuing").as_ca().self_signed();
    let issued = TestCertificate::new("CN=partner").issued_by(&issuing);
    let expected = "near-miss-issuer: denial `serial 09 of CN=Acme Isuing`: no CA that is known has this name, but `CN=Acme Issuing` is one: correct the issuer, unless that is another CA";
    for pin in [&issuing, &issued] {
        assert_eq!(near_misses(&pinning(&[pin]), pin, &[("CN=Acme Isuing", "09")]), [expected]);
    }
}

#[test]
fn every_denial_of_one_issuer_is_told_in_its_own_spelling() {
    let issuing = TestCertificate::new("CN=Acme Issuing,O=Acme").as_ca().self_signed();
    let denied = [("CN=Acme Isuing,O=Acme", "09"), ("CN=Acme Isuing,O=Acme", "0a"), ("O=ACME,CN=acme isuing", "0b")];
    let told = near_misses(&pinning(&[&issuing]), &issuing, &denied);
    assert_eq!(told.len(), 3, "{told:?}");
    for (issuer, serial) in denied {
        let beginning = format!("near-miss-issuer: denial `serial {serial} of {issuer}`: ");
        assert!(told.iter().any(|text| text.starts_with(&beginning)), "{beginning}");
    }
}
