//! `@ipMatch` and `@ipMatchFromFile`: the value is an address of one of the networks.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::OperatorError;

/// Networks, by length of their prefix: one binary search a length, however long the list.
#[derive(Debug)]
pub(crate) struct Addresses {
    v4: Vec<Networks>,
    v6: Vec<Networks>,
}

/// Networks of one prefix length, sorted; addresses as numbers aligned to the top of 128 bits.
#[derive(Debug)]
struct Networks {
    mask: u128,
    prefixes: Vec<u128>,
}

impl Addresses {
    /// Reads networks between commas and line ends; `#` begins a comment.
    pub(super) fn parse(text: &[u8]) -> Result<Self, OperatorError> {
        let (mut v4, mut v6) = (Vec::new(), Vec::new());
        let mut offset = 0;
        for line in text.split(|byte| *byte == b'\n') {
            let before_comment = line.split(|byte| *byte == b'#').next().unwrap_or_default();
            let mut at = offset;
            for item in before_comment.split(|byte| *byte == b',') {
                let trimmed = item.trim_ascii();
                if !trimmed.is_empty() {
                    let (number, length, is_v4) = network(trimmed).ok_or_else(|| OperatorError {
                        message: format!("`{}` is no address and no network", trimmed.escape_ascii()),
                        offset: Some(at + (item.len() - item.trim_ascii_start().len())),
                    })?;
                    let list = if is_v4 { &mut v4 } else { &mut v6 };
                    list.push((length, number));
                }
                at += item.len() + 1;
            }
            offset += line.len() + 1;
        }
        if v4.is_empty() && v6.is_empty() {
            return Err(OperatorError::new("there is no address to compare with"));
        }
        Ok(Self { v4: grouped(v4), v6: grouped(v6) })
    }

    /// Whether the value is an address in one of the networks; what is no address is in none.
    pub(super) fn contain(&self, value: &[u8]) -> bool {
        let Some(address) = std::str::from_utf8(value).ok().and_then(|text| text.parse().ok()) else {
            return false;
        };
        let (lists, number) = match address {
            IpAddr::V4(address) => (&self.v4, aligned_v4(address)),
            IpAddr::V6(address) => (&self.v6, u128::from(address)),
        };
        lists.iter().any(|networks| networks.prefixes.binary_search(&(number & networks.mask)).is_ok())
    }
}

fn aligned_v4(address: Ipv4Addr) -> u128 {
    u128::from(u32::from(address)) << 96
}

/// The number, the length of the prefix, and whether it is of IPv4.
fn network(text: &[u8]) -> Option<(u128, u32, bool)> {
    let text = std::str::from_utf8(text).ok()?;
    let (address, length) = match text.split_once('/') {
        Some((address, length)) => (address, Some(length.parse::<u32>().ok()?)),
        None => (text, None),
    };
    if address.contains(':') {
        let number = u128::from(address.parse::<Ipv6Addr>().ok()?);
        Some((number, length.unwrap_or(128), false)).filter(|(_, length, _)| *length <= 128)
    } else {
        let number = aligned_v4(address.parse().ok()?);
        Some((number, length.unwrap_or(32), true)).filter(|(_, length, _)| *length <= 32)
    }
}

fn grouped(mut networks: Vec<(u32, u128)>) -> Vec<Networks> {
    networks.sort_unstable();
    let of_length = |group: &[(u32, u128)]| {
        let length = group.first().map_or(0, |(length, _)| *length);
        let mask = u128::MAX.checked_shl(128 - length).unwrap_or(0);
        let mut prefixes: Vec<u128> = group.iter().map(|(_, number)| number & mask).collect();
        prefixes.sort_unstable();
        prefixes.dedup();
        Networks { mask, prefixes }
    };
    networks.chunk_by(|one, next| one.0 == next.0).map(of_length).collect()
}

#[cfg(test)]
mod tests {
    use super::Addresses;

    fn check(networks: &str, within: &[&str], without: &[&str]) {
        let addresses = Addresses::parse(networks.as_bytes()).unwrap();
        for value in within {
            assert!(addresses.contain(value.as_bytes()), "{value} in {networks}");
        }
        for value in without {
            assert!(!addresses.contain(value.as_bytes()), "{value} in {networks}");
        }
    }

    #[test]
    fn compares_prefixes() {
        check("10.1.2.3", &["10.1.2.3"], &["10.1.2.4", "", "10.1.2.3 ", "10.1.2"]);
        check(
            "10.1.0.0/16, 192.168.1.128/25",
            &["10.1.255.0", "192.168.1.200"],
            &["10.2.0.0", "192.168.1.100"],
        );
        check("0.0.0.0/0", &["1.2.3.4"], &["::1"]);
        check("2001:db8::/32,::1", &["2001:db8:1::5", "::1"], &["2001:db9::", "::2", "0.0.0.1"]);
    }

    #[test]
    fn masks_the_network_itself() {
        check("10.1.2.3/8", &["10.200.0.1"], &["11.0.0.1"]);
    }

    #[test]
    fn reads_lists_with_comments() {
        check("# ours\n10.0.0.0/8 # lab\n\n::1\r\n", &["10.0.0.1", "::1"], &["11.0.0.1"]);
    }

    #[test]
    fn refuses_what_is_no_network_with_its_place() {
        for (text, offset) in
            [("10.0.0.1,10.0.0", 9), ("10.0.0.0/33", 0), ("1.2.3.4\n x", 9), ("::/129", 0), ("a/8", 0)]
        {
            assert_eq!(Addresses::parse(text.as_bytes()).unwrap_err().offset, Some(offset), "{text}");
        }
        assert!(Addresses::parse(b" # nothing").is_err());
    }
}
