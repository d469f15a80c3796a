//! `apis:` → endpoints.

use std::{collections::BTreeMap, sync::Arc};

use portcullis_config::{
    EffectiveSettings, OperationNames, Outside, effective, effective_api,
    model::{self, Api, ApiServers, Config, Spec as SpecKey},
    units::{HostPattern, OperationKey},
};
use portcullis_core::{chain::Mode, context::Operation};
use portcullis_gateway::{
    cors::Cors,
    plan::{ApiPlan, Endpoint, HeadPolicy, OptionsPolicy, Unknown},
};
use portcullis_leaves::Limits;
use portcullis_spec::{
    compiled::{CompiledDocument, CompiledOperation},
    parameters::UnknownParameters,
    schema::UnknownFields,
};

use super::{
    ApiView, OperationView, World, access,
    chain::{self, Declared, Subject},
    firewall::Firewalls,
    identity::Providers,
    problem::Problem,
    spec_texts::{Keeping, SpecTexts},
    specs::{Spec, Specs, Strictness, same_operation},
    upstreams::Upstreams,
};

/// What APIs are built from.
pub(crate) struct Building<'a> {
    pub(crate) config: &'a Config,
    pub(crate) outside: &'a dyn Outside,
    pub(crate) world: &'a World,
    pub(crate) upstreams: &'a Upstreams,
    pub(crate) providers: &'a Providers,
    pub(crate) specs_before: &'a Specs,
    pub(crate) firewalls: &'a Firewalls<'a>,
}

/// An API, ready to be served at listeners.
pub(crate) struct BuiltApi {
    /// The listeners it is served at; all when empty.
    pub(crate) listeners: Vec<Arc<str>>,
    /// What a listener's router takes; its endpoints are those of the view.
    pub(crate) plan: Blueprint,
    /// For `explain` and `diff`.
    pub(crate) view: ApiView,
}

/// An [`ApiPlan`] that can be made once for each listener.
#[derive(Clone)]
pub(crate) struct Blueprint {
    name: Arc<str>,
    hosts: Vec<Box<str>>,
    prefix: Box<str>,
    unknown_paths: Mode,
    unknown_methods: Mode,
    unknown_endpoint: Option<Arc<Endpoint>>,
    cors: Option<Arc<Cors>>,
    head: HeadPolicy,
    options: OptionsPolicy,
}

impl BuiltApi {
    /// The API as a listener's router takes it, without the operations of these APIs and templates.
    pub(crate) fn plan(&self, left_out: &[(Arc<str>, Arc<str>)]) -> ApiPlan {
        let blueprint = self.plan.clone();
        ApiPlan {
            name: blueprint.name,
            hosts: blueprint.hosts,
            prefix: blueprint.prefix,
            endpoints: self
                .view
                .operations
                .iter()
                .map(|it| &it.endpoint)
                .filter(|it| {
                    !left_out
                        .iter()
                        .any(|(api, template)| *api == it.operation.api && *template == it.operation.template)
                })
                .map(Arc::clone)
                .collect(),
            unknown: Unknown {
                paths: blueprint.unknown_paths,
                methods: blueprint.unknown_methods,
                endpoint: blueprint.unknown_endpoint,
            },
            cors: blueprint.cors,
            head: blueprint.head,
            options: blueprint.options,
        }
    }
}

