//! Audit records and access lines: one line each, whatever a peer calls itself, and read back as it was.

use std::fmt::{Debug, Display};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddrV6};
use std::str::FromStr;
use std::time::Duration;

use rustls::pki_types::UnixTime;

use certmap::decision::{AccessLine, AuditRecord, InvalidAccessLine, InvalidAuditRecord, RecordOutcome};

use crate::common::tries;

const RECORD: &str = "certmap time=2026-11-23T22:46:00Z outcome=refused host=api.example.com resumed=false";
const EVERY_KEY: &str = "certmap time=2026-11-23T22:46:00Z outcome=admitted host=api.example.com resumed=true \
    peer=10.36.128.7:50123 code=not-mapped user=billing rule=acme strength=certificate certificate=sha256:9f86 \
    issuer=\"CN=a,O=b\" subject=\"CN=a,O=b\" policy=sha256:d15d connection=c-17 detail=\"two words\" \
    cure=\"Map the certificate.\"";
const ACCESS: &str = r#"10.36.128.7 - SAPERPUSER [24/Jul/2025:22:55:27 +0000] "POST /sample/iflow HTTP/1.1" 404 5"#;
const REMOTE: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 36, 128, 7));

/// Parted by `|`.
const PIECES: &str = "\n|\r\n|\t|\u{1b}[2J|\u{202e}|\u{2028}|\0|\u{7f}|\"|\\| |~|\\~5|\"~99|\\x41|-|[|]|é|\u{10ffff}|\
    x\nALLOW user=admin|GET / HTTP/1.1\" 200 5";

fn at(seconds: u64) -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(seconds))
}

/// Mostly short, and every 500th time more than 64 KiB.
fn hostile(rng: &mut fastrand::Rng, round: usize) -> String {
    let pieces: Vec<&str> = PIECES.split('|').collect();
    let count = if round.is_multiple_of(500) { 65_536 } else { rng.usize(..12) };
    let mut piece = || pieces[rng.usize(..pieces.len())];
    (0..count).map(|_| piece()).collect()
}

/// The line with one to three of its bytes changed, and never in length.
fn damaged(rng: &mut fastrand::Rng, line: &str) -> String {
    let mut line = line.as_bytes().to_vec();
    for _ in 0..rng.usize(1..4) {
        let index = rng.usize(..line.len());
        line[index] = b"\"\\ =~aux{}09\nZ:-["[rng.usize(..17)];
    }
    String::from_utf8(line).expect("ASCII")
}

#[track_caller]
fn one_printable_line(line: &str) {
    assert!(line.len() <= 4096, "{line}");
    let printable = line.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    assert!(printable, "{line}");
}

#[track_caller]
fn record(line: &str) -> AuditRecord {
    let record: AuditRecord = line.parse().expect(line);
    assert_eq!(record.to_string(), line);
    record
}

#[track_caller]
fn access(line: &str) -> AccessLine {
    let access: AccessLine = line.parse().expect(line);
    assert_eq!(access.to_string(), line);
    access
}

/// What is wrong with the line, once `old` is `new`; `\n` is a line feed.
#[track_caller]
fn error<T: FromStr<Err: Display> + Debug>(line: &str, old: &str, new: &str) -> String {
    let line = line.replace(old, &new.replace(r"\n", "\n"));
    line.parse::<T>().expect_err(new).to_string()
}

/// Rows of old, new and message.
fn rows(table: &str) -> impl Iterator<Item = [&str; 3]> {
    let rows = table.lines().skip(1);
    rows.map(|row| row.split('|').collect::<Vec<_>>().try_into().expect(row))
}

#[test]
fn every_value_of_a_record_is_read() {
    let record = record(EVERY_KEY);
    assert_eq!(record.time(), at(1_795_473_960));
    assert_eq!(record.outcome(), RecordOutcome::Admitted);
    assert_eq!(record.host(), "api.example.com");
    assert!(record.resumed());
    assert_eq!(record.peer(), "10.36.128.7:50123".parse().ok());
    assert_eq!(record.code(), Some("not-mapped"));
    assert_eq!(record.user(), Some("billing"));
    assert_eq!(record.rule(), Some("acme"));
    assert_eq!(record.strength(), Some("certificate"));
    assert_eq!(record.certificate(), Some("sha256:9f86"));
    assert_eq!(record.issuer(), Some("CN=a,O=b"));
    assert_eq!(record.subject(), Some("CN=a,O=b"));
    assert_eq!(record.policy(), Some("sha256:d15d"));
    assert_eq!(record.connection(), Some("c-17"));
    assert_eq!(record.detail(), Some("two words"));
    assert_eq!(record.cure(), Some("Map the certificate."));
}

#[test]
fn a_gateway_adds_its_peer_and_connection() {
    let record = record(RECORD).with_peer("[2001:db8::7]:443".parse().unwrap()).with_connection("7 of 9");
    let expected = format!("{RECORD} peer=\"[2001:db8::7]:443\" connection=\"7 of 9\"");
    assert_eq!(record.to_string(), expected);
    assert_eq!(expected.parse(), Ok(record));
}

