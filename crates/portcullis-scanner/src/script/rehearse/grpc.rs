//! A gRPC service in a rehearsal: one unary method, asked by whole calls, since what is made of bytes does not show in
//! [`super::Ask`].

use std::sync::Arc;

use serde_json::json;

use super::{Stage, answer};
use crate::{
    call::Call,
    check::{Check, Proof, Verdict},
    model::Effect,
    script::{Next, Step, StepOutcome, Trace, next},
    wire::{Answer, Outcome},
};

/// One unary method with a good call by A.
pub(crate) fn stage() -> Stage {
    let proto = "syntax = \"proto3\"; package s; message M { string note = 1; } service S { rpc Get(M) returns (M); }";
    let source = portcullis_spec::openapi::MemorySource::default().with("s.proto", proto);
    let mut stage = Stage::new().op("POST /s", Effect::Reads, json!({"note": "ann"}));
    stage.world.model.operations = crate::model::grpc::from_proto("s.proto", &source).unwrap().operations;
    stage
}

/// An answer with this status, message and body.
pub(crate) fn status(code: &str, message: &str, body: Vec<u8>) -> Answer {
    let mut answer = answer(200, json!(null));
    answer.headers =
        vec![("grpc-status".to_owned(), code.to_owned()), ("grpc-message".to_owned(), message.to_owned())];
    answer.outcome = match code {
        "0" => Outcome::Done,
        "16" => Outcome::Unauthenticated,
        "12" => Outcome::NotOffered,
        "8" => Outcome::Limited,
        _ => Outcome::Broken,
    };
    answer.json = (code == "0").then(|| json!({"note": "ann"}));
    answer.body = body.into();
    answer
}

/// What a check proves on all its targets where these answers are given.
pub(crate) fn proofs(check: &dyn Check, mut serve: impl FnMut(&Call) -> Answer) -> Vec<Proof> {
    let stage = stage();
    let mut found = Vec::new();
    for target in check.targets(&stage.world) {
        let mut trace = Trace::default();
        loop {
            match next(check, &stage.world, &target, [5; 32], &trace) {
                Next::Step(Step::Send(call)) => {
                    trace.outcomes.push(StepOutcome::Answer(Arc::new(serve(&call))));
                }
                Next::Done(Verdict::Found(proofs)) => {
                    found.extend(proofs);
                    break;
                }
                Next::Done(_) => break,
                Next::Step(step) => panic!("no check of gRPC asks for {step:?}"),
            }
        }
    }
    found
}
