//! What is refused: on the error output, with a cure and an exit code, and nothing on disk has changed.

use serde_json::Value;

use crate::tool::{Desk, expired};

#[test]
fn an_edit_that_would_break_the_policy_is_refused() {
    let desk = Desk::with_partner("break");
    let refusal = desk.refused(1, "bundle remove-ca partners --all");
    assert_eq!(
        refusal,
        "error: refused, because the policy would have a new problem; nothing was changed\n  \
        policy.toml: hosts[0].bundle: no bundle is named `partners`: define it under `bundles`, or correct the name \
        [unknown-bundle]\n  \
        policy.toml: mappings[0].match: `@acme` at column 1 stands for no certificate: no certificate has this alias \
        [invalid-selector]\n\
        help: rule `@acme` uses it: `admin map remove @acme` first\n"
    );
    let json: Value =
        serde_json::from_str(&desk.refused(1, "bundle remove-ca partners --all --json")).expect("it is JSON");
    assert_eq!(json["error"]["code"], "new-problem");
    assert_eq!(json["error"]["problems"][0]["code"], "unknown-bundle");
    assert_eq!(json["error"]["problems"][0]["place"]["text"], "policy.toml: hosts[0].bundle");
    assert_eq!(json["error"]["help"][0], "rule `@acme` uses it: `admin map remove @acme` first");

    assert!(desk.refused(1, "map add @acme --user OTHER").contains("[conflicting-rules]"));
    assert_eq!(
        desk.refused(1, "map remove @acne"),
        "error: `@acne` at column 1 stands for no certificate: no certificate has this alias, is `acme` meant?\n"
    );
    assert_eq!(
        desk.refused(1, "role revoke a/b --user ACME"),
        "error: the role `a/b` of user ACME is not there: list what is\n"
    );
    assert!(desk.refused(1, "bundle remove-ca partners --serial-number 01").contains("is not there"));
    assert!(
        desk.refused(1, "bundle remove-ca partners --alias none")
            .contains("no certificate of bundle `partners` has alias `none`")
    );
    desk.write("no.pem", "nothing");
    assert!(desk.refused(1, "bundle add-ca partners no.pem").starts_with("error: "));
}

#[test]
fn a_certificate_that_rules_use_is_removed_after_they_were() {
    let desk = Desk::with_partner("used");
    let policy = desk.text("policy.toml").replace("match = \"@acme\"", "match = 'under @acme attribute CN \"erp\"'");
    desk.write("policy.toml", &policy.replace("kind = \"pin\"", "kind = \"odd-anchor\""));
    desk.done("bundle add-ca others acme.crt");
    let refusal = desk.refused(1, "bundle remove-ca partners --alias acme");
    let rule = "under @acme attribute CN \"erp\"";
    let help = format!("[invalid-selector]\nhelp: rule `{rule}` uses it: `admin map remove '{rule}'` first\n");
    assert!(refusal.ends_with(&help), "{refusal}");
    // What is told does help.
    let removed = desk.run_words(&["map", "remove", rule]);
    assert_eq!(removed.code, Some(0), "{removed:?}");
    desk.done("bundle remove-ca partners --alias acme");
}

#[test]
fn wrong_usage_and_missing_files_have_codes_of_their_own() {
    let desk = Desk::with_partner("usage");
    for line in [
        "map",
        "map add @acme",
        "map add --user ACME",
        "host set gateway --ca-bundle partners",
        "host set gateway --ca-bundle partners:maybe",
        "role grant nothing --user ACME",
        "bundle remove-ca partners",
        "deny add --issuer CN=Corp",
        "deny add",
    ] {
        desk.refused(2, line);
    }
    let refusal = desk.refused(3, "check --policy nowhere.toml");
    assert!(
        refusal.starts_with("error: there is no policy at `nowhere.toml`: name it with `--policy`, or begin one"),
        "{refusal}"
    );
    assert!(desk.refused(3, "bundle add-ca partners nowhere.pem").starts_with("error: `nowhere.pem` cannot be read: "));
    let refusal = desk.refused(3, "bundle add-ca partners acme.crt --policy nowhere/policy.toml");
    assert!(refusal.starts_with("error: `nowhere/policy.toml` cannot be written: "), "{refusal}");
}

#[test]
fn a_mistyped_policy_is_begun_only_by_what_a_policy_begins_with() {
    let desk = Desk::with_partner("mistyped");
    for line in [
        "user disable X",
        "user enable X",
        "deny add --certificate acme.crt",
        "deny remove --certificate acme.crt",
        "role grant a/b --user ACME",
        "role revoke a/b --user ACME",
        "map add --certificate acme.crt --user ACME",
        "map remove --certificate acme.crt",
        "host set gateway --ca-bundle partners:require",
        "host remove gateway",
        "bundle remove-ca partners --expired",
        "identity rotate stage acme.crt acme.crt",
        "identity rotate finish acme.crt acme.crt --danger-unseen",
    ] {
        assert_eq!(
            desk.refused(3, &format!("-p typo.toml {line}")),
            "error: there is no policy at `typo.toml`: name it with `--policy`, or begin one, `admin bundle add-ca --help`\n",
            "{line}"
        );
    }
    // A folder without a policy is none either.
    std::fs::create_dir(desk.path("folder")).expect("writable");
    assert!(desk.refused(3, "-p folder user disable X").starts_with("error: there is no policy at `folder`: "));
    let begun = desk.done("-p folder bundle add-ca partners acme.crt");
    assert!(begun.ends_with("\nwritten to policy.toml\nnew policy: folder\n"), "{begun}");
    let begun = desk.done("-p new.toml bundle add-ca partners acme.crt");
    assert!(begun.ends_with("\nwritten to new.toml\nnew policy: new.toml\n"), "{begun}");
    assert_eq!(desk.json("-p new.toml bundle add-ca others acme.crt")["new-policy"], Value::Null);
    assert_eq!(desk.json("-p ./new.json bundle add-ca partners acme.crt")["new-policy"], "./new.json");
}

