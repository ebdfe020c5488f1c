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
    let length = leaving_nothing(|| decryptor.decrypt_padded::<Pkcs7>(&mut data).ok().map(<[u8]>::len));
    data.truncate(length?);
    Some(data)
}

/// Ciphers leave blocks of what they read and write on the stack, where they stay until a deeper call happens to overwrite them.
/// What is run here leaves nothing there, as long as it takes less than the 16 KiB that are wiped.
pub(super) fn leaving_nothing<T>(run: impl FnOnce() -> T) -> T {
    let result = in_its_own_frame(run);
    wipe_stack();
    result
}

/// Never part of its caller: what is left would lie in a frame that is still in use, and is not wiped.
#[inline(never)]
fn in_its_own_frame<T>(run: impl FnOnce() -> T) -> T {
    run()
}

/// Its frame lies where that of the call before lay, and is larger.
#[inline(never)]
fn wipe_stack() {
    let mut frame = [0_u8; 16 * 1024];
    frame.zeroize();
    core::hint::black_box(&mut frame);
}
