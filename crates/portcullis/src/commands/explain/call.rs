//! A call that might be made: its route, its settings with the line each comes from, the decision and the reason.
//! The same plan, the same guards; nothing is sent, and nothing of the running gate is touched.

use std::{net::SocketAddr, path::Path, sync::Arc};

use anyhow::{Context as _, bail};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use portcullis_config::FromDisk;
use portcullis_core::{
    chain::{Chain, Check, Mode, Phase},
    clock::Clock as _,
    context::{Client, Context, Notes, Request},
    id::ReferenceId,
    ports::Keys,
    principal::Principal,
    verdict::{Denial, Reason, Verdict},
};
use portcullis_gateway::{
    plan::{ApiPlan, Endpoint},
    router::Routed,
    target,
};
use portcullis_store::keys::KeyStore;
use serde_json::json;

use crate::{
    cli,
    commands::{data_directory, print},
    compile::OperationView,
    exit::Exit,
    gate, load, show_event,
    system::SystemClock,
};

/// A file that is read into memory whole; the gate itself would take less.
const BODY_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Explains `METHOD /path` or `METHOD URL`.
pub(super) fn explain(what: &str, arguments: &cli::Explain) -> anyhow::Result<Exit> {
    let clock = SystemClock;
    let data = data_directory(&arguments.place)?;
    load::make_private(&data)?;
    let loaded = load::read(&arguments.place.config, &FromDisk, clock.now())?;
    let keys = Arc::new(KeyStore::open(&data, &load::api_key_provider(&loaded.config))?);
    let world = gate::detached_world(Arc::clone(&keys) as Arc<dyn Keys>)?;
    let compiled = load::compile(&loaded, &FromDisk, &world, None, 0)?;

    let asked = Asked::read(what, arguments)?;
    let principal = caller(arguments, &keys)?;
    let path =
        target::check_path(&asked.path).map_err(|fault| anyhow::anyhow!("{}", fault.reason().message))?;
    let mut cx = context(&asked, &path, clock.now());

    let mut best = None;
    for (name, listener) in &compiled.plan.listeners {
        cx.client.listener = Arc::clone(name);
        match listener.router.route(&asked.host, &asked.method, &path) {
            Routed::Operation(api, endpoint, parameters) => {
                cx.operation = Some(Arc::clone(&endpoint.operation));
                cx.request.path_parameters = parameters;
                let view = compiled.apis.get(&api.name).and_then(|it| view_of(&it.operations, endpoint));
                let decision = decide(&endpoint.chain, &mut cx, principal, asked.body.clone());
                return show(arguments, &asked, &Routing::Found(api, endpoint, view), &decision, &cx);
            }
            Routed::NoMethod(api, methods) => {
                best = Some(Routing::NoMethod(api, methods.iter().map(|it| (*it).to_owned()).collect()))
            }
            Routed::NoPath(api) => best = best.or(Some(Routing::NoPath(api))),
            Routed::NoApi => (),
        }
    }
    let routing = best.unwrap_or(Routing::NoApi);
    let denial =
        if matches!(routing, Routing::NoMethod(..)) { Denial::MethodNotAllowed } else { Denial::NotFound };
    show(arguments, &asked, &routing, &Decision { denial: Some(denial), unchecked: Vec::new() }, &cx)
}

/// The call as the command line gives it.
struct Asked {
    method: Method,
    host: String,
    path: String,
    query: Option<String>,
    headers: HeaderMap,
    body: Option<Bytes>,
}

