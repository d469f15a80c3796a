//! Pages that repeat what they are told.

use serde_json::json;

use crate::client::twins;

#[tokio::test]
async fn markup_stands_as_it_came() {
    let script = "%3Cscript%3Ecanary()%3C/script%3E";
    twins("xss-reflected", async |client| {
        client.get(&format!("/pages/search?q={script}")).await.text().contains("<script>canary()")
    })
    .await;
    twins("xss-attribute", async |client| {
        client
            .get("/pages/profile?name=%22%20onfocus=canary()%20x=%22")
            .await
            .text()
            .contains("\" onfocus=canary()")
    })
    .await;
    twins("xss-script", async |client| {
        client.get("/pages/track?ref=%22;canary();//").await.text().contains("\"\";canary();//")
    })
    .await;
    twins("xss-content-type", async |client| {
        let answer = client.get(&format!("/pages/lookup?term={script}")).await;
        answer.header("content-type").is_some_and(|it| it.contains("html"))
    })
    .await;
    twins("xss-stored", async |client| {
        let token = client.login("alice").await;
        client.call(&token, "POST", "/comments", json!({"text": "<script>canary()</script>"})).await;
        let page = client.get("/pages/comments").await;
        assert!(page.text().contains("canary()"));
        page.text().contains("<script>canary()")
    })
    .await;
}

#[tokio::test]
async fn scripts_cannot_run_where_text_is_escaped() {
    let client = crate::client::Client::start(portcullis_range::Weaknesses::none(), Vec::new()).await;
    let page = client.get("/pages/track?ref=%3C/script%3E").await;
    assert!(!page.text().contains("</script></script>"));
    assert!(page.header("content-security-policy").is_some_and(|it| !it.contains("unsafe")));
}
