//! Declared answers.

use portcullis_spec::model::{Response, StatusPattern};

use super::schemas;
use crate::model::{DeclaredAnswer, Model};

/// All declared answers, in order.
pub(super) fn answers(_model: &Model, responses: &[Response]) -> Vec<DeclaredAnswer> {
    responses.iter().map(answer).collect()
}

fn answer(response: &Response) -> DeclaredAnswer {
    let is_json = |range: &str| range.contains("json") || range.starts_with('*');
    // The type that can be checked: of JSON where there is one.
    let typed = response.content.iter().filter(|it| it.schema.is_some());
    let chosen = typed.clone().find(|it| is_json(&it.range)).or_else(|| typed.clone().next());
    DeclaredAnswer {
        status: status(response.status),
        media: response.content.iter().map(|it| it.range.clone()).collect(),
        schema: chosen.and_then(|it| it.schema.as_ref()).map(schemas::answer),
        headers: response.headers.iter().map(|it| (it.name.to_ascii_lowercase(), it.required)).collect(),
    }
}

fn status(status: StatusPattern) -> String {
    match status {
        StatusPattern::Exact(status) => status.to_string(),
        StatusPattern::Range(digit) => format!("{digit}XX"),
        StatusPattern::Default => "default".to_owned(),
    }
}
