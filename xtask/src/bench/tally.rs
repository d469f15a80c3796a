//! Figures of several rounds, and how they are shown.

use serde_json::{Value, json};

/// The figures of one contender at one kind of work, a value a round.
pub(super) struct Row {
    pub(super) work: &'static str,
    pub(super) who: &'static str,
    /// CPU per request in microseconds.
    pub(super) cpu_micros: Vec<f64>,
    /// Requests per second.
    pub(super) rate: Vec<f64>,
    /// CPU in relation to nginx in the same round.
    pub(super) of_nginx: Vec<f64>,
}

/// The middle of the values; the mean of the two middle ones where their number is even.
pub(super) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match (sorted.get(middle), sorted.len() % 2, middle.checked_sub(1).and_then(|it| sorted.get(it))) {
        (Some(upper), 0, Some(lower)) => f64::midpoint(*lower, *upper),
        (Some(value), _, _) => *value,
        (None, _, _) => f64::NAN,
    }
}

/// The least and the greatest value.
pub(super) fn range(values: &[f64]) -> (f64, f64) {
    values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), it| (low.min(*it), high.max(*it)))
}

/// The rows as a Markdown table.
pub(super) fn table(rows: &[Row]) -> String {
    let mut text = "| work | who | CPU µs a request (min–max) | × nginx, paired (min–max) | requests/s |\n|---|---|---|---|---|\n".to_owned();
    for row in rows {
        let (low, high) = range(&row.cpu_micros);
        let (ratio_low, ratio_high) = range(&row.of_nginx);
        text.push_str(&format!(
            "| {} | {} | {:.1} ({low:.1}–{high:.1}) | {:.2} ({ratio_low:.2}–{ratio_high:.2}) | {:.0} |\n",
            row.work,
            row.who,
            median(&row.cpu_micros),
            median(&row.of_nginx),
            median(&row.rate),
        ));
    }
    text
}

/// The rows as a list of objects.
pub(super) fn list(rows: &[Row]) -> Value {
    let round = |value: f64| (value * 1000.0).round() / 1000.0;
    rows.iter()
        .map(|row| {
            json!({
                "work": row.work,
                "who": row.who,
                "cpu_us": round(median(&row.cpu_micros)),
                "of_nginx": round(median(&row.of_nginx)),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::float_cmp, reason = "these are exact")]
    fn the_median_is_the_middle() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), 2.5);
        assert!(median(&[]).is_nan());
    }
}
