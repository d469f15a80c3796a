//! `portcullis rules fetch`: a release is unpacked only if it is what its project signed.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failure here is a failed test"
)]

use std::{path::Path, process::Command};

use portcullis_e2e::{Output, Upstream, portcullis};
use tempfile::TempDir;

/// A project with a key of its own that has released an archive.
struct Project {
    folder: TempDir,
    fingerprint: String,
}

impl Project {
    /// `None`, said visibly, where GnuPG is not installed: `cargo xtask test` installs it.
    fn new(algorithm: &str) -> Option<Self> {
        if Command::new("gpg").arg("--version").output().is_err() {
            eprintln!("skipped: there is no gpg");
            return None;
        }
        let project = Self { folder: tempfile::tempdir().unwrap(), fingerprint: String::new() };
        let rules = project.path().join("coreruleset-9.9.9/rules");
        std::fs::create_dir_all(&rules).unwrap();
        std::fs::write(rules.join("A.conf"), "SecAction \"id:1,phase:1,pass,nolog\"\n").unwrap();
        std::fs::write(rules.join("a.data"), "one\n").unwrap();
        std::fs::write(project.path().join("coreruleset-9.9.9/crs-setup.conf.example"), "# none\n").unwrap();
        std::fs::write(project.path().join("coreruleset-9.9.9/README.md"), "not needed\n").unwrap();
        run(project.path(), "tar", &["-czf", "crs.tar.gz", "coreruleset-9.9.9"]);
        project.gpg(&["--quick-gen-key", "Rules <rules@example.com>", algorithm, "sign", "never"]);
        project.gpg(&["--output", "key.asc", "--export"]);
        project.gpg(&["--output", "crs.tar.gz.asc", "--detach-sign", "crs.tar.gz"]);
        let listed = project.gpg(&["--with-colons", "--list-keys"]);
        let fingerprint = listed.lines().find_map(|line| line.strip_prefix("fpr:")).unwrap();
        let fingerprint = fingerprint.trim_matches(':').to_owned();
        Some(Self { fingerprint, ..project })
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn gpg(&self, arguments: &[&str]) -> String {
        let home = self.path().join("gnupg");
        std::fs::create_dir_all(&home).unwrap();
        let home = home.display().to_string();
        let always = [
            "--homedir",
            &home,
            "--batch",
            "--yes",
            "--armor",
            "--pinentry-mode",
            "loopback",
            "--passphrase",
            "",
        ];
        run(self.path(), "gpg", &[&always, arguments].concat())
    }

    fn fetch(&self, more: &[&str]) -> Output {
        portcullis(self.path(), &[&["rules", "fetch", "--from", "crs.tar.gz"], more].concat())
    }

    fn is_unpacked(&self) -> bool {
        self.path().join("crs").exists()
    }
}

fn run(folder: &Path, program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_signed_release_is_unpacked_and_only_what_rules_need() {
    for algorithm in ["rsa3072", "ed25519"] {
        let Some(project) = Project::new(algorithm) else { return };
        let output = project.fetch(&["--key", "key.asc", "--fingerprint", &project.fingerprint]);
        assert_eq!(output.code, 0, "{algorithm}: {}", output.stderr);
        assert!(output.stdout.contains(&project.fingerprint), "{}", output.stdout);
        let crs = project.path().join("crs");
        assert!(crs.join("rules/A.conf").exists() && crs.join("rules/a.data").exists());
        assert!(crs.join("crs-setup.conf.example").exists() && !crs.join("README.md").exists());
        let again = project.fetch(&["--key", "key.asc", "--fingerprint", &project.fingerprint]);
        assert_ne!(again.code, 0, "a folder that is there is not overwritten");
        let forced = project.fetch(&["--force", "--key", "key.asc", "--fingerprint", &project.fingerprint]);
        assert_eq!(forced.code, 0, "{}", forced.stderr);
    }
}

#[test]
fn a_subkey_signs_in_its_keys_name() {
    let Some(project) = Project::new("ed25519") else { return };
    project.gpg(&["--quick-add-key", &project.fingerprint, "rsa3072", "sign", "1y"]);
    project.gpg(&["--output", "key.asc", "--export"]);
    project.gpg(&["--output", "crs.tar.gz.asc", "--detach-sign", "crs.tar.gz"]);
    let output = project.fetch(&["--key", "key.asc", "--fingerprint", &project.fingerprint]);
    assert_eq!(output.code, 0, "{}", output.stderr);
}

#[test]
fn a_key_that_ended_before_it_signed_is_not_believed() {
    let Some(project) = Project::new("ed25519") else { return };
    let fetch = || project.fetch(&["--key", "key.asc", "--fingerprint", &project.fingerprint, "--force"]);
    // GnuPG says when a key ends in what it says of the key's name.
    project.gpg(&["--quick-set-expire", &project.fingerprint, "1y"]);
    project.gpg(&["--output", "key.asc", "--export"]);
    assert_eq!(fetch().code, 0, "{}", fetch().stderr);
    let later = ["--faked-system-time", "20991231T000000!", "--ignore-time-conflict"];
    project.gpg(&["--quick-set-expire", &project.fingerprint, "never"]);
    project.gpg(&[&later[..], &["--output", "crs.tar.gz.asc", "--detach-sign", "crs.tar.gz"]].concat());
    let output = fetch();
    assert!(output.stderr.contains("had expired"), "{}", output.stderr);
    // Its life was made longer since.
    project.gpg(&["--output", "key.asc", "--export"]);
    assert_eq!(fetch().code, 0, "{}", fetch().stderr);
}

#[test]
fn what_is_not_what_was_signed_is_not_unpacked() {
    let Some(project) = Project::new("ed25519") else { return };
    let key = ["--key", "key.asc", "--fingerprint", &project.fingerprint];
    // Another key than the one that is meant, which is the project's own unless told otherwise.
    let output = project.fetch(&["--key", "key.asc"]);
    assert_ne!(output.code, 0);
    assert!(output.stderr.contains("there is no key 36006F0E0BA1"), "{}", output.stderr);
    // No signature.
    let output = project.fetch(&[&key[..], &["--signature", "missing.asc"]].concat());
    assert_ne!(output.code, 0);
    // A signature by somebody else.
    let Some(other) = Project::new("ed25519") else { return };
    std::fs::copy(other.path().join("crs.tar.gz.asc"), project.path().join("other.asc")).unwrap();
    let output = project.fetch(&[&key[..], &["--signature", "other.asc"]].concat());
    assert!(output.stderr.contains("is not by the key"), "{}", output.stderr);
    // Another file.
    let archive = project.path().join("crs.tar.gz");
    let mut bytes = std::fs::read(&archive).unwrap();
    bytes.push(0);
    std::fs::write(&archive, bytes).unwrap();
    let output = project.fetch(&key);
    assert!(output.stderr.contains("does not fit"), "{}", output.stderr);
    assert!(!project.is_unpacked());
}

#[test]
fn a_checksum_holds_with_or_without_a_signature() {
    let Some(project) = Project::new("ed25519") else { return };
    let sum = run(project.path(), "sha256sum", &["crs.tar.gz"]);
    let sum = sum.split(' ').next().unwrap();
    let wrong = "0".repeat(64);
    assert_ne!(project.fetch(&["--sha256", &wrong, "--checksum-only"]).code, 0);
    assert_ne!(project.fetch(&["--checksum-only"]).code, 0);
    assert!(!project.is_unpacked());
    let output = project.fetch(&["--sha256", sum, "--checksum-only"]);
    assert_eq!(output.code, 0, "{}", output.stderr);
}

#[test]
fn archives_that_are_none_are_refused() {
    let Some(project) = Project::new("ed25519") else { return };
    for content in [&b"nonsense"[..], &b"\x1f\x8b\x08\x00broken"[..], b""] {
        std::fs::write(project.path().join("crs.tar.gz"), content).unwrap();
        let sum = run(project.path(), "sha256sum", &["crs.tar.gz"]);
        let sum = sum.split(' ').next().unwrap().to_owned();
        let output = project.fetch(&["--sha256", &sum, "--checksum-only"]);
        assert_ne!(output.code, 0);
        assert!(!project.is_unpacked(), "{content:?}");
    }
}

#[tokio::test]
async fn a_mirror_serves_it_by_url_and_may_redirect() {
    let Some(project) = Project::new("ed25519") else { return };
    let files = project.path().to_owned();
    let mirror = Upstream::answering(move |request| {
        let moved = |to: &str| {
            let mut answer = portcullis_e2e::text(302, "text/plain", "");
            answer.headers_mut().insert("location", to.parse().unwrap());
            answer
        };
        match request.target.as_str() {
            "/crs.tar.gz" => moved("/real/crs.tar.gz"),
            "/loop" => moved("/loop"),
            target => {
                let name = target.rsplit('/').next().unwrap();
                let bytes = std::fs::read(files.join(name)).unwrap_or_default();
                portcullis_e2e::text(200, "application/octet-stream", bytes)
            }
        }
    })
    .await;
    let folder = project.path().to_owned();
    let (url, fingerprint) = (mirror.url(), project.fingerprint.clone());
    let fetch = move |from: String| {
        let key = format!("{url}/key.asc");
        let arguments = ["rules", "fetch", "--from", &from, "--key", &key, "--fingerprint", &fingerprint];
        portcullis(&folder, &arguments)
    };
    let url = mirror.url();
    let looped = tokio::task::spawn_blocking({
        let (fetch, url) = (fetch.clone(), url.clone());
        move || fetch(format!("{url}/loop"))
    });
    assert!(looped.await.unwrap().stderr.contains("redirected more than"));
    let output = tokio::task::spawn_blocking(move || fetch(format!("{url}/crs.tar.gz"))).await.unwrap();
    assert_eq!(output.code, 0, "{}", output.stderr);
    assert!(project.is_unpacked());
}
