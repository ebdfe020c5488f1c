//! Certificates that change: a CA is asked and answers, and a partner goes from one certificate to the next.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::tool::{Desk, openssl};

#[test]
fn a_ca_is_asked_and_its_answer_is_put_on_the_key_that_asked() {
    let desk = Desk::new("csr");
    desk.done("identity new CN=ERP,O=Acme --out erp.pem");
    desk.done("identity new CN=CRM,O=Acme --out crm.pem");
    let request = desk.done("identity csr erp.pem --name dns:erp.example --name ip:192.0.2.7");
    assert!(request.starts_with("-----BEGIN CERTIFICATE REQUEST-----"), "{request}");
    assert_eq!(desk.done("identity csr erp.pem --name dns:erp.example --out erp.csr"), "written to erp.csr\n");
    assert_eq!(desk.json("identity csr erp.pem --subject CN=ERP2 --out two.csr")["file"], "two.csr");
    let unfit = desk.refused(2, "identity csr erp.pem --name erp.example");
    assert!(unfit.contains("write the kind and the name: `dns:erp.example`"), "{unfit}");
    let unfit = desk.refused(1, "identity csr erp.pem --name dns:");
    assert_eq!(unfit, "error: `DNS:` cannot be asked for: it is empty\n");
    let asked = desk.refused(1, "identity answer erp.pem erp.csr --out new.pem");
    assert_eq!(asked, "error: this is what was sent to the CA, not its answer: give the file that came back\n");

    let words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.pem -subj /CN=CA";
    if !openssl(&desk, &words.split(' ').collect::<Vec<_>>()) {
        return;
    }
    let words = "x509 -req -in two.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out own.pem";
    openssl(&desk, &words.split(' ').collect::<Vec<_>>());
    let other = desk.refused(1, "identity answer crm.pem own.pem --out new.pem");
    assert!(
        other.starts_with("error: the answer is for another key: it certifies `CN=ERP2` on spki-sha256:"),
        "{other}"
    );
    let incomplete = desk.refused(1, "identity answer erp.pem own.pem --complete --out new.pem");
    assert_eq!(
        incomplete,
        "error: the certificate of `CN=CA` is missing in the answer: ask the CA for it, and give it as another file\n"
    );
    let alone = desk.run("identity answer erp.pem own.pem --out alone.pem");
    assert_eq!((alone.code, alone.err.as_str()), (Some(1), ""), "{}", alone.out);
    assert!(
        alone.out.ends_with("changed      subject was CN=ERP,O=Acme\nmissing      CN=CA\nwritten to alone.pem\n"),
        "{}",
        alone.out
    );
    let whole = desk.json("identity answer erp.pem ca.pem own.pem --complete --out new.pem");
    assert_eq!((whole["chain"].as_u64(), whole["missing-issuer"].as_str()), (Some(2), None), "{whole}");
    assert!(desk.done("identity show new.pem").starts_with("subject      CN=ERP2\nissuer       CN=CA\n"));
}

