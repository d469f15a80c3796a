//! Counters over fixed windows, for the twins that hold back.

use std::collections::HashMap;

/// Keys watched at once; when they are all in use the oldest windows make room.
const KEYS_MAX: usize = 10_000;

/// Events by key within a window.
#[derive(Default)]
pub(crate) struct Limits {
    windows: HashMap<String, (i64, u32)>,
}

impl Limits {
    /// Counts one event. True while there were at most `most` of them within `secs` seconds.
    pub(crate) fn take(&mut self, key: &str, now: i64, most: u32, secs: i64) -> bool {
        if self.windows.len() >= KEYS_MAX {
            self.windows.retain(|_, (start, _)| now.saturating_sub(*start) < secs);
            if self.windows.len() >= KEYS_MAX {
                self.windows.clear();
            }
        }
        let window = self.windows.entry(key.to_owned()).or_insert((now, 0));
        if now.saturating_sub(window.0) >= secs {
            *window = (now, 0);
        }
        window.1 = window.1.saturating_add(1);
        window.1 <= most
    }

    /// Whether a key is over its limit, without counting.
    pub(crate) fn is_over(&self, key: &str, now: i64, most: u32, secs: i64) -> bool {
        self.windows
            .get(key)
            .is_some_and(|(start, count)| now.saturating_sub(*start) < secs && *count >= most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lets_a_window_pass_and_forgets() {
        let mut limits = Limits::default();
        assert!(limits.take("a", 0, 2, 60) && limits.take("a", 1, 2, 60));
        assert!(limits.is_over("a", 1, 2, 60) && !limits.take("a", 2, 2, 60));
        assert!(!limits.is_over("b", 1, 2, 60));
        assert!(limits.take("a", 60, 2, 60));
    }
}
