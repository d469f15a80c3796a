//! Body processors as rules see them.

use crate::support::{check, form, get, post};

const JSON: &str = "SecAction \"id:90,phase:1,pass,nolog,ctl:requestBodyProcessor=JSON\"\n";
const XML: &str = "SecAction \"id:90,phase:1,pass,nolog,ctl:requestBodyProcessor=XML\"\n";

fn rule(targets: &str, operator: &str) -> String {
    format!("SecRule {targets} \"{operator}\" \"id:1,phase:2,pass,log\"")
}

#[test]
fn json_leaves_are_arguments() {
    let exchange = post("application/json", r#"{"a":{"b":["x","y"]},"n":5}"#);
    check(&format!("{JSON}{}", rule("ARGS:json.a.b.array_1", "@streq y")), &exchange, "1");
    check(&format!("{JSON}{}", rule("ARGS_NAMES", "@streq json.n")), &exchange, "1");
    check(&format!("{JSON}{}", rule("&ARGS", "@eq 3")), &exchange, "1");
    check(&format!("{JSON}{}", rule("&ARGS_POST", "@eq 0")), &exchange, "1");
    check(&format!("{JSON}{}", rule("REQBODY_ERROR", "@eq 0")), &exchange, "1");
    check(&format!("{JSON}{}", rule("REQBODY_PROCESSOR", "@streq JSON")), &exchange, "1");
    check(&rule("&ARGS", "@eq 0"), &exchange, "1");
}

#[test]
fn faults_of_bodies_are_told() {
    let exchange = post("application/json", r#"{"a":"seen","b":"#);
    check(&format!("{JSON}{}", rule("REQBODY_ERROR", "!@eq 0")), &exchange, "1");
    check(
        &format!("{JSON}{}", rule("REQBODY_ERROR_MSG", "@rx ^JSON parsing error: premature end")),
        &exchange,
        "1",
    );
    check(&format!("{JSON}{}", rule("ARGS", "@streq seen")), &exchange, "1");
    check(&format!("{XML}{}", rule("REQBODY_PROCESSOR_ERROR", "@eq 1")), &post("text/xml", "<a>"), "1");
    check(&format!("{XML}{}", rule("REQBODY_PROCESSOR_ERROR", "@eq 0")), &post("text/xml", ""), "1");
    check(&rule("MULTIPART_STRICT_ERROR", "@eq 1"), &post("multipart/form-data; boundary=b", "--b\r\n"), "1");
    check(&rule("URLENCODED_ERROR", "@eq 1"), &form("a=%zz"), "1");
    let deep =
        format!("SecRequestBodyJsonDepthLimit 5\n{JSON}{}", rule("REQBODY_ERROR_MSG", "@contains depth"));
    check(&deep, &post("application/json", "[".repeat(10_000)), "1");
}

#[test]
fn limits_of_arguments_and_of_bodies_without_files() {
    let limit = format!("SecArgumentsLimit 2\n{}", rule("&ARGS", "@eq 2"));
    check(&limit, &get("/?a=1&b=2&c=3"), "1");
    let mut both = form("c=3&d=4");
    both.uri = "/?a=1".to_owned();
    check(&limit, &both, "1");
    let small = format!("SecRequestBodyNoFilesLimit 4\n{}", rule("REQBODY_ERROR", "@eq 1"));
    check(&small, &form("a=123"), "1");
    check(&small, &form("a=12"), "");
}

#[test]
fn xml_is_selected_by_paths() {
    let exchange = post("text/xml", r#"<a x="attr"><b>one</b><b>two</b></a>"#);
    check(&format!("{XML}{}", rule("XML:/*", "@streq onetwo")), &exchange, "1");
    check(&format!("{XML}{}", rule("XML://@*", "@streq attr")), &exchange, "1");
    check(&format!("{XML}{}", rule("XML:/a/b", "@streq two")), &exchange, "1");
    check(&format!("{XML}{}", rule("&XML:/a/b", "@eq 2")), &exchange, "1");
    check(&rule("&XML:/*", "@eq 0"), &exchange, "1");
    check(
        &format!("{XML}{}", rule("XML://s:c", "@streq x").replace("log\"", "log,xmlns:s=urn:s\"")),
        &post("text/xml", "<a xmlns='urn:s'><c>x</c></a>"),
        "1",
    );
    check(&format!("SecParseXmlIntoArgs On\n{XML}{}", rule("ARGS:xml.a.b", "@streq one")), &exchange, "1");
}

#[test]
fn the_raw_body_is_there_but_for_xml() {
    check(&rule("REQUEST_BODY", "@contains a=1"), &form("a=1"), "1");
    let xml = post("text/xml", "<name>text</name>");
    check(&format!("{XML}{}", rule("REQUEST_BODY", "@contains name")), &xml, "");
    let force = "SecAction \"id:91,phase:1,pass,nolog,ctl:forceRequestBodyVariable=On\"\n";
    check(&format!("{XML}{force}{}", rule("REQUEST_BODY", "@contains name")), &xml, "1");
    check(&format!("{XML}{}", rule("REQUEST_BODY", "@contains name")), &post("text/xml", "<name>text"), "1");
    check(&rule("REQUEST_BODY_LENGTH", "@eq 3"), &form("a=1"), "1");
    check(&rule("FULL_REQUEST", "@rx (?s)Host: example.com.*a=1$"), &form("a=1"), "1");
    check(&format!("SecRequestBodyAccess Off\n{}", rule("ARGS", "@streq 1")), &form("a=1"), "");
    check(
        &format!(
            "SecRequestBodyAccess Off\nSecAction \"id:9,phase:1,pass,nolog,ctl:requestBodyAccess=On\"\n{}",
            rule("ARGS", "@streq 1")
        ),
        &form("a=1"),
        "1",
    );
}
