//! `portcullis rules fetch`: a release of the OWASP CRS, from its project, a mirror or a file, verified before a byte of
//! it is unpacked.

use std::{
    fs,
    io::Read as _,
    path::{Component, Path, PathBuf},
    time::Duration,
};

use anyhow::{Context as _, bail, ensure};
use aws_lc_rs::digest::{SHA256, digest};

use crate::{
    cli::RulesFetch,
    commands::{complain, print},
    exit::Exit,
    fetch::{self, Bounds},
    load, openpgp,
};

/// Where the project publishes its releases.
const RELEASES: &str = "https://github.com/coreruleset/coreruleset/releases/download";
/// Where it publishes the key that they are signed with.
const KEY: &str = "https://coreruleset.org/security.asc";
/// The fingerprint of that key, as the project's SECURITY.md states it.
const FINGERPRINT: &str = "36006F0E0BA167832158821138EEACA1AB8A6E72";

/// A release is under 1 MiB; its signature and key are far less.
const BOUNDS: Bounds = Bounds {
    bytes_max: 64 * 1024 * 1024,
    time_max: Duration::from_secs(120),
    redirects_max: 5,
    accept: "*/*",
};
/// Bytes that an archive may unpack to.
const UNPACKED_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// Files that an archive may hold.
const FILES_MAX: usize = 10_000;

/// Runs the command.
pub(crate) fn run(command: &RulesFetch) -> anyhow::Result<Exit> {
    let release = match (&command.from, &command.version) {
        (Some(from), _) => from.clone(),
        (None, Some(version)) => {
            let version = version.trim_start_matches('v');
            format!("{RELEASES}/v{version}/coreruleset-{version}-minimal.tar.gz")
        }
        (None, None) => bail!("name a version (`portcullis rules fetch 4.25.0`) or a file or URL (`--from`)"),
    };
    ensure!(
        command.force || !command.into.exists(),
        "`{}` exists: choose another folder (`--into`), or replace it (`--force`)",
        command.into.display()
    );
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let tls = fetch::tls(load::extra_authorities()?.as_deref())?;
    let get = |place: &str| -> anyhow::Result<Vec<u8>> {
        if place.contains("://") {
            complain(&format!("fetching {place}\n"));
            return Ok(runtime
                .block_on(fetch::get_within(place, std::sync::Arc::clone(&tls), &BOUNDS))?
                .to_vec());
        }
        read_file(Path::new(place))
    };
    let archive = get(&release)?;
    let verified = verify(command, &release, &archive, get)?;
    let unpacked = unpack(&archive, &command.into)?;
    print(&format!(
        "{} rules files in {}; {verified}\nuse them with `firewall: {{ rules: [crs: {}] }}`\n",
        unpacked,
        command.into.display(),
        command.into.display()
    ));
    Ok(Exit::Success)
}

/// Verifies the checksum where one is given, and the signature unless a checksum alone is to do.
fn verify(
    command: &RulesFetch,
    release: &str,
    archive: &[u8],
    get: impl Fn(&str) -> anyhow::Result<Vec<u8>>,
) -> anyhow::Result<String> {
    let sum: String = digest(&SHA256, archive).as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    if let Some(wanted) = &command.sha256 {
        ensure!(
            wanted.trim().eq_ignore_ascii_case(&sum),
            "the SHA-256 is {sum}, not {wanted}: nothing was unpacked"
        );
        if command.checksum_only {
            return Ok(format!("SHA-256 {sum} as asked"));
        }
    }
    ensure!(!command.checksum_only, "`--checksum-only` needs the checksum: `--sha256 HEX`");
    let signature = command.signature.clone().unwrap_or_else(|| format!("{release}.asc"));
    let signature = get(&signature).context("a release is verified by its signature, which cannot be had")?;
    let key = get(command.key.as_deref().unwrap_or(KEY)).context("the key of the signature cannot be had")?;
    let fingerprint = command.fingerprint.as_deref().unwrap_or(FINGERPRINT);
    let fingerprint = fingerprint.parse().map_err(|error| anyhow::anyhow!("`{fingerprint}`: {error}"))?;
    openpgp::verify(archive, &signature, &key, &fingerprint)
        .context("the release is not verified: nothing was unpacked")?;
    Ok(format!("signed by {fingerprint}, SHA-256 {sum}"))
}

