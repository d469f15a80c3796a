//! The traps are sound, and as suspicious as they should be.

use portcullis_range::Weaknesses;
use serde_json::{Value, json};

use crate::client::Client;

#[tokio::test]
async fn pages_change_by_themselves_or_never() {
    let client = Client::start(Weaknesses::none(), Vec::new()).await;
    for (target, same) in [
        ("/news", false),
        ("/visits", false),
        ("/wiki/a/b/c", true),
        ("/quiz?question=1", true),
        ("/manual?chapter='", true),
        ("/archive?year=1", true),
    ] {
        let (one, two) = (client.get(target).await, client.get(target).await);
        assert_eq!([one.status, two.status], [200, 200], "{target}");
        assert_eq!(one.body == two.body, same, "{target}");
    }
}

#[tokio::test]
async fn repeated_input_is_escaped() {
    let client = Client::start(Weaknesses::all(), Vec::new()).await;
    let page = client.get("/greeting?name=%22%3E%3Cscript%3E").await;
    assert!(page.text().contains("value=\"&quot;&gt;&lt;script&gt;\""));
    let error = client.get("/help/search?q=%22%3Cb%3E").await;
    assert_eq!(error.status, 404);
    assert!(error.json()["detail"].as_str().is_some_and(|it| it.contains("\"<b>")));
    assert!(error.header("content-type").is_some_and(|it| it.contains("json")));
}

#[tokio::test]
async fn odd_manners() {
    let client = Client::start(Weaknesses::all(), Vec::new()).await;
    let mut statuses = Vec::new();
    for _ in 0..7 {
        statuses.push(client.get("/quota").await.status);
    }
    assert_eq!(statuses, [200, 200, 200, 200, 200, 429, 429]);
    let mut moods = std::collections::BTreeSet::new();
    for _ in 0..60 {
        moods.insert(client.get("/tides").await.status);
    }
    assert!(moods.contains(&200) && moods.contains(&500));
    assert_eq!(
        client.get("/old-shop?item=//evil.example").await.header("location").as_deref(),
        Some("/products")
    );
    assert_eq!(client.get("/weather").await.status, 200);
    let token = client.get("/contact").await.json()["csrf_token"].clone();
    assert_eq!(client.post("/contact", &json!({"csrf_token": "x", "message": "m"})).await.status, 403);
    let form = json!({"csrf_token": token, "message": "m"});
    assert_eq!(client.post("/contact", &form).await.status, 202);
    assert_eq!(client.post("/contact", &form).await.status, 403);
}

#[tokio::test]
async fn objects_that_are_meant_for_others() {
    let client = Client::start(Weaknesses::none(), Vec::new()).await;
    assert_eq!(client.get("/articles/4").await.status, 200);
    let (alice, bob) = (client.login("alice").await, client.login("bob").await);
    let made = client.call(&bob, "POST", "/boards", json!({"text": "for all"})).await;
    let target = made.header("location").expect("a place");
    assert_eq!(client.call(&alice, "GET", &target, Value::Null).await.json()["shared"], true);
    assert!(client.call(&alice, "GET", "/boards", Value::Null).await.text().contains("for all"));
    assert_eq!(client.get(&target).await.status, 401);
}
