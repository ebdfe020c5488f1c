#!/usr/bin/env bash
# Makes the chains of this folder anew, in the shapes in which partners send them. Needs OpenSSL 3. No private key is kept.
# NAME.pem is what is presented; NAME-root.pem, where there is one, is the anchor that vouches for it, or for others too.
set -euo pipefail
into=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
days=7000

key() { openssl genpkey -quiet -algorithm "$2" ${3:+-pkeyopt "$3"} ${4:+-pkeyopt "$4"} -out "$1.key"; }
rsa() { key "$1" RSA rsa_keygen_bits:2048; }
curve() { key "$1" EC "ec_paramgen_curve:$2" ec_param_enc:named_curve; }
# sign NAME ISSUER SUBJECT EXTENSIONS [OPTIONS …]
sign() {
  local name=$1 issuer=$2 subject=$3 extensions=$4
  shift 4
  printf '%b\n' "$extensions" >"$name.ext"
  openssl req -new -utf8 -key "$name.key" -subj "$subject" -out "$name.csr"
  openssl x509 -req -in "$name.csr" -CA "$issuer.crt" -CAkey "$issuer.key" -days $days -extfile "$name.ext" \
    -set_serial "0x$(openssl rand -hex 15 | sed 's/^./4/')" -out "$name.crt" "$@" 2>/dev/null
}
root() { openssl req -x509 -new -utf8 -key "$1.key" -subj "$2" -days $days -out "$1.crt" "${@:3}" \
  -addext 'keyUsage=critical,keyCertSign,cRLSign'; }
chain() { local name=$1; shift; for part in "$@"; do openssl x509 -in "$part.crt"; done >"$into/$name.pem"; }

client='basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature,keyEncipherment\nextendedKeyUsage=serverAuth,clientAuth\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid'
ca='basicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid'
public='authorityInfoAccess=OCSP;URI:http://ocsp.ca.example,caIssuers;URI:http://ca.example/ca.crt\ncrlDistributionPoints=URI:http://ca.example/ca.crl\ncertificatePolicies=2.23.140.1.2.2,1.3.6.1.4.1.99999.1'

# As STRUST makes them: version 1, RSA, SAP's own names.
rsa strust
openssl req -new -key strust.key -subj '/C=DE/O=SAP Trust Community/OU=SAP Web AS/OU=I0020123456/CN=ERP' |
  openssl x509 -req -signkey strust.key -days $days -out strust.crt 2>/dev/null
chain strust-v1 strust
# As `openssl req -x509` makes them: CA:TRUE.
rsa default
openssl req -x509 -new -key default.key -subj '/C=DE/ST=Hessen/L=Frankfurt/O=Partner GmbH/CN=edi.partner.example' -days $days -out default.crt
chain req-x509 default
curve p384 P-384
openssl req -x509 -new -key p384.key -subj '/CN=b2b.example' -days $days -out p384.crt -addext 'subjectAltName=DNS:b2b.example,DNS:b2b-dr.example,IP:192.0.2.7'
chain p384 p384
key ed25519 ED25519
openssl req -x509 -new -key ed25519.key -subj '/CN=device 7' -days $days -out ed25519.crt
chain ed25519 ed25519

# A public CA's: intermediate, policies, revocation, purposes for servers too.
rsa public-root && root public-root '/C=US/O=Example Trust/CN=Example Trust Root G2'
rsa public-ca && sign public-ca public-root '/C=US/O=Example Trust/CN=Example Trust TLS RSA CA 1' "$ca\n$public"
rsa public && sign public public-ca '/C=DE/L=Walldorf/O=Acme SE/CN=erp.acme.example' "$client\n$public\nsubjectAltName=DNS:erp.acme.example,DNS:www.erp.acme.example"
chain public public public-ca && openssl x509 -in public-root.crt >"$into/public-root.pem"
# A company's own: three levels, Windows names, the root sent along and in the wrong order.
rsa corporate-root && root corporate-root '/DC=example/DC=corp/CN=Corp Root CA'
curve corporate-policy P-384 && sign corporate-policy corporate-root '/DC=example/DC=corp/CN=Corp Policy CA' "${ca/,pathlen:0/,pathlen:1}"
curve corporate-ca P-384 && sign corporate-ca corporate-policy '/DC=example/DC=corp/CN=Corp Issuing CA 2' "$ca"
curve corporate P-256 && sign corporate corporate-ca '/DC=example/DC=corp/OU=Users/CN=Jörg Müller/emailAddress=jm@corp.example' "$client\nsubjectAltName=email:jm@corp.example,otherName:1.3.6.1.4.1.311.20.2.3;UTF8:jm@corp.example\n1.3.6.1.4.1.311.21.7=ASN1:UTF8String:template"
chain corporate corporate corporate-root corporate-ca corporate-policy && openssl x509 -in corporate-root.crt >"$into/corporate-root.pem"
# RSA-PSS all the way.
pss=(-sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:32)
rsa pss-root && root pss-root '/O=PSS/CN=PSS root' "${pss[@]}"
rsa pss && sign pss pss-root '/O=PSS/CN=pss client' "$client" "${pss[@]}"
chain rsa-pss pss && openssl x509 -in pss-root.crt >"$into/rsa-pss-root.pem"
# A certificate for a hundred names.
curve many P-256
sign many public-root '/CN=cdn.example' "$client\nsubjectAltName=$(seq -f 'DNS:host-%03g.cdn.example' -s , 100)"
chain many-names many
# Old string types: TeletexString, T61 and BMPString instead of UTF-8.
printf '[req]\ndistinguished_name=dn\nstring_mask=nombstr\n[dn]\n' >old.cnf
rsa old-root && OPENSSL_CONF=old.cnf root old-root '/C=DE/O=Münchner Werk/CN=Wurzel' -addext basicConstraints=critical,CA:TRUE
rsa old && OPENSSL_CONF=old.cnf sign old old-root '/C=DE/O=Münchner Werk/CN=Gerät 12' "$client"
chain old-strings old && openssl x509 -in old-root.crt >"$into/old-strings-root.pem"
# A device's, with a serial number in its name and one purpose, below a CA on Ed25519.
key factory-root ED25519 && root factory-root '/O=Factory/CN=Factory root'
curve device P-256 && sign device factory-root '/O=Factory/serialNumber=0004711/CN=sensor' "${client/serverAuth,/}\nsubjectAltName=URI:urn:device:0004711"
chain device device && openssl x509 -in factory-root.crt >"$into/device-root.pem"
