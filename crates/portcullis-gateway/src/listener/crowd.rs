//! How many connections each address has open.

use std::{
    net::{IpAddr, Ipv6Addr},
    sync::{Mutex, MutexGuard, PoisonError},
};

use hashbrown::HashMap;

const SHARDS: usize = 16;

/// Counts by address, IPv6 by the /64 that one customer has. Holds an entry for an open connection only.
#[derive(Default)]
pub(super) struct Crowd {
    shards: [Mutex<HashMap<IpAddr, u32>>; SHARDS],
}

impl Crowd {
    /// Counts a connection in, unless the address has as many as it may.
    pub(super) fn enter(&self, ip: IpAddr, connections_max: u32) -> bool {
        let ip = customer(ip);
        let Some(mut shard) = self.shard(ip) else {
            return true;
        };
        let count = shard.entry(ip).or_insert(0);
        if *count >= connections_max {
            if *count == 0 {
                shard.remove(&ip);
            }
            return false;
        }
        *count += 1;
        true
    }

    pub(super) fn leave(&self, ip: IpAddr) {
        let ip = customer(ip);
        let Some(mut shard) = self.shard(ip) else {
            return;
        };
        if let Some(count) = shard.get_mut(&ip) {
            *count -= 1;
            if *count == 0 {
                shard.remove(&ip);
            }
        }
    }

    fn shard(&self, ip: IpAddr) -> Option<MutexGuard<'_, HashMap<IpAddr, u32>>> {
        let last = match ip {
            IpAddr::V4(ip) => ip.octets().iter().fold(0, |sum: u8, byte| sum.wrapping_add(*byte)),
            IpAddr::V6(ip) => ip.octets().iter().fold(0, |sum: u8, byte| sum.wrapping_add(*byte)),
        };
        let shard = self.shards.get(usize::from(last) % SHARDS)?;
        Some(shard.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn customer(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V4(ip) => ip.into(),
        IpAddr::V6(ip) => Ipv6Addr::from_bits(ip.to_bits() & !u128::from(u64::MAX)).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_and_forgets() {
        let crowd = Crowd::default();
        let (a, b): (IpAddr, IpAddr) = ("2001:db8::1".parse().unwrap(), "2001:db8::2".parse().unwrap());
        assert!(crowd.enter(a, 2));
        assert!(crowd.enter(b, 2));
        assert!(!crowd.enter(a, 2), "both live in one /64");
        assert!(crowd.enter("2001:db8:0:1::1".parse().unwrap(), 2));
        crowd.leave(b);
        assert!(crowd.enter(a, 2));
        crowd.leave(a);
        crowd.leave(a);
        assert_eq!(crowd.shard(customer(a)).unwrap().get(&customer(a)), None);
    }
}
