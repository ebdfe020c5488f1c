//! The whole story: 200, 401, 403, 421, and what the logs tell.

use certmap::AccessLine;

use crate::desk::{Desk, status};

#[test]
fn curl_gets_what_the_policy_says_and_the_log_tells_it() {
    let desk = Desk::new("story");
    let gateway = desk.gateway(&[]);
    let port = gateway.port.clone();
    let curl = |who, url| desk.curl(&port, who, url, &[]);
    assert_eq!(curl(Some("acme"), "gw.example/send"), status("200", "admitted"));
    let whoami = r#"{"user":"ACME","strength":"certificate","roles":["iflmap/ESBMessaging.send"]}"#;
    assert_eq!(curl(Some("acme"), "gw.example/whoami"), status("200", whoami));
    for words in [["--http1.1", "--tlsv1.3", "--tls-max", "1.3"], ["--http1.1", "--tlsv1.2", "--tls-max", "1.2"]] {
        assert_eq!(desk.curl(&port, Some("acme"), "gw.example/whoami", &words), status("200", whoami));
    }
    for words in [["--http2", "--tlsv1.3", "--tls-max", "1.3"], ["--http2", "--tlsv1.2", "--tls-max", "1.2"]] {
        assert_eq!(desk.curl(&port, Some("acme"), "gw.example/whoami", &words), status("200", whoami));
    }
    assert_eq!(curl(None, "gw.example/send"), status("401", r#"{"status":401,"code":"no-certificate"}"#));
    assert_eq!(curl(Some("stranger"), "gw.example/send"), status("401", r#"{"status":401,"code":"untrusted"}"#));
    assert_eq!(curl(Some("beta"), "gw.example/send"), status("403", r#"{"status":403,"code":"role-missing"}"#));
    let misdirected = desk.curl(&port, Some("acme"), "gw.example/send", &["--header", "Host: other.example"]);
    assert_eq!(misdirected, status("421", r#"{"status":421,"code":"misdirected"}"#));
    // Where a certificate is required there is no connection without.
    assert_eq!(curl(None, "other.example/send").0, "000");
    assert_eq!(curl(Some("acme"), "other.example/send").0, "200");
    let (_, metrics) = curl(None, "gw.example/metrics");
    for line in ["outcome=\"admitted\"} 6", "outcome=\"role-missing\"} 1", "outcome=\"no-certificate\"} 1"] {
        assert!(metrics.contains(&format!("certmap_decisions_total{{host=\"gw\",{line}\n")), "{line}: {metrics}");
    }
    assert!(metrics.ends_with("# EOF"));
    for path in ["gw.example/SEND", "gw.example/sender", "gw.example/"] {
        assert_eq!(curl(Some("acme"), path), status("404", r#"{"status":404,"code":"no-route"}"#));
    }
    for path in ["gw.example/a/%2e%2e/send", "gw.example//send", "gw.example/send;x/y"] {
        assert_eq!(
            desk.curl(&port, Some("beta"), path, &["--path-as-is"]),
            status("400", r#"{"status":400,"code":"path"}"#)
        );
    }

    // Taken out of the policy, refused; and what cannot be read changes nothing.
    let before = desk.text("policy.toml");
    desk.replace("policy.toml", "verison = 1\n");
    gateway.says("not reloaded: policy.toml: ");
    assert_eq!(curl(Some("acme"), "gw.example/send").0, "200");
    desk.replace("policy.toml", &before);
    desk.admin("role revoke iflmap/ESBMessaging.send --user ACME");
    gateway.signal("-HUP");
    gateway.says("policy ");
    assert_eq!(curl(Some("acme"), "gw.example/send").0, "403");

    // Both logs tell it: a line and a record for each request, and a record for the handshake that failed.
    let records = gateway.end();
    let log = desk.text("http.log");
    let lines: Vec<AccessLine> = log.lines().map(|line| line.parse().expect("a line of ours")).collect();
    let of =
        |user: Option<&str>, status| lines.iter().filter(|line| line.user() == user && line.status() == status).count();
    let counts = [of(Some("ACME"), 200), of(Some("ACME"), 404), of(Some("BETA"), 400), of(Some("BETA"), 403)];
    assert_eq!(counts, [8, 3, 3, 1], "{log}");
    assert_eq!([of(None, 401), of(None, 421)], [2, 1], "{log}");
    let http2 = lines.iter().filter(|line| line.request() == "GET /whoami HTTP/2.0").count();
    assert_eq!(http2, 3, "{log}");
    assert_eq!(records.len(), lines.len() + 1);
    assert!(records.iter().all(|record| record.peer().is_some() && record.policy().is_some()));
}
