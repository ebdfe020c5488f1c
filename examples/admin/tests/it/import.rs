//! Identities from files of other kinds.

use crate::tool::{Desk, openssl};

#[test]
fn an_identity_comes_out_of_a_pkcs12_file() {
    let desk = Desk::new("import");
    desk.done("identity new CN=ERP,O=Acme --out erp.pem");
    desk.write("password", "secret 1\nwhatever else\n");
    desk.write("wrong", "secret 2\n");
    if !openssl(&desk, &["pkcs12", "-export", "-in", "erp.pem", "-out", "erp.p12", "-passout", "pass:secret 1"]) {
        return;
    }
    let said = desk.done("identity import erp.p12 --password-file password --out imported.pem");
    assert!(said.contains("CN=ERP,O=Acme") && said.ends_with("written to imported.pem\n"), "{said}");
    assert_eq!(desk.done("identity export imported.pem"), desk.done("identity export erp.pem"));
    let again = desk.refused(3, "identity import erp.p12 --password-file password --out imported.pem");
    assert!(again.contains("it is not written over"), "{again}");
    let wrong = desk.refused(1, "identity import erp.p12 --password-file wrong --out other.pem");
    assert!(wrong.contains("password"), "{wrong}");
    let none = desk.refused(1, "identity import erp.p12 --out other.pem");
    assert!(none.ends_with("here: `--password-file`\n"), "{none}");
    let told = desk.json("identity import erp.p12 --password-file password --out json.pem");
    assert_eq!((told["chain"].as_u64(), told["notes"].as_array().map(Vec::len)), (Some(1), Some(0)));
}

#[test]
fn what_partners_send_is_read_in_a_pkcs7_file_too() {
    let desk = Desk::new("p7b");
    desk.done("identity new CN=ERP,O=Acme --out erp.pem");
    if !openssl(&desk, &["crl2pkcs7", "-nocrl", "-certfile", "erp.pem", "-out", "erp.p7b"]) {
        return;
    }
    desk.done("bundle add-ca partners erp.p7b --alias acme");
    assert!(desk.done("bundle list-cas partners").contains("CN=ERP,O=Acme"));
}
