//! Paths that are probed on every address of the internet.

use std::{ops::Range, sync::LazyLock};

use aho_corasick::{AhoCorasick, MatchKind};

use crate::{class::Class, hit::Hit, view::View};

/// A family of paths: what is found at the end of a segment, or as segments.
struct Family {
    rule: &'static str,
    why: &'static str,
    score: u8,
    how: How,
    texts: &'static [&'static str],
}

#[derive(Clone, Copy)]
enum How {
    /// A whole segment, first or later.
    Segment,
    /// The beginning of a segment.
    Begins,
    /// The path's end.
    Ends,
    /// Consecutive segments, anywhere: a path of two and more names.
    Within,
}

const FAMILIES: &[Family] = &[
    Family {
        rule: "version_control_served",
        why: "a version control folder served by mistake",
        score: 10,
        how: How::Segment,
        texts: &[".git", ".svn", ".hg", ".bzr", "cvs", ".gitea"],
    },
    Family {
        rule: "hidden_file_served",
        why: "a file of secrets or of the system that a web server must not serve",
        score: 10,
        how: How::Begins,
        texts: &[
            ".env",
            ".ds_store",
            ".htaccess",
            ".htpasswd",
            ".aws",
            ".ssh",
            ".npmrc",
            ".bash_",
            ".mysql_history",
            ".docker",
            ".kube",
            ".vscode",
            ".idea",
            ".pypirc",
            ".netrc",
            ".pgpass",
            ".dockercfg",
            ".ftpconfig",
            ".remote-sync",
            ".s3cfg",
        ],
    },
    Family {
        rule: "configuration_served",
        why: "a configuration file that a web server must not serve",
        score: 10,
        how: How::Ends,
        texts: &[
            "/web.config",
            "/wp-config.php",
            "/config.inc.php",
            "/localsettings.php",
            "/configuration.php",
            "/settings.php",
            "/database.yml",
            "/appsettings.json",
            "/applicationhost.config",
            "/elasticsearch.yml",
            "/credentials.json",
            "/secrets.json",
            "/secrets.yml",
        ],
    },
    Family {
        rule: "backup_served",
        why: "a copy of source or data left beside what is served",
        score: 10,
        how: How::Ends,
        texts: &[
            ".php~",
            ".php.bak",
            ".php.old",
            ".php.swp",
            ".php.save",
            ".php.txt",
            ".bak",
            ".swp",
            ".sql",
            ".sql.gz",
            ".sql.zip",
            ".sql.tar.gz",
            ".mdb",
            ".old",
            ".orig",
            "/backup.zip",
            "/backup.gz",
            "/backup.tar.gz",
            "/backup.rar",
            "/db.gz",
            "/dump.gz",
            "/www.zip",
            "/wwwroot.zip",
            "/site.tar.gz",
            "/backup.sql",
            "/db.sqlite",
            ".jsp.bak",
            ".asp.bak",
            ".config.bak",
        ],
    },
    Family {
        rule: "actuator_probed",
        why: "an endpoint for operators of Spring Boot",
        score: 8,
        how: How::Within,
        texts: &[
            "actuator/env",
            "actuator/heapdump",
            "actuator/gateway",
            "actuator/threaddump",
            "actuator/jolokia",
            "actuator/httptrace",
            "actuator/logfile",
            "actuator/mappings",
            "actuator/beans",
            "actuator/trace",
            "jolokia/list",
            "actuator/refresh",
        ],
    },
    Family {
        rule: "server_status_probed",
        why: "a web server's page about itself",
        score: 9,
        how: How::Segment,
        texts: &[
            "server-status",
            "server-info",
            "nginx_status",
            "phpinfo.php",
            "info.php",
            "elmah.axd",
            "trace.axd",
            "phpinfo",
            "jkstatus",
            "test.php",
        ],
    },
    Family {
        rule: "admin_console_probed",
        why: "an administration console that no API has",
        score: 9,
        how: How::Begins,
        texts: &[
            "phpmyadmin",
            "pma",
            "myadmin",
            "adminer",
            "jmx-console",
            "web-console",
            "sqladmin",
            "mysqladmin",
            "dbadmin",
            "phppgadmin",
        ],
    },
    Family {
        rule: "known_hole_probed",
        why: "the path of a hole that is exploited all over the internet",
        score: 10,
        how: How::Within,
        texts: &[
            "vendor/phpunit",
            "util/php/eval-stdin.php",
            "_ignition/execute-solution",
            "wls-wsat/",
            "_async/asyncresponseservice",
            "invoker/jmxinvokerservlet",
            "invoker/ejbinvokerservlet",
            "invoker/readonly",
            "boaform/",
            "gponform/",
            "hnap1",
            "remote/fgt_lang",
            "mgmt/tm/util/bash",
            "rest/tinymce/1/macro",
            "cgi-bin/.",
            "bsh.servlet",
            "minio/bootstrap/v1/verify",
            "api/index.php/v1/config",
            "druid/indexer/v1/sampler",
            "sdk/weblanguage",
            "setup.cgi",
            "currentsetting.htm",
            "ws_utc",
            "uddiexplorer",
            "__clockwork",
            "ctrlt/deviceupgrade",
            "struts2-",
            "flex2gateway",
            "cfide/adminapi",
            "solr/debug/dump",
        ],
    },
    Family {
        rule: "exposed_product_probed",
        why: "a product that belongs behind a gateway's own login, not on an API",
        score: 6,
        how: How::Within,
        texts: &[
            "dana-na/",
            "vpns/",
            "tmui/login.jsp",
            "owa/auth",
            "ecp/",
            "autodiscover/autodiscover.json",
            "console/css",
            "console/images",
            "solr/admin",
            "nacos/v1/",
            "apisix/admin",
            "webtools/control",
            "manager/html",
            "manager/text",
            "geoserver/w",
            "debug/pprof",
            "servlet/~",
            "jars/upload",
            "rest/beta/repositories",
            "functionrouter",
            "remote_agent.php",
            "telescope/requests",
            "laravel-filemanager",
            "ueditor/",
            "kindeditor/",
            "fckeditor/",
            "ckeditor/plugins/filemanager",
            "cf_scripts/",
            "cfide/",
            "resin-doc/",
            "cgi-bin/luci",
            "jolokia/",
        ],
    },
    Family {
        rule: "wordpress_probed",
        why: "a path of WordPress, the most probed of all applications",
        score: 6,
        how: How::Begins,
        texts: &[
            "wp-login.php",
            "wp-admin",
            "wp-content",
            "wp-includes",
            "xmlrpc.php",
            "wp-json",
            "wlwmanifest.xml",
        ],
    },
    Family {
        rule: "cgi_script_called",
        why: "a CGI script, as only old servers and appliances have them",
        score: 6,
        how: How::Segment,
        texts: &["cgi-bin", "cgi", "goform", "boafrm", "cgi-sys"],
    },
    Family {
        rule: "web_shell_called",
        why: "the name of a web shell",
        score: 10,
        how: How::Segment,
        texts: &[
            "shell.php",
            "shell.jsp",
            "cmd.php",
            "cmd.jsp",
            "cmd.asp",
            "cmd.aspx",
            "c99.php",
            "r57.php",
            "wso.php",
            "b374k.php",
            "alfa.php",
            "webshell.php",
            "shell.aspx",
            "shell.asp",
            "up.php",
            "eval.php",
            "jspspy.jsp",
            "antsword.php",
            "behinder.php",
        ],
    },
];

