//! What an edit makes odd is told with it: it was done, and is perhaps not what was meant.

use serde_json::Value;

use crate::tool::{Desk, openssl};

#[test]
fn what_an_edit_makes_odd_is_told_once() {
    let desk = Desk::with_partner("notes");
    let disabled = desk.noted("user disable ACNE");
    assert_eq!(disabled.out, "~ user ACNE: disabled\nwritten to policy.toml\n");
    assert_eq!(
        disabled.err,
        "note: disabled-user-unnamed: user `ACNE`: it is disabled, and no rule can name it, but one names `ACME`: correct the name, or leave it \
        out\n"
    );
    let granted = desk.noted("role grant a/b --user @acme").err;
    assert!(
        granted.starts_with("note: role-without-user: user `@acme`: it has roles, and no rule can name it: "),
        "{granted}"
    );
    let denied = desk.noted("deny add --issuer CN=Corp --serial 0a20").err;
    assert!(denied.starts_with("note: denial-hits-nothing: denial `"), "{denied}");
    assert_eq!(denied.lines().count(), 1, "what was odd before is not told again: {denied}");
    assert_eq!(desk.done("user disable ACNE"), "no change\n");
    desk.done("user disable ACME");
}

#[test]
fn a_forgotten_value_that_makes_others_ambiguous_is_told() {
    let desk = Desk::with_partner("forgotten");
    let words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.pem -subj /CN=CA";
    if !openssl(&desk, &words.split(' ').collect::<Vec<_>>()) {
        return;
    }
    desk.noted("bundle add-ca partners ca.pem --kind anchor --alias corp");
    let map = |rule: &str, user: &str| desk.run_words(&["map", "add", rule, "--user", user]);
    let valued = map(r#"under @corp dns "a.example""#, "A");
    assert!(valued.code == Some(0) && !valued.err.contains("overlapping"), "{}", valued.err);
    let forgotten = map("under @corp dns", "ERP");
    assert_eq!(forgotten.code, Some(0));
    assert!(forgotten.err.contains("note: overlapping-rules: rule `"), "{}", forgotten.err);
    let every = map("under @corp every-certificate", "ALL");
    assert_eq!(every.code, Some(0));
    assert!(every.err.contains("note: every-certificate: rule `"), "{}", every.err);
    assert!(every.err.contains("note: overlapping-rules: rule `"), "{}", every.err);
}

#[test]
fn programs_have_notes_in_the_answer() {
    let desk = Desk::with_partner("notes-json");
    let notes = desk.json("user disable ACNE")["notes"].clone();
    assert_eq!((&notes[0]["code"], notes.as_array().map(Vec::len)), (&"disabled-user-unnamed".into(), Some(1)));
    assert_eq!(desk.json("user disable ACME")["notes"], Value::Array(Vec::new()));
}

#[test]
fn many_notes_are_told_in_part() {
    let desk = Desk::with_partner("notes-many");
    let rules = (0..30).map(|n| format!("[[mappings]]\nmatch = \"sha256:{n:064x}\"\nuser = \"U{n}\"\n"));
    desk.write("policy.toml", &(desk.text("policy.toml") + &rules.collect::<String>()));
    let notes = desk.noted("role grant a/b --user ACME").err;
    assert_eq!(notes.lines().count(), 21, "{notes}");
    assert!(notes.ends_with("\nnote: 10 more, list them: `admin lint`\n"), "{notes}");
    desk.done("role revoke a/b --user ACME");
    let notes = desk.json("role grant a/b --user ACME")["notes"].clone();
    assert_eq!(notes.as_array().map(Vec::len), Some(30));
}

#[test]
fn nothing_is_noted_of_what_is_no_policy_yet() {
    let desk = Desk::with_partner("notes-none");
    desk.write("policy.toml", &(desk.text("policy.toml") + "[[mappings]]\nmatch = \"@acne\"\nuser = \"B\"\n"));
    desk.done("user disable ACNE");
}
