//! Which server a call goes to.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use tokio::time::Instant;

use super::{
    Upstream,
    failure::UpstreamError,
    server::Server,
    settings::{Balance, UpstreamSettings},
};

/// The servers a call has tried already, so that the next try goes elsewhere where it can. Servers beyond the
/// 64th are not remembered.
#[derive(Clone, Copy, Default)]
pub(super) struct Tried(u64);

impl Tried {
    pub(super) fn add(&mut self, index: usize) {
        if let Some(bit) = bit(index) {
            self.0 |= bit;
        }
    }

    fn has(self, index: usize) -> bool {
        bit(index).is_some_and(|bit| self.0 & bit != 0)
    }
}

fn bit(index: usize) -> Option<u64> {
    u32::try_from(index).ok().and_then(|shift| 1_u64.checked_shl(shift))
}

/// The order of turns: each server as often as its weight says, spread evenly, so that one counter is all the
/// state that the threads share.
pub(super) struct Schedule {
    turns: Box<[usize]>,
    next: AtomicUsize,
}

impl Schedule {
    /// # Errors
    ///
    /// When no server has a weight.
    pub(super) fn new(settings: &UpstreamSettings) -> Result<Self, UpstreamError> {
        let weights: Vec<u64> = settings.servers.iter().map(|it| u64::from(it.weight)).collect();
        let turns = turns(&weights);
        if turns.is_empty() {
            return Err(UpstreamError::NoServers { upstream: Arc::clone(&settings.name) });
        }
        Ok(Self { turns, next: AtomicUsize::new(0) })
    }

    fn turn(&self, at: usize) -> usize {
        at.checked_rem(self.turns.len()).and_then(|at| self.turns.get(at)).copied().unwrap_or(0)
    }
}

/// Smooth weighted round robin, unrolled over one period: the server furthest behind its share comes next.
fn turns(weights: &[u64]) -> Box<[usize]> {
    let divisor = weights.iter().copied().fold(0, greatest_common_divisor).max(1);
    let total: u64 = weights.iter().map(|weight| weight / divisor).sum();
    let mut credit = vec![0_i64; weights.len()];
    let mut turns = Vec::new();
    for _ in 0..total {
        for (credit, weight) in credit.iter_mut().zip(weights) {
            *credit += i64::try_from(weight / divisor).unwrap_or(0);
        }
        // The first of equals, so that the order of the settings is the order of the turns.
        let mut chosen: Option<(usize, &mut i64)> = None;
        for (index, credit) in credit.iter_mut().enumerate() {
            if chosen.as_ref().is_none_or(|(_, most)| *credit > **most) {
                chosen = Some((index, credit));
            }
        }
        if let Some((index, credit)) = chosen {
            *credit -= i64::try_from(total).unwrap_or(i64::MAX);
            turns.push(index);
        }
    }
    turns.into()
}

fn greatest_common_divisor(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}

impl Upstream {
    /// The server for the next try: one that is available and was not tried yet, else one that is available.
    pub(super) fn pick(&self, tried: Tried, now: Instant) -> Option<(usize, &Arc<Server>)> {
        if let [server] = &*self.servers {
            return server.is_available(now).then_some((0, server));
        }
        match self.settings.balance {
            Balance::RoundRobin => self.walk(tried, now),
            Balance::LeastRequests => self.lighter_of_two(tried, now).or_else(|| self.walk(tried, now)),
        }
    }

    fn walk(&self, tried: Tried, now: Instant) -> Option<(usize, &Arc<Server>)> {
        let start = self.schedule.next.fetch_add(1, Ordering::Relaxed);
        let mut again = None;
        for step in 0..self.schedule.turns.len() {
            let index = self.schedule.turn(start.wrapping_add(step));
            let Some(server) = self.servers.get(index) else { continue };
            if !server.is_available(now) {
                continue;
            }
            if !tried.has(index) {
                return Some((index, server));
            }
            again = again.or(Some((index, server)));
        }
        again
    }

    fn lighter_of_two(&self, tried: Tried, now: Instant) -> Option<(usize, &Arc<Server>)> {
        let first = self.at_random(tried, now, None)?;
        let Some(second) = self.at_random(tried, now, Some(first.0)) else { return Some(first) };
        // Both were drawn by weight already; comparing the plain numbers would starve heavy servers, so the
        // load is taken in relation to the weight.
        let load = |server: &Server| u64::from(server.in_flight()) + 1;
        let (a, b) = (load(first.1) * second.1.weight(), load(second.1) * first.1.weight());
        Some(if b < a { second } else { first })
    }

    /// A server drawn by weight, another than `besides`. Where a few draws miss, because most servers are out or a
    /// heavy one takes most turns, the next in order is taken.
    fn at_random(&self, tried: Tried, now: Instant, besides: Option<usize>) -> Option<(usize, &Arc<Server>)> {
        const DRAWS_MAX: usize = 4;
        let fit = |index: usize| {
            if besides == Some(index) || tried.has(index) {
                return None;
            }
            let server = self.servers.get(index).filter(|server| server.weight() > 0)?;
            server.is_available(now).then_some((index, server))
        };
        let drawn = (0..DRAWS_MAX)
            .find_map(|_| fit(self.schedule.turn(self.chance.below(self.schedule.turns.len()))));
        drawn.or_else(|| (0..self.servers.len()).find_map(fit))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heavy_servers_take_more_turns_and_spread_them() {
        assert_eq!(*turns(&[5, 1, 1]), [0, 0, 1, 0, 2, 0, 0]);
    }

    #[test]
    fn common_factors_do_not_lengthen_the_period() {
        assert_eq!(*turns(&[1000, 500]), [0, 1, 0]);
    }

    #[test]
    fn drained_servers_have_no_turn() {
        assert_eq!(*turns(&[0, 3, 0]), [1]);
        assert!(turns(&[0, 0]).is_empty());
    }

    #[test]
    fn remembers_what_was_tried() {
        let mut tried = Tried::default();
        tried.add(3);
        tried.add(200);
        assert!(tried.has(3));
        assert!(!tried.has(2));
        assert!(!tried.has(200));
    }
}
