//! Limits in words: `100/s burst 200 per consumer`, `10k/day`, `20 concurrent per consumer`.

use std::{fmt, sync::Arc, time::Duration};

use portcullis_core::limit::{CalendarPeriod, Quota, Rate};
use schemars::{Schema, SchemaGenerator};

use super::{
    duration::parse_duration,
    number::{NumberError, parse_count},
};
use crate::{
    read::{Read, Reader, text_schema, words},
    yaml::Node,
};

/// One limit.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Limit {
    /// The limit as it is written: its name towards clients and in counters.
    pub text: Arc<str>,
    /// How much.
    pub amount: LimitAmount,
    /// What is counted apart. Empty: all calls together.
    pub per: Vec<Dimension>,
    /// Which calls are counted.
    pub when: LimitWhen,
}

/// How much a limit allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LimitAmount {
    /// A sustained rate with a burst.
    Rate(Rate),
    /// An allowance per calendar period.
    Quota(Quota),
    /// Exchanges at the same time.
    Concurrent(u32),
}

words! {
    /// What a limit counts apart.
    pub enum Dimension {
        /// The authenticated caller; calls without one are counted by address.
        Consumer = "consumer",
        /// The client's address; IPv6 by /64.
        Ip = "ip",
        /// The operation.
        Operation = "operation",
        /// Each role of the caller.
        Role = "role",
        /// The tenant of the caller.
        Tenant = "tenant",
        /// The API.
        Api = "api",
        /// The listener.
        Listener = "listener",
    }
}

words! {
    /// Which calls a limit counts.
    pub enum LimitWhen {
        /// All.
        Always = "always",
        /// Those without a credential.
        Anonymous = "anonymous",
        /// Those with a credential.
        Authenticated = "authenticated",
    }
}

words! {
    /// What failed logins are counted by.
    pub enum LoginSubject {
        /// The client's address.
        Ip = "ip",
        /// The user name in the request.
        Username = "username",
    }
}

/// How many logins may fail: `5/10m per ip`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LoginAttempts {
    /// The limit as it is written.
    pub text: Arc<str>,
    /// Failures allowed.
    pub rate: Rate,
    /// What is counted apart.
    pub per: LoginSubject,
}

/// What is wrong with a limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum LimitError {
    Form,
    Number(NumberError),
    Period,
    Zero,
    TooLarge,
    Dimension(String),
    When(String),
    Burst,
    QuotaBurst,
    RateOnly,
    LoginPer,
}

impl fmt::Display for LimitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::Form => {
                "write `100/s burst 200 per consumer`, `10k/day per consumer` or `20 concurrent per ip`"
            }
            Self::Number(error) => return error.fmt(f),
            Self::Period => {
                "the period is `s`, `m`, `h` or such as `10m` for a rate, `hour`, `day` or `month` for a quota"
            }
            Self::Zero => "it must allow at least 1",
            Self::TooLarge => "it is too large",
            Self::Dimension(word) => {
                return write!(
                    f,
                    "`{word}` is not one of `consumer`, `ip`, `operation`, `role`, `tenant`, `api`, `listener`"
                );
            }
            Self::When(word) => {
                return write!(f, "`when {word}` is neither `when anonymous` nor `when authenticated`");
            }
            Self::Burst => "`burst` is followed by a count of at least 1",
            Self::QuotaBurst => "only a rate can have a burst",
            Self::RateOnly => "a rate is expected here, as in `100/s burst 200`",
            Self::LoginPer => "write `5/10m per ip` or `5/10m per username`",
        };
        f.write_str(text)
    }
}

