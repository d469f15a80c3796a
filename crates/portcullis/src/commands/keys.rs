//! `portcullis keys`: API keys, shown once and stored as digests.

use std::sync::Arc;

use portcullis_auth::mechanisms::api_key::{self, KeyPrefix};
use portcullis_config::{FromDisk, model, units};
use portcullis_core::clock::Clock as _;
use portcullis_store::keys::{KeyRecord, KeyStore, NewKey};
use serde_json::json;

use super::{complain, data_directory, print, socket};
use crate::{
    cli, control_client,
    exit::Exit,
    load,
    show_event::moment,
    system::{SystemClock, SystemEntropy},
};

/// Runs the command.
pub(crate) fn run(command: &cli::Keys) -> anyhow::Result<Exit> {
    match command {
        cli::Keys::Create(arguments) => create(arguments),
        cli::Keys::List(arguments) => list(arguments),
        cli::Keys::Revoke(arguments) => revoke(arguments),
        cli::Keys::HashPassword => hash_password(),
    }
}

fn create(arguments: &cli::KeyCreate) -> anyhow::Result<Exit> {
    let now = SystemClock.now();
    let (store, prefix) = open(&arguments.place)?;
    let made = api_key::generate(&SystemEntropy, &prefix);
    let words = |words: &[String]| words.iter().map(|it| Arc::from(it.as_str())).collect();
    let expires = match &arguments.expires {
        Some(text) => Some(now.plus(
            units::parse_duration(text).map_err(|error| anyhow::anyhow!("`--expires {text}`: {error}"))?,
        )),
        None => None,
    };
    let record = store.create(
        NewKey {
            sha256: made.sha256,
            shown: made.shown.clone(),
            name: arguments.name.as_str().into(),
            owner: arguments.owner.as_deref().unwrap_or(&arguments.name).into(),
            scopes: words(&arguments.scopes),
            roles: words(&arguments.roles),
            plan: arguments.plan.as_deref().map(Into::into),
            tenant: arguments.tenant.as_deref().map(Into::into),
            expires,
        },
        now,
    )?;
    let known = tell_the_gate(&arguments.place)?;
    if arguments.json {
        let mut shown = as_json(&record);
        if let Some(object) = shown.as_object_mut() {
            object.insert("key".to_owned(), json!(made.text.reveal()));
        }
        print(&format!("{shown}\n"));
        return Ok(Exit::Success);
    }
    print(&format!("{}\n", made.text.reveal()));
    complain(&format!(
        "key {} of `{}`{}: shown this once, and stored as a digest only\n",
        record.id,
        record.key.owner,
        record.key.expires.map(|it| format!(", ends {}", moment(it))).unwrap_or_default()
    ));
    if known {
        complain("the running gate knows it already\n");
    }
    Ok(Exit::Success)
}

fn list(arguments: &cli::KeyList) -> anyhow::Result<Exit> {
    let (store, _) = open(&arguments.place)?;
    let records = store.list()?;
    if arguments.json {
        print(&format!("{}\n", serde_json::Value::Array(records.iter().map(as_json).collect())));
        return Ok(Exit::Success);
    }
    if records.is_empty() {
        complain("no keys yet: `portcullis keys create NAME` makes one\n");
        return Ok(Exit::Success);
    }
    let now = SystemClock.now();
    print(&format!(
        "{:<16}  {:<16}  {:<16}  {:<14}  {:<8}  {}\n",
        "ID", "NAME", "OWNER", "BEGINS WITH", "STATE", "SCOPES"
    ));
    for it in records {
        let state = match (it.revoked, it.key.expires) {
            (Some(_), _) => "revoked",
            (None, Some(end)) if end <= now => "expired",
            (None, _) => "active",
        };
        let scopes = it.key.scopes.join(" ");
        print(&format!(
            "{:<16}  {:<16}  {:<16}  {:<14}  {state:<8}  {scopes}\n",
            it.id, it.key.name, it.key.owner, it.key.shown
        ));
    }
    Ok(Exit::Success)
}

fn revoke(arguments: &cli::KeyRevoke) -> anyhow::Result<Exit> {
    let (store, _) = open(&arguments.place)?;
    let record = store.revoke(&arguments.id, SystemClock.now())?;
    let known = tell_the_gate(&arguments.place)?;
    let effect = if known { "the running gate refuses it from now on" } else { "no gate is running here" };
    print(&format!("key {} of `{}` is revoked; {effect}\n", record.id, record.key.owner));
    Ok(Exit::Success)
}

/// Reads a password from standard input, so that it stands in no shell history, and prints a line's second half of
/// a users file.
fn hash_password() -> anyhow::Result<Exit> {
    use std::io::{BufRead as _, Read as _};
    let mut line = String::new();
    std::io::BufReader::new(std::io::stdin().take(4096)).read_line(&mut line)?;
    let password = portcullis_core::secret::Secret::new(line.trim_end_matches(['\r', '\n']).to_owned());
    zeroize::Zeroize::zeroize(&mut line);
    anyhow::ensure!(!password.reveal().is_empty(), "give the password on standard input");
    let hash =
        portcullis_auth::mechanisms::basic::hash_password(password.reveal().as_bytes(), &SystemEntropy)?;
    print(&format!("{hash}\n"));
    Ok(Exit::Success)
}

fn open(place: &cli::DataDirectory) -> anyhow::Result<(KeyStore, KeyPrefix)> {
    let data = data_directory(place)?;
    load::make_private(&data)?;
    let config = place
        .config
        .exists()
        .then(|| portcullis_config::load(&place.config, &FromDisk, SystemClock.now()).config);
    let config = config.flatten();
    let provider = config.as_ref().map_or_else(|| "api_keys".into(), load::api_key_provider);
    let written = config.as_ref().and_then(|it| it.identity.providers.get(&provider));
    let prefix = match written {
        Some(model::Provider::ApiKeys(it)) => KeyPrefix::new(&it.prefix)?,
        _ => KeyPrefix::new("pcl_")?,
    };
    Ok((KeyStore::open(&data, &provider)?, prefix))
}

/// Makes a running gate read the keys again; whether there is one.
fn tell_the_gate(place: &cli::DataDirectory) -> anyhow::Result<bool> {
    let socket = socket(&data_directory(place)?);
    match control_client::ask(&socket, http::Method::POST, "/v1/keys/refresh") {
        Ok((status, body)) if !status.is_success() => {
            anyhow::bail!(
                "the running gate could not read the keys again: {}",
                String::from_utf8_lossy(&body)
            )
        }
        Ok(_) => Ok(true),
        Err(error) if error.is::<control_client::NoGate>() => Ok(false),
        Err(error) => Err(error),
    }
}

fn as_json(record: &KeyRecord) -> serde_json::Value {
    json!({
        "id": record.id, "name": record.key.name, "owner": record.key.owner, "begins_with": record.key.shown,
        "scopes": record.key.scopes, "roles": record.key.roles, "plan": record.key.plan, "tenant": record.key.tenant,
        "created": moment(record.created), "expires": record.key.expires.map(moment),
        "revoked": record.revoked.map(moment), "last_used": record.last_used.map(moment),
    })
}