#[expect(clippy::disallowed_methods, reason = "bounded by `take`: a release is under 1 MiB")]
fn read_file(path: &Path) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let bound = BOUNDS.bytes_max as u64 + 1;
    let file = fs::File::open(path).with_context(|| format!("cannot open `{}`", path.display()))?;
    file.take(bound).read_to_end(&mut bytes).with_context(|| format!("cannot read `{}`", path.display()))?;
    ensure!(bytes.len() <= BOUNDS.bytes_max, "`{}` is over {} bytes", path.display(), BOUNDS.bytes_max);
    Ok(bytes)
}

/// Unpacks rules, their data, the settings and the licence into a fresh folder that then takes its place.
fn unpack(archive: &[u8], into: &Path) -> anyhow::Result<usize> {
    let parent = into.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(parent).with_context(|| format!("cannot make `{}`", parent.display()))?;
    let fresh = tempfile::tempdir_in(parent).context("cannot make a folder to unpack into")?;
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(archive).take(UNPACKED_BYTES_MAX));
    let mut rules = 0;
    for (number, entry) in archive.entries().context("it is no archive")?.enumerate() {
        ensure!(number < FILES_MAX, "the archive holds more than {FILES_MAX} files");
        let mut entry = entry.context("the archive is broken or over 64 MiB")?;
        if entry.header().entry_type() != tar::EntryType::Regular {
            continue;
        }
        let Some(path) = wanted(&entry.path().context("the archive is broken")?) else { continue };
        rules += usize::from(path.extension().is_some_and(|it| it == "conf") && path.starts_with("rules"));
        let target = fresh.path().join(&path);
        if let Some(folder) = target.parent() {
            fs::create_dir_all(folder)?;
        }
        let mut file =
            fs::File::create(&target).with_context(|| format!("cannot write `{}`", target.display()))?;
        std::io::copy(&mut entry, &mut file).context("the archive is broken or over 64 MiB")?;
    }
    ensure!(rules > 0, "the archive holds no `rules/*.conf`: it is no release of the CRS");
    let old = parent.join(format!(".{}.old", into.file_name().unwrap_or_default().to_string_lossy()));
    if into.exists() {
        fs::rename(into, &old).with_context(|| format!("cannot move `{}` away", into.display()))?;
    }
    let fresh = fresh.keep();
    fs::rename(&fresh, into).with_context(|| format!("cannot move the rules to `{}`", into.display()))?;
    // Temporary folders are for their owner alone; the gate may run as another.
    #[cfg(unix)]
    fs::set_permissions(into, std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
    if old.exists() {
        fs::remove_dir_all(&old).with_context(|| format!("cannot remove `{}`", old.display()))?;
    }
    Ok(rules)
}

/// Where a file of the archive goes, below its one top folder; `None` for what rules do not need and for paths that
/// would lead elsewhere (CWE-22).
fn wanted(path: &Path) -> Option<PathBuf> {
    let mut steps = path.components().filter(|it| *it != Component::CurDir);
    let plain = |it: Component<'_>| match it {
        Component::Normal(name) => Some(PathBuf::from(name)),
        Component::Prefix(_) | Component::RootDir | Component::CurDir | Component::ParentDir => None,
    };
    steps.next().and_then(plain)?;
    let rest: Vec<PathBuf> = steps.map(plain).collect::<Option<_>>()?;
    let rest: PathBuf = rest.iter().collect();
    let name = rest.to_str()?;
    let is_rule = rest.starts_with("rules")
        && rest.components().count() == 2
        && [".conf", ".conf.example", ".data"].iter().any(|end| name.ends_with(end));
    let is_other = matches!(name, "crs-setup.conf" | "crs-setup.conf.example" | "LICENSE");
    (is_rule || is_other).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_what_rules_need_and_nothing_that_leads_elsewhere() {
        for (path, expected) in [
            ("coreruleset-4.1.0/rules/REQUEST-901.conf", Some("rules/REQUEST-901.conf")),
            ("./coreruleset-4.1.0/rules/a.data", Some("rules/a.data")),
            ("coreruleset-4.1.0/crs-setup.conf.example", Some("crs-setup.conf.example")),
            ("coreruleset-4.1.0/plugins/empty.conf", None),
            ("coreruleset-4.1.0/rules/deep/a.conf", None),
            ("coreruleset-4.1.0/rules/../../a.conf", None),
            ("/etc/rules/a.conf", None),
            ("../rules/a.conf", None),
            ("a.conf", None),
        ] {
            assert_eq!(wanted(Path::new(path)).as_deref(), expected.map(Path::new), "{path}");
        }
    }
}