#[test]
fn a_partner_is_staged_checked_and_finished() {
    let desk = Desk::with_partner("rotate");
    desk.done("role grant a/b --user ACME");
    desk.done("identity new CN=ERP,O=Acme --out next.pem");
    desk.done("identity export next.pem --out next.crt");
    let check = desk.run("identity rotate check @acme next.crt");
    assert_eq!(check.code, Some(1));
    assert!(check.out.contains("key    a new one\nnames  the same\n"), "{}", check.out);
    assert!(check.out.contains("[new-refused]"), "{}", check.out);
    let early = desk.refused(1, "identity rotate finish @acme next.crt --danger-unseen");
    assert!(early.contains("so its holder would be shut out: stage the rotation first"), "{early}");

    let staged = desk.done("identity rotate stage @acme next.crt --alias next");
    assert!(staged.contains("+ pin sha256:") && staged.contains("to \"ACME\""), "{staged}");
    assert_eq!(desk.done("identity rotate stage @acme next.crt --alias next"), "no change\n");
    let check = desk.done("identity rotate check @acme @next");
    assert!(check.ends_with("both are the same user with the same roles\n"), "{check}");
    assert_eq!(desk.json("identity rotate check @acme @next")["problems"].as_array().map(Vec::len), Some(0));
    let said = desk.done("explain next.crt");
    assert!(said.contains("ACME") && !said.starts_with("refused"), "{said}");

    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
    let unseen = desk.refused(1, "identity rotate finish @acme @next");
    assert_eq!(
        unseen,
        "error: the new certificate was not seen yet: its holder has not switched (`--new-seen` says when the records have it last)\n"
    );
    let recent = desk.refused(1, &format!("identity rotate finish @acme @next --old-seen {now} --new-seen {now}"));
    assert!(recent.starts_with("error: the old certificate was seen "), "{recent}");
    let unread = desk.refused(2, "identity rotate finish @acme @next --new-seen yesterday");
    assert!(unread.contains("expected a time as in `2026-12-01T12:00:00Z`, or seconds since 1970"), "{unread}");
    let recent =
        "identity rotate finish @acme @next --old-seen 2999-01-01T00:00:00Z --new-seen 2999-01-01T00:00:00.5+01:00";
    assert!(desk.refused(1, recent).starts_with("error: nothing was seen 2999-01-01T00:00:00Z yet"));
    let long_ago = now - 40 * 86_400;
    let finished = desk.done(&format!("identity rotate finish @acme @next --old-seen {long_ago} --new-seen {now}"));
    assert!(finished.contains("- pin sha256:") && finished.contains("- mapping sha256:"), "{finished}");
    assert_eq!(desk.run("explain next.crt").code, Some(0));
    desk.done("identity new CN=ERP-2,O=Acme --out renamed.pem");
    desk.done("identity export renamed.pem --out renamed.crt");
    desk.done("identity rotate stage @next renamed.crt --other-name");
    assert_eq!(desk.run("explain acme.crt").code, Some(1));
}

#[test]
fn a_certificate_that_is_somebody_else_is_not_staged() {
    let desk = Desk::with_partner("stage-other");
    desk.done("identity new CN=CRM --out crm.pem");
    desk.done("identity export crm.pem --out crm.crt");
    desk.noted("bundle add-ca partners crm.crt --alias crm");
    desk.done("map add @crm --user CRM");
    let refused = desk.refused(1, "identity rotate stage @acme @crm");
    assert!(refused.contains("`CRM` already") && refused.contains("[claimed]"), "{refused}");
    // Nor is one that only the file says to be the partner's, our own for instance.
    desk.done("identity new CN=gateway --out gateway.pem");
    desk.done("identity export gateway.pem --out gateway.crt");
    let stranger = desk.refused(1, "identity rotate stage @acme gateway.crt");
    assert!(stranger.contains("another subject, `CN=gateway` instead of `CN=ERP,O=Acme`"), "{stranger}");
    assert!(stranger.contains("[other-name]") || stranger.contains("--other-name"), "{stranger}");
    // A denied one is not the same user either, and nothing is written.
    desk.done("identity new CN=ERP,O=Acme --out next.pem");
    desk.done("identity export next.pem --out next.crt");
    desk.noted("deny add --certificate next.crt");
    let denied = desk.refused(1, "identity rotate stage @acme next.crt");
    assert!(denied.contains("the two certificates are not the same user; nothing was changed"), "{denied}");
    assert!(denied.contains("denied") && denied.contains("[new-refused]"), "{denied}");
    let unknown = desk.refused(1, "identity rotate stage @acne next.crt");
    assert!(unknown.starts_with("error: `@acne` is not there"), "{unknown}");
}

#[test]
fn a_forecast_says_what_to_do_and_knows_our_own_certificates() {
    let desk = Desk::with_partner("turns");
    desk.done("identity new CN=gateway --days 20 --out gateway.pem");
    let said = desk.run("forecast --days 800 --own gateway=gateway.pem --json");
    let endings: serde_json::Value = serde_json::from_str(&said.out).expect("it is JSON");
    assert_eq!((endings[0]["whose"]["kind"].as_str(), endings[0]["turn"].as_str()), (Some("everybody"), Some("us")));
    assert_eq!((endings[1]["whose"]["user"].as_str(), endings[1]["turn"].as_str()), (Some("ACME"), Some("partner")));
    let lines = desk.run("forecast --days 30 --own gateway=gateway.pem").out;
    assert!(lines.ends_with(": we renew it, and give it to the partners who pinned it before we use it\n"), "{lines}");
    assert!(desk.refused(1, "forecast --own gatway=gateway.pem").contains("there is no host `gatway`"));
}
