//! ASCII armor (RFC 9580 §6.2).

use anyhow::{Context as _, ensure};
use base64::Engine as _;

/// More than any key or signature needs.
const BYTES_MAX: usize = 1024 * 1024;

/// The bytes within an armor of this label; what is no text is taken as it is.
pub(super) fn bytes(input: &[u8], label: &str) -> anyhow::Result<Vec<u8>> {
    ensure!(input.len() <= BYTES_MAX, "it is larger than a key or signature can be");
    // A binary packet begins with its highest bit set, and text does not.
    if input.first().is_some_and(|byte| byte & 0x80 != 0) {
        return Ok(input.to_vec());
    }
    let text = std::str::from_utf8(input).context("it is neither armored nor binary")?;
    let (begin, end) = (format!("-----BEGIN PGP {label}-----"), format!("-----END PGP {label}-----"));
    let inside = text.split_once(&begin).and_then(|(_, rest)| rest.split_once(&end));
    let (inside, _) = inside.with_context(|| format!("there is no `{begin}` in it"))?;
    let mut lines = inside.lines().map(str::trim);
    // The rest of the first line, then header lines up to an empty one.
    lines.next();
    let body: String = lines
        .skip_while(|line| !line.is_empty())
        .filter(|line| !line.is_empty() && !line.starts_with('='))
        .collect();
    base64::engine::general_purpose::STANDARD.decode(body).context("its base64 is broken")
}
