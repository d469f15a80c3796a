//! The world of a rehearsal, built tersely.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{A, answer, body};
use crate::{
    call::{Call, IdentityId},
    identity::{Identity, Role, Session},
    model::{
        Body, Effect, GraphQlRoot, Kind, Operation, OperationIndex, Place, Requirement, Scheme, Slot, Style,
        Wire,
    },
    script::Listener,
    wire::Answer,
    world::{Edge, Feed, Good, Ingredient, Login, Origin, Resource, Sample, World},
};

/// Builds a world.
pub(crate) struct Stage {
    /// The world so far.
    pub(crate) world: World,
}

impl Stage {
    /// Anonymous, A, B and High, each with a bearer token `token-N`, a name, an address and a password.
    pub(crate) fn new() -> Self {
        let mut world = World { usual_micros: 1_000, ..World::default() };
        world.model.schemes.insert("bearer".to_owned(), Scheme::Bearer);
        world.identities.push(Identity::anonymous());
        for (id, name, role) in [(1, "alice", Role::A), (2, "bobby", Role::B), (3, "admin", Role::High)] {
            world.identities.push(person(id, name, role));
        }
        world.listener =
            Some(Listener { url: "http://127.0.0.1:9".to_owned(), zone: String::new(), key: [7; 32] });
        Self { world }
    }

    /// A REST operation `METHOD /path` with a good call by A answered by this JSON; the security is `bearer`.
    pub(crate) fn op(mut self, id: &str, effect: Effect, good: Value) -> Self {
        let (method, path) = id.split_once(' ').unwrap();
        let wire = Wire::Rest { method: method.to_owned(), path: path.to_owned() };
        self.add(id, wire, effect, good);
        self
    }

    /// A GraphQL field as an operation, `query NAME` or `mutation NAME`.
    pub(crate) fn field(mut self, id: &str, effect: Effect, good: Value) -> Self {
        let (root, field) = id.split_once(' ').unwrap();
        let root = if root == "query" { GraphQlRoot::Query } else { GraphQlRoot::Mutation };
        let wire = Wire::GraphQl {
            path: "/graphql".to_owned(),
            root,
            field: field.to_owned(),
            selection: String::new(),
            arguments: Vec::new(),
        };
        self.add(id, wire, effect, good);
        self
    }

    fn add(&mut self, id: &str, wire: Wire, effect: Effect, good: Value) {
        let index = OperationIndex(self.world.model.operations.len());
        self.world.model.operations.push(Operation {
            id: id.into(),
            name: String::new(),
            wire,
            effect,
            parameters: Vec::new(),
            body: None,
            answers: Vec::new(),
            security: Some(vec![vec![Requirement { scheme: "bearer".to_owned(), scopes: Vec::new() }]]),
            examples: Vec::new(),
            links: Vec::new(),
            words: Vec::new(),
            deprecated: false,
        });
        let call = Call::of(index, A);
        let given = Arc::new(answer(200, good));
        self.world.good.push(Some(Good {
            call: call.clone(),
            answer: Arc::clone(&given),
            recipe: Vec::new(),
            fresh: Vec::new(),
            own: Vec::new(),
        }));
        self.world.samples.push(Sample { call, answer: given });
        self.world.slots.push(Vec::new());
    }

    fn last(&self) -> OperationIndex {
        OperationIndex(self.world.model.operations.len() - 1)
    }

    /// A slot of the last operation, with its value in the good call.
    pub(crate) fn slot(mut self, place: Place, value: Value) -> Self {
        let at = self.last().0;
        let kind = match &value {
            Value::String(_) => Kind::Text,
            Value::Number(_) => Kind::Integer,
            Value::Bool(_) => Kind::Boolean,
            Value::Null | Value::Array(_) | Value::Object(_) => Kind::Any,
        };
        let slot = Slot {
            place: place.clone(),
            schema: Value::Bool(true),
            kind,
            required: true,
            style: Style::default(),
            examples: Vec::new(),
        };
        if matches!(place, Place::Body(_)) {
            self.world.model.operations[at].body.get_or_insert_with(|| Body {
                media: vec!["application/json".to_owned()],
                schema: json!({"type": "object"}),
                required: true,
                examples: Vec::new(),
            });
        } else {
            self.world.model.operations[at].parameters.push(slot.clone());
        }
        self.world.slots[at].push(slot);
        self.world.good[at].as_mut().unwrap().call.set(&place, value);
        self
    }

