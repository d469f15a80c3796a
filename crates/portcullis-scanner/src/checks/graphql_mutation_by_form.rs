//! Mutations are executed by a form, which any page can make a browser send.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::parts::{
    graphql::{Endpoint, targets},
    mutation::{Way, executed},
};
use crate::{
    call::{Call, Edit},
    check::{Check, Info, Phase, Risk, Target, Verdict},
    finding::{Section, Severity, Shield},
    script::{Flow, Script},
    world::World,
};

/// The check.
pub(super) struct GraphqlMutationByForm;

static INFO: Info = Info {
    id: "graphql_mutation_by_form",
    title: "Mutations are executed from forms",
    section: Section::Security,
    severity: Severity::Low,
    risk: Risk::Safe,
    phase: Phase::Read,
    owasp: "API8:2023",
    cwe: 352,
    wfc: None,
    remedy: "Execute mutations from POST requests with a JSON body only, so that a page of another origin must ask first; where credentials are cookies, ask for a token against forgery too.",
    oracle: "`mutation { NAME: __typename }` sent by a form is executed and names the same type as by POST, twice with names of ours; a mutation that nobody has is refused. Nothing is changed. It weighs more where callers are known by cookies.",
    requests_max: 6,
};

impl Check for GraphqlMutationByForm {
    fn info(&self) -> &'static Info {
        &INFO
    }

    fn targets(&self, world: &World) -> Vec<Target> {
        targets(world)
    }

    fn run(&self, world: &World, target: &Target, script: &mut Script<'_>) -> Flow<Verdict> {
        executed(world, target, script, &WAY)
    }
}

const WAY: Way = Way { words: "a form", call, shield: |_| Shield::Schema };

fn call(endpoint: &Endpoint<'_>, document: &str) -> Call {
    let form = format!("query={}", utf8_percent_encode(document, NON_ALPHANUMERIC));
    Call::bare("POST", endpoint.path, endpoint.by)
        .edited(Edit::SetHeader("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned()))
        .edited(Edit::RawBody(form.into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_it_only_where_it_is_executed() {
        crate::checks::parts::mutation::rehearsed(&GraphqlMutationByForm);
    }
}
