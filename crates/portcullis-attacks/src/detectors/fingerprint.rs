//! Marks of scanners and of exploits for known holes.
//!
//! Families with a reason, not a list of holes: what a scanner calls itself, files that a web server must not serve,
//! consoles that no API has, scripts where an API takes data. A known hole's path says only that somebody looked.

mod agents;
mod families;
mod paths;
mod uploads;

use super::Detector;
use crate::{
    class::Class,
    hit::Hits,
    leaf::{Field, Where},
    view::View,
};

/// Finds scanners' names, probed paths and uploaded scripts.
pub(super) struct Fingerprint;

impl Detector for Fingerprint {
    fn class(&self) -> Class {
        Class::Fingerprint
    }

    fn literals(&self) -> &'static [&'static str] {
        &[
            // Scanners.
            "nikto",
            "sqlmap",
            "nuclei",
            "nmap",
            "masscan",
            "acunetix",
            "nessus",
            "wpscan",
            "dirbuster",
            "gobuster",
            "zgrab",
            "openvas",
            "w3af",
            "arachni",
            "havij",
            "scan",
            "hydra",
            "fuzz",
            "burp",
            "jorgee",
            "zmeu",
            "metasploit",
            "netsparker",
            "whatweb",
            "xsstrike",
            "ffuf",
            "feroxbuster",
            "dirsearch",
            "wfuzz",
            "skipfish",
            "qualys",
            "appspider",
            "webinspect",
            "grabber",
            "commix",
            "libredtail",
            "projectdiscovery",
            "muieblackcat",
            "morfeus",
            "absinthe",
            "paros",
            "vega/",
            "zap/",
            "owasp",
            "sqlninja",
            "bsqlbf",
            "interactsh",
            // Paths.
            "/.",
            "..",
            ".php",
            ".asp",
            ".jsp",
            ".cgi",
            ".bak",
            ".old",
            ".sql",
            ".swp",
            ".ini",
            "~",
            "cgi-bin",
            "actuator",
            "server-status",
            "server-info",
            "phpmyadmin",
            "wp-",
            "console",
            "manager",
            "invoker",
            "jolokia",
            "solr",
            "druid",
            "nacos",
            "wls-wsat",
            "boaform",
            "goform",
            "hnap1",
            "_ignition",
            "pprof",
            "owa/",
            "autodiscover",
            "remote/fgt",
            "vpns",
            "tmui",
            "mgmt/tm",
            "webtools/",
            "apisix",
            "backup",
            "dump",
            ".war",
            ".action",
            ".do",
            "shell",
            "cmd",
            ".cfm",
            ".cfc",
            ".axd",
            ".ashx",
            ".asmx",
            ".env",
            ".ds_store",
            ".htaccess",
            "web.config",
            "config.",
            "debug/",
            "telescope",
            "struts",
            "weblogic",
            "_async",
            "jmx",
            "portal/",
            ".phtml",
            ".phar",
            ".sh",
            ".exe",
            ".pl",
            "bsh.",
            "servlet/",
            "unix:",
            "cvs",
            "appsettings",
            "applicationhost",
            "secrets.",
            "credentials.",
            ".yml",
            ".gz",
            ".zip",
            "nginx_status",
            "phpinfo",
            "jkstatus",
            "pma",
            "admin",
            "phpunit",
            "gponform",
            "tinymce",
            "weblanguage",
            "currentsetting",
            "ws_utc",
            "uddiexplorer",
            "__clockwork",
            "deviceupgrade",
            "flex2gateway",
            "cfide",
            "dana-na",
            "ecp/",
            "geoserver",
            "jars/upload",
            "beta/repositories",
            "functionrouter",
            "editor/",
            "cf_scripts",
            "resin-doc",
            "wlwmanifest",
            "cgi",
            "boafrm",
            "webscarab",
            "n-stealth",
            "pangolin",
            "fimap",
            "internetmeasurement",
            "dotdotpwn",
            "detectify",
            "probely",
            "invicti",
            "kadimus",
            "tplmap",
            "cmsmap",
            "cvs",
            "minio/",
            "index.php/v1",
            "classloader",
        ]
    }

    fn inspect(&self, view: &View<'_>, hits: &mut Hits) {
        match view.leaf.at {
            Where::Header if view.leaf.field == Field::UserAgent => hits.extend(agents::find(view)),
            Where::Header if view.leaf.name.eq_ignore_ascii_case("x-scanner") => {
                hits.extend(agents::find(view))
            }
            Where::Path => hits.extend(paths::find(view)),
            Where::Body if view.leaf.field == Field::File && view.leaf.name == "filename" => {
                hits.extend(uploads::find(view))
            }
            Where::Name => {
                hits.extend(paths::proxied_socket(view).or_else(|| paths::bound_class_loader(view)))
            }
            Where::Header | Where::Query | Where::Cookie | Where::Body => {}
        }
    }
}

#[cfg(test)]
#[path = "fingerprint/tests.rs"]
mod tests;