/// Reads `amount/period` or `N concurrent`.
fn parse_amount<'t>(
    words: &mut std::iter::Peekable<impl Iterator<Item = &'t str>>,
) -> Result<LimitAmount, LimitError> {
    let first = words.next().ok_or(LimitError::Form)?;
    let Some((count, period)) = first.split_once('/') else {
        let places = parse_count(first).map_err(LimitError::Number)?;
        if words.next() != Some("concurrent") {
            return Err(LimitError::Form);
        }
        return match u32::try_from(places) {
            Ok(0) => Err(LimitError::Zero),
            Ok(places) => Ok(LimitAmount::Concurrent(places)),
            Err(_) => Err(LimitError::TooLarge),
        };
    };
    let count = parse_count(count).map_err(LimitError::Number)?;
    if count == 0 {
        return Err(LimitError::Zero);
    }
    let calendar = match period {
        "hour" => Some(CalendarPeriod::Hour),
        "day" => Some(CalendarPeriod::Day),
        "month" => Some(CalendarPeriod::Month),
        _ => None,
    };
    if let Some(period) = calendar {
        return Ok(LimitAmount::Quota(Quota { count, period }));
    }
    let period = match period {
        "s" => Duration::from_secs(1),
        "m" | "min" => Duration::from_secs(60),
        "h" => Duration::from_secs(3_600),
        other => parse_duration(other).map_err(|_| LimitError::Period)?,
    };
    let count = u32::try_from(count).map_err(|_| LimitError::TooLarge)?;
    let mut rate = Rate { count, period, burst: count };
    if words.next_if_eq(&"burst").is_some() {
        let burst = words.next().ok_or(LimitError::Burst)?;
        let burst = parse_count(burst).map_err(|_| LimitError::Burst)?;
        rate.burst = u32::try_from(burst).map_err(|_| LimitError::TooLarge)?;
        if rate.burst == 0 {
            return Err(LimitError::Burst);
        }
    }
    Ok(LimitAmount::Rate(rate))
}

/// Reads a rate without `per`: `100/s burst 200`.
pub(crate) fn parse_rate(text: &str) -> Result<Rate, LimitError> {
    let mut words = text.split_whitespace().peekable();
    match (parse_amount(&mut words)?, words.next()) {
        (LimitAmount::Rate(rate), None) => Ok(rate),
        _ => Err(LimitError::RateOnly),
    }
}

/// Reads a quota: `10k/day`.
fn parse_quota(text: &str) -> Result<Quota, LimitError> {
    let mut words = text.split_whitespace().peekable();
    match (parse_amount(&mut words), words.next()) {
        (Ok(LimitAmount::Quota(quota)), None) => Ok(quota),
        _ => Err(LimitError::Form),
    }
}

pub(crate) fn parse_limit(text: &str) -> Result<Limit, LimitError> {
    let mut words = text.split_whitespace().peekable();
    let amount = parse_amount(&mut words)?;
    if words.peek() == Some(&"burst") {
        return Err(LimitError::QuotaBurst);
    }
    let mut per = Vec::new();
    if words.next_if_eq(&"per").is_some() {
        for word in words.next().ok_or(LimitError::Form)?.split(',') {
            let dimension = match word {
                "consumer" => Dimension::Consumer,
                "ip" => Dimension::Ip,
                "operation" => Dimension::Operation,
                "role" => Dimension::Role,
                "tenant" => Dimension::Tenant,
                "api" => Dimension::Api,
                "listener" => Dimension::Listener,
                other => return Err(LimitError::Dimension(other.chars().take(40).collect())),
            };
            if !per.contains(&dimension) {
                per.push(dimension);
            }
        }
    }
    let mut when = LimitWhen::Always;
    if words.next_if_eq(&"when").is_some() {
        when = match words.next() {
            Some("anonymous") => LimitWhen::Anonymous,
            Some("authenticated") => LimitWhen::Authenticated,
            other => return Err(LimitError::When(other.unwrap_or_default().chars().take(40).collect())),
        };
    }
    if words.next().is_some() {
        return Err(LimitError::Form);
    }
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ").into();
    Ok(Limit { text, amount, per, when })
}

fn parse_login_attempts(text: &str) -> Result<LoginAttempts, LimitError> {
    let (rate, subject) = text.split_once(" per ").ok_or(LimitError::LoginPer)?;
    let per = match subject.trim() {
        "ip" => LoginSubject::Ip,
        "username" => LoginSubject::Username,
        _ => return Err(LimitError::LoginPer),
    };
    Ok(LoginAttempts { text: text.into(), rate: parse_rate(rate)?, per })
}

