//! Asking a server what it offers, where there is no file: GraphQL by introspection, or by its error messages where that
//! is off; gRPC by reflection.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Value, json};

use super::{
    hosts::Base,
    transport::{Transport, TransportLimits},
};
use crate::{
    model::{Model, graphql, grpc},
    wire::{Answer, Outcome, Received, Request},
};

/// Nothing was to be learnt.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Undiscovered {
    /// GraphQL.
    #[error("`{place}` answers neither an introspection nor with suggestions: {why}")]
    GraphQl {
        /// The endpoint.
        place: String,
        /// What came instead.
        why: String,
    },
    /// gRPC.
    #[error("`{place}` has no reflection: {why}; give the descriptors as a file")]
    Grpc {
        /// The server.
        place: String,
        /// What came instead.
        why: String,
    },
}

/// The model of a GraphQL endpoint, its path in the base.
///
/// # Errors
/// It neither answers an introspection nor suggests names.
pub async fn from_graphql(
    base: &Base,
    limits: TransportLimits,
    tls: Option<Arc<rustls::ClientConfig>>,
) -> Result<Model, Undiscovered> {
    let path = if base.path.is_empty() { "/" } else { base.path.as_str() };
    let mut way = Transport::new(base.clone(), limits, tls);
    let first = ask(&mut way, path, graphql::INTROSPECTION).await;
    let said = match &first {
        Ok(answer) => match graphql::from_introspection(answer, path) {
            Ok(model) => return Ok(model),
            Err(error) => error.to_string(),
        },
        Err(why) => why.clone(),
    };
    let failed = |why: String| Undiscovered::GraphQl { place: format!("{}{path}", base.origin()), why };
    first.map_err(failed)?;
    let mut answers: Vec<Value> = Vec::new();
    loop {
        match graphql::recover::next(&answers, path) {
            graphql::recover::Step::Ask(document) => {
                answers.push(ask(&mut way, path, &document).await.unwrap_or(Value::Null));
            }
            graphql::recover::Step::Done(Ok(model)) => return Ok(*model),
            graphql::recover::Step::Done(Err(error)) => {
                return Err(Undiscovered::GraphQl {
                    place: format!("{}{path}", base.origin()),
                    why: format!("{said}; {error}"),
                });
            }
        }
    }
}

/// The body of an answer as JSON, or why there is none.
async fn ask(way: &mut Transport, path: &str, document: &str) -> Result<Value, String> {
    let headers = [("content-type", "application/json"), ("accept", "application/json")];
    let request = Request {
        method: "POST".to_owned(),
        target: path.to_owned(),
        headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
        body: Bytes::from(json!({"query": document}).to_string()),
        http2: false,
    };
    let received = way.send(&request).await;
    if let Some(fault) = received.fault {
        return Err(fault);
    }
    serde_json::from_slice(&received.body).map_err(|_| format!("status {} without JSON", received.status))
}

/// The model of a gRPC server with reflection, either version of it.
///
/// # Errors
/// It has none, or what it describes does not fit together.
pub async fn from_grpc(
    base: &Base,
    limits: TransportLimits,
    tls: Option<Arc<rustls::ClientConfig>>,
) -> Result<Model, Undiscovered> {
    let mut way = Transport::new(base.clone(), limits, tls);
    let mut why = String::new();
    for version in [grpc::reflection::Version::V1, grpc::reflection::Version::V1Alpha] {
        let mut answers: Vec<Answer> = Vec::new();
        loop {
            match grpc::reflection::next(version, &answers) {
                Ok(grpc::reflection::Step::Done(model)) => return Ok(*model),
                Ok(grpc::reflection::Step::Send(request)) => {
                    let received = way.send(&request).await;
                    if let Some(fault) = &received.fault {
                        return Err(Undiscovered::Grpc { place: base.origin(), why: fault.clone() });
                    }
                    answers.push(bare(Arc::new(request), received));
                }
                Err(error) => {
                    why = error.to_string();
                    break;
                }
            }
        }
    }
    Err(Undiscovered::Grpc { place: base.origin(), why })
}

fn bare(request: Arc<Request>, received: Received) -> Answer {
    let Received { status, headers, body, truncated, micros, fault } = received;
    Answer {
        request,
        status,
        headers,
        body,
        truncated,
        json: None,
        outcome: Outcome::of_status(status),
        micros,
        fault,
    }
}
