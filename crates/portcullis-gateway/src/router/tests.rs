//! Calls in, operations out: the precedence of routes.

use portcullis_core::{chain::Mode, context::Operation};

use super::*;
use crate::{
    plan::{OptionsPolicy, Unknown},
    upstream::{Scheme, ServerSettings, Upstream, UpstreamSettings},
};

struct Zeros;

impl portcullis_core::clock::Entropy for Zeros {
    fn fill(&self, buffer: &mut [u8]) {
        buffer.fill(0);
    }
}

fn upstream() -> Arc<Upstream> {
    let server = ServerSettings {
        scheme: Scheme::Http,
        host: "127.0.0.1".into(),
        port: 1,
        weight: 1,
        base_path: Box::default(),
    };
    Upstream::new(UpstreamSettings::new("none", vec![server]), 1, &Zeros).unwrap()
}

fn api(name: &str, hosts: &[&str], prefix: &str, routes: &[&str]) -> ApiPlan {
    let endpoint = |route: &&str| {
        let (method, template) = route.split_once(' ').unwrap();
        Arc::new(Endpoint::new(
            Operation {
                api: name.into(),
                id: format!("{name}: {route}").into(),
                method: method.into(),
                template: template.into(),
            },
            upstream(),
        ))
    };
    ApiPlan {
        name: name.into(),
        hosts: hosts.iter().map(|host| Box::from(*host)).collect(),
        prefix: prefix.into(),
        endpoints: routes.iter().map(endpoint).collect(),
        unknown: Unknown { paths: Mode::Block, methods: Mode::Block, endpoint: None },
        cors: None,
        head: HeadPolicy::AsGet,
        options: OptionsPolicy::Declared,
    }
}

fn route(router: &Router, host: &str, method: &str, path: &str) -> String {
    match router.route(host, &method.parse().unwrap(), path) {
        Routed::Operation(_, endpoint, parameters) => {
            let mut text = endpoint.operation.id.to_string();
            for (name, range) in parameters {
                text.push_str(&format!(" {name}={}", path.get(range).unwrap()));
            }
            text
        }
        Routed::NoMethod(api, methods) => format!("{}: 405 {}", api.name, methods.join(",")),
        Routed::NoPath(api) => format!("{}: 404", api.name),
        Routed::NoApi => "404".to_owned(),
    }
}

#[test]
fn finds_the_most_particular_template() {
    let routes = [
        "GET /orders",
        "POST /orders",
        "GET /orders/{id}",
        "GET /orders/latest",
        "GET /orders/{id}/items/{item}",
        "GET /orders/latest/x",
        "GET /files/{name}.{ext}",
        "GET /files/{name}",
        "POST /files/{name}:cancel",
        "GET /v{n}",
        "GET /{a}",
        "DELETE /{b}/c",
        "GET /rest/{*path}",
        "* /any",
        "GET /a b",
        "GET /end/",
    ];
    let router = Router::new(vec![api("t", &[], "", &routes)]).unwrap();
    for (call, expected) in [
        ("GET /orders", "t: GET /orders"),
        ("HEAD /orders", "t: GET /orders"),
        ("PUT /orders", "t: 405 GET,POST"),
        ("GET /orders/17", "t: GET /orders/{id} id=17"),
        ("GET /orders/latest", "t: GET /orders/latest"),
        ("GET /orders/latest/items/5", "t: GET /orders/{id}/items/{item} id=latest item=5"),
        ("GET /orders/", "t: 404"),
        ("GET /orders/17/", "t: 404"),
        ("GET /files/a.b.c", "t: GET /files/{name}.{ext} name=a ext=b.c"),
        ("GET /files/.x", "t: GET /files/{name} name=.x"),
        ("GET /files/ab", "t: GET /files/{name} name=ab"),
        ("POST /files/ab:cancel", "t: POST /files/{name}:cancel name=ab"),
        ("POST /files/:cancel", "t: 405 GET"),
        ("GET /v12", "t: GET /v{n} n=12"),
        ("GET /v", "t: GET /{a} a=v"),
        ("GET /x", "t: GET /{a} a=x"),
        ("DELETE /x/c", "t: DELETE /{b}/c b=x"),
        ("DELETE /orders/c", "t: DELETE /{b}/c b=orders"),
        ("GET /rest/a/b", "t: GET /rest/{*path} path=a/b"),
        ("PURGE /any", "t: * /any"),
        ("GET /a%20b", "t: GET /a b"),
        ("GET /end/", "t: GET /end/"),
        ("GET /", "t: 404"),
        ("GET /x/y/z", "t: 404"),
    ] {
        let (method, path) = call.split_once(' ').unwrap();
        assert_eq!(route(&router, "any.example:8080", method, path), expected, "{call}");
    }
}

