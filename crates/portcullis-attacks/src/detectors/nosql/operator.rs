//! The operators of document databases that take the MongoDB query language.

/// What an operator does for an attacker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    /// It runs JavaScript.
    Runs,
    /// It compares, and so replaces an equality.
    Compares,
    /// It joins conditions or stages.
    Joins,
    /// It seldom helps, or its word has other uses.
    Rare,
}

impl Operator {
    /// The operator of a lower-case word with its `$`.
    pub(super) fn of(word: &[u8]) -> Option<Self> {
        Some(match word {
            b"$where" | b"$function" | b"$accumulator" | b"$mapreduce" => Self::Runs,
            b"$eq" | b"$ne" | b"$gt" | b"$gte" | b"$lt" | b"$lte" | b"$in" | b"$nin" | b"$regex"
            | b"$exists" | b"$not" | b"$elemmatch" | b"$expr" | b"$nor" => Self::Compares,
            b"$or" | b"$and" | b"$lookup" | b"$unionwith" | b"$out" | b"$merge" | b"$jsonschema" => {
                Self::Joins
            }
            b"$all" | b"$size" | b"$type" | b"$mod" | b"$text" | b"$options" | b"$comment" | b"$group"
            | b"$match" => Self::Rare,
            _ => return None,
        })
    }
}

/// Bytes of the word that begins with the `$` at the front.
pub(super) fn length(text: &[u8]) -> usize {
    1 + text.iter().skip(1).take(16).take_while(|byte| byte.is_ascii_alphabetic()).count()
}
