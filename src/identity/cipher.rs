//! (private) Decrypting in place, so that what is decrypted stands in memory once.

use cbc::Decryptor;
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockCipherDecrypt, BlockModeDecrypt as _};
use zeroize::{Zeroize as _, Zeroizing};

/// In the place where it is, without its padding; `None` if that is wrong.
pub(super) fn decrypt_in_place<C: BlockCipherDecrypt>(
    decryptor: Decryptor<C>,
    mut data: Zeroizing<Vec<u8>>,
) -> Option<Zeroizing<Vec<u8>>> {
    let length = unpadded(decryptor, &mut data);
    wipe_stack();
    data.truncate(length?);
    Some(data)
}

/// Never part of its caller: what the cipher leaves would lie in a frame that is still in use, and is not wiped.
#[inline(never)]
fn unpadded<C: BlockCipherDecrypt>(decryptor: Decryptor<C>, data: &mut [u8]) -> Option<usize> {
    decryptor.decrypt_padded::<Pkcs7>(data).ok().map(<[u8]>::len)
}

/// Ciphers leave blocks of what they read and write on the stack, where they stay until a deeper call happens to overwrite them: this
/// is that call. Its frame lies where theirs lay, and is larger.
#[inline(never)]
pub(super) fn wipe_stack() {
    let mut frame = [0_u8; 16 * 1024];
    frame.zeroize();
    core::hint::black_box(&mut frame);
}
