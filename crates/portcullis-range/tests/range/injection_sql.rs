//! SQL: the careless query does what the injected text says, the careful one takes it as a value.

use serde_json::{Value, json};

use crate::client::twins;

#[tokio::test]
async fn sql_is_injected() {
    twins("sqli-boolean", async |client| {
        let yes = client.get("/products?category=lamps'%20AND%20'1'='1").await;
        let no = client.get("/products?category=lamps'%20AND%20'1'='2").await;
        yes.body != no.body && yes.text().contains("LAMP-100")
    })
    .await;
    twins("sqli-order", async |client| {
        let by = async |test: &str| {
            client
                .get(&format!("/products?sort=CASE%20WHEN%20{test}%20THEN%20price%20ELSE%20-price%20END"))
                .await
        };
        let (yes, no) = (by("1=1").await, by("1=2").await);
        yes.status == 200 && yes.body != no.body
    })
    .await;
    twins("sqli-union", async |client| {
        let q = "zzz'%20UNION%20SELECT%201,pin,name,badge,4%20FROM%20kiosk_staff--%20";
        client.get(&format!("/products/search?q={q}")).await.text().contains("7731")
    })
    .await;
    twins("sqli-error", async |client| {
        let answer = client.get("/products/by-sku/x'y").await;
        answer.status == 500 && answer.text().contains("SQLite error")
    })
    .await;
    twins("sqli-numeric", async |client| {
        client.get("/products/reviews?product_id=1%20OR%201=1").await.text().contains("Points north")
    })
    .await;
    twins("sqli-header", async |client| {
        let fields = [("x-region", "north' OR '1'='1")];
        client.send("GET", "/promotions", &fields, b"").await.text().contains("Spring")
    })
    .await;
    twins("sqli-body", async |client| {
        let body = json!({"customer_code": "x' OR 1=1 -- ", "amount": 1});
        client.post("/quotes", &body).await.json()["discount"] != json!(0.0)
    })
    .await;
    twins("sqli-nested", async |client| {
        let body = json!({"filters": {"brand": "x' OR 1=1 -- "}});
        client.post("/products/filter", &body).await.text().contains("ROPE-010")
    })
    .await;
    twins("sqli-login", async |client| {
        client.post("/kiosk/login", &json!({"badge": "x' OR 1=1 -- ", "pin": "0"})).await.status == 200
    })
    .await;
    twins("sqli-second-order", async |client| {
        let token = client.login("alice").await;
        client.call(&token, "PATCH", "/me", json!({"display_name": "x' OR 1=1 -- "})).await;
        client.call(&token, "GET", "/me/recommendations", Value::Null).await.text().contains("rope")
    })
    .await;
}

/// The injected sleep is a floor under the answer's time; the secure twin's answer is shown to be faster than that
/// floor at its best of three, which a busy machine can only spoil by holding up all of them for a second.
#[tokio::test]
async fn sql_sleeps() {
    twins("sqli-time", async |client| {
        let mut least = u128::MAX;
        for _ in 0..3 {
            let started = tokio::time::Instant::now();
            let answer = client.get("/shipments?carrier=gull'%20AND%20sleep(1)%20--%20").await;
            assert_eq!(answer.status, 202);
            least = least.min(started.elapsed().as_millis());
        }
        least >= 1_000
    })
    .await;
}
