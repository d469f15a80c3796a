//! Steps, and things that are good for once.

use serde_json::{Value, json};

use crate::client::{Client, twins};

async fn code(client: &Client, token: &str, path: &str) -> Value {
    client.call(token, "POST", path, Value::Null).await.json()
}

#[tokio::test]
async fn once_is_twice() {
    twins("flow-twice", async |client| {
        let token = client.login("alice").await;
        let card = code(client, &token, "/gift-cards").await;
        let first = client.call(&token, "POST", "/gift-cards/redeem", card.clone()).await;
        assert_eq!(first.json()["balance"], 10.0);
        client.call(&token, "POST", "/gift-cards/redeem", card).await;
        client.call(&token, "GET", "/me", Value::Null).await.json()["wallet"]["balance"] == 20.0
    })
    .await;
    twins("flow-race", async |client| {
        let token = client.login("alice").await;
        let voucher = code(client, &token, "/vouchers").await;
        let claim = || client.call(&token, "POST", "/vouchers/claim", voucher.clone());
        let (one, two, three, four) = tokio::join!(claim(), claim(), claim(), claim());
        let good = [one, two, three, four].iter().filter(|it| it.status == 200).count();
        assert!(good >= 1);
        // One after another it is refused, in both twins.
        assert_eq!(claim().await.status, 409);
        good > 1
    })
    .await;
    twins("flow-replay", async |client| {
        let token = client.login("alice").await;
        let ticket = code(client, &token, "/downloads").await;
        let target = format!("/downloads/file?ticket={}", ticket["ticket"].as_str().expect("a ticket"));
        assert_eq!(client.get(&target).await.status, 200);
        client.get(&target).await.status == 200
    })
    .await;
}

#[tokio::test]
async fn steps_are_skipped() {
    twins("flow-skipped", async |client| {
        let token = client.login("alice").await;
        let id = code(client, &token, "/checkouts").await["id"].clone();
        client.call(&token, "POST", &format!("/checkouts/{id}/ship"), Value::Null).await;
        let target = format!("/checkouts/{id}");
        client.call(&token, "GET", &target, Value::Null).await.json()["status"] == "shipped"
    })
    .await;
    let client = Client::start(portcullis_range::Weaknesses::none(), Vec::new()).await;
    let token = client.login("alice").await;
    let id = code(&client, &token, "/checkouts").await["id"].clone();
    for (step, status) in [("ship", 409), ("pay", 200), ("pay", 409), ("ship", 200)] {
        let answer = client.call(&token, "POST", &format!("/checkouts/{id}/{step}"), Value::Null).await;
        assert_eq!(answer.status, status, "{step}");
    }
}

#[tokio::test]
async fn less_than_nothing_is_given() {
    twins("flow-negative", async |client| {
        let token = client.login("alice").await;
        client.call(&token, "POST", "/transfers", json!({"to": "bob", "amount": -50})).await;
        client.call(&token, "GET", "/me", Value::Null).await.json()["wallet"]["balance"].as_f64() > Some(0.0)
    })
    .await;
}
