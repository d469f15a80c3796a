//! The GraphQL twins.

use serde_json::{Value, json};

use crate::client::{Answer, Client, Listener, twins};

async fn ask(client: &Client, query: &str) -> Answer {
    client.post("/graphql", &json!({"query": query})).await
}

async fn ask_as(client: &Client, name: &str, query: &str) -> Value {
    let token = client.login(name).await;
    client.call(&token, "POST", "/graphql", json!({"query": query})).await.json()
}

#[tokio::test]
async fn the_schema_is_told() {
    twins("graphql-introspection", async |client| {
        let answer =
            ask(client, "{__schema{queryType{name} types{name ...F}}} fragment F on __Type{kind}").await;
        answer.json()["data"]["__schema"]["types"][0]["kind"] == "OBJECT"
    })
    .await;
    twins("graphql-suggestions", async |client| {
        let answer = ask(client, "{prodcts{id}}").await;
        assert!(answer.text().contains("Cannot query field"));
        answer.text().contains("Did you mean")
    })
    .await;
    twins("graphql-ide", async |client| {
        client.send("GET", "/graphql", &[("accept", "text/html")], b"").await.text().contains("GraphiQL")
    })
    .await;
}

#[tokio::test]
async fn costs_are_unbounded() {
    twins("graphql-batch", async |client| {
        let batch: Value = (0..5).map(|_| json!({"query": "{__typename}"})).collect();
        client.post("/graphql", &batch).await.json().as_array().is_some_and(|it| it.len() == 5)
    })
    .await;
    twins("graphql-alias", async |client| {
        let fields: String = (0..100).map(|it| format!("a{it}: notes{{id}} ")).collect();
        ask(client, &format!("{{{fields}}}")).await.status == 200
    })
    .await;
    twins("graphql-depth", async |client| {
        let inner = format!("{}id{}", "related{".repeat(9), "}".repeat(9));
        let answer = ask(client, &format!("{{products(first:1){{{inner}}}}}")).await;
        assert!(ask(client, "{products{related{related{id}}}}").await.status == 200);
        answer.status == 200
    })
    .await;
    twins("graphql-circular", async |client| {
        let answer =
            ask(client, "{products{...A}} fragment A on Product{id ...B} fragment B on Product{id ...A}")
                .await;
        answer.status == 500
    })
    .await;
    twins("graphql-directive", async |client| {
        ask(client, &format!("{{__typename {}}}", "@include(if: true) ".repeat(500))).await.status == 200
    })
    .await;
    twins("graphql-cost", async |client| {
        let answer = ask(client, "{products(first: 5000){id}}").await;
        answer.json()["data"]["products"].as_array().is_some_and(|it| it.len() == 5_000)
    })
    .await;
}

#[tokio::test]
async fn mutations_come_by_side_doors() {
    twins("graphql-get-mutation", async |client| {
        client.get("/graphql?query=mutation%7BwriteNote(text:%22canary%22)%7Bid%7D%7D").await;
        assert_eq!(client.get("/graphql?query=%7B__typename%7D").await.status, 200);
        ask(client, "{notes{text}}").await.text().contains("canary")
    })
    .await;
    twins("graphql-form", async |client| {
        let fields = [("content-type", "application/x-www-form-urlencoded")];
        let body = b"query=mutation%7BwriteNote(text:%22canary%22)%7Bid%7D%7D";
        client.send("POST", "/graphql", &fields, body).await;
        ask(client, "{notes{text}}").await.text().contains("canary")
    })
    .await;
}

#[tokio::test]
async fn arguments_are_injected() {
    twins("graphql-sqli", async |client| {
        let query = "{products(search: \"zz' UNION SELECT 1,pin,badge,2 FROM kiosk_staff-- \"){name}}";
        ask(client, query).await.text().contains("7731")
    })
    .await;
    twins("graphql-command", async |client| {
        ask(client, "{ping(host: \"x; expr 91823 * 73645\")}").await.text().contains("6762304835")
    })
    .await;
    twins("graphql-ssrf", async |client| {
        let listener = Listener::start("text/plain", "canary").await;
        ask(client, &format!("{{preview(url: \"{}\")}}", listener.url("/g"))).await;
        listener.was_asked("/g")
    })
    .await;
    twins("graphql-stack-trace", async |client| {
        ask(client, "{share(amount: 1, divisor: 0)}").await.text().contains("resolvers.js")
    })
    .await;
}

#[tokio::test]
async fn fields_are_open() {
    twins("graphql-auth-missing", async |client| {
        ask(client, "{auditLog{text}}").await.text().contains("192.0.2.7")
    })
    .await;
    twins("graphql-bola", async |client| {
        ask_as(client, "alice", "{order(id: 3){shippingAddress}}").await.to_string().contains("bob")
    })
    .await;
    twins("graphql-bfla", async |client| {
        ask_as(client, "alice", "mutation{setRole(username: \"alice\", role: \"admin\"){role}}").await;
        ask_as(client, "alice", "{me{role}}").await["data"]["me"]["role"] == "admin"
    })
    .await;
    twins("graphql-excess", async |client| {
        ask_as(client, "alice", "{people{passwordHash}}").await.to_string().contains("$pbkdf2")
    })
    .await;
}

#[tokio::test]
async fn good_queries_are_answered_by_both() {
    for weaknesses in [portcullis_range::Weaknesses::none(), portcullis_range::Weaknesses::all()] {
        let client = Client::start(weaknesses, Vec::new()).await;
        let login = "mutation($p: String!){login(username: \"alice\", password: $p){token}}";
        let body = json!({"query": login, "variables": {"p": "Harbour-Gate-17"}});
        assert!(client.post("/graphql", &body).await.json()["data"]["login"]["token"].is_string());
        let me = ask_as(&client, "alice", "{me{username orders{id owner{username}}}}").await;
        assert_eq!(me["data"]["me"]["orders"][0]["owner"]["username"], "alice");
        assert_eq!(
            ask(&client, "{products(search:\"lamp\"){name}}").await.json()["data"]["products"][0]["name"],
            "Deck lamp"
        );
        for (query, status) in
            [("{nothing}", 400), ("{", 400), ("{products}", 400), ("{order(id: 1){id}}", 200)]
        {
            assert_eq!(ask(&client, query).await.status, status, "{query}");
        }
        assert!(client.get("/graphql/schema.graphql").await.text().contains("type Query"));
    }
}