#[test]
fn follows_the_precedence_of_the_gateway_api() {
    let router = Router::new(vec![
        api("root", &[], "", &["GET /", "GET /v1/exact", "GET /{x}/{y}"]),
        api("v1", &[], "/v1", &["GET /v1/{x}", "POST /v1/exact"]),
        api("v1beta", &[], "/v1/beta", &["GET /v1/beta/{x}"]),
        api("host", &["api.example.com"], "", &["GET /{x}"]),
        api("wild", &["*.example.com"], "", &["GET /{x}"]),
        api("deep", &["*.api.example.com"], "", &["GET /{x}"]),
    ])
    .unwrap();
    for (host, call, expected) in [
        ("x", "GET /v1/exact", "root: GET /v1/exact"),
        ("x", "POST /v1/exact", "v1: POST /v1/exact"),
        ("x", "GET /v1/other", "v1: GET /v1/{x} x=other"),
        ("x", "GET /v10/other", "root: GET /{x}/{y} x=v10 y=other"),
        ("x", "GET /v1/beta/z", "v1beta: GET /v1/beta/{x} x=z"),
        ("x", "GET /v1/beta/z/z", "v1beta: 404"),
        ("api.example.com:443", "GET /a", "host: GET /{x} x=a"),
        ("www.example.com", "GET /a", "wild: GET /{x} x=a"),
        ("a.b.example.com", "GET /a", "wild: GET /{x} x=a"),
        ("x.api.example.com", "GET /a", "deep: GET /{x} x=a"),
        ("example.com", "GET /", "root: GET /"),
        ("api.example.com", "GET /v1/other", "v1: GET /v1/{x} x=other"),
        ("api.example.com", "PUT /a", "host: 405 GET"),
    ] {
        let (method, path) = call.split_once(' ').unwrap();
        assert_eq!(route(&router, host, method, path), expected, "{host} {call}");
    }
}

#[test]
fn apis_that_share_a_prefix_share_their_paths() {
    let router = Router::new(vec![
        api("a", &["h"], "", &["GET /a", "GET /s/{x}"]),
        api("b", &["h"], "", &["GET /b", "POST /s/{y}"]),
    ])
    .unwrap();
    assert_eq!(route(&router, "h", "GET", "/b"), "b: GET /b");
    assert_eq!(route(&router, "h", "POST", "/s/1"), "b: POST /s/{y} y=1");
    assert_eq!(route(&router, "h", "DELETE", "/s/1"), "a: 405 GET");
    assert_eq!(route(&router, "other", "GET", "/a"), "404");
}

#[test]
fn a_path_that_may_be_read_as_another_operation_is_none() {
    let routes = [
        "GET /users",
        "GET /users/admin",
        "GET /users/{id}",
        "POST /users/search",
        "POST /users/{id}:cancel",
        "POST /users/{id}",
        "GET /users/{id}/orders",
        "GET /{any}/admin",
        "GET /x:cancel",
        "GET /{one}",
        "GET /UserGroups/{id}",
        "GET /UserGroups/All",
        "GET /v{n}/x",
        "GET /v1/x",
        "GET /files/{*path}",
        "GET /files/secret",
    ];
    let router = Router::new(vec![api("t", &[], "", &routes)]).unwrap();
    for call in [
        "GET /users/Admin",
        "GET /users/admin%20",
        "GET /users/%20admin",
        "GET /users/admin.",
        "GET /users/admin%2E%20.",
        "GET /users/%2561dmin",
        "GET /users/admin%3Bx",
        "GET /users/admin;x=1",
        "GET /users/admin;",
        "GET /Users/admin",
        "GET /users%20/ADMIN",
        "GET /users/%20",
        "GET /users/ad%4Din",
        "GET /x%3Acancel",
        "GET /X:cancel",
        "POST /users/5%3Acancel",
        "POST /users/5:Cancel",
        "POST /users/5:cancel.",
        "POST /users/Search",
        "GET /UserGroups/all",
        "GET /usergroups/All",
        "GET /V1/x",
        "GET /v1;a/x",
        "GET /files/Secret",
        "GET /files/secret/",
        "GET /files/secret/%20",
    ] {
        let (method, path) = call.split_once(' ').unwrap();
        let path = crate::target::check_path(path).unwrap();
        assert_eq!(route(&router, "h", method, &path), "t: 404", "{call}");
    }
    for (call, expected) in [
        ("GET /users/admin", "t: GET /users/admin"),
        ("GET /users/Alice", "t: GET /users/{id} id=Alice"),
        ("GET /users/a%20b.", "t: GET /users/{id} id=a%20b."),
        ("GET /users/;id=5", "t: GET /users/{id} id=;id=5"),
        ("GET /users/admin/orders", "t: GET /users/{id}/orders id=admin"),
        ("GET /users/Admin/orders", "t: GET /users/{id}/orders id=Admin"),
        ("GET /users/Search", "t: GET /users/{id} id=Search"),
        ("GET /Groups/admin", "t: GET /{any}/admin any=Groups"),
        ("POST /users/5:cancel", "t: POST /users/{id}:cancel id=5"),
        ("POST /users/5:stop", "t: POST /users/{id} id=5:stop"),
        ("GET /UserGroups/All", "t: GET /UserGroups/All"),
        ("GET /USERGROUPS", "t: GET /{one} one=USERGROUPS"),
        ("GET /UserGroups/7", "t: GET /UserGroups/{id} id=7"),
        ("GET /v1/x", "t: GET /v1/x"),
        ("GET /v2/x", "t: GET /v{n}/x n=2"),
        ("GET /files/Other/", "t: GET /files/{*path} path=Other/"),
    ] {
        let (method, path) = call.split_once(' ').unwrap();
        assert_eq!(route(&router, "h", method, path), expected, "{call}");
    }
}

