//! A reload that protects less than before says so, wherever somebody may look.

use portcullis_e2e::{Gate, SHOP, Upstream};

use super::config;

/// `limit:` at the API, and all that could be weakened by taking lines away.
const STRICT: &str = "    limit: [10/s per ip]\n    schema: { response: block }\n";

#[tokio::test]
async fn what_a_reload_makes_weaker_is_told_everywhere() {
    let upstream = Upstream::agreeable().await;
    let strict = config(&upstream.url(), STRICT);
    let gate = Gate::new(&strict).file("shop.yaml", SHOP).argument("--no-watch").start().await;
    assert!(gate.status()["last_reload"].is_null(), "nothing was reloaded yet");

    // Nothing is weaker: nothing is said.
    gate.write("portcullis.yaml", strict.replace("10/s", "5/s"));
    let output = gate.reload();
    assert_eq!(output.code, 0, "{output:?}");
    assert!(!output.stdout.contains("WEAKER") && !output.stdout.contains("weaker"), "{}", output.stdout);
    assert_eq!(gate.status()["last_reload"]["weakened"]["count"], 0);
    assert!(!gate.log().contains("a protection got weaker"), "{}", gate.log());

    // A setting of the API changes all its operations, and is one line.
    gate.write("portcullis.yaml", strict.replace("[10/s per ip]", "[]"));
    let output = gate.reload();
    assert_eq!(output.code, 0, "{output:?}");
    let operations = gate.status()["operations"]["shop"].as_u64().expect("a number");
    let line = format!("{operations} operations of api shop: ");
    let lines: Vec<&str> = output.stdout.lines().filter(|it| it.starts_with("WEAKER")).collect();
    assert_eq!(lines.len(), 1, "{}", output.stdout);
    assert!(lines[0].contains(&line) && lines[0].ends_with("limit: 5/s per ip → none"), "{}", output.stdout);
    let status = gate.status();
    let last = &status["last_reload"];
    assert_eq!((&last["generation"], &last["weakened"]["count"]), (&3.into(), &operations.into()), "{last}");
    assert!(last["at"].as_str().is_some_and(|it| it.ends_with('Z')), "{last}");
    let told = gate.command(&["status"]).stdout;
    assert!(told.contains("generation 3; ") && told.contains("protections got weaker"), "{told}");
    let log = gate.log();
    let warned = log.lines().filter(|it| it.contains("WARN") && it.contains("a protection got weaker"));
    assert_eq!(warned.count(), 1, "{log}");

    // A refused configuration changes nothing of that.
    gate.write("portcullis.yaml", "apis: [");
    assert_eq!(gate.reload().code, 78);
    assert_eq!(gate.status()["last_reload"]["generation"], 3);
}

#[tokio::test]
async fn a_specification_that_admits_more_is_weaker_though_the_old_one_is_gone_from_disk() {
    let upstream = Upstream::agreeable().await;
    let gate = Gate::new(&config(&upstream.url(), "")).file("shop.yaml", SHOP).argument("--no-watch").start();
    let gate = gate.await;
    assert!(SHOP.contains("maximum: 100"), "the test changes it");
    gate.write("shop.yaml", SHOP.replace("maximum: 100", "maximum: 200"));
    let output = gate.reload();
    assert!(output.stdout.contains("WEAKER") && output.stdout.contains("may admit more"), "{output:?}");
    gate.write("shop.yaml", SHOP);
    let output = gate.reload();
    assert!(!output.stdout.contains("WEAKER"), "{output:?}");
}
