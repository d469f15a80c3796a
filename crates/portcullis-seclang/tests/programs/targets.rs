//! Variables, selectors, counts, exclusions, operators over them.

use crate::support::{check, check_text, form, get, post};

fn rule(targets: &str, operator: &str) -> String {
    format!("SecRule {targets} \"{operator}\" \"id:1,phase:2,pass,log\"")
}

fn matches(targets: &str, operator: &str, exchange: &crate::support::Exchange) {
    check(&rule(targets, operator), exchange, "1");
}

fn misses(targets: &str, operator: &str, exchange: &crate::support::Exchange) {
    check(&rule(targets, operator), exchange, "");
}

#[test]
fn arguments_come_from_query_and_body() {
    let both = form("b=2&c=x%20y");
    let mut both = both;
    both.uri = "/p?a=1".to_owned();
    for (targets, value) in
        [("ARGS", "1"), ("ARGS", "2"), ("ARGS", "x y"), ("ARGS_GET", "1"), ("ARGS_POST", "2")]
    {
        matches(targets, &format!("@streq {value}"), &both);
    }
    misses("ARGS_GET", "@streq 2", &both);
    misses("ARGS_POST", "@streq 1", &both);
    matches("ARGS_NAMES", "@streq c", &both);
    matches("ARGS_GET_NAMES", "@streq a", &both);
    misses("ARGS_GET_NAMES", "@streq b", &both);
    matches("ARGS_POST_NAMES", "@streq b", &both);
    matches("ARGS_COMBINED_SIZE", "@eq 8", &both);
    matches("&ARGS", "@eq 3", &both);
}

#[test]
fn selectors_choose_by_name_in_any_case() {
    let exchange = get("/?Name=1&other=2");
    matches("ARGS:name", "@streq 1", &exchange);
    misses("ARGS:name", "@streq 2", &exchange);
    matches("ARGS:/^na/", "@streq 1", &exchange);
    misses("ARGS:/^na/", "@streq 2", &exchange);
    matches("&ARGS:name", "@eq 1", &exchange);
    matches("&ARGS:none", "@eq 0", &exchange);
    misses("ARGS:none", "!@rx x", &exchange);
}

#[test]
fn exclusions_leave_values_out() {
    let exchange = get("/?a=x&b=x&ab=y");
    misses("ARGS|!ARGS:a|!ARGS:b", "@streq x", &exchange);
    matches("ARGS|!ARGS:a", "@streq x", &exchange);
    misses("ARGS|!ARGS:/^.$/", "@streq x", &exchange);
    matches("&ARGS|!ARGS:/^.$/", "@eq 1", &exchange);
    misses("ARGS_NAMES|!ARGS_NAMES:a|!ARGS_NAMES:ab", "@beginsWith a", &exchange);
    let update = "SecRuleUpdateTargetById 1 \"!ARGS:a\"";
    check(&format!("{}\n{update}", rule("ARGS", "@streq x")), &get("/?a=x"), "");
    check(&format!("{}\n{update}", rule("ARGS", "@streq x")), &get("/?b=x"), "1");
}

#[test]
fn request_line_and_target_are_taken_apart() {
    let exchange = get("/a%20b/c.php?q=%41#frag");
    for (variable, value) in [
        ("REQUEST_METHOD", "GET"),
        ("REQUEST_PROTOCOL", "HTTP/1.1"),
        ("REQUEST_LINE", "GET /a%20b/c.php?q=%41#frag HTTP/1.1"),
        ("REQUEST_URI_RAW", "/a%20b/c.php?q=%41#frag"),
        ("REQUEST_URI", "/a b/c.php?q=A"),
        ("REQUEST_FILENAME", "/a b/c.php"),
        ("REQUEST_BASENAME", "c.php"),
        ("QUERY_STRING", "q=%41"),
        ("REMOTE_ADDR", "192.0.2.7"),
        ("REMOTE_PORT", "4321"),
        ("SERVER_ADDR", "198.51.100.1"),
        ("SERVER_PORT", "443"),
        ("SERVER_NAME", "example.com"),
        ("UNIQUE_ID", "0123456789abcdef"),
    ] {
        matches(variable, &format!("@streq {value}"), &exchange);
        misses(variable, &format!("@streq {value}."), &exchange);
    }
    matches("REQUEST_URI", "@streq /x?y", &get("http://example.com/x?y"));
}

