//! What a rule answers, in tokens.

use smallvec::SmallVec;

use super::token::Tokens;

/// One recognised fragment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Finding {
    /// The rule's name.
    pub(super) rule: &'static str,
    /// 1 to 10, before the field is weighed.
    pub(super) score: u8,
    /// First byte.
    pub(super) from: usize,
    /// One past the last byte.
    pub(super) to: usize,
    /// The sentence for the operator.
    pub(super) why: &'static str,
}

/// What was found in one value, at most one for each rule: the surest.
#[derive(Debug, Default)]
pub(super) struct Findings {
    list: SmallVec<[Finding; 4]>,
}

impl Findings {
    /// Adds a finding over the tokens `from..to`, if it is surer than what its rule found before.
    pub(super) fn add(
        &mut self,
        tokens: &Tokens<'_>,
        rule: &'static str,
        score: u8,
        span: (usize, usize),
        why: &'static str,
    ) {
        if score == 0 {
            return;
        }
        let (from, to) = (tokens.from(span.0), tokens.to(span.1));
        let finding = Finding { rule, score: score.min(10), from: from.min(to), to: to.max(from), why };
        match self.list.iter_mut().find(|known| known.rule == rule) {
            Some(known) if known.score < finding.score => *known = finding,
            Some(_) => {}
            None => self.list.push(finding),
        }
    }

    /// Takes over what another reading is sure of, as far as its rules are listed.
    pub(super) fn take_over(&mut self, other: Self, rules: &[&str]) {
        for finding in other.list {
            if finding.score >= 8
                && rules.contains(&finding.rule)
                && !self.list.iter().any(|known| known.rule == finding.rule && known.score >= finding.score)
            {
                self.list.push(finding);
            }
        }
    }

    /// The findings, surest first.
    pub(super) fn sorted(mut self) -> SmallVec<[Finding; 4]> {
        self.list.sort_by_key(|finding| core::cmp::Reverse(finding.score));
        self.list
    }

    /// Whether more can only say what is known.
    pub(super) fn is_certain(&self) -> bool {
        self.list.iter().any(|finding| finding.score >= 10)
    }
}