impl Asked {
    fn read(what: &str, arguments: &cli::Explain) -> anyhow::Result<Self> {
        let (method, target) = what.split_once(char::is_whitespace).context("write \"METHOD /path\"")?;
        let method: Method = method.parse().with_context(|| format!("`{method}` is no method"))?;
        let target = target.trim();
        let (host, path) = match target.split_once("://") {
            Some((_, rest)) => rest
                .split_once('/')
                .map_or((Some(rest), String::from("/")), |(host, path)| (Some(host), format!("/{path}"))),
            None => (None, target.to_owned()),
        };
        let (path, query) = match path.split_once('?') {
            Some((path, query)) => (path.to_owned(), Some(query.to_owned())),
            None => (path, None),
        };
        let mut headers = HeaderMap::new();
        for line in &arguments.headers {
            let (name, value) = line
                .split_once(':')
                .with_context(|| format!("`{line}` is no header field (`Name: value`)"))?;
            let name: HeaderName =
                name.trim().parse().with_context(|| format!("`{name}` is no field name"))?;
            headers.append(name, HeaderValue::from_str(value.trim())?);
        }
        let said = headers.remove(http::header::HOST);
        let host = host.or(said.as_ref().and_then(|it| it.to_str().ok())).unwrap_or("localhost");
        let host = target::plain_authority(host).ok_or_else(|| anyhow::anyhow!("`{host}` is not a host"))?;
        let body = arguments.body.as_deref().map(read_body).transpose()?;
        if let Some(body) = &body {
            headers.insert(http::header::CONTENT_LENGTH, body.len().into());
            if !headers.contains_key(http::header::CONTENT_TYPE) {
                headers.insert(http::header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
            }
        }
        Ok(Self { method, host, path, query, headers, body })
    }
}

fn read_body(path: &Path) -> anyhow::Result<Bytes> {
    let size = std::fs::metadata(path).with_context(|| format!("cannot read `{}`", path.display()))?.len();
    anyhow::ensure!(size <= BODY_BYTES_MAX, "`{}` is larger than {BODY_BYTES_MAX} bytes", path.display());
    Ok(std::fs::read(path).with_context(|| format!("cannot read `{}`", path.display()))?.into())
}

/// Who calls: `key:NAME` from the store, or nobody.
fn caller(arguments: &cli::Explain, keys: &KeyStore) -> anyhow::Result<Option<Arc<Principal>>> {
    match arguments.caller.as_deref() {
        None | Some("anonymous") => Ok(None),
        Some(who) => match who.split_once(':') {
            Some(("key", name)) => match keys.principal(name, SystemClock.now())? {
                Some(principal) => Ok(Some(principal)),
                None => bail!("no key `{name}` is in force: there is none, or it was revoked or has expired"),
            },
            _ => bail!("`--as {who}`: write `key:NAME` or `anonymous`"),
        },
    }
}

fn context(asked: &Asked, path: &str, now: portcullis_core::clock::Timestamp) -> Context {
    let nowhere: SocketAddr = ([127, 0, 0, 1], 0).into();
    Context {
        now,
        reference: ReferenceId::new(now, [0; 10]),
        client: Client { listener: Arc::default(), peer: nowhere, ip: nowhere.ip(), tls: None },
        operation: None,
        request: Request {
            method: asked.method.clone(),
            version: http::Version::HTTP_11,
            host: asked.host.as_str().into(),
            path: path.into(),
            query: asked.query.as_deref().map(Into::into),
            headers: asked.headers.clone(),
            path_parameters: Default::default(),
            body: None,
            parsed: None,
        },
        response: None,
        notes: Notes::default(),
    }
}

/// What the guards say.
struct Decision {
    /// The refusal; `None` when the call would be sent on.
    denial: Option<Denial>,
    /// Guards that could not be asked here.
    unchecked: Vec<&'static str>,
}

/// Runs the guards of both request phases. A caller given by name has authenticated already.
fn decide(
    chain: &Chain,
    cx: &mut Context,
    principal: Option<Arc<Principal>>,
    body: Option<Bytes>,
) -> Decision {
    let known = principal.is_some();
    cx.notes.principal = principal;
    let mut decision = Decision { denial: None, unchecked: Vec::new() };
    for phase in [Phase::RequestHead, Phase::RequestBody] {
        if phase == Phase::RequestBody {
            cx.request.body = Some(body.clone().unwrap_or_default());
        }
        for step in chain.steps(phase) {
            let verdict = match &step.check {
                Check::Remote(_) if known => Verdict::Pass,
                Check::Remote(guard) => guard.check(cx).unwrap_or_else(|| {
                    decision.unchecked.push(guard.name());
                    Verdict::Pass
                }),
                Check::Local(guard) => guard.check(cx),
            };
            match verdict {
                Verdict::Pass => (),
                Verdict::Flag(reason) => cx.notes.reasons.push(*reason),
                Verdict::Deny(denial, mut reason) => {
                    reason.reported_only = step.mode != Mode::Block;
                    cx.notes.reasons.push(*reason);
                    if step.mode == Mode::Block {
                        decision.denial = Some(denial);
                        return decision;
                    }
                }
            }
        }
    }
    decision
}

/// Where the call belongs.
enum Routing<'a> {
    Found(&'a ApiPlan, &'a Arc<Endpoint>, Option<&'a OperationView>),
    NoMethod(&'a ApiPlan, Vec<String>),
    NoPath(&'a ApiPlan),
    NoApi,
}

fn view_of<'a>(views: &'a [OperationView], endpoint: &Arc<Endpoint>) -> Option<&'a OperationView> {
    views.iter().find(|it| Arc::ptr_eq(&it.endpoint, endpoint))
}

fn show(
    arguments: &cli::Explain,
    asked: &Asked,
    routing: &Routing<'_>,
    decision: &Decision,
    cx: &Context,
) -> anyhow::Result<Exit> {
    if arguments.json {
        print(&format!("{:#}\n", as_json(asked, routing, decision, cx)));
    } else {
        print(&as_text(asked, routing, decision, cx));
    }
    Ok(Exit::Success)
}

fn as_text(asked: &Asked, routing: &Routing<'_>, decision: &Decision, cx: &Context) -> String {
    let mut text = format!("{} {}\n", asked.method, asked.path);
    match routing {
        Routing::Found(api, endpoint, view) => {
            let operation = &endpoint.operation;
            text.push_str(&format!(
                "  api        {}\n  operation  {} ({} {})\n",
                api.name, operation.id, operation.method, operation.template
            ));
            text.push_str(&format!(
                "  upstream   {}\n  listener   {}\n",
                endpoint.upstream.name(),
                cx.client.listener
            ));
            if let Some(view) = view {
                text.push_str("\nsettings\n");
                let rows = view.settings.rows();
                let width = rows.iter().map(|it| it.key.len()).max().unwrap_or(0);
                let values = rows.iter().map(|it| it.value.len()).max().unwrap_or(0).min(48);
                for row in rows {
                    text.push_str(&format!("  {:<width$}  {:<values$}  {}\n", row.key, row.value, row.from));
                }
            }
            text.push_str("\nguards\n");
            for phase in [Phase::RequestHead, Phase::RequestBody, Phase::ResponseBody] {
                let names: Vec<String> = endpoint.chain.steps(phase).iter().map(step).collect();
                if !names.is_empty() {
                    text.push_str(&format!("  {:<13}  {}\n", phase_word(phase), names.join(" → ")));
                }
            }
        }
        Routing::NoMethod(api, methods) => text.push_str(&format!(
            "  api        {}\n  the path has no such method; it has {}\n",
            api.name,
            methods.join(", ")
        )),
        Routing::NoPath(api) => {
            text.push_str(&format!("  api        {}\n  no operation of it has this path\n", api.name))
        }
        Routing::NoApi => text.push_str("  no api serves this host and path\n"),
    }
    text.push_str("\ndecision\n");
    match decision.denial {
        Some(denial) => text.push_str(&format!("  refused with {} ({})\n", denial.status(), denial.word())),
        None => text.push_str("  sent on to the upstream\n"),
    }
    for reason in &cx.notes.reasons {
        text.push_str(&reason_text(reason));
    }
    for guard in &decision.unchecked {
        text.push_str(&format!(
            "  not asked here: `{guard}` would have to wait for a password check or a signing key\n"
        ));
    }
    text
}

fn reason_text(reason: &Reason) -> String {
    let only = if reason.reported_only { " (report: the call goes on)" } else { "" };
    let mut text = format!("  {}{only}\n", show_event::short(reason));
    for evidence in reason.evidence.iter().skip(1) {
        text.push_str(&format!("    and at {}\n", show_event::place(&evidence.place)));
    }
    text
}

fn step(step: &portcullis_core::chain::Step) -> String {
    let name = match &step.check {
        Check::Local(guard) => guard.name(),
        Check::Remote(guard) => guard.name(),
    };
    match step.mode {
        Mode::Block => name.to_owned(),
        Mode::Report => format!("{name} (report)"),
        Mode::Off => format!("{name} (off)"),
    }
}

const fn phase_word(phase: Phase) -> &'static str {
    match phase {
        Phase::RequestHead => "request head",
        Phase::RequestBody => "request body",
        Phase::ResponseHead => "response head",
        Phase::ResponseBody => "response body",
    }
}

fn as_json(asked: &Asked, routing: &Routing<'_>, decision: &Decision, cx: &Context) -> serde_json::Value {
    let route = match routing {
        Routing::Found(api, endpoint, view) => json!({
            "api": api.name, "operation": endpoint.operation.id, "template": endpoint.operation.template,
            "upstream": endpoint.upstream.name(), "listener": cx.client.listener,
            "settings": view.map(|it| it.settings.rows()), "access": view.map(|it| &it.access),
        }),
        Routing::NoMethod(api, methods) => json!({ "api": api.name, "operation": null, "methods": methods }),
        Routing::NoPath(api) => json!({ "api": api.name, "operation": null }),
        Routing::NoApi => json!(null),
    };
    json!({
        "method": asked.method.as_str(), "path": asked.path, "route": route,
        "decision": decision.denial.map_or("pass", Denial::word), "status": decision.denial.map(Denial::status),
        "reasons": cx.notes.reasons, "not_asked": decision.unchecked,
    })
}