    /// A slot of the last operation that must be new each time.
    pub(crate) fn fresh(mut self, place: Place, value: Value) -> Self {
        let at = self.last().0;
        self = self.slot(place.clone(), value);
        self.world.good[at].as_mut().unwrap().fresh.push(place);
        self
    }

    /// The last operation needs the operation `from` first, whose answer (or call, by place) feeds its slot.
    pub(crate) fn made_by(mut self, from: &str, origin: Origin, slot: Place, example: Value) -> Self {
        let at = self.last();
        self = self.slot(slot.clone(), example);
        let from = self.index(from);
        let ingredient = self.world.good[from.0].clone().unwrap();
        self.world.edges.push(Edge {
            from,
            origin: origin.clone(),
            to: at,
            slot: slot.clone(),
            confirmed: true,
        });
        let good = self.world.good[at.0].as_mut().unwrap();
        good.recipe.push(Ingredient {
            call: ingredient.call,
            fresh: ingredient.fresh,
            feeds: vec![Feed { from: origin, to: 1, slot }],
        });
        self
    }

    /// The last operation asks for nobody's credential and was sampled so.
    pub(crate) fn open(mut self) -> Self {
        let at = self.last().0;
        self.world.model.operations[at].security = Some(Vec::new());
        self
    }

    /// Words of the last operation's description.
    pub(crate) fn words(mut self, words: &[&str]) -> Self {
        let at = self.last().0;
        self.world.model.operations[at].words = words.iter().map(|it| (*it).to_owned()).collect();
        self
    }

    /// A further sample of the last operation.
    pub(crate) fn sample(mut self, by: IdentityId, answer: Answer) -> Self {
        let mut call = self.world.good[self.last().0].as_ref().unwrap().call.clone();
        call.by = by;
        self.world.samples.push(Sample { call, answer: Arc::new(answer) });
        self
    }

    /// No good call of the last operation is known.
    pub(crate) fn unreached(mut self) -> Self {
        let at = self.last();
        self.world.good[at.0] = None;
        self.world.samples.retain(|sample| sample.call.operation != Some(at));
        self
    }

    /// A resource made, read and so on by these.
    pub(crate) fn resource(mut self, resource: Resource) -> Self {
        self.world.resources.push(resource);
        self
    }

    /// The last operation is the login: `/username`, `/password`, answered by `/token`.
    pub(crate) fn login(mut self) -> Self {
        self.world.login = Some(Login {
            operation: self.last(),
            name: body("/username"),
            password: body("/password"),
            token: Some("/token".to_owned()),
            register: None,
            logout: None,
        });
        self
    }

    /// The position of an operation.
    pub(crate) fn index(&self, id: &str) -> OperationIndex {
        index(&self.world, id)
    }
}

/// The position of an operation by its id.
pub(crate) fn index(world: &World, id: &str) -> OperationIndex {
    world.model.all().find(|(_, operation)| &*operation.id == id).map(|(index, _)| index).unwrap()
}

pub(super) fn person(id: u32, name: &str, role: Role) -> Identity {
    let values = [
        ("username", name.to_owned()),
        ("email", format!("{name}@mail.example")),
        ("password", format!("pass-{name}-1")),
    ];
    let secret = format!("token-{id}");
    Identity {
        id: IdentityId(id),
        name: name.to_owned(),
        role,
        values: values.into_iter().map(|(key, value)| (key.to_owned(), Value::from(value))).collect(),
        session: Session {
            headers: vec![("authorization".to_owned(), format!("Bearer {secret}"))],
            secret,
            ..Session::default()
        },
    }
}
