//! Collections that outlive a request, through their port.

use std::sync::Arc;

use crate::support::{World, engine_in, get, outcome, ports};
use portcullis_seclang::source::{NoFiles, Source};
use portcullis_seclang::{CompileOptions, Engine};

const COUNT: &str = r#"
    SecAction "id:1,phase:1,pass,nolog,initcol:ip=%{REMOTE_ADDR}"
    SecRule ARGS:bad "@rx ." "id:2,phase:1,pass,nolog,setvar:ip.count=+1,expirevar:ip.count=60"
    SecRule IP:count "@ge 2" "id:3,phase:1,deny,log,msg:'%{ip.count}'"
"#;

#[test]
fn values_last_and_lapse() {
    let world = Arc::new(World::default());
    let engine = engine_in(COUNT, &world);
    assert_eq!(outcome(&get("/?bad=1").run(&engine)), "");
    assert_eq!(outcome(&get("/").run(&engine)), "");
    assert_eq!(outcome(&get("/?bad=1").run(&engine)), "3 -> Deny 403 by 3 in 1");
    assert_eq!(outcome(&get("/").run(&engine)), "3 -> Deny 403 by 3 in 1");
    world.advance_secs(61);
    assert_eq!(outcome(&get("/").run(&engine)), "");
}

#[test]
fn values_decay() {
    let world = Arc::new(World::default());
    let engine = engine_in(
        r#"
        SecAction "id:1,phase:1,pass,nolog,initcol:ip=%{REMOTE_ADDR}"
        SecRule &IP:score "@eq 0" "id:2,phase:1,pass,nolog,setvar:ip.score=100"
        SecAction "id:3,phase:1,pass,nolog,deprecatevar:ip.score=10/60"
        SecRule IP:score "@le 70" "id:4,phase:1,pass,log,msg:'%{ip.score}'""#,
        &world,
    );
    assert_eq!(outcome(&get("/").run(&engine)), "");
    world.advance_secs(120);
    assert_eq!(outcome(&get("/").run(&engine)), "");
    world.advance_secs(60);
    let transaction = get("/").run(&engine);
    assert_eq!(transaction.matches()[0].message, b"70");
    world.advance_secs(6000);
    assert_eq!(get("/").run(&engine).matches()[0].message, b"0");
}

#[test]
fn sessions_and_users_are_named() {
    let world = Arc::new(World::default());
    let engine = engine_in(
        r#"
        SecAction "id:1,phase:1,pass,nolog,setsid:%{ARGS.s},setuid:%{ARGS.u}"
        SecRule SESSIONID "@streq one" "id:2,phase:1,pass,log"
        SecRule USERID "@streq two" "id:3,phase:1,pass,log"
        SecAction "id:4,phase:1,pass,nolog,setvar:session.seen=1"
        SecRule SESSION:seen "@eq 1" "id:5,phase:1,pass,log,setvar:!session.seen""#,
        &world,
    );
    assert_eq!(outcome(&get("/?s=one&u=two").run(&engine)), "2 3 5");
}

#[test]
fn without_the_port_the_load_refuses() {
    let rules = portcullis_seclang::load(&[Source::new("a.conf", COUNT)], &NoFiles).unwrap();
    let ports = portcullis_seclang::Ports { collections: None, ..ports(&Arc::default()) };
    let faults = Engine::compile(rules, &NoFiles, ports, &CompileOptions::default()).err().unwrap();
    assert_eq!((faults.len(), faults[0].line), (5, 2));
}
