//! The rule set, set up as its authors set it up for the suite: detection only, every rule of the paranoia level, and limits
//! low enough that the cases which go over them stay short.

use std::{
    fs,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use portcullis_seclang::{
    Clock, Collections, CompileOptions, Engine, Ports, Stored, UniqueIds,
    source::{Files, Source},
};

/// Before the rule set: bodies are read, by the parser that their media type asks for, and faults of theirs are told.
const BASE: &str = r#"
SecRuleEngine DetectionOnly
SecRequestBodyAccess On
SecRequestBodyLimit 13107200
SecRequestBodyNoFilesLimit 131072
SecRequestBodyJsonDepthLimit 512
SecArgumentsLimit 1000
SecResponseBodyAccess On
SecResponseBodyMimeType text/plain text/html text/xml application/json
SecResponseBodyLimit 524288
SecArgumentSeparator &
SecCookieFormat 0
SecRule REQUEST_HEADERS:Content-Type "@rx ^(?:application|text)/(?:[a-z0-9.-]+\+)?xml" "id:100,phase:1,t:none,t:lowercase,pass,nolog,ctl:requestBodyProcessor=XML"
SecRule REQUEST_HEADERS:Content-Type "@rx ^application/(?:[a-z0-9.-]+\+)?json" "id:101,phase:1,t:none,t:lowercase,pass,nolog,ctl:requestBodyProcessor=JSON"
SecRule REQBODY_ERROR "!@eq 0" "id:102,phase:2,t:none,pass,log,msg:'The body could not be read',logdata:'%{REQBODY_ERROR_MSG}'"
SecRule MULTIPART_STRICT_ERROR "!@eq 0" "id:103,phase:2,t:none,pass,log,msg:'The multipart body is not well-formed'"
"#;

/// Loads and compiles; a fault of the rules stops the run with all that is wrong.
pub fn engine(folder: &Path, paranoia: u8) -> Engine {
    let folder = fs::canonicalize(folder).unwrap();
    let at = folder.display();
    let text = format!(
        "{BASE}
Include {at}/crs-setup.conf
SecAction \"id:900000,phase:1,pass,t:none,nolog,setvar:tx.blocking_paranoia_level={paranoia},setvar:tx.detection_paranoia_level={paranoia}\"
SecAction \"id:900300,phase:1,pass,t:none,nolog,setvar:tx.max_num_args=255,setvar:tx.arg_name_length=100,setvar:tx.arg_length=400,setvar:tx.total_arg_length=6400\"
SecAction \"id:900350,phase:1,pass,t:none,nolog,setvar:tx.max_file_size=64100,setvar:tx.combined_file_sizes=65535\"
Include {at}/rules/*.conf
"
    );
    load("suite.conf", text.as_bytes())
}

/// Loads and compiles one source with all that it includes.
pub fn load(name: &str, text: &[u8]) -> Engine {
    let rules =
        portcullis_seclang::load(&[Source::new(name, text)], &Disk).unwrap_or_else(|faults| stop(&faults));
    Engine::compile(rules, &Disk, ports(), &CompileOptions::default()).unwrap_or_else(|faults| stop(&faults))
}

fn stop<T>(faults: &[impl std::fmt::Display]) -> T {
    let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
    panic!("the rules cannot be loaded:\n{}", faults.join("\n"))
}

/// The file system.
struct Disk;

impl Files for Disk {
    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        fs::read(path).map_err(|error| error.to_string())
    }

    fn list(&self, pattern: &str) -> Result<Vec<String>, String> {
        let (folder, name) = pattern.rsplit_once('/').ok_or("no folder")?;
        let end = name.strip_prefix('*').ok_or("only `*` at the beginning is understood")?;
        let entries = fs::read_dir(folder).map_err(|error| error.to_string())?;
        let mut paths: Vec<String> = entries
            .filter_map(|entry| Some(entry.ok()?.path().to_str()?.to_owned()))
            .filter(|path| path.ends_with(end))
            .collect();
        paths.sort();
        Ok(paths)
    }
}

/// Time that stands still, ids that count up, and collections that forget: no case needs what an earlier one left.
fn ports() -> Ports {
    Ports {
        clock: Arc::new(Still),
        ids: Arc::new(Counted::default()),
        collections: Some(Arc::new(Forgetful)),
        outside: None,
    }
}

struct Still;

impl Clock for Still {
    fn unix_micros(&self) -> u64 {
        1_795_521_600_000_000
    }
}

#[derive(Default)]
struct Counted(AtomicU64);

impl UniqueIds for Counted {
    fn unique_id(&self) -> String {
        format!("{:024x}", self.0.fetch_add(1, Ordering::Relaxed))
    }
}

struct Forgetful;

impl Collections for Forgetful {
    fn load(&self, _collection: &str, _key: &[u8]) -> Vec<Stored> {
        Vec::new()
    }

    fn add(&self, _collection: &str, _key: &[u8], _name: &[u8], delta: i64) -> i64 {
        delta
    }

    fn set(&self, _collection: &str, _key: &[u8], _name: &[u8], _value: &[u8]) {}

    fn unset(&self, _collection: &str, _key: &[u8], _name: &[u8]) {}

    fn expire(&self, _collection: &str, _key: &[u8], _name: &[u8], _secs: u64) {}
}
