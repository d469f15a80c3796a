//! Whether a delay that was asked for is the delay that is seen: the slope of Theil and Sen over paired measurements.

/// Seen delay over asked delay.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Slope {
    /// The median of the slopes between all pairs of points of different asked delays; 1 is a delay obeyed.
    pub median: f64,
    /// The share of those slopes between 0.7 and 1.3.
    pub agreeing: f64,
}

impl Slope {
    /// Whether the delay was obeyed beyond chance.
    pub fn obeyed(self) -> bool {
        (0.8..=1.25).contains(&self.median) && self.agreeing >= 0.8
    }
}

/// The slope over points of (asked, seen minus its own control), both in milliseconds; `None` with fewer than two
/// different asked delays. At most 64 points are looked at.
pub fn slope(points: &[(f64, f64)]) -> Option<Slope> {
    let points = points.get(..points.len().min(64)).unwrap_or_default();
    let mut slopes: Vec<f64> = Vec::new();
    for (at, (x, y)) in points.iter().enumerate() {
        for (other_x, other_y) in points.iter().skip(at + 1) {
            if (other_x - x).abs() > f64::EPSILON {
                slopes.push((other_y - y) / (other_x - x));
            }
        }
    }
    slopes.sort_by(f64::total_cmp);
    let median = *slopes.get(slopes.len() / 2)?;
    let agreeing = slopes.iter().filter(|it| (0.7..=1.3).contains(*it)).count() as f64 / slopes.len() as f64;
    Some(Slope { median, agreeing })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_an_obeyed_delay_from_noise() {
        let obeyed = slope(&[(200.0, 203.0), (600.0, 611.0), (1200.0, 1198.0), (0.0, 4.0)]).unwrap();
        assert!(obeyed.obeyed(), "{obeyed:?}");
        let noise = slope(&[(200.0, 900.0), (600.0, 20.0), (1200.0, 400.0), (0.0, 3.0)]).unwrap();
        assert!(!noise.obeyed(), "{noise:?}");
        assert_eq!(slope(&[(200.0, 1.0)]), None);
    }
}
