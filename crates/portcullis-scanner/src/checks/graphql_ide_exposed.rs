//! A page to try queries on is served to anybody.

use super::parts::graphql::{Endpoint, targets};
use crate::{
    call::{ANONYMOUS, Call, Edit},
    wire::Answer,
};
use crate::{
    check::{Check, Info, Phase, Proof, Risk, Target, Verdict},
    finding::{Section, Severity, Shield},
    script::{Flow, Script},
    world::World,
};

/// The check.
pub(super) struct GraphqlIdeExposed;

static INFO: Info = Info {
    id: "graphql_ide_exposed",
    title: "A GraphQL IDE is served",
    section: Section::Security,
    severity: Severity::Info,
    risk: Risk::Safe,
    phase: Phase::Read,
    owasp: "API8:2023",
    cwe: 489,
    wfc: None,
    remedy: "Serve such pages to developers only, or not at all outside of development.",
    oracle: "A page with the scripts of GraphiQL, Playground, Altair, Voyager or Apollo's sandbox is served where such pages usually are, two times; a path beside it that nobody has shows no such page.",
    requests_max: 24,
};

impl Check for GraphqlIdeExposed {
    fn info(&self) -> &'static Info {
        &INFO
    }

    fn targets(&self, world: &World) -> Vec<Target> {
        targets(world)
    }

    fn run(&self, world: &World, target: &Target, script: &mut Script<'_>) -> Flow<Verdict> {
        let endpoint = Endpoint::of(world, target, script)?;
        let parent = endpoint.path.rsplit_once('/').map_or("", |(parent, _)| parent);
        let mut paths = vec![endpoint.path.to_owned()];
        for name in ["graphiql", "playground", "altair", "voyager", "console"] {
            paths.push(format!("{parent}/{name}"));
            paths.push(format!("{}/{name}", endpoint.path.trim_end_matches('/')));
        }
        let beside = format!("{parent}/{}", script.word(12));
        let (control, nothing) = script.send(page(&beside))?;
        if ide(&nothing).is_some() {
            return Ok(Verdict::Clean);
        }
        let mut proofs = Vec::new();
        for path in paths {
            let (probe, answer) = script.send(page(&path))?;
            let Some(name) = ide(&answer) else { continue };
            let (again, answer) = script.send(page(&path))?;
            if ide(&answer) == Some(name) {
                let exchanges = vec![(control, "control"), (probe, "probe"), (again, "confirmation")];
                let shield = Shield::MethodDeny { method: "GET".to_owned(), path: path.clone() };
                let mut proof =
                    Proof::confirmed(format!("`{path}` serves {name} to anybody"), exchanges, shield);
                proof.variant = path;
                proofs.push(proof);
            }
        }
        Ok(if proofs.is_empty() { Verdict::Clean } else { Verdict::Found(proofs) })
    }
}

fn page(path: &str) -> Call {
    Call::bare("GET", path, ANONYMOUS).edited(Edit::SetHeader("accept".to_owned(), "text/html".to_owned()))
}

/// Which page it is: by the script that it loads, not by a mention.
fn ide(answer: &Answer) -> Option<&'static str> {
    if !answer.media().contains("html") {
        return None;
    }
    let text = answer.text().to_lowercase();
    let known = [
        ("graphiql", "GraphiQL"),
        ("graphql-playground", "GraphQL Playground"),
        ("graphql playground", "GraphQL Playground"),
        ("altair", "Altair"),
        ("graphql-voyager", "Voyager"),
        ("embeddablesandbox", "Apollo's sandbox"),
    ];
    let found = known.into_iter().find(|(sign, _)| text.contains(sign))?;
    text.contains("<script").then_some(found.1)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        model::Effect,
        script::rehearse::{Ask, Fake, Stage, answer, text},
    };

    fn check(serve: impl FnMut(&Ask) -> Answer) -> usize {
        let stage = Stage::new().field("query users", Effect::Reads, json!([]));
        Fake::new(&stage.world, serve).confirmed(&GraphqlIdeExposed)
    }

    #[test]
    fn finds_pages_only_where_they_are() {
        let page = "<html><script src=\"/graphiql.min.js\"></script><div id=graphiql></div></html>";
        assert_eq!(
            check(|ask| if ask.path == "/graphiql" {
                text(200, "text/html", page)
            } else {
                answer(404, json!({}))
            }),
            1
        );
        assert_eq!(check(|_| answer(404, json!({}))), 0);
        // A page for whatever is asked, and a text that merely names one.
        assert_eq!(check(|_| text(200, "text/html", page)), 0);
        assert_eq!(check(|_| text(200, "application/json", "{\"message\": \"see graphiql\"}")), 0);
    }
}
