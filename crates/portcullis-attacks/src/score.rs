//! From what was recognised to one number an exchange, and what the operator is told.

use crate::{class::Class, decode::Layers, leaf::Where};

/// One recognised piece of an attack with its place in the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The class of attack; with [`Finding::rule`] it makes the rule id, `attacks/CLASS/RULE`.
    pub class: Class,
    /// The pattern recognised.
    pub rule: &'static str,
    /// How sure the detector is, 1 to 10.
    pub score: u8,
    /// Which part of the request it stood in.
    pub at: Where,
    /// The place within that part: a parameter's, header's or cookie's name, a JSON pointer, an element's name.
    pub place: String,
    /// The encodings taken off before it showed.
    pub layers: Layers,
    /// The bytes recognised: cut, control characters escaped, secrets masked.
    pub excerpt: String,
    /// One sentence for the operator: lower case, no full stop.
    pub why: &'static str,
}

/// What is thought of one exchange.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Judgement {
    /// The exchange's score, to be held against the threshold.
    pub score: u32,
    /// Whether the threshold is reached.
    pub is_attack: bool,
    /// The strongest first; at most [`FINDINGS_MAX`].
    pub findings: Vec<Finding>,
    /// Why the body could not be read as what it says it is and was judged as raw text instead.
    pub unread_body: Option<&'static str>,
}

/// Findings kept of one exchange; weaker ones beyond are dropped.
pub const FINDINGS_MAX: usize = 16;

/// A score from which on a hit is more than a mere mark.
const SUSPICIOUS: u32 = 4;

/// What all further hits together may add to the strongest.
const COMPANY_MAX: u32 = 5;

/// What mere marks together may add.
const MARKS_MAX: u32 = 2;

/// A hit, as far as it counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Weight {
    pub(crate) class: Class,
    pub(crate) rule: &'static str,
    pub(crate) score: u8,
    /// Which value of the request it stood in.
    pub(crate) leaf: u32,
    /// Whether long texts are expected in that value, where company proves little.
    pub(crate) is_free_text: bool,
}

/// The strongest hit counts in full. Another rule counts half in the same value and a third elsewhere, once, by its
/// weightiest hit, however often it hits, and in free text a quarter: a long prose has a bit of everything.
pub(crate) fn total(weights: &[Weight]) -> u32 {
    let Some(strongest) = weights.iter().max_by_key(|it| it.score) else { return 0 };
    let (mut company, mut marks) = (0, 0);
    let share = |weight: &Weight| {
        let score = u32::from(weight.score);
        match (weight.is_free_text, weight.leaf == strongest.leaf) {
            (true, _) => score / 4,
            (false, true) => score / 2,
            (false, false) => score / 3,
        }
    };
    for (place, weight) in weights.iter().enumerate() {
        let is_same = |it: &Weight| it.class == weight.class && it.rule == weight.rule;
        let share_here = share(weight);
        let outweighs = |(other, it): (usize, &Weight)| {
            is_same(it) && (share(it) > share_here || share(it) == share_here && other < place)
        };
        if is_same(strongest) || weights.iter().enumerate().any(outweighs) {
            continue;
        }
        let (score, share) = (u32::from(weight.score), share_here);
        if score < SUSPICIOUS { marks += share } else { company += share }
    }
    u32::from(strongest.score) + (company + marks.min(MARKS_MAX)).min(COMPANY_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hit(class: Class, rule: &'static str, score: u8, leaf: u32) -> Weight {
        Weight { class, rule, score, leaf, is_free_text: false }
    }

    #[test]
    fn the_strongest_counts_in_full_and_company_adds() {
        assert_eq!(total(&[]), 0);
        assert_eq!(total(&[hit(Class::Sql, "a", 10, 0)]), 10);
        let both = [hit(Class::Sql, "a", 8, 0), hit(Class::Script, "b", 6, 0)];
        assert_eq!(total(&both), 11);
        let apart = [hit(Class::Sql, "a", 8, 0), hit(Class::Script, "b", 6, 1)];
        assert_eq!(total(&apart), 10);
    }

    #[test]
    fn the_same_rule_many_times_counts_once() {
        let many: Vec<_> = (0..100).map(|leaf| hit(Class::Sql, "a", 6, leaf)).collect();
        assert_eq!(total(&many), 6);
    }

    #[test]
    fn a_weak_hit_in_front_does_not_hide_a_rules_weight() {
        let strongest = hit(Class::Sql, "a", 8, 1);
        let together = [hit(Class::Script, "b", 4, 0), strongest, hit(Class::Script, "b", 6, 1)];
        assert_eq!(total(&together), 11);
    }

    #[test]
    fn marks_alone_never_reach_the_threshold() {
        const RULES: [&str; 6] = ["a", "b", "c", "d", "e", "f"];
        let marks: Vec<_> = RULES.into_iter().map(|rule| hit(Class::Shell, rule, 3, 0)).collect();
        assert_eq!(total(&marks), 5);
    }

    #[test]
    fn company_proves_little_in_free_text() {
        let mut prose = [hit(Class::Sql, "a", 7, 0), hit(Class::Script, "b", 7, 0)];
        for it in &mut prose {
            it.is_free_text = true;
        }
        assert_eq!(total(&prose), 8);
    }
}