#[test]
fn an_identity_is_never_written_over_and_only_its_owner_reads_it() {
    let desk = Desk::with_partner("identity");
    let refusal = desk.refused(3, "identity new CN=other --out acme.pem");
    assert!(refusal.contains("it is not written over, name another or move it away"), "{refusal}");
    assert!(desk.refused(1, "identity new CN=other --out other.pem --days 20000").contains("a lifetime of 20000 days"));
    assert!(desk.refused(1, "identity show acme.crt").contains("there is no private key"));
    // An identity is no certificate for a policy: its key would be one step from it.
    for line in [
        "bundle add-ca partners acme.pem",
        "identity rotate stage @acme acme.pem",
        "identity rotate stage acme.pem acme.crt",
        "map add --certificate acme.pem --user ACME",
        "deny add --certificate acme.pem",
    ] {
        assert_eq!(
            desk.refused(1, line),
            "error: `acme.pem` does not do as a certificate: there is a private key in the file: whoever gives away certificates keeps \
            the key, so give them alone\n",
            "{line}"
        );
    }
    desk.write("two.crt", &(desk.text("acme.crt") + &expired("CN=old")));
    assert_eq!(
        desk.refused(1, "map add --certificate two.crt --user ACME"),
        "error: `two.crt` does not do as a certificate: 2 certificates where one was expected: give the partner's own certificate alone, \
        without its chain\n"
    );
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(desk.path("acme.pem")).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

#[test]
fn what_cannot_be_read_is_told_by_line_and_never_shown() {
    let desk = Desk::with_partner("unread");
    let good = desk.text("policy.toml");
    desk.write("policy.toml", &format!("{good}\n[[hosts]]\nidd = \"x\"\n"));
    let refusal = desk.refused(3, "check");
    let line = good.lines().count() + 3;
    assert_eq!(
        refusal,
        format!(
            "error: the policy cannot be read\n  policy.toml: line {line}: unknown key `idd`: is `id` meant? [no-document]\n"
        )
    );

    let key = desk.text("acme.pem").replace('\n', "\\n");
    for text in [
        format!("version = 1\nhosts = \"{key}\"\n"),
        format!("version = 1\nusers = [{{ name = \"{key}\" }}]\n"),
        format!("version = 1\n{}\n", desk.text("acme.pem")),
    ] {
        desk.write("policy.toml", &text);
        for line in ["check", "check --json", "map list", "user list", "role grant a/b --user ACME", "user disable X"] {
            let said = desk.run(line);
            let secret = desk.text("acme.pem");
            let secret = secret.lines().rev().nth(2).expect("a line of the key");
            assert!(!said.out.contains(secret) && !said.err.contains(secret), "{line}: {said:?}");
        }
    }
}

#[test]
fn the_list_of_a_bundle_that_is_not_there_is_refused_with_those_that_are() {
    let desk = Desk::with_partner("no-bundle");
    let refusal = desk.refused(1, "bundle list-cas partner");
    assert_eq!(refusal, "error: no bundle is named `partner`: there is `partners`\n");
    desk.done("bundle add-ca others acme.crt");
    let refusal = desk.refused(1, "bundle list-cas partner");
    assert_eq!(refusal, "error: no bundle is named `partner`: there are `others`, `partners`\n");
    desk.write("none.toml", "version = 1\n");
    let refusal = desk.refused(1, "-p none.toml bundle list-cas partner");
    assert_eq!(refusal, "error: no bundle is named `partner`: there is none at all\n");
    assert_eq!(desk.done("-p none.toml bundle list-cas"), "none\n");
    desk.write("empty.toml", "version = 1\nbundles = [{ name = \"partner\" }]\n");
    assert_eq!(desk.done("-p empty.toml bundle list-cas partner"), "none\n");
}

#[test]
fn expired_certificates_are_removed_and_no_others() {
    let desk = Desk::with_partner("expired");
    desk.write("old.crt", &expired("CN=old"));
    desk.noted("bundle add-ca partners old.crt");
    assert!(desk.done("bundle remove-ca partners --expired").contains(": CN=old\nwritten to policy.toml\n"));
    assert_eq!(desk.done("bundle remove-ca partners --expired"), "no change\n");
    assert_eq!(desk.json("bundle list-cas").as_array().map(Vec::len), Some(1));
}