#[test]
fn a_flow_label_is_not_kept() {
    let peer = SocketAddrV6::new(Ipv6Addr::LOCALHOST, 443, 7, 3);
    let record = record(RECORD).with_peer(peer.into());
    assert_eq!(record.to_string(), format!("{RECORD} peer=\"[::1%3]:443\""));
    assert_eq!(record.to_string().parse(), Ok(record));
}

#[test]
fn a_forged_second_event_stays_inside_its_value() {
    let record = record(RECORD).with_connection("x\nALLOW user=admin");
    let line = record.to_string();
    assert_eq!(line, format!("{RECORD} connection=\"x\\u{{a}}ALLOW user=admin\""));
    assert_eq!(line.parse::<AuditRecord>().unwrap().user(), None);
}

#[test]
fn a_long_value_is_cut_and_tells_its_length() {
    let record = record(RECORD).with_connection("a".repeat(65_536));
    assert_eq!(record.to_string(), format!("{RECORD} connection=\"{}\"~65536", "a".repeat(138)));
    assert_eq!(record.elided("connection"), Some(65_536));
    assert_eq!((record.elided("host"), record.elided("user"), record.elided("time")), (None, None, None));
    let record = self::record(&RECORD.replace("api.example.com", "\"a\"~999"));
    assert_eq!((record.host(), record.elided("host")), ("a", Some(999)));
}

#[test]
fn a_record_after_the_year_9999_is_dated_in_seconds() {
    record(&RECORD.replace("2026-11-23T22:46:00Z", "9999-12-31T23:59:59Z"));
    let late = record(&RECORD.replace("2026-11-23T22:46:00Z", "unix:18446744073709551615"));
    assert_eq!(late.time(), at(u64::MAX));
    record(&RECORD.replace("2026-11-23T22:46:00Z", "unix:253402300800"));
}

#[test]
fn any_connection_name_gives_one_printable_line_that_reads_back() {
    let base = record(EVERY_KEY);
    let mut rng = fastrand::Rng::with_seed(1);
    for round in 0..tries(100_000) {
        let name = hostile(&mut rng, round);
        let record = base.clone().with_connection(&*name);
        let line = record.to_string();
        one_printable_line(&line);
        assert!(record.elided("connection").is_some() || record.connection() == Some(&*name), "{line}");
        assert_eq!(line.parse(), Ok(record), "{line}");
    }
}

#[test]
fn whatever_reads_is_written_the_same() {
    let mut rng = fastrand::Rng::with_seed(2);
    let mut read = 0;
    for _ in 0..tries(100_000) {
        let line = damaged(&mut rng, EVERY_KEY);
        if let Ok(record) = line.parse::<AuditRecord>() {
            assert_eq!(record.to_string(), line);
            read += 1;
        }
        let line = damaged(&mut rng, ACCESS);
        if let Ok(access) = line.parse::<AccessLine>() {
            assert_eq!(access.to_string(), line);
            read += 1;
        }
    }
    assert!(read > tries(100_000) / 5, "only {read} lines were read");
}

#[test]
fn messages_about_records_say_which_key_it_is() {
    const TABLE: &str = r#"
certmap|audit|an audit record begins with `certmap`, found `audit time=2026-11-23T22:46:00Z outcome=refused host=api.exam...`
 host=api.example.com||`host` is missing
false|false user=a user=b|key `user` is unknown, stands twice or is out of order
false|false user=a code=b|key `user` is unknown, stands twice or is out of order
false|false colour=red|key `colour` is unknown, stands twice or is out of order
false|false junk|key `junk` is unknown, stands twice or is out of order
false|false |key `` is unknown, stands twice or is out of order
refused|maybe|`outcome` cannot be `maybe`
22:46:00Z|22:46:00+01:00|`time` cannot be `2026-11-23T22:46:00+01:00`
false|false\n|`resumed` cannot be `false\u{a}`
false|false peer=localhost:1|`peer` cannot be `localhost:1`
false|false peer="[0::1]:443"|`peer` cannot be `\"[0::1]:443\"`
false|false user="bare"|`user` cannot be `\"bare\"`"#;
    for [old, new, message] in rows(TABLE) {
        assert_eq!(error::<AuditRecord>(RECORD, old, new), message);
    }
    let long = format!("false user={}", "a".repeat(301));
    let message = format!("`user` cannot be `{}...`", "a".repeat(61));
    assert_eq!(error::<AuditRecord>(RECORD, "false", &long), message);
}

#[test]
fn an_error_about_a_record_has_its_key_in_a_field() {
    let found = "\\\"".to_owned();
    let error = format!("{RECORD} rule=\"").parse::<AuditRecord>();
    assert_eq!(error, Err(InvalidAuditRecord::Value { key: "rule", found }));
}

