//! A running gate: the real binary with a configuration of its own in a folder of its own.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use serde_json::Value;
use tempfile::TempDir;

use crate::command::{Output, binary, portcullis};

/// How long a gate may take to start; generous, since tests share a small machine.
const START_MAX: Duration = Duration::from_secs(60);

/// A gate about to be started.
pub struct GateBuilder {
    folder: TempDir,
    arguments: Vec<String>,
    environment: BTreeMap<String, String>,
}

/// A running gate. Killed when dropped.
pub struct Gate {
    folder: TempDir,
    child: Child,
    addresses: BTreeMap<String, SocketAddr>,
    admin: Option<SocketAddr>,
}

impl GateBuilder {
    /// A gate with this `portcullis.yaml`. Listen on `127.0.0.1:0`.
    pub fn new(config: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let builder = Self { folder, arguments: Vec::new(), environment: BTreeMap::new() };
        builder.file("portcullis.yaml", config)
    }

    /// Puts a file beside the configuration.
    #[must_use]
    pub fn file(self, name: &str, content: impl AsRef<[u8]>) -> Self {
        let path = self.folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a file has a folder")).expect("a folder can be made");
        std::fs::write(path, content).expect("a file can be written");
        self
    }

    /// Adds an argument to `portcullis run`.
    #[must_use]
    pub fn argument(mut self, argument: &str) -> Self {
        self.arguments.push(argument.to_owned());
        self
    }

    /// Sets an environment variable.
    #[must_use]
    pub fn environment(mut self, name: &str, value: &str) -> Self {
        self.environment.insert(name.to_owned(), value.to_owned());
        self
    }

    /// The folder the gate will run in.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Runs a command in the gate's folder before it starts, for example `keys create`.
    pub fn command(&self, arguments: &[&str]) -> Output {
        portcullis(self.folder.path(), arguments)
    }

    /// Creates an API key for `name` and returns its text; `more` are further arguments of `keys create`.
    pub fn key(&self, name: &str, more: &[&str]) -> String {
        create_key(self.folder.path(), name, more)
    }

    /// Starts the gate and waits until it answers on its control socket.
    pub async fn start(self) -> Gate {
        let log = std::fs::File::create(self.folder.path().join("gate.log")).expect("a log file");
        let child = Command::new(binary())
            .arg("run")
            .args(["--threads", "1"])
            .args(&self.arguments)
            .envs(&self.environment)
            .env("NO_COLOR", "1")
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a second handle"))
            .stderr(log)
            .spawn()
            .expect("the binary can be started");
        let mut gate = Gate { folder: self.folder, child, addresses: BTreeMap::new(), admin: None };
        let status = gate.wait_until_up().await;
        for listener in status["listeners"].as_array().expect("status has listeners") {
            let name = listener["name"].as_str().expect("a listener has a name").to_owned();
            let address = listener["address"].as_str().expect("a listener has an address");
            if name == "admin" {
                gate.admin = address.parse().ok();
            } else {
                gate.addresses.insert(name, address.parse().expect("an address"));
            }
        }
        gate
    }
}

impl Gate {
    /// Shorthand for [`GateBuilder::new`].
    #[expect(clippy::new_ret_no_self, reason = "reads best at the many places that start a gate")]
    pub fn new(config: &str) -> GateBuilder {
        GateBuilder::new(config)
    }

    /// The address of the only listener.
    pub fn address(&self) -> SocketAddr {
        assert_eq!(self.addresses.len(), 1, "name the listener: {:?}", self.addresses);
        *self.addresses.values().next().expect("one listener")
    }

    /// The address of a listener.
    pub fn listener(&self, name: &str) -> SocketAddr {
        *self.addresses.get(name).unwrap_or_else(|| panic!("no listener `{name}` in {:?}", self.addresses))
    }

    /// The address of the admin listener.
    pub fn admin(&self) -> SocketAddr {
        self.admin.expect("the gate has an admin listener")
    }

    /// The folder it runs in.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The data directory.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("portcullis-data")
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Runs a command in the gate's folder.
    pub fn command(&self, arguments: &[&str]) -> Output {
        portcullis(self.folder.path(), arguments)
    }

    /// Creates an API key for `name` and returns its text.
    pub fn key(&self, name: &str, more: &[&str]) -> String {
        create_key(self.folder.path(), name, more)
    }

    /// Replaces a file beside the configuration, in one step as editors do.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.folder.path().join(name);
        let fresh = path.with_extension("fresh");
        std::fs::write(&fresh, content).expect("a file can be written");
        std::fs::rename(fresh, path).expect("a file can be replaced");
    }

    /// Reloads the configuration and returns what `portcullis reload` said.
    pub fn reload(&self) -> Output {
        self.command(&["reload"])
    }

    /// What the gate says of itself.
    pub fn status(&self) -> Value {
        let output = self.command(&["status", "--json"]);
        assert_eq!(output.code, 0, "{}", output.stderr);
        serde_json::from_str(&output.stdout).expect("status is JSON")
    }

    /// Everything the process printed so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("gate.log")).unwrap_or_default()
    }

    /// All events on record, oldest first, once there are at least `count`; fails after some seconds.
    pub async fn events(&self, count: usize) -> Vec<Value> {
        let mut last = Vec::new();
        for _ in 0..200 {
            let output = self.command(&["events", "--json", "--last", "100000"]);
            assert_eq!(output.code, 0, "{}", output.stderr);
            last = output
                .stdout
                .lines()
                .map(|line| serde_json::from_str(line).expect("an event is JSON"))
                .collect();
            if last.len() >= count {
                return last;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{} events instead of {count}: {last:#?}\n{}", last.len(), self.log());
    }

    /// Sends a signal, by name: `HUP`, `TERM`, `KILL`.
    pub fn signal(&self, name: &str) {
        let status = Command::new("kill").arg(format!("-{name}")).arg(self.pid().to_string()).status();
        assert!(status.expect("kill can be started").success());
    }

    /// Waits until the process has ended by itself; its exit code.
    pub async fn ended(&mut self) -> i32 {
        for _ in 0..600 {
            if let Some(status) = self.child.try_wait().expect("a child can be asked") {
                return status.code().unwrap_or(-1);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the gate did not end\n{}", self.log());
    }

    async fn wait_until_up(&mut self) -> Value {
        let deadline = tokio::time::Instant::now() + START_MAX;
        while tokio::time::Instant::now() < deadline {
            if let Some(status) = self.child.try_wait().expect("a child can be asked") {
                panic!("the gate ended at once with {status}\n{}", self.log());
            }
            let output = self.command(&["status", "--json"]);
            if output.code == 0 {
                return serde_json::from_str(&output.stdout).expect("status is JSON");
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("the gate did not come up\n{}", self.log());
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        let _gone_already = self.child.kill();
        let _reaped = self.child.wait();
        if std::thread::panicking() {
            eprintln!("--- the gate's log ---\n{}", self.log());
        }
    }
}

fn create_key(folder: &Path, name: &str, more: &[&str]) -> String {
    let mut arguments = vec!["keys", "create", name, "--json"];
    arguments.extend(more);
    let output = portcullis(folder, &arguments);
    assert_eq!(output.code, 0, "{}{}", output.stdout, output.stderr);
    let created: Value = serde_json::from_str(&output.stdout).expect("a created key is JSON");
    created["key"].as_str().expect("a created key has its text").to_owned()
}