const RATE: &str = "[0-9]+[kM]?/([0-9]*(ms|s|m|min|h|d))( burst [0-9]+[kM]?)?";

impl Read for Limit {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        reader.parsed(node, "limit", parse_limit)
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        let amount = format!("({RATE}|[0-9]+[kM]?/(hour|day|month)|[0-9]+[kM]? concurrent)");
        text_schema("a limit", Some(&format!("^{amount}( per [a-z,]+)?( when (anonymous|authenticated))?$")))
    }
}

impl Read for LoginAttempts {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        reader.parsed(node, "limit of attempts", parse_login_attempts)
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        text_schema("a limit of attempts", Some(&format!("^{RATE} per (ip|username)$")))
    }
}

impl Read for Rate {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        reader.parsed(node, "rate", parse_rate)
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        text_schema("a rate", Some(&format!("^{RATE}$")))
    }
}

impl Read for Quota {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        reader.parsed(node, "quota", |text| {
            parse_quota(text).map_err(|_| "write `10k/day`, with one of `hour`, `day`, `month`")
        })
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        text_schema("a quota", Some("^[0-9]+[kM]?/(hour|day|month)$"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rate(count: u32, secs: u64, burst: u32) -> LimitAmount {
        LimitAmount::Rate(Rate { count, period: Duration::from_secs(secs), burst })
    }

    #[test]
    fn reads_rates_quotas_and_places() {
        let limit = parse_limit("100/s burst 200 per consumer").unwrap();
        assert_eq!((limit.amount, limit.per), (rate(100, 1, 200), vec![Dimension::Consumer]));
        let limit = parse_limit("5/10m  per consumer,operation when anonymous").unwrap();
        assert_eq!(limit.amount, rate(5, 600, 5));
        assert_eq!(limit.per, [Dimension::Consumer, Dimension::Operation]);
        assert_eq!(limit.when, LimitWhen::Anonymous);
        assert_eq!(&*limit.text, "5/10m per consumer,operation when anonymous");
        let day = LimitAmount::Quota(Quota { count: 10_000, period: CalendarPeriod::Day });
        assert_eq!(parse_limit("10k/day").unwrap().amount, day);
        assert_eq!(parse_limit("20 concurrent per ip").unwrap().amount, LimitAmount::Concurrent(20));
        assert_eq!(parse_rate("5/min"), Ok(Rate { count: 5, period: Duration::from_secs(60), burst: 5 }));
    }

    #[test]
    fn refuses_what_it_does_not_understand() {
        for (text, error) in [
            ("", LimitError::Form),
            ("100", LimitError::Form),
            ("0/s", LimitError::Zero),
            ("0 concurrent", LimitError::Zero),
            ("5/s burst 0", LimitError::Burst),
            ("5/s burst", LimitError::Burst),
            ("10k/day burst 5", LimitError::QuotaBurst),
            ("5/s per", LimitError::Form),
            ("5/s per nose", LimitError::Dimension("nose".to_owned())),
            ("5/s when drunk", LimitError::When("drunk".to_owned())),
            ("5/s per ip or so", LimitError::Form),
            ("5/0s", LimitError::Period),
            ("5/fortnight", LimitError::Period),
            ("9999M/s", LimitError::TooLarge),
        ] {
            assert_eq!(parse_limit(text), Err(error), "{text}");
        }
        assert_eq!(parse_rate("10k/day"), Err(LimitError::RateOnly));
        assert_eq!(parse_login_attempts("5/10m"), Err(LimitError::LoginPer));
        assert_eq!(parse_login_attempts("5/10m per username").unwrap().per, LoginSubject::Username);
    }

    proptest! {
        #[test]
        fn a_rate_is_read_as_it_is_written(count in 1_u32.., secs in 1_u64..1_000_000, burst in 1_u32..) {
            let limit = parse_limit(&format!("{count}/{secs}s burst {burst} per ip"));
            prop_assert_eq!(limit.unwrap().amount, rate(count, secs, burst));
        }

        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,40}") {
            let _ = (parse_limit(&text), parse_login_attempts(&text));
        }
    }
}
