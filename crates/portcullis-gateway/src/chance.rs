//! Random bytes for references and spans, drawn from the source in larger portions: a system call each would be
//! among the dearest things of a small exchange.

use std::cell::RefCell;

use portcullis_core::clock::Entropy;

const POOL_BYTES: usize = 1024;

struct Pool {
    bytes: [u8; POOL_BYTES],
    used: usize,
}

thread_local! {
    static POOL: RefCell<Pool> = const { RefCell::new(Pool { bytes: [0; POOL_BYTES], used: POOL_BYTES }) };
}

/// `N` bytes that nobody was given before; `N` is at most [`POOL_BYTES`].
pub(crate) fn draw<const N: usize>(entropy: &dyn Entropy) -> [u8; N] {
    const { assert!(N <= POOL_BYTES) };
    POOL.with_borrow_mut(|pool| {
        if pool.used + N > POOL_BYTES {
            entropy.fill(&mut pool.bytes);
            pool.used = 0;
        }
        let mut drawn = [0; N];
        if let Some(bytes) = pool.bytes.get_mut(pool.used..pool.used + N) {
            drawn.copy_from_slice(bytes);
            // Whoever reads this memory later learns no reference that is in use.
            bytes.fill(0);
        }
        pool.used += N;
        drawn
    })
}