#[test]
fn headers_and_cookies() {
    let exchange = get("/")
        .with("User-Agent", "probe")
        .with("Cookie", "a=1; b = 2;; c; =d; e=f=g  ")
        .with("Authorization", "Basic abc");
    matches("REQUEST_HEADERS:user-agent", "@streq probe", &exchange);
    matches("REQUEST_HEADERS", "@streq probe", &exchange);
    matches("REQUEST_HEADERS_NAMES", "@streq User-Agent", &exchange);
    matches("&REQUEST_HEADERS", "@eq 4", &exchange);
    matches("&REQUEST_HEADERS:X-None", "@eq 0", &exchange);
    matches("REQUEST_COOKIES:a", "@streq 1", &exchange);
    matches("REQUEST_COOKIES:c", "@rx ^$", &exchange);
    matches("REQUEST_COOKIES:e", "@streq f=g", &exchange);
    matches("REQUEST_COOKIES_NAMES", "@streq e", &exchange);
    matches("&REQUEST_COOKIES", "@eq 4", &exchange);
    matches("AUTH_TYPE", "@streq Basic", &exchange);
}

#[test]
fn responses_are_seen_from_phase_three_on() {
    let exchange = get("/").answered(500, "<html>error</html>");
    let rule = |phase: u8, targets: &str, operator: &str| {
        format!("SecRule {targets} \"{operator}\" \"id:1,phase:{phase},pass,log\"")
    };
    check(&rule(3, "RESPONSE_STATUS", "@eq 500"), &exchange, "1");
    check(&rule(3, "RESPONSE_HEADERS:content-type", "@contains html"), &exchange, "1");
    check(&rule(3, "RESPONSE_CONTENT_TYPE", "@streq text/html"), &exchange, "1");
    check(&rule(4, "RESPONSE_BODY", "@contains error"), &exchange, "1");
    check(&rule(3, "RESPONSE_BODY", "@contains error"), &exchange, "");
    check(&rule(4, "RESPONSE_CONTENT_LENGTH", "@eq 18"), &exchange, "1");
    check(
        &format!("SecResponseBodyMimeType text/plain\n{}", rule(4, "RESPONSE_BODY", "@contains error")),
        &exchange,
        "",
    );
    check(
        &format!("SecResponseBodyAccess Off\n{}", rule(4, "RESPONSE_BODY", "@contains error")),
        &exchange,
        "",
    );
}

#[test]
fn operators_may_be_negated_and_take_macros() {
    let exchange = get("/?a=1&b=2&host=example.com");
    matches("ARGS:a", "!@streq 2", &exchange);
    misses("ARGS:a", "!@streq 1", &exchange);
    matches("ARGS:host", "@streq %{SERVER_NAME}", &exchange);
    misses("ARGS:a", "@streq %{SERVER_NAME}", &exchange);
    matches("ARGS:a", "@lt %{ARGS.b}", &exchange);
    misses("ARGS:b", "@lt %{ARGS.a}", &exchange);
    matches("SERVER_NAME", "@rx ^%{ARGS.host}$", &exchange);
    matches("REQUEST_METHOD", "@within GET HEAD", &exchange);
}

#[test]
fn transformations_apply_in_order() {
    let program = "SecRule ARGS \"@streq <script>\" \"id:1,phase:2,pass,log,t:none,t:urlDecodeUni,t:htmlEntityDecode,t:lowercase\"";
    check(program, &get("/?a=%252526lt%3bSCRIPT%26gt%3b"), "");
    check(program, &get("/?a=%26lt%3bSCRIPT%26gt%3b"), "1");
    check(program, &get("/?a=%2526lt;SCRIPT%2526gt;"), "1");
    check("SecRule ARGS \"@eq 3\" \"id:1,phase:2,pass,log,t:length\"", &get("/?a=abc"), "1");
}

