//! The contenders: one worker each, everything but proxying switched off.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Context as _;

use super::process::{Folder, Process, free_port};

/// A contender with the addresses at which it does each kind of work.
pub(super) struct Peer {
    pub(super) name: &'static str,
    pub(super) process: Process,
    pub(super) plain: u16,
    /// `None` when it does not speak TLS.
    pub(super) secure: Option<u16>,
}

/// What nobody may do in a benchmark of CPU: close connections.
const REQUESTS_PER_CONNECTION: u32 = 1_000_000_000;

/// The server behind all contenders: answers everything with 1 KiB of JSON.
pub(super) fn origin(folder: &Folder) -> anyhow::Result<(Process, u16)> {
    let port = free_port()?;
    let body = format!("{{\"id\":7,\"status\":\"open\",\"note\":\"{}\"}}", "n".repeat(987));
    let config = nginx_config(
        folder.path(),
        "origin",
        "",
        &format!(
            "server {{ listen 127.0.0.1:{port} backlog=1024; location / {{ default_type application/json; return 200 '{body}'; }} }}"
        ),
    );
    let path = folder.write("origin.conf", &config)?;
    Ok((Process::start("origin", &mut nginx_command(folder.path(), &path), folder.path(), &[port])?, port))
}

/// nginx as a proxy, over clear text and TLS 1.3 with HTTP/2.
pub(super) fn nginx(folder: &Folder, origin: u16, certificate: &Certificate) -> anyhow::Result<Peer> {
    let (plain, secure) = (free_port()?, free_port()?);
    let to_origin =
        "location / { proxy_pass http://origin; proxy_http_version 1.1; proxy_set_header Connection \"\"; }";
    let config = nginx_config(
        folder.path(),
        "nginx",
        &format!("upstream origin {{ server 127.0.0.1:{origin}; keepalive 256; keepalive_requests {REQUESTS_PER_CONNECTION}; }}"),
        &format!(
            "server {{ listen 127.0.0.1:{plain} backlog=1024; {to_origin} }}
             server {{ listen 127.0.0.1:{secure} ssl http2 backlog=1024; ssl_certificate {}; ssl_certificate_key {}; ssl_protocols TLSv1.3; {to_origin} }}",
            certificate.chain.display(),
            certificate.key.display(),
        ),
    );
    let path = folder.write("nginx.conf", &config)?;
    let process =
        Process::start("nginx", &mut nginx_command(folder.path(), &path), folder.path(), &[plain, secure])?;
    Ok(Peer { name: "nginx", process, plain, secure: Some(secure) })
}

fn nginx_config(folder: &Path, name: &str, upstream: &str, servers: &str) -> String {
    let folder = folder.display();
    format!(
        "daemon off; master_process off; worker_processes 1; pid {folder}/{name}.pid; error_log stderr crit;
         events {{ worker_connections 4096; }}
         http {{
           access_log off; server_tokens off; tcp_nodelay on;
           keepalive_timeout 300s; keepalive_requests {REQUESTS_PER_CONNECTION};
           client_body_temp_path {folder}/{name}-body; proxy_temp_path {folder}/{name}-proxy;
           fastcgi_temp_path {folder}/{name}-f; uwsgi_temp_path {folder}/{name}-u; scgi_temp_path {folder}/{name}-s;
           {upstream}
           {servers}
         }}\n"
    )
}

fn nginx_command(folder: &Path, config: &Path) -> Command {
    // Debian keeps it where only root's PATH leads.
    let mut command = Command::new("/usr/sbin/nginx");
    command.arg("-p").arg(folder).arg("-e").arg("stderr").arg("-c").arg(config);
    command
}

/// HAProxy, over clear text and TLS 1.3 with HTTP/2.
pub(super) fn haproxy(folder: &Folder, origin: u16, certificate: &Certificate) -> anyhow::Result<Peer> {
    let (plain, secure) = (free_port()?, free_port()?);
    let config = format!(
        "global
  nbthread 1
  maxconn 4096
  ssl-default-bind-options ssl-min-ver TLSv1.3
defaults
  mode http
  timeout connect 5s
  timeout client 300s
  timeout server 300s
  http-reuse always
frontend f
  bind 127.0.0.1:{plain}
  bind 127.0.0.1:{secure} ssl crt {} alpn h2,http/1.1
  default_backend b
backend b
  server s 127.0.0.1:{origin}
",
        certificate.both.display(),
    );
    let path = folder.write("haproxy.cfg", &config)?;
    let mut command = Command::new("/usr/sbin/haproxy");
    let process =
        Process::start("haproxy", command.arg("-db").arg("-f").arg(path), folder.path(), &[plain, secure])?;
    Ok(Peer { name: "haproxy", process, plain, secure: Some(secure) })
}

/// The forwarder of bytes, this program itself.
pub(super) fn floor(folder: &Folder, origin: u16) -> anyhow::Result<Peer> {
    let plain = free_port()?;
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["bench", "floor", &plain.to_string(), &origin.to_string()]);
    let process = Process::start("floor", &mut command, folder.path(), &[plain])?;
    Ok(Peer { name: "floor", process, plain, secure: None })
}