#[test]
fn an_access_line_has_the_common_log_format() {
    let line = AccessLine::new(REMOTE, at(1_753_397_727), "POST /sample/iflow HTTP/1.1", 404, 5);
    assert_eq!(line.to_string(), ACCESS.replace("SAPERPUSER", "-"));
    let line = line.with_user("SAPERPUSER");
    assert_eq!(line.to_string(), ACCESS);
    assert_eq!(access(ACCESS), line);
    assert_eq!((line.remote(), line.user(), line.time()), (REMOTE, Some("SAPERPUSER"), at(1_753_397_727)));
    assert_eq!((line.request(), line.status(), line.bytes()), ("POST /sample/iflow HTTP/1.1", 404, 5));
}

#[test]
fn a_user_cannot_look_like_nobody_or_like_two_fields() {
    let line = AccessLine::new(REMOTE, at(0), "GET / HTTP/1.1", 200, 0);
    let user = |name: &str| {
        let line = line.clone().with_user(name).to_string();
        line.split(' ').nth(2).unwrap().to_owned()
    };
    assert_eq!(user("-"), r"\x2d");
    assert_eq!(user("--"), "--");
    assert_eq!(user(""), r#""""#);
    assert_eq!(user("a [b]\"\\\n"), r"a\x20\x5bb\x5d\x22\x5c\x0a");
    assert_eq!(user("é"), r"\xc3\xa9");
    assert_eq!(user("joe~1"), "joe~1");
}

#[test]
fn a_long_request_is_cut_and_tells_its_length() {
    let whole = AccessLine::new(REMOTE, at(0), &"a".repeat(2048), 200, 0);
    assert_eq!((whole.request().len(), whole.request_length()), (2048, 2048));
    let cut = AccessLine::new(REMOTE, at(0), &"a".repeat(2049), 200, 0).with_user("b".repeat(4000).as_str());
    let text = format!("[01/Jan/1970:00:00:00 +0000] \"{}\\~2049\" 200 0", "a".repeat(2026));
    assert_eq!(cut.to_string(), format!("10.36.128.7 - {}\\~4000 {text}", "b".repeat(490)));
    assert_eq!((cut.request_length(), cut.user_length()), (2049, Some(4000)));
    assert_eq!(access(&cut.to_string()), cut);
}

#[test]
fn an_access_line_after_the_year_9999_is_dated_in_seconds() {
    let line = AccessLine::new(REMOTE, at(u64::MAX), "GET / HTTP/1.1", 200, 0);
    let text = r#"10.36.128.7 - - [unix:18446744073709551615] "GET / HTTP/1.1" 200 0"#;
    assert_eq!(line.to_string(), text);
    assert_eq!(access(text), line);
    access(&ACCESS.replace("24/Jul/2025:22:55:27", "31/Dec/9999:23:59:59"));
    access(&ACCESS.replace("24/Jul/2025:22:55:27 +0000", "unix:253402300800"));
}

#[test]
fn any_request_and_user_give_one_printable_line_that_reads_back() {
    let mut rng = fastrand::Rng::with_seed(3);
    for round in 0..tries(100_000) {
        let time = at(rng.u64(..) >> rng.u32(..64));
        let (request, user) = (hostile(&mut rng, round), hostile(&mut rng, round));
        let remote = IpAddr::from(rng.u128(..).to_be_bytes());
        let line = AccessLine::new(remote, time, &request, rng.u16(..), rng.u64(..));
        let line = line.with_user(user.as_str());
        let text = line.to_string();
        one_printable_line(&text);
        assert_eq!((line.request_length(), line.user_length()), (request.len(), Some(user.len())));
        let (request_kept, user_kept) = (line.request(), line.user().expect("a user"));
        assert!(request.starts_with(request_kept) && user.starts_with(user_kept), "{text}");
        assert!(request_kept == request || request.len() > 512, "{text}");
        assert!(user_kept == user || user.len() > 128, "{text}");
        assert_eq!(text.parse(), Ok(line), "{text}");
    }
}

#[test]
fn messages_about_access_lines_say_which_part_it_is() {
    const TABLE: &str = r#"
10.36|010.36|expected the client's address, found `010.36.128.7`
 - | joe |expected `-` for the ident, found `joe`
SAP|\x41|expected a user or `-`, found `\\x41ERPUSER`
+0000|+0200|expected a time in UTC in square brackets, found `[24/Jul/2025:22:55:27 +0200]`
/sample/iflow|"|expected a quoted request, found `POST \" HTTP/1.1`
404|+404|expected a status, found `+404`
 5| -|expected a number of bytes and the end of the line, found `-`
 5| 5\n|expected a number of bytes and the end of the line, found `5\u{a}`"#;
    for [old, new, message] in rows(TABLE) {
        assert_eq!(error::<AccessLine>(ACCESS, old, new), message);
    }
    let found = String::new();
    assert_eq!("".parse::<AccessLine>(), Err(InvalidAccessLine::Remote { found }));
}