/// Families by pattern of the automaton.
struct Table {
    texts: AhoCorasick,
    families: Vec<usize>,
}

#[expect(
    clippy::expect_used,
    reason = "the texts are constants, and a few hundred of them fit any automaton"
)]
static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let all = || {
        FAMILIES
            .iter()
            .enumerate()
            .flat_map(|(place, family)| family.texts.iter().map(move |text| (place, *text)))
    };
    let texts = AhoCorasick::builder()
        .match_kind(MatchKind::Standard)
        .build(all().map(|(_, text)| text))
        .expect("constant texts");
    Table { texts, families: all().map(|(place, _)| place).collect() }
});

/// The surest family that a path belongs to.
pub(super) fn find(view: &View<'_>) -> Option<Hit> {
    let path = view.lower.strip_suffix(b"/").unwrap_or(view.lower);
    let mut best: Option<Hit> = None;
    for found in TABLE.texts.find_overlapping_iter(path) {
        let Some(family) =
            TABLE.families.get(found.pattern().as_usize()).and_then(|place| FAMILIES.get(*place))
        else {
            continue;
        };
        if best.as_ref().is_none_or(|best| best.score < family.score)
            && belongs(path, found.range(), family.how)
        {
            let span = found.range();
            best = Some(Hit {
                class: Class::Fingerprint,
                rule: family.rule,
                score: family.score,
                span,
                why: family.why,
            });
        }
    }
    best.or_else(|| double_ending(path)).or_else(|| proxied_socket(view))
}

