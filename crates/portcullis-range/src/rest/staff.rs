//! The staff directory, by LDAP filter and by XPath.

use serde_json::{Value, json};

use crate::{
    engines::directory::{escape, people, search, select},
    http::{
        call::Cx,
        reply::Reply,
        route::{Route, list, object, some_text},
    },
    weakness::Weakness as W,
};

pub(crate) fn routes() -> Vec<Route> {
    let person = || object(json!({"cn": {"type": "string"}, "badge": {"type": "string"}}));
    vec![
        Route::get("/staff/search", "searchStaff", "Staff by the beginning of a name")
            .query("name", some_text(100), json!("Ines"))
            .required()
            .answers(200, list(person()))
            .now(by_name),
        Route::get("/staff/badge", "getStaffByBadge", "Who wears a badge")
            .query("number", some_text(100), json!("1001"))
            .required()
            .answers(200, list(person()))
            .now(by_badge),
        Route::post("/staff/login", "staffLogin", "Sign in as staff")
            .body(
                object(json!({"uid": some_text(100), "password": some_text(100)})),
                json!({"uid": "ines", "password": "salt-and-wind"}),
            )
            .answers(200, object(json!({"welcome": {"type": "string"}})))
            .answers(401, json!({"type": "object"}))
            .now(login),
    ]
}

fn shown(rows: Result<Vec<Value>, &'static str>) -> Reply {
    match rows {
        Ok(rows) => {
            Reply::ok(&rows.iter().map(|it| json!({"cn": it.get("cn"), "badge": it.get("badge")})).collect())
        }
        Err(_) => Reply::problem(500, "an error occurred"),
    }
}

fn by_name(cx: &Cx) -> Reply {
    let name = cx.query("name").unwrap_or_default();
    let name = if cx.on(W::LdapSearch) { name.to_owned() } else { escape(name) };
    shown(search(&format!("(&(objectClass=person)(cn={name}*))")))
}

fn by_badge(cx: &Cx) -> Reply {
    let number = cx.query("number").unwrap_or_default();
    if cx.on(W::XpathBoolean) {
        return shown(select(&format!("objectClass='person' and badge='{number}'")));
    }
    // The careful twin hands the number over as a variable.
    let mut rows = people();
    rows.retain(|it| {
        it.get("badge").and_then(Value::as_str) == Some(number)
            && it.get("objectClass").and_then(Value::as_str) == Some("person")
    });
    shown(Ok(rows))
}

fn login(cx: &Cx) -> Reply {
    let (uid, password) = (cx.text("uid"), cx.text("password"));
    let (uid, password) = if cx.on(W::LdapLogin) {
        (uid.to_owned(), password.to_owned())
    } else {
        (escape(uid), escape(password))
    };
    match search(&format!("(&(uid={uid})(password={password}))")) {
        Ok(rows) if rows.is_empty() => Reply::problem(401, "the credentials are not right"),
        Ok(rows) => Reply::ok(&json!({"welcome": rows.first().and_then(|it| it.get("cn"))})),
        Err(_) => Reply::problem(500, "an error occurred"),
    }
}
