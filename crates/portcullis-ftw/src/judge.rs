//! A case from its first stage to the verdict.

use crate::{
    cases::{Case, Output, Stage},
    client,
    expect::{self, Outcome},
};

/// A stage that did not come out as expected.
#[derive(Debug)]
pub struct Failure {
    /// Which, from 1.
    pub stage: usize,
    /// What differs.
    pub differences: Vec<String>,
    /// What came of it.
    pub outcome: Outcome,
}

/// Runs the stages of a case in order; `None` when all come out as expected, which is what they say themselves or
/// `instead`. `exchange` sends the bytes of a stage's request and tells what came of it.
pub fn judge(
    case: &Case,
    instead: Option<&Output>,
    exchange: &mut dyn FnMut(&Stage, &[u8]) -> Outcome,
) -> Option<Failure> {
    (1..).zip(&case.stages).find_map(|(number, stage)| {
        let expected = instead.unwrap_or(&stage.output);
        let request = client::request(&stage.input);
        let mut attempt = || {
            let outcome = exchange(stage, &request);
            let differences = expect::differences(expected, &outcome);
            (!differences.is_empty()).then_some(Failure { stage: number, differences, outcome })
        };
        let failure = attempt()?;
        if expected.retry_once { attempt() } else { Some(failure) }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cases;

    fn case(more: &str) -> Case {
        let stage = |status: u16| format!("{{ input: {{ uri: / }}, output: {{ status: {status}{more} }} }}");
        let text = format!("rule_id: 1\ntests: [{{ stages: [{}, {}] }}]", stage(200), stage(403));
        cases::parse(&"a.yaml".into(), &text).unwrap().remove(0)
    }

    fn answers<'a>(
        mut statuses: impl Iterator<Item = u16> + 'a,
    ) -> impl FnMut(&Stage, &[u8]) -> Outcome + 'a {
        move |_, request| {
            assert!(request.starts_with(b"GET / HTTP/1.1\r\n"));
            Outcome { status: statuses.next(), ..Outcome::default() }
        }
    }

    #[test]
    fn stops_at_the_stage_that_fails() {
        assert!(judge(&case(""), None, &mut answers([200, 403].into_iter())).is_none());
        let failure = judge(&case(""), None, &mut answers([200, 200].into_iter())).unwrap();
        assert_eq!((failure.stage, failure.outcome.status), (2, Some(200)));
        assert_eq!(failure.differences, ["status 200 instead of 403"]);
        assert_eq!(judge(&case(""), None, &mut answers([403].into_iter())).unwrap().stage, 1);
    }

    #[test]
    fn tries_again_once_where_the_case_says_so() {
        let twice = case(", retry_once: true");
        assert!(judge(&twice, None, &mut answers([500, 200, 403].into_iter())).is_none());
        assert_eq!(
            judge(&twice, None, &mut answers([500, 501].into_iter())).unwrap().outcome.status,
            Some(501)
        );
    }

    #[test]
    fn holds_every_stage_against_another_expectation() {
        let instead = Output { status: Some(204), ..Output::default() };
        assert!(judge(&case(""), Some(&instead), &mut answers([204, 204].into_iter())).is_none());
    }
}
