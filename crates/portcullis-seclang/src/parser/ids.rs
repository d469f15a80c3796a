//! Numbers of rules: `942100`, `942100-942190`, several with blanks or commas.

use super::context::Context;
use super::piece::Piece;
use crate::syntax::IdRange;

/// All ranges of a list; at least one. Every bad one is reported.
pub(crate) fn id_ranges(cx: &mut Context<'_>, list: Piece<'_>) -> Option<Vec<IdRange>> {
    let mut found = Vec::new();
    let mut is_good = true;
    let mut rest = list.trim();
    while !rest.is_empty() && !cx.report.is_full() {
        let (word, behind) = rest.split_where(|byte| byte == b',' || byte.is_ascii_whitespace());
        match id_range(word) {
            Some(range) => found.push(range),
            None => {
                is_good = false;
                cx.error::<()>(word, "expected the number of a rule, or a range such as `1000-1999`", "");
            }
        }
        let behind = behind.trim_start();
        rest = behind.strip(b',').unwrap_or(behind).trim_start();
    }
    if found.is_empty() && is_good {
        return cx.error(list, "expected the number of a rule", "");
    }
    is_good.then_some(found)
}

fn id_range(word: Piece<'_>) -> Option<IdRange> {
    let (first, last) = word.split_once(b'-').unwrap_or((word, word));
    let range = IdRange { first: first.number()?, last: last.number()? };
    (range.first <= range.last).then_some(range)
}