impl Building<'_> {
    /// Builds every API, and every specification that one names.
    pub(crate) fn apis(
        &self,
        texts_before: Option<&SpecTexts>,
        problems: &mut Vec<Problem>,
    ) -> (BTreeMap<Arc<str>, BuiltApi>, Specs, SpecTexts) {
        let mut specs = Specs::new();
        let texts = Keeping::new(self.outside, texts_before);
        let mut built = BTreeMap::new();
        for (name, api) in &self.config.apis {
            let spec = match &api.spec {
                SpecKey::None => None,
                SpecKey::File(path) => match self.spec(path.0.as_path(), &texts, &mut specs) {
                    Ok(spec) => Some(spec),
                    Err(mut problem) => {
                        problem.subject = format!("api {name}");
                        problems.push(problem);
                        continue;
                    }
                },
            };
            if let Some(api) = self.api(name, api, spec.as_deref(), problems) {
                built.insert(Arc::clone(name), api);
            }
            if let Some(spec) = spec {
                problems.extend(spec.problems(name));
            }
        }
        (built, specs, texts.into_texts())
    }

    fn spec(
        &self,
        path: &std::path::Path,
        texts: &Keeping<'_>,
        specs: &mut Specs,
    ) -> Result<Arc<Spec>, Problem> {
        if let Some(known) = specs.get(path) {
            return Ok(Arc::clone(known));
        }
        let spec = Spec::load(path, self.specs_before, texts)?;
        specs.insert(path.to_owned(), Arc::clone(&spec));
        Ok(spec)
    }

    fn api(
        &self,
        name: &Arc<str>,
        api: &Api,
        spec: Option<&Spec>,
        problems: &mut Vec<Problem>,
    ) -> Option<BuiltApi> {
        let settings = effective_api(self.config, api);
        // The same problem of five thousand operations is one problem.
        let mut found: BTreeMap<String, (Problem, usize)> = BTreeMap::new();
        let mut note = |problem: Problem| {
            let key = format!("{:?} {:?}", problem.hint, problem.severity);
            found.entry(key).and_modify(|(_, count)| *count += 1).or_insert((problem, 1));
        };
        let operations = match spec {
            None => self.without_spec(name, api, &settings, &mut note),
            Some(spec) => self.with_spec(name, api, spec, &settings, &mut note)?,
        };
        if spec.is_some() {
            // What no operation takes has rules as well: `rules test` judges by them.
            let operation = undeclared(name, api);
            self.firewalls.book(&Subject { name, api, operation, settings: &settings, declared: None });
        }
        for (mut problem, count) in found.into_values() {
            if count > 1 {
                problem.message.push_str(&format!(" (and {} more like it)", count - 1));
            }
            problems.push(problem);
        }
        let unknown_paths = settings.mode_of(settings.unknown_operations.value);
        let unknown_methods = settings.mode_of(settings.unknown_methods.value);
        let forwards_options = settings.options.value == model::OptionsPolicy::Upstream;
        let serves = unknown_paths != Mode::Block || unknown_methods != Mode::Block || forwards_options;
        let unknown_endpoint = (spec.is_some() && serves)
            .then(|| self.unknown_endpoint(name, api, &settings, &operations, problems))
            .flatten();
        Some(BuiltApi {
            listeners: api.listener.iter().map(|it| Arc::clone(&it.0)).collect(),
            plan: Blueprint {
                name: Arc::clone(name),
                hosts: api.host.iter().map(host).collect(),
                prefix: (*api.path.0).into(),
                unknown_paths,
                unknown_methods,
                unknown_endpoint,
                cors: settings.cors.value.as_ref().map(|it| Arc::new(chain::cors(it))),
                head: match settings.head.value {
                    model::HeadPolicy::Auto => HeadPolicy::AsGet,
                    model::HeadPolicy::Deny => HeadPolicy::Declared,
                },
                options: match settings.options.value {
                    model::OptionsPolicy::Auto => OptionsPolicy::Answer,
                    model::OptionsPolicy::Upstream => OptionsPolicy::Forward,
                    model::OptionsPolicy::Deny => OptionsPolicy::Declared,
                },
            },
            view: ApiView { operations },
        })
    }

    /// One endpoint that takes every path below the API's.
    fn without_spec(
        &self,
        name: &Arc<str>,
        api: &Api,
        settings: &EffectiveSettings,
        note: &mut impl FnMut(Problem),
    ) -> Vec<OperationView> {
        let operation = Operation {
            api: Arc::clone(name),
            id: "*".into(),
            method: "*".into(),
            template: format!("{}/{{*rest}}", api.path.0).into(),
        };
        let subject = Subject { name, api, operation, settings, declared: None };
        self.view(&subject, None, note).into_iter().collect()
    }

    fn unknown_endpoint(
        &self,
        name: &Arc<str>,
        api: &Api,
        settings: &EffectiveSettings,
        declared: &[OperationView],
        problems: &mut Vec<Problem>,
    ) -> Option<Arc<Endpoint>> {
        let subject = Subject { name, api, operation: undeclared(name, api), settings, declared: None };
        // Whoever calls what nobody declared must at least be somebody the API knows.
        let access = match &settings.auth.value {
            model::Auth::Spec => Ok(access::undeclared(declared.iter().map(|it| &it.access), self.providers)),
            written => access::resolve(name, api, written, None, self.providers),
        };
        match access.and_then(|access| chain::endpoint(self, &subject, access)) {
            Ok(endpoint) => Some(Arc::new(endpoint)),
            Err(problem) => {
                problems.push(problem);
                None
            }
        }
    }

    fn with_spec(
        &self,
        name: &Arc<str>,
        api: &Api,
        spec: &Spec,
        api_settings: &EffectiveSettings,
        note: &mut impl FnMut(Problem),
    ) -> Option<Vec<OperationView>> {
        let base = match spec.variant(&strictness(api_settings, Mode::Block), self.outside) {
            Ok(base) => base,
            Err(problem) => {
                note(problem);
                return None;
            }
        };
        unused_operation_keys(name, api, &base, note);
        let mut views = Vec::with_capacity(base.operations.len());
        for operation in &base.operations {
            views.extend(self.operation(name, api, spec, &base, operation, note));
        }
        Some(views)
    }

    /// One operation, once for each base path it is served under.
    fn operation(
        &self,
        name: &Arc<str>,
        api: &Api,
        spec: &Spec,
        base: &CompiledDocument,
        operation: &Arc<CompiledOperation>,
        note: &mut impl FnMut(Problem),
    ) -> Vec<OperationView> {
        let tags: Vec<&str> = operation.tags.iter().map(String::as_str).collect();
        let names = OperationNames {
            id: Some(&operation.id),
            method: &operation.method,
            path: &operation.path,
            tags: &tags,
        };
        let settings = effective(self.config, api, &names);
        let declared = match self.declared(spec, base, operation, &settings) {
            Ok(declared) => declared,
            Err(problem) => {
                note(problem);
                return Vec::new();
            }
        };
        let root = [String::new()];
        let base_paths = if api.servers == ApiServers::Use { operation.base_paths.as_slice() } else { &root };
        let mut views = Vec::new();
        for base_path in base_paths {
            let full = Operation {
                api: Arc::clone(name),
                id: operation.id.as_str().into(),
                method: operation.method.as_str().into(),
                template: format!("{}{base_path}{}", api.path.0, operation.path).into(),
            };
            let subject =
                Subject { name, api, operation: full, settings: &settings, declared: Some(&declared) };
            views.extend(self.view(&subject, Some((operation, base)), note));
        }
        views
    }

    /// The operation in the variants its settings ask for: what is enforced, and what is only reported.
    fn declared(
        &self,
        spec: &Spec,
        base: &CompiledDocument,
        operation: &Arc<CompiledOperation>,
        settings: &EffectiveSettings,
    ) -> Result<Declared, Problem> {
        let find = |strictness: &Strictness| -> Result<Arc<CompiledOperation>, Problem> {
            let document = spec.variant(strictness, self.outside)?;
            if std::ptr::eq(&*document, base) {
                return Ok(Arc::clone(operation));
            }
            // An operation that a stricter variant cannot hold stays with what the base variant checks.
            Ok(same_operation(&document, operation).unwrap_or_else(|| Arc::clone(operation)))
        };
        let enforced = strictness(settings, Mode::Block);
        let reported = strictness(settings, Mode::Report);
        Ok(Declared {
            operation: find(&enforced)?,
            reported: if reported == enforced { None } else { Some(find(&reported)?) },
        })
    }

    fn view(
        &self,
        subject: &Subject<'_>,
        declared: Option<(&Arc<CompiledOperation>, &CompiledDocument)>,
        note: &mut impl FnMut(Problem),
    ) -> Option<OperationView> {
        let schemes = declared.map(|(operation, document)| (&**operation, &document.security_schemes));
        let access =
            access::resolve(subject.name, subject.api, &subject.settings.auth.value, schemes, self.providers);
        let access = match access {
            Ok(access) => access,
            Err(problem) => {
                note(problem);
                return None;
            }
        };
        let view = access.view();
        match chain::endpoint(self, subject, access) {
            Ok(endpoint) => Some(OperationView {
                endpoint: Arc::new(endpoint),
                settings: Arc::new(subject.settings.clone()),
                access: view,
            }),
            Err(problem) => {
                note(problem);
                None
            }
        }
    }
}

