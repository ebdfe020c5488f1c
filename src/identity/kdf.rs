//! The key derivation of PKCS#12 (RFC 7292, appendix B), which PSE files use too.

use sha1::digest::Digest;
use sha1::digest::block_api::BlockSizeUser;
use zeroize::Zeroizing;

/// What a key is for; so that one password and salt give several.
#[derive(Clone, Copy)]
pub(super) enum Purpose {
    Key = 1,
    Iv = 2,
    #[cfg(feature = "pkcs12")]
    Mac = 3,
}

/// Fills `output`. The password is as [`encodings`] gives it.
pub(super) fn derive<D: Digest + BlockSizeUser>(
    password: &[u8],
    salt: &[u8],
    purpose: Purpose,
    iterations: u32,
    output: &mut [u8],
) {
    let block = <D as BlockSizeUser>::block_size();
    let diversifier = vec![purpose as u8; block];
    let filled = |bytes: &[u8]| bytes.len().div_ceil(block) * block;
    let (of_salt, of_password) = (filled(salt), filled(password));
    let mut input = Zeroizing::new(Vec::with_capacity(of_salt + of_password));
    input.extend(salt.iter().cycle().take(of_salt));
    input.extend(password.iter().cycle().take(of_password));
    let mut again = Zeroizing::new(vec![0; block]);
    for part in output.chunks_mut(<D as Digest>::output_size()) {
        let mut hash = D::new().chain_update(&diversifier).chain_update(&*input).finalize();
        for _ in 1..iterations {
            hash = D::digest(&hash);
        }
        part.iter_mut().zip(&hash).for_each(|(to, from)| *to = *from);
        again.iter_mut().zip(hash.iter().cycle()).for_each(|(to, from)| *to = *from);
        // Each block of the input plus what was hashed plus one, as large numbers.
        for number in input.chunks_mut(block) {
            let mut carry = 1u16;
            for (digit, more) in number.iter_mut().zip(again.iter()).rev() {
                carry += u16::from(*digit) + u16::from(*more);
                [_, *digit] = carry.to_be_bytes();
                carry >>= 8;
            }
        }
    }
}

/// The password in UTF-16 with two zero bytes behind (RFC 7292, appendix B.1). An empty one is written like that too, or as
/// nothing at all; the last one is to be tried first.
pub(super) fn encodings(password: &str) -> Vec<Zeroizing<Vec<u8>>> {
    let mut encoded = Zeroizing::new(Vec::with_capacity(2 * password.len() + 2));
    encoded.extend(password.encode_utf16().flat_map(u16::to_be_bytes));
    encoded.extend([0, 0]);
    if password.is_empty() { vec![Zeroizing::default(), encoded] } else { vec![encoded] }
}

#[cfg(test)]
mod tests {
    use sha1::Sha1;

    use super::*;

    /// Of OpenSSL's `PKCS12_key_gen`, as printed in its debugging output and in other implementations' tests.
    #[test]
    fn the_vectors_of_others_come_out() {
        let [password] = <[_; 1]>::try_from(encodings("smeg")).unwrap();
        let salt = [0x0a, 0x58, 0xcf, 0x64, 0x53, 0x0d, 0x82, 0x3f];
        let mut key = [0; 24];
        derive::<Sha1>(&password, &salt, Purpose::Key, 1, &mut key);
        assert_eq!(
            key,
            [
                0x8a, 0xaa, 0xe6, 0x29, 0x7b, 0x6c, 0xb0, 0x46, 0x42, 0xab, 0x5b, 0x07, 0x78, 0x51, 0x28, 0x4e, 0xb7,
                0x12, 0x8f, 0x1a, 0x2a, 0x7f, 0xbc, 0xa3
            ]
        );
        let mut iv = [0; 8];
        derive::<Sha1>(&password, &salt, Purpose::Iv, 1, &mut iv);
        assert_eq!(iv, [0x79, 0x99, 0x3d, 0xfe, 0x04, 0x8d, 0x3b, 0x76]);
    }

    #[test]
    fn an_empty_password_has_two_encodings() {
        assert_eq!(encodings("").iter().map(|one| one.len()).collect::<Vec<_>>(), [0, 2]);
        assert_eq!(encodings("a\u{1f512}").iter().map(|one| one.len()).collect::<Vec<_>>(), [8]);
    }
}