#[test]
fn a_path_that_may_belong_to_another_api_is_none() {
    let router = Router::new(vec![
        api("root", &[], "", &["GET /v1/Exact", "GET /{x}/{y}", "GET /rest/{*rest}"]),
        api("v1", &[], "/v1", &["GET /v1/{x}"]),
        api("twin a", &["h"], "", &["GET /users/admin"]),
        api("twin b", &["h"], "", &["GET /users/{id}"]),
        api("any", &["*.example"], "", &["* /{*rest}"]),
        api("one", &["one.example"], "/v1", &["GET /v1/{x}", "GET /v1/admin"]),
    ])
    .unwrap();
    for (host, call, expected) in [
        ("x", "GET /v1/Exact", "root: GET /v1/Exact"),
        ("x", "GET /v1/exact", "v1: 404"),
        ("x", "GET /v1/other", "v1: GET /v1/{x} x=other"),
        ("x", "GET /V1/other", "root: 404"),
        ("x", "GET /v1;a/other", "root: 404"),
        ("x", "GET /v10/other", "root: GET /{x}/{y} x=v10 y=other"),
        ("h", "GET /users/5", "twin b: GET /users/{id} id=5"),
        ("h", "GET /users/Admin", "twin b: 404"),
        ("one.example", "GET /v1/Admin", "one: 404"),
        ("one.example", "GET /V1/admin", "any: 404"),
        ("two.example", "GET /V1/admin", "any: * /{*rest} rest=V1/admin"),
    ] {
        let (method, path) = call.split_once(' ').unwrap();
        assert_eq!(route(&router, host, method, path), expected, "{host} {call}");
    }
}

#[test]
fn hosts_are_one_however_they_are_spelled() {
    let routes = ["GET /"];
    let hosts = ["API.example.com.", "*.Example.org.", "2001:DB8:0::1", "[::1]", "127.0.0.1"];
    let router = Router::new(vec![api("t", &hosts, "", &routes)]).unwrap();
    for host in [
        "api.example.com",
        "API.example.com.:443",
        "a.example.org.",
        "[2001:db8::1]:8443",
        "[2001:0DB8:0:0::1]",
        "[0:0::1]",
        "127.0.0.1:80",
    ] {
        let host = crate::target::plain_authority(host).unwrap();
        assert_eq!(route(&router, &host, "GET", "/"), "t: GET /", "{host}");
    }
    for host in ["", ".", "*.", "*", "*.[::1]", "a b", "a..b", "[::g]", "h:80"] {
        assert!(Router::new(vec![api("t", &[host], "", &routes)]).is_err(), "{host}");
    }
}

#[test]
fn says_what_cannot_be_routed() {
    let build = |routes: &[&str]| {
        let errors = Router::new(vec![api("t", &[], "/v1", routes)]).err().unwrap_or_default();
        errors.into_iter().map(|error| error.to_string()).collect::<Vec<_>>()
    };
    assert!(build(&["GET /v1/{a}", "GET /v1/{b}/c"]).is_empty());
    assert_eq!(build(&["GET /v1/{a", "GET /v1/a}", "GET /v1/{}", "GET /v1/{a}{b}"]).len(), 4);
    assert_eq!(build(&["GET /v1/{a}/{a}", "GET /v1/{*a}/b", "GET /v1/.."]).len(), 3);
    assert_eq!(
        build(&["GET /v2/x"]),
        ["path template `/v2/x` does not begin with the path `/v1` of api `t`"]
    );
    assert_eq!(
        build(&["GET /v1/{a}", "GET /v1/{b}"]),
        ["`GET /v1/{b}` of api `t` is routed twice: `t: GET /v1/{a}` and `t: GET /v1/{b}`"]
    );
}

#[test]
fn a_hostile_path_costs_no_more_than_the_templates() {
    let deep: Vec<String> = (0..12)
        .map(|bits: u32| {
            let segments: Vec<_> =
                (0..12).map(|at| if at == bits { "a".to_owned() } else { format!("{{p{at}}}") }).collect();
            format!("GET /{}/end{bits}", segments.join("/"))
        })
        .collect();
    let routes: Vec<&str> = deep.iter().map(String::as_str).collect();
    let router = Router::new(vec![api("t", &[], "", &routes)]).unwrap();
    assert_eq!(route(&router, "h", "GET", &"/a".repeat(13)), "t: 404");
    for segment in ["/A", "/a%20.", "/%61", "/a;a;a"] {
        assert_eq!(route(&router, "h", "GET", &segment.repeat(13)), "t: 404");
    }
}