/// The id of what an API's specification does not declare.
pub(crate) const UNDECLARED: &str = "(unknown)";

fn undeclared(name: &Arc<str>, api: &Api) -> Operation {
    Operation {
        api: Arc::clone(name),
        id: UNDECLARED.into(),
        method: "*".into(),
        template: format!("{}/*", api.path.0).into(),
    }
}

/// The options of a document for an operation: those enforced (`Block`), or those at least reported (`Report`).
fn strictness(settings: &EffectiveSettings, at_least: Mode) -> Strictness {
    let on = |mode: Mode| match at_least {
        Mode::Block => mode == Mode::Block,
        Mode::Report | Mode::Off => mode != Mode::Off,
    };
    let bound = |value: u64| u32::try_from(value).unwrap_or(u32::MAX);
    let keys = bound(settings.json_keys_max.value);
    Strictness {
        unknown_parameters: if on(settings.unknown_parameters.value) {
            UnknownParameters::Refuse
        } else {
            UnknownParameters::Allow
        },
        unknown_fields: if on(settings.unknown_fields.value) {
            UnknownFields::Refuse
        } else {
            UnknownFields::Allow
        },
        judge_responses: settings.schema_response.value != Mode::Off,
        limits: Limits {
            depth_max: bound(settings.json_depth_max.value),
            members_max: keys,
            keys_max: keys,
            elements_max: keys,
            // A name, a value, and the containers around them.
            values_max: keys.saturating_mul(3),
            fields_max: keys,
            parts_max: bound(settings.parts_max.value),
            string_bytes_max: bound(
                settings.body_bytes_max.value.max(settings.response_body_bytes_max.value),
            ),
            ..Limits::default()
        },
    }
}

/// A key of `operations:` that no operation of the specification answers to is a mistake: it protects nothing.
fn unused_operation_keys(name: &str, api: &Api, document: &CompiledDocument, note: &mut impl FnMut(Problem)) {
    for (key, written) in &api.operations.0 {
        let known = document.operations.iter().any(|it| match key {
            OperationKey::Id(id) => *it.id == **id,
            OperationKey::Route(method, path) => *it.method == **method && *it.path == **path,
            OperationKey::Tag(tag) => it.tags.iter().any(|own| **own == **tag),
        });
        if !known {
            let message = format!("the specification has no operation `{key}`");
            note(Problem::error(format!("api {name}"), message).at(written.origin.to_string()));
        }
    }
}

fn host(written: &HostPattern) -> Box<str> {
    match written {
        HostPattern::Exact(name) => (**name).into(),
        HostPattern::Under(name) => format!("*.{name}").into(),
    }
}
