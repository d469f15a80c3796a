//! The SOAP twins.

use aws_lc_rs::digest;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use portcullis_range::Weaknesses;

use crate::client::{Answer, Client, Listener, twins};

/// A header with a UsernameToken that is good now; the range says what time it is.
async fn token(client: &Client, nonce: &str) -> String {
    let now = client.range.now();
    let (days, secs) = (now / 86_400, now % 86_400);
    // Civil from days (the inverse of what the range computes), for the years of this century.
    let shifted = days + 719_468;
    let era = shifted / 146_097;
    let of_era = shifted - era * 146_097;
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_index = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month_index + 2) / 5 + 1;
    let month = if month_index < 10 { month_index + 3 } else { month_index - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let created =
        format!("{year}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", secs / 3_600, secs / 60 % 60, secs % 60);
    let all = [nonce.as_bytes(), created.as_bytes(), b"Seven-Crates-21"].concat();
    let password = STANDARD.encode(digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, &all));
    format!(
        "<soap:Header><wsse:Security><wsse:UsernameToken><wsse:Username>warehouse</wsse:Username><wsse:Password>{password}</wsse:Password><wsse:Nonce>{}</wsse:Nonce><wsu:Created>{created}</wsu:Created></wsse:UsernameToken></wsse:Security></soap:Header>",
        STANDARD.encode(nonce)
    )
}

async fn send(client: &Client, action: &str, doctype: &str, header: &str, bodies: &[&str]) -> Answer {
    let bodies: String = bodies.iter().map(|it| format!("<soap:Body>{it}</soap:Body>")).collect();
    let text = format!(
        "<?xml version=\"1.0\"?>{doctype}<soap:Envelope xmlns:soap=\"http://schemas.xmlsoap.org/soap/envelope/\">{header}{bodies}</soap:Envelope>"
    );
    let action = format!("\"urn:harbour:warehouse/{action}\"");
    let fields = [("content-type", "text/xml"), ("soapaction", action.as_str())];
    client.send("POST", "/soap/warehouse", &fields, text.as_bytes()).await
}

const ITEM: &str = "<w:GetItem><w:itemId>1</w:itemId></w:GetItem>";
const PRICE: &str = "<w:SetPrice><w:itemId>1</w:itemId><w:price>0.5</w:price></w:SetPrice>";
const ORDER: &str = "<w:GetOrder><w:orderId>1</w:orderId></w:GetOrder>";
const APPROVE: &str = "<w:Approve><w:note>canary</w:note></w:Approve>";

async fn price(client: &Client) -> String {
    client.get("/goods/1").await.json()["price"].to_string()
}

#[tokio::test]
async fn envelopes_bring_document_types() {
    twins("soap-xxe", async |client| {
        let listener = Listener::start("text/plain", "canary").await;
        let doctype = format!("<!DOCTYPE s [<!ENTITY x SYSTEM \"{}\">]>", listener.url("/soap"));
        let answer =
            send(client, "GetItem", &doctype, "", &["<w:GetItem><w:itemId>&x;</w:itemId></w:GetItem>"]).await;
        listener.was_asked("/soap") && answer.text().contains("canary")
    })
    .await;
    twins("soap-bomb", async |client| {
        let doctype = "<!DOCTYPE s [<!ENTITY a \"1\"><!ENTITY b \"&a;&a;\"><!ENTITY c \"&b;&b;\">]>";
        let body = "<w:GetItem><w:itemId>&c;</w:itemId></w:GetItem>";
        send(client, "GetItem", doctype, "", &[body]).await.text().contains("1111")
    })
    .await;
}

#[tokio::test]
async fn credentials_are_not_needed() {
    twins("soap-security-absent", async |client| {
        send(client, "GetOrder", "", "", &[ORDER]).await.text().contains("Pier Road")
    })
    .await;
    twins("soap-replay", async |client| {
        let header = token(client, "one nonce").await;
        assert_eq!(send(client, "Approve", "", &header, &[APPROVE]).await.status, 200);
        send(client, "Approve", "", &header, &[APPROVE]).await.status == 200
    })
    .await;
    twins("soap-action", async |client| {
        send(client, "GetItem", "", "", &[PRICE]).await;
        price(client).await == "0.5"
    })
    .await;
    twins("soap-wrapping", async |client| {
        send(client, "SetPrice", "", "", &[ITEM, PRICE]).await;
        price(client).await == "0.5"
    })
    .await;
}

#[tokio::test]
async fn elements_are_injected_and_faults_tell() {
    twins("soap-sqli", async |client| {
        let body = "<w:FindItems><w:category>x' OR 1=1 -- </w:category></w:FindItems>";
        send(client, "FindItems", "", "", &[body]).await.text().contains("rope")
    })
    .await;
    twins("soap-stack-trace", async |client| {
        let header = token(client, "another nonce").await;
        let body = "<w:SetPrice><w:itemId>1</w:itemId><w:price>x</w:price></w:SetPrice>";
        send(client, "SetPrice", "", &header, &[body]).await.text().contains("PriceEndpoint.java")
    })
    .await;
}

#[tokio::test]
async fn good_envelopes_are_answered_by_both() {
    for weaknesses in [Weaknesses::none(), Weaknesses::all()] {
        let client = Client::start(weaknesses, Vec::new()).await;
        let wsdl = client.get("/soap/warehouse?wsdl").await.text();
        assert!(wsdl.contains("wsdl:definitions") && wsdl.contains(&client.range.url("/soap/warehouse")));
        assert!(send(&client, "GetItem", "", "", &[ITEM]).await.text().contains("Brass compass"));
        let header = token(&client, "n1").await;
        assert_eq!(send(&client, "SetPrice", "", &header, &[PRICE]).await.status, 200);
        assert_eq!(price(&client).await, "0.5");
        let forged = token(&client, "n2").await.replace("<wsse:Password>", "<wsse:Password>A");
        assert_eq!(send(&client, "SetPrice", "", &forged, &[PRICE]).await.status, 500);
        assert_eq!(send(&client, "Nothing", "", "", &["<w:Nothing/>"]).await.status, 500);
        assert_eq!(send(&client, "Nothing", "", "", &[]).await.status, 500);
    }
    let client = Client::start(Weaknesses::none(), Vec::new()).await;
    let header = token(&client, "n3").await;
    client.range.advance(3_600);
    assert!(send(&client, "SetPrice", "", &header, &[PRICE]).await.text().contains("expired"));
}