/// Whether a text stands in the path where its family asks for it.
fn belongs(path: &[u8], span: Range<usize>, how: How) -> bool {
    let before = span.start.checked_sub(1).and_then(|before| path.get(before));
    let after = path.get(span.end);
    let begins = before.is_none_or(|byte| *byte == b'/');
    match how {
        // Parameters of a segment are none of its name: `;jsessionid=`.
        How::Segment => begins && after.is_none_or(|byte| matches!(byte, b'/' | b';')),
        How::Begins => begins && (after.is_none_or(|byte| !byte.is_ascii_alphabetic()) || span.len() > 4),
        How::Ends => {
            after.is_none()
                && (begins || path.get(span.start).is_some_and(|byte| matches!(byte, b'.' | b'/')))
        }
        How::Within => begins,
    }
}

/// `image.php.jpeg`, `do.php;.png`: two endings, of which the first runs.
fn double_ending(path: &[u8]) -> Option<Hit> {
    const RUNS: [&[u8]; 6] = [b".php", b".jsp", b".asp", b".aspx", b".jspx", b".phtml"];
    const SHOWN: [&[u8]; 7] = [b".jpg", b".jpeg", b".png", b".gif", b".txt", b".ico", b".css"];
    let shown = SHOWN.iter().find(|ending| path.ends_with(ending))?;
    let stem = path.get(..path.len() - shown.len())?;
    let stem = stem.rsplit(|byte| *byte == b'/').next()?;
    let at =
        RUNS.iter().find_map(|ending| memchr::memmem::find(stem, ending).map(|at| (at, ending.len())))?;
    // `.php` must end a word: `x.phpfoo.png` is none.
    let next = stem.get(at.0 + at.1);
    (next.is_none_or(|byte| {
        !byte.is_ascii_alphanumeric() || stem.get(at.0 + at.1..).is_some_and(|rest| rest.starts_with(b"u00"))
    }))
    .then(|| Hit {
        class: Class::Fingerprint,
        rule: "double_ending",
        score: 10,
        span: path.len() - shown.len()..path.len(),
        why: "a script's name with an image's ending",
    })
}

/// `?unix:AAAA…|http://…`: a proxy's socket instead of its backend (CVE-2021-40438), or a long run to overflow it.
pub(super) fn proxied_socket(view: &View<'_>) -> Option<Hit> {
    let rest = view.lower.strip_prefix(b"unix:")?;
    let run = rest.iter().take_while(|byte| **byte == b'a').count();
    (run >= 64 || rest.contains(&b'|')).then_some(Hit {
        class: Class::Fingerprint,
        rule: "proxied_socket",
        score: 10,
        span: 0..5,
        why: "a socket's address where a proxy expects its backend's",
    })
}

/// `class.module.classLoader.…=`: a framework that binds parameters to objects reaches the server's own settings
/// (CVE-2010-1622, CVE-2022-22965).
pub(super) fn bound_class_loader(view: &View<'_>) -> Option<Hit> {
    let at = memchr::memmem::find(view.lower, b"classloader")?;
    let before = view.lower.get(..at)?;
    let is_bound = before.ends_with(b".") || before.ends_with(b"['") || before.ends_with(b"[\"");
    (is_bound && memchr::memmem::find(before, b"class").is_some()).then_some(Hit {
        class: Class::Fingerprint,
        rule: "bound_class_loader",
        score: 10,
        span: 0..at + 11,
        why: "a parameter that reaches the class loader of the server",
    })
}

/// All texts of all families.
#[cfg(test)]
pub(super) fn texts() -> impl Iterator<Item = &'static str> {
    FAMILIES.iter().flat_map(|family| family.texts.iter().copied())
}
