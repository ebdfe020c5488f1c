//! Constraints on the names below a CA: each counts, and what nobody can apply is refused.

use certmap::testing::{TestCertificate, TestName};
use certmap::trust::{Entry, PathFailure};

use crate::anchors::{admitted, client, failure, policy};

#[test]
fn name_constraints_of_every_ca_count() {
    let permitted = |names: &[TestName<'_>]| {
        let root = TestCertificate::new("CN=root").as_ca().with_name_constraints(names, &[], true).self_signed();
        move |names: &[TestName<'_>]| {
            let partner = client("CN=p").with_alternative_names(names).issued_by(&root);
            admitted(&policy(&[&root], &[&partner]), partner.chain())
        }
    };
    let acme = permitted(&[TestName::Dns("acme.example")]);
    assert!(acme(&[TestName::Dns("erp.acme.example")]));
    assert!(!acme(&[TestName::Dns("erp.evil.example")]));
    // Kinds that webpki does not process are refused where they are constrained.
    let mail = permitted(&[TestName::Email("acme.example")]);
    assert!(!mail(&[TestName::Email("erp@acme.example")]));
}

#[test]
fn name_constraints_that_nobody_can_apply_are_refused() {
    let root = TestCertificate::new("CN=root").as_ca().self_signed();
    let period: &[TestName<'_>] = &[TestName::Dns(".acme.example")];
    let empty = |value: &'static [u8]| TestCertificate::new("CN=ca").as_ca().with_extension("2.5.29.30", true, value);
    for (ca, flaw) in [
        (TestCertificate::new("CN=ca").as_ca().with_name_constraints(period, &[], true), "begins with a period"),
        (TestCertificate::new("CN=ca").as_ca().with_name_constraints(&[], period, true), "begins with a period"),
        (empty(&[0x30, 0]), "permit and exclude nothing"),
        (empty(&[0x30, 4, 0xa0, 0, 0xa1, 0]), "permit and exclude nothing"),
    ] {
        let below = client("CN=p").issued_by(&ca.clone().issued_by(&root));
        let refused = failure(&[&root], &below);
        assert!(matches!(&refused, PathFailure::NameConstraint { reason } if reason.ends_with(flaw)), "{refused}");
        let anchor = ca.self_signed();
        let error = Entry::anchor(anchor.certificate().clone()).unwrap_err();
        assert!(std::error::Error::source(&error).unwrap().to_string().ends_with(flaw), "{error:?}");
        assert!(Entry::danger_odd_anchor(anchor.certificate().clone()).unwrap().oddity().is_some());
    }
}

#[test]
fn constraints_on_mail_count_for_addresses_in_the_subject() {
    const MAIL: &str = "1.2.840.113549.1.9.1=a@evil.example,CN=p";
    let constrained = |permitted: &[TestName<'_>], excluded: &[TestName<'_>]| {
        TestCertificate::new("CN=constrained").as_ca().with_name_constraints(permitted, excluded, true)
    };
    let root = TestCertificate::new("CN=root").as_ca().self_signed();
    for ca in [
        constrained(&[TestName::Email("acme.example")], &[]),
        constrained(&[], &[TestName::Email("evil.example")]),
        constrained(&[TestName::Dns("acme.example"), TestName::Email("acme.example")], &[]),
    ] {
        let anchor = ca.clone().self_signed();
        let issuing = ca.issued_by(&root);
        for (anchor, issuer) in [(&anchor, &anchor), (&root, &issuing)] {
            let refused = failure(&[anchor], &client(MAIL).issued_by(issuer));
            assert!(matches!(refused, PathFailure::NameConstraint { .. }), "{refused}");
            let other = |kind| {
                let names = [TestName::Other(kind, b"\x0c\x06\xc3\xa9@a.b")];
                client("CN=p").with_alternative_names(&names).issued_by(issuer)
            };
            // `SmtpUTF8Mailbox`, and a kind beside it.
            // An `otherName` whose kind is no number.
            let names = [TestName::Raw(0xa0, b"\x06\x01\x80\xa0\x02\x05\x00")];
            let unreadable = client("CN=p").with_alternative_names(&names).issued_by(issuer);
            for refused in [other("1.3.6.1.5.5.7.8.9"), unreadable] {
                let refused = failure(&[anchor], &refused);
                assert!(refused.to_string().contains("in the alternative names"), "{refused}");
            }
            for plain in [client("CN=p").issued_by(issuer), other("1.3.6.1.5.5.7.8.10")] {
                assert!(admitted(&policy(&[anchor], &[&plain]), plain.chain_without_root()));
            }
            let through = TestCertificate::new("1.2.840.113549.1.9.1=ca@evil.example,CN=ca").as_ca().issued_by(issuer);
            let refused = failure(&[anchor], &client("CN=p").issued_by(&through));
            assert!(matches!(refused, PathFailure::NameConstraint { .. }), "{refused}");
        }
    }
    let hosts = constrained(&[TestName::Dns("acme.example")], &[]).self_signed();
    let partner = client(MAIL).issued_by(&hosts);
    assert!(admitted(&policy(&[&hosts], &[&partner]), partner.chain()));
}