#[test]
fn multi_match_judges_every_step() {
    let program = |multi: &str| {
        format!(
            "SecRule ARGS \"@rx ^(?:A%42|AB|ab)$\" \"id:1,phase:2,pass,log,t:none,t:urlDecode,t:lowercase{multi}\""
        )
    };
    check(&program(""), &get("/?a=A%2542"), "1");
    check(&program(",multiMatch"), &get("/?a=A%2542"), "1 1 1");
    check(&program(",multiMatch"), &get("/?a=ab"), "1");
}

#[test]
fn what_matched_can_be_looked_at_again() {
    check_text(
        "SecRule ARGS \"@rx (o)(n)(z)?\" \"id:1,phase:2,pass,log,capture,msg:'m %{TX.1}-%{tx.2}-%{TX.3}',logdata:'%{MATCHED_VAR_NAME}=%{MATCHED_VAR} %{rule.id} %{TX.0}'\"",
        &get("/?x=1&a=ton"),
        "m o-n-",
        "ARGS:a=ton 1 on",
    );
    let chain = r#"
        SecRule ARGS "@rx ^x" "id:1,phase:2,pass,log,chain"
            SecRule MATCHED_VARS "@rx y$" "chain"
                SecRule MATCHED_VARS_NAMES "@streq ARGS:b""#;
    check(chain, &get("/?a=xx&b=xy"), "1");
    check(chain, &get("/?a=xy&b=yy"), "");
    check(
        "SecRule ARGS \"@rx ^x\" \"id:1,phase:2,pass,log,chain\"\nSecRule MATCHED_VAR \"@streq xb\"",
        &get("/?a=xa&b=xb"),
        "1",
    );
    // A capture forgets the groups of the one before.
    check(
        "SecRule ARGS \"@rx (a)(b)\" \"id:1,phase:2,pass,nolog,capture\"\nSecRule ARGS \"@rx (c)\" \"id:2,phase:2,pass,nolog,capture\"\nSecRule &TX:2 \"@eq 0\" \"id:3,phase:2,pass,log\"",
        &get("/?x=ab&y=c"),
        "3",
    );
}

#[test]
fn phrases_come_from_lists_and_files() {
    matches("ARGS", "@pm alpha beta", &get("/?a=xBETAx"));
    misses("ARGS", "@pm alpha beta", &get("/?a=gamma"));
    matches("ARGS", "@pmFromFile words.data", &get("/?a=a+hay+stack"));
    misses("ARGS", "@pmFromFile words.data", &get("/?a=haystack"));
}

#[test]
fn several_targets_are_looked_at_in_their_order() {
    check_text(
        "SecRule ARGS_NAMES|REQUEST_HEADERS:Host|ARGS \"@rx .\" \"id:1,phase:2,pass,log,msg:'x',logdata:'%{MATCHED_VAR_NAME}'\"",
        &get("/?a=1"),
        "x",
        "ARGS:a",
    );
}

#[test]
fn files_of_a_multipart_body() {
    let body = "--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a.php\"\r\nContent-Type: text/plain\r\n\r\n12345\r\n--b--\r\n";
    let exchange = post("multipart/form-data; boundary=b", body);
    matches("FILES", "@streq a.php", &exchange);
    matches("FILES_NAMES", "@streq f", &exchange);
    matches("FILES_SIZES", "@eq 5", &exchange);
    matches("FILES_COMBINED_SIZE", "@eq 5", &exchange);
    matches("FILES_TMP_CONTENT", "@streq 12345", &exchange);
    matches("MULTIPART_PART_HEADERS:f", "@streq Content-Type: text/plain", &exchange);
    matches("&MULTIPART_PART_HEADERS", "@eq 2", &exchange);
    matches("MULTIPART_STRICT_ERROR", "@eq 0", &exchange);
    matches("REQBODY_PROCESSOR", "@streq MULTIPART", &exchange);
}
