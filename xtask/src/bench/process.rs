//! Processes of a benchmark: started, measured, and ended with it.

use std::{
    fs,
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use anyhow::Context as _;

/// A process that ends when this is dropped.
pub(super) struct Process {
    child: Child,
    name: &'static str,
    log: PathBuf,
}

impl Process {
    /// Starts a process with its output in a file of `folder`, and waits until it listens on the ports.
    pub(super) fn start(
        name: &'static str,
        command: &mut Command,
        folder: &Path,
        ports: &[u16],
    ) -> anyhow::Result<Self> {
        let log = folder.join(format!("{name}.log"));
        let output = fs::File::create(&log)?;
        let child = command
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .spawn()
            .with_context(|| format!("cannot start {name}"))?;
        let mut process = Self { child, name, log };
        for port in ports {
            process.wait_for(*port)?;
        }
        Ok(process)
    }

    fn wait_for(&mut self, port: u16) -> anyhow::Result<()> {
        const TRIES: u32 = 1200;
        for _ in 0..TRIES {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return Ok(());
            }
            if let Some(status) = self.child.try_wait()? {
                anyhow::bail!("{} ended with {status}:\n{}", self.name, self.log_text());
            }
            pause();
        }
        anyhow::bail!("{} does not listen on port {port}:\n{}", self.name, self.log_text())
    }

    /// The last of what the process has written.
    pub(super) fn log_text(&self) -> String {
        let text = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines.get(lines.len().saturating_sub(20)..).unwrap_or_default().join("\n")
    }

    /// User and system time that the process has used so far, in microseconds, over all its threads.
    pub(super) fn cpu_micros(&self) -> anyhow::Result<u64> {
        // Linux shows these in hundredths of a second on every machine (USER_HZ).
        const MICROS_PER_TICK: u64 = 10_000;
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        // The name, in brackets, may hold anything.
        let (_, after_name) = stat.rsplit_once(')').context("an odd /proc/PID/stat")?;
        let field = |at: usize| after_name.split_whitespace().nth(at).and_then(|it| it.parse::<u64>().ok());
        let (user, system) = field(11).zip(field(12)).context("an odd /proc/PID/stat")?;
        Ok((user + system) * MICROS_PER_TICK)
    }

    /// A line of `/proc/PID/status` given in KiB, such as `VmRSS` or `VmHWM`.
    pub(super) fn status_kib(&self, line: &str) -> anyhow::Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        status
            .lines()
            .find_map(|it| {
                it.strip_prefix(line)?.strip_prefix(':')?.trim().strip_suffix("kB")?.trim().parse().ok()
            })
            .with_context(|| format!("no `{line}` in /proc/PID/status"))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[expect(clippy::disallowed_methods, reason = "a benchmark has no clock to wait on, and nobody waits for it")]
fn pause() {
    thread::sleep(Duration::from_millis(25));
}

/// A port that was free a moment ago.
pub(super) fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// A folder that goes away with this.
pub(super) struct Folder(PathBuf);

impl Folder {
    pub(super) fn new(name: &str) -> anyhow::Result<Self> {
        let path = std::env::temp_dir().join(format!("portcullis-bench-{name}-{}", std::process::id()));
        fs::create_dir_all(&path)?;
        Ok(Self(path))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// Writes a file and returns its path.
    pub(super) fn write(&self, name: &str, text: &str) -> anyhow::Result<PathBuf> {
        let path = self.0.join(name);
        fs::write(&path, text).with_context(|| format!("cannot write `{}`", path.display()))?;
        Ok(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
