//! DNS over UDP (RFC 1035), as much as one needs to be asked for a name: one question in, our own address out.

use std::{net::IpAddr, sync::Arc};

use tokio::net::UdpSocket;

use super::book::{Book, token};

/// Bytes of a query that are read: what plain DNS allows; longer ones are cut and then unreadable.
const PACKET_BYTES_MAX: usize = 512;
/// Labels of a name (RFC 1035 §2.3.4: 255 bytes, so 127 labels at most).
const LABELS_MAX: usize = 127;

const TYPE_A: u16 = 1;
const TYPE_AAAA: u16 = 28;

/// One question.
#[derive(Debug, PartialEq, Eq)]
struct Question<'a> {
    id: [u8; 2],
    /// Lower case, dots between labels.
    name: String,
    kind: u16,
    /// The question as it stood, to be repeated in the answer.
    bytes: &'a [u8],
}

/// Answers questions until the task is ended.
pub(super) async fn serve(socket: UdpSocket, own: IpAddr, zone: String, book: Arc<Book>) {
    let mut packet = [0; PACKET_BYTES_MAX];
    let mut faults = 0_u32;
    loop {
        let (length, from) = match socket.recv_from(&mut packet).await {
            Ok(received) => received,
            // A reply that could not be delivered is told here; only a socket that does nothing else is given up.
            Err(_) if faults < 1_000 => {
                faults += 1;
                continue;
            }
            Err(_) => return,
        };
        faults = 0;
        let Some(question) = packet.get(..length).and_then(question) else { continue };
        let ours = zone.is_empty() || within(&question.name, &zone);
        if let Some(token) = ours.then(|| question.name.split('.').find_map(token)).flatten() {
            let kind = match question.kind {
                TYPE_A => "A",
                TYPE_AAAA => "AAAA",
                _ => "other",
            };
            book.write(&token, "dns", &format!("{kind} {}", question.name));
        }
        // Nothing depends on the reply: the visit is written down.
        let _ = socket.send_to(&reply(&question, own, ours), from).await;
    }
}

fn within(name: &str, zone: &str) -> bool {
    let zone = zone.to_ascii_lowercase();
    name.strip_suffix(zone.as_str()).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// Reads a query of exactly one question; anything else is none of ours.
fn question(packet: &[u8]) -> Option<Question<'_>> {
    let (head, rest) = packet.split_at_checked(12)?;
    let [id0, id1, flags, _, 0, 1, ..] = *head else { return None };
    // QR and OPCODE must both be zero: a standard query.
    if flags & 0b1111_1000 != 0 {
        return None;
    }
    let mut name = String::new();
    let mut at = 0;
    for _ in 0..=LABELS_MAX {
        let length = usize::from(*rest.get(at)?);
        at += 1;
        if length == 0 {
            let kind = u16::from_be_bytes(rest.get(at..at + 2)?.try_into().ok()?);
            let bytes = rest.get(..at + 4)?;
            return (!name.is_empty()).then_some(Question { id: [id0, id1], name, kind, bytes });
        }
        // Pointers (two high bits) have no place in a question that comes first.
        let label = (length < 64).then(|| rest.get(at..at + length)).flatten()?;
        at += length;
        if !name.is_empty() {
            name.push('.');
        }
        let readable = label.iter().map(|byte| match byte {
            b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' => char::from(*byte),
            b'A'..=b'Z' => char::from(byte.to_ascii_lowercase()),
            _ => '?',
        });
        name.extend(readable);
    }
    None
}

/// The answer: our address where it is of the kind asked for, nothing otherwise; never longer than twice the question,
/// so that it is of no use for amplification.
fn reply(question: &Question<'_>, own: IpAddr, ours: bool) -> Vec<u8> {
    let address = match (own, question.kind) {
        (IpAddr::V4(v4), TYPE_A) if ours => Some(v4.octets().to_vec()),
        (IpAddr::V6(v6), TYPE_AAAA) if ours => Some(v6.octets().to_vec()),
        _ => None,
    };
    let refused = if ours { 0 } else { 5 };
    let mut out = question.id.to_vec();
    // QR and AA set; the code; one question, at most one answer.
    out.extend_from_slice(&[0x84, refused, 0, 1, 0, u8::from(address.is_some()), 0, 0, 0, 0]);
    out.extend_from_slice(question.bytes);
    if let Some(address) = address {
        // The name by pointer, its kind, class IN, no time to live: each visit asks again.
        out.extend_from_slice(&[0xC0, 12]);
        out.extend_from_slice(&question.kind.to_be_bytes());
        out.extend_from_slice(&[0, 1, 0, 0, 0, 0, 0, address.len() as u8]);
        out.extend_from_slice(&address);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &[u8] = b"\xab\xcd\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00";

    fn packet(rest: &[u8]) -> Vec<u8> {
        [HEAD, rest].concat()
    }

    #[test]
    fn reads_a_question() {
        let bytes = packet(b"\x03AbC\x02io\x00\x00\x1c\x00\x01");
        let found = question(&bytes).unwrap();
        assert_eq!((found.name.as_str(), found.kind, found.id), ("abc.io", TYPE_AAAA, [0xab, 0xcd]));
        assert_eq!(reply(&found, IpAddr::from([127, 0, 0, 1]), true).len(), bytes.len());
    }

    #[test]
    fn refuses_what_is_no_plain_question() {
        assert_eq!(question(b""), None);
        assert_eq!(question(&packet(b"\xc0\x0c\x00\x01\x00\x01")), None);
        assert_eq!(question(&packet(b"\x3fab\x00\x00\x01\x00\x01")), None);
        assert_eq!(question(&packet(b"\x00\x00\x01\x00\x01")), None);
        assert_eq!(question(&packet(b"\x02ab\x00\x00\x01")), None);
        let mut response = packet(b"\x02ab\x00\x00\x01\x00\x01");
        response[2] = 0x84;
        assert_eq!(question(&response), None);
    }

    #[test]
    fn knows_its_zone() {
        assert!(within("a.oob.example", "OOB.example"));
        assert!(within("oob.example", "oob.example"));
        assert!(!within("foob.example", "oob.example"));
    }

    proptest::proptest! {
        #[test]
        fn reads_any_bytes_without_failing(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..600)) {
            let _ = question(&bytes);
        }
    }
}
