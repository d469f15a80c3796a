//! Servers that answer well whatever is asked: a single page for all paths, 200 for all methods.

use std::sync::Arc;

use crate::{
    call::{ANONYMOUS, Call},
    script::{Flow, Script},
    wire::Answer,
};

/// What a server answers where there is nothing, below one folder.
#[derive(Clone, Debug)]
pub struct CatchAll {
    answers: Vec<Arc<Answer>>,
    /// Number of the first answer, for proofs.
    pub number: usize,
}

/// Asks for two random names below a folder (with its trailing `/`), the second with an extension.
///
/// # Errors
/// An answer is not there yet.
pub fn catch_all(script: &mut Script<'_>, folder: &str) -> Flow<CatchAll> {
    let (first, second) = (script.word(14), script.word(14));
    let (number, plain) = script.send(Call::bare("GET", &format!("{folder}{first}"), ANONYMOUS))?;
    let (_, dotted) = script.send(Call::bare("GET", &format!("{folder}{second}.json"), ANONYMOUS))?;
    Ok(CatchAll { answers: vec![plain, dotted], number })
}

impl CatchAll {
    /// Whether an answer is what the server says where there is nothing: the same bytes, or the same media type and
    /// nearly the same length of a page that merely names what was asked.
    pub fn covers(&self, answer: &Answer) -> bool {
        self.answers.iter().any(|own| {
            let near = own.body.len().abs_diff(answer.body.len()) <= 64 + own.body.len() / 50;
            own.status == answer.status
                && (own.body == answer.body || (own.media() == answer.media() && near))
        })
    }

    /// Whether random names are answered well at all.
    pub fn answers_all(&self) -> bool {
        self.answers.iter().any(|answer| answer.done())
    }
}
