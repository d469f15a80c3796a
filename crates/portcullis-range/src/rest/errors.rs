//! What answers give away besides their content.

use serde_json::{Value, json};

use crate::{
    http::{
        call::Cx,
        reply::Reply,
        route::{Route, object},
    },
    weakness::Weakness as W,
};

pub(crate) fn routes() -> Vec<Route> {
    let number = || json!({"type": "integer", "minimum": -1_000_000, "maximum": 1_000_000});
    vec![
        Route::post("/calculations", "calculate", "Share a sum")
            .body(
                object(json!({"amount": number(), "divisor": number()})),
                json!({"amount": 100, "divisor": 4}),
            )
            .answers(200, object(json!({"share": {"type": "integer"}})))
            .answers(422, json!({"type": "object"}))
            .lenient(&[W::StackTrace])
            .now(calculate),
        Route::post("/preferences", "setPreferences", "Remember a choice in a cookie")
            .body(
                object(json!({"theme": {"type": "string", "enum": ["light", "dark"]}})),
                json!({"theme": "dark"}),
            )
            .answers_of(204, "", Value::Null)
            .now(prefer),
    ]
}

/// The origin that may read this answer with credentials, if any.
pub(crate) fn allowed_origin(cx: &Cx) -> Option<String> {
    let origin = cx.call.header("origin")?;
    let open = cx.on(W::CorsReflected) || (origin == "null" && cx.on(W::CorsNull));
    open.then(|| origin.to_owned())
}

fn calculate(cx: &Cx) -> Reply {
    let number = |name: &str| cx.field(name).as_i64();
    let share =
        number("amount").zip(number("divisor")).and_then(|(amount, divisor)| amount.checked_div(divisor));
    match share {
        Some(share) => Reply::ok(&json!({"share": share})),
        None if cx.on(W::StackTrace) => Reply::text(
            500,
            "java.lang.ArithmeticException: / by zero\n\
             \tat example.harbour.market.Calculator.share(Calculator.java:41)\n\
             \tat example.harbour.market.api.CalculationResource.post(CalculationResource.java:27)\n\
             \tat java.base/java.lang.Thread.run(Thread.java:840)\n",
        ),
        None => Reply::problem(422, "a sum cannot be shared by nobody"),
    }
}

fn prefer(cx: &Cx) -> Reply {
    let id = cx.app.state().dice.hex(16);
    let flags = if cx.on(W::CookieFlags) { "" } else { "; Path=/; HttpOnly; Secure; SameSite=Lax" };
    Reply::empty(204).with("set-cookie", format!("session={id}{flags}"))
}