/// Portcullis with nothing to guard.
pub(super) fn portcullis_empty(
    folder: &Folder,
    binary: &Path,
    origin: u16,
    certificate: &Certificate,
) -> anyhow::Result<Peer> {
    let (plain, secure, admin) = (free_port()?, free_port()?, free_port()?);
    let config = format!(
        "version: 1
data: {folder}/empty-data
listeners:
  plain: {{ address: \"127.0.0.1:{plain}\", protocols: [h1], tls: off, limits: {{ connections_per_ip: 1k }} }}
  secure:
    address: \"127.0.0.1:{secure}\"
    protocols: [h1, h2]
    tls: {{ certificates: [{{ certificate: \"file:{chain}\", key: \"file:{key}\" }}] }}
    limits: {{ connections_per_ip: 1k }}
admin: {{ address: \"127.0.0.1:{admin}\" }}
firewall: off
record: {{ calls: refused }}
apis:
  everything: {{ spec: none, auth: anonymous, upstream: \"http://127.0.0.1:{origin}\" }}
",
        folder = folder.path().display(),
        chain = certificate.chain.display(),
        key = certificate.key.display(),
    );
    let path = folder.write("empty.yaml", &config)?;
    let process = Process::start("portcullis", &mut gate(binary, &path), folder.path(), &[plain, secure])?;
    Ok(Peer { name: "portcullis", process, plain, secure: Some(secure) })
}

/// Whether native attack detection runs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Attacks {
    Off,
    On,
}

impl Attacks {
    /// What it is called in configurations; also tells files apart.
    const fn word(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::On => "block",
        }
    }
}

/// Portcullis with a key, limits and a specification to guard requests by, and the call that it lets pass. Answers
/// are not judged: the peers stream them through as well.
pub(super) fn portcullis_full(
    folder: &Folder,
    binary: &Path,
    origin: u16,
    attacks: Attacks,
) -> anyhow::Result<(Peer, PathBuf)> {
    let (plain, admin) = (free_port()?, free_port()?);
    let attacks = attacks.word();
    let data = folder.path().join(format!("full-{attacks}-data"));
    folder.write("orders.json", SPEC)?;
    let config = format!(
        "version: 1
data: {data}
listeners:
  plain: {{ address: \"127.0.0.1:{plain}\", protocols: [h1], tls: off, limits: {{ connections_per_ip: 1k }} }}
admin: {{ address: \"127.0.0.1:{admin}\" }}
identity: {{ providers: {{ api_keys: {{ api_keys: {{}} }} }} }}
firewall: {{ attacks: {attacks} }}
apis:
  orders:
    spec: orders.json
    auth: api_keys
    upstream: \"http://127.0.0.1:{origin}\"
    limit: [1M/s burst 1M per consumer, 1M/s burst 1M per ip]
    schema: {{ response: off }}
",
        data = data.display(),
    );
    let path = folder.write(&format!("full-{attacks}.yaml"), &config)?;
    let key = create_key(binary, &path)?;
    let script = folder.write(&format!("full-{attacks}.lua"), &lua(&key))?;
    let process = Process::start("portcullis-full", &mut gate(binary, &path), folder.path(), &[plain])?;
    Ok((Peer { name: "portcullis", process, plain, secure: None }, script))
}

/// Portcullis with the OWASP CRS at paranoia level 1 and native detection beside it, and a small GET whose values differ
/// from call to call; `None` without the rules.
pub(super) fn portcullis_crs(
    folder: &Folder,
    binary: &Path,
    origin: u16,
) -> anyhow::Result<Option<(Peer, PathBuf)>> {
    let crs = crate::shared().join("crs");
    if !crs.join("rules").is_dir() {
        println!("skipped: crs-h1, for there are no rules at {} (set PORTCULLIS_SHARED)", crs.display());
        return Ok(None);
    }
    let (plain, admin) = (free_port()?, free_port()?);
    let config = format!(
        "version: 1
data: {data}
listeners:
  plain: {{ address: \"127.0.0.1:{plain}\", protocols: [h1], tls: off, limits: {{ connections_per_ip: 1k }} }}
admin: {{ address: \"127.0.0.1:{admin}\" }}
firewall: {{ rules: [crs: {crs}], paranoia: 1 }}
apis:
  everything: {{ spec: none, auth: anonymous, upstream: \"http://127.0.0.1:{origin}\" }}
",
        data = folder.path().join("crs-data").display(),
        crs = crs.canonicalize()?.display(),
    );
    let path = folder.write("crs.yaml", &config)?;
    let script = folder.write("crs.lua", SMALL_GET)?;
    let process = Process::start("portcullis-crs", &mut gate(binary, &path), folder.path(), &[plain])?;
    Ok(Some((Peer { name: "portcullis", process, plain, secure: None }, script)))
}

/// A call as an application's client makes it; no two are alike.
const SMALL_GET: &str = r#"local n = 0
local headers = { ["Host"] = "shop.example.com", ["User-Agent"] = "shop-app/4.2 (android 14)", ["Accept"] = "application/json" }
request = function()
  n = n + 1
  return wrk.format("GET", "/orders?page=" .. n .. "&status=open&since=2026-11-" .. (n % 28 + 1) .. "&customer=c" .. (n * 7919 % 1000003), headers)
end
"#;

fn gate(binary: &Path, config: &Path) -> Command {
    let mut command = Command::new(binary);
    command.arg("run").arg("-c").arg(config).args(["--threads", "1", "--no-watch"]);
    command
}

fn create_key(binary: &Path, config: &Path) -> anyhow::Result<String> {
    let output =
        Command::new(binary).args(["keys", "create", "bench", "--json", "-c"]).arg(config).output()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    anyhow::ensure!(output.status.success(), "`portcullis keys create` failed:\n{text}{errors}");
    let made: serde_json::Value =
        serde_json::from_str(&text).context("`keys create --json` printed no JSON")?;
    let key = made.get("key").and_then(|it| it.as_str());
    key.map(str::to_owned).with_context(|| format!("`keys create --json` printed no `key`: {text}"))
}

/// The call of the full pipeline for wrk; nginx gets the very same.
fn lua(key: &str) -> String {
    format!(
        "wrk.method = \"POST\"\nwrk.path = \"/orders\"\nwrk.body = [[{}]]\nwrk.headers[\"Content-Type\"] = \"application/json\"\nwrk.headers[\"X-API-Key\"] = \"{key}\"\n",
        order()
    )
}

/// An order of 1 KiB.
fn order() -> String {
    let items: Vec<String> = (1..=8)
        .map(|at| {
            format!(
                "{{\"sku\":\"SKU-{at:04}\",\"quantity\":{at},\"price\":{at}9.5,\"tags\":[\"new\",\"bulk\"],\"gift\":false}}"
            )
        })
        .collect();
    let mut order = format!(
        "{{\"id\":\"8f14e45f-ceea-467f-a0e6-1b2c3d4e5f60\",\"customer\":{{\"name\":\"Ada Lovelace\",\"email\":\"ada@example.com\"}},\"placed\":\"2026-11-21T10:00:00Z\",\"currency\":\"EUR\",\"items\":[{}],\"note\":\"",
        items.join(",")
    );
    let rest = 1024_usize.saturating_sub(order.len() + 2);
    order.push_str(&"n".repeat(rest));
    order + "\"}"
}

const SPEC: &str = r##"{
  "openapi": "3.1.0",
  "info": { "title": "Orders", "version": "1" },
  "paths": {
    "/orders": {
      "post": {
        "operationId": "createOrder",
        "requestBody": {
          "required": true,
          "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Order" } } }
        },
        "responses": { "200": { "description": "made", "content": { "application/json": {} } } }
      }
    }
  },
  "components": {
    "schemas": {
      "Order": {
        "type": "object",
        "required": ["id", "customer", "placed", "currency", "items"],
        "additionalProperties": false,
        "properties": {
          "id": { "type": "string", "format": "uuid" },
          "customer": {
            "type": "object",
            "required": ["name", "email"],
            "properties": {
              "name": { "type": "string", "minLength": 1, "maxLength": 100 },
              "email": { "type": "string", "format": "email" }
            }
          },
          "placed": { "type": "string", "format": "date-time" },
          "currency": { "enum": ["EUR", "USD", "GBP"] },
          "items": { "type": "array", "minItems": 1, "maxItems": 100, "items": { "$ref": "#/components/schemas/Item" } },
          "note": { "type": "string", "maxLength": 1000 }
        }
      },
      "Item": {
        "type": "object",
        "required": ["sku", "quantity", "price"],
        "additionalProperties": false,
        "properties": {
          "sku": { "type": "string", "pattern": "^SKU-[0-9]{4}$" },
          "quantity": { "type": "integer", "minimum": 1, "maximum": 1000 },
          "price": { "type": "number", "exclusiveMinimum": 0 },
          "tags": { "type": "array", "items": { "type": "string", "maxLength": 20 }, "uniqueItems": true },
          "gift": { "type": "boolean" }
        }
      }
    }
  }
}
"##;

/// A certificate for all contenders: ECDSA on P-256, as most have today.
pub(super) struct Certificate {
    chain: PathBuf,
    key: PathBuf,
    both: PathBuf,
}

impl Certificate {
    pub(super) fn new(folder: &Folder) -> anyhow::Result<Self> {
        let (chain, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
        let output = Command::new("openssl")
            .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"])
            .args(["-days", "30", "-subj", "/CN=localhost"])
            .args(["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout"])
            .arg(&key)
            .arg("-out")
            .arg(&chain)
            .output()
            .context("cannot start openssl")?;
        let errors = String::from_utf8_lossy(&output.stderr);
        anyhow::ensure!(output.status.success(), "openssl made no certificate:\n{errors}");
        let joined = std::fs::read_to_string(&chain)? + &std::fs::read_to_string(&key)?;
        let both = folder.write("both.pem", &joined)?;
        Ok(Self { chain, key, both })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_is_one_kibibyte_of_json() {
        let order = order();
        assert_eq!(order.len(), 1024);
        serde_json::from_str::<serde_json::Value>(&order).expect("JSON");
    }
}
