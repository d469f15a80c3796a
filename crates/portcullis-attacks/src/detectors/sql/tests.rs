//! The sql detector on attacks, on what looks like one and is none, and on any bytes.

use proptest::prelude::*;

use super::*;
use crate::leaf::{Field, Leaf, Where};

fn hits(field: Field, value: &[u8]) -> Hits {
    let lower = value.to_ascii_lowercase();
    let leaf = Leaf { at: Where::Query, field, name: "x", value };
    let mut hits = Hits::new();
    Sql.inspect(&View { text: value, lower: &lower, leaf, depth: 0 }, &mut hits);
    for hit in &hits {
        assert!(hit.span.start <= hit.span.end && hit.span.end <= value.len(), "{hit:?}");
        assert!((1..=10).contains(&hit.score), "{hit:?}");
    }
    hits
}

fn score(field: Field, value: &str) -> u8 {
    hits(field, value.as_bytes()).iter().map(|hit| hit.score).max().unwrap_or(0)
}

/// Every value is refused by itself, and the rule is among those that say so.
fn finds(rule: &str, values: &[&str]) {
    for value in values {
        let hits = hits(Field::Unknown, value.as_bytes());
        assert!(hits.iter().any(|hit| hit.rule == rule && hit.score == 10), "{value:?}: {hits:?}");
    }
}

fn lets_through(values: &[&str]) {
    for value in values {
        let hits = hits(Field::Unknown, value.as_bytes());
        assert!(hits.iter().all(|hit| hit.score < 8), "{value:?}: {hits:?}");
    }
}

#[test]
fn finds_unions() {
    finds(
        "union_select",
        &[
            "7 union select a,b from c",
            "-3' UNION ALL SELECT NULL,NULL-- -",
            "9\") union distinct (select version()) #",
            "3/**/union/**/select/**/1",
            "5+union+select+1,2",
            "8 /*!50000union*/ /*!select*/ 1,2",
            "6e0union select 4",
            "1 union\nselect 3",
            "4 un/**/ion sel/**/ect 1,2",
            "2 uni\u{200b}on sel\u{200b}ect 1",
            "0 union select top 3 name from t",
            "1f union select 2",
            "{\"a\":\"9 union select 1,2\"}",
            "don't 9 union select 1,2 from x",
            "'union select",
            "1 union -- x\n select 1",
        ],
    );
}

#[test]
fn finds_conditions_that_always_hold() {
    finds(
        "constant_condition",
        &[
            "5 or 8=8",
            "5 or 8 like 8",
            "x' or 'k'='k",
            "x\" or \"k\"=\"k",
            "5 || 3>2",
            "5 && 3<>2",
            "5 or 2 between 1 and 3",
            "5 or 2 not between 7 and 9",
            "5 or 3 in (3)",
            "5 or null is null",
            "5 xor 3 rlike 3",
            "5 or 7 div 7=1",
            "5)or(2=2",
            "or 6=6",
            "5 or 0x31=1",
            "5\tor\x0b6=6",
            "5/*a*/or/*b*/6=6#",
            "5 or not 6=7",
            "') or ('b'='b",
            "5 or 1.0=1",
        ],
    );
}

#[test]
fn finds_other_conditions_behind_a_closed_value() {
    finds(
        "probing_condition",
        &[
            "4 and ascii(substring(user(),1,1))>64",
            "4' and (select 1)=1 and '1'='1",
            "4 or exists(select 1 from t)",
        ],
    );
    finds("column_condition", &["a' or id>3", "a' and name like 'b%", "4 or id=3-- ", "4 or @@version>3"]);
    finds(
        "bare_condition",
        &["a' or true-- ", "a' or 1#", "a' or 'b", "4 or 1-- ", "or true--", "a' or 1 limit 1"],
    );
}

#[test]
fn finds_strings_left_and_entered_again() {
    finds(
        "string_left",
        &[
            "a'='b",
            "a' like 'a",
            "a'||'b'||'c",
            "a'+(select 1)+'b",
            "a'-0-'b",
            "a'&&'1",
            "a'^0^'",
            "k' is not null or 'k",
            "a' in('a') or '0",
            "a'+1-- ",
        ],
    );
    finds("quote_and_comment", &["root'--", "root' -- ", "root'#", "root')-- -", "root'/*", "root\")) #"]);
}

#[test]
fn finds_statements() {
    finds(
        "stacked_statement",
        &[
            "7;drop table users--",
            "7'; delete from t where 1=1",
            "7; insert into t values (1)",
            "7;update t set a=1",
            "7;exec xp_cmdshell 'dir'--",
            "7;declare @a int",
            "7;waitfor delay '0:0:4'--",
            "7'); waitfor delay '0:0:4'--",
            "7;select pg_sleep(4)",
            "7';shutdown--",
            "7; copy t from program 'id'",
            "7;create table t (a int)",
            "7';/**/drop/**/table/**/t",
        ],
    );
    finds(
        "whole_statement",
        &[
            "select * from users",
            "select a, b from c",
            "select @@version",
            "select version();",
            "insert into t (a) values (1)",
            "update t set a=1 where b=2",
            "drop table t--",
            "waitfor delay '0:0:9'",
            "declare @s varchar(9)",
            "backup database m to disk='x'",
            "load data infile '/etc/passwd' into table t",
            "exec master..xp_cmdshell 'dir'",
        ],
    );
    finds(
        "subquery",
        &["(select count(*) from t)", "(select(0)from(select 1)v)", "4-(select a from b limit 1)"],
    );
}

#[test]
fn finds_functions() {
    finds(
        "time_delay",
        &[
            "sleep(5)",
            "4 and sleep(5)",
            "4-sleep(5)",
            "'xor(if(now()=sysdate(),sleep(7),0))xor'",
            "pg_sleep(4)",
            "4 or benchmark(9000000,md5(1))",
            "4||dbms_pipe.receive_message('a',9)",
            "4 and randomblob(900000000)",
            "sleep/**/(3)",
            "order by sleep(2)",
        ],
    );
    finds(
        "error_function",
        &[
            "4 and extractvalue(1,concat(0x7e,user()))",
            "updatexml(1,concat(1,(select 1)),1)",
            "4 and 1=cast((select a from b) as int)",
            "4 and 1=convert(int,(select @@version))",
            "'||utl_inaddr.get_host_name((select 1 from dual))||'",
            "a:1:{s:1:\"4&&updatexml(1,concat(0x7e,user()),1)#\"}",
        ],
    );
    finds(
        "system_function",
        &[
            "4 union select load_file('/etc/passwd')",
            "1;xp_dirtree '//h/s'",
            "exec master.dbo.xp_cmdshell 'x'",
        ],
    );
    finds("file_written", &["4 into outfile '/tmp/a'", "4' union select 1 into dumpfile '/tmp/a'#"]);
    finds(
        "catalog_table",
        &["4 and (select count(*) from information_schema.tables)>0", "select a from sysobjects"],
    );
    finds("data_gathering", &["group_concat(a,0x3a,b)", "concat(0x3a,version())", "hex(version())"]);
}

#[test]
fn finds_clauses() {
    finds(
        "clause_probe",
        &[
            "4 order by 9-- ",
            "4' order by 9#",
            "4' group by 1,2,3-- ",
            "4 having 1=1",
            "4' having 1=1-- ",
            "4 where 1=1",
            "4 procedure analyse(extractvalue(1,1),1)",
            "4 order by (case when 1=1 then a else b end)",
            "order by 3",
        ],
    );
    finds(
        "conditional_answer",
        &["case when 1=1 then 2 else 3 end", "(case when substr(a,1,1)='b' then 1 else 0 end)"],
    );
    finds("hidden_word", &["/*!order*/ x", "/*!50000and*/ y"]);
}

#[test]
fn lets_prose_through() {
    lets_through(&[
        "select a union representative or 1 of the board",
        "Western union selected a partner",
        "union was a good select",
        "drop table tennis",
        "drop the table; update your order by monday",
        "O'Brien and D'Angelo",
        "it's 5 o'clock; let's go",
        "1 or 2",
        "8 or 9 pieces",
        "5' 6\" or 7",
        "16\" or 18\"",
        "the \"best\" and 'worst' of 2020",
        "\"foo\" and \"bar\" or \"baz\"",
        "cats' and dogs' food",
        "rock 'n' roll",
        "Where is the group by the lake? Having fun",
        "order by phone",
        "please insert into the slot",
        "delete from my list",
        "call me when you get here; exec noun",
        "what's like 5 between 2 and 3",
        "a--b, c -- d",
        "#1 in sales",
        "C# or F#",
        "if 2 > 1 then what",
        "sleep (8 hours) is good; set an alarm",
        "sleep()",
        "time.sleep(5)",
        "copy, distribute and modify the program",
        "in case of error, else continue",
        "version 2.0 and user guide",
        "text with 'quotes', \"quotes\" and `quotes`.",
        "the characters '<' and '>'.",
        "and max(abs(x))",
        "select(2) or poll(2)",
    ]);
}

#[test]
fn lets_data_through() {
    lets_through(&[
        "2024-01-02T03:04:05Z",
        "dGhpcyBpcyBhIHRlc3Q=",
        "{\"a\": 1, \"b\": [true, null], \"c\": \"or\"}",
        "name=\"a\"; filename=\"b\"",
        "max-age=0, no-cache",
        "Mozilla/5.0 (X11; Linux x86_64; rv:1) Gecko",
        "a=1&b=2;c=3",
        "https://h.test/a?b=c&d='e'",
        "status:open AND label:\"a b\"",
        "price>5 AND size<3",
        "W/\"abc-1\"",
        "1,2,3",
        "(a,b) => a || b",
        "x'",
        "\"",
        "--",
        "/*",
        "#",
        "",
        "<a href='b'>c</a>",
        "<div class=\"a\" id='b'>",
        "+1 (555) 010-9999",
        "/*! Select2 4.0.3 | (c) */",
        "🎉 'or' 🎉",
    ]);
}

#[test]
fn statements_are_at_home_in_fields_for_them() {
    for value in [
        "select a, b from c where d = 'e' or 1=1",
        "with x as (select 1) select * from x",
        "(select count(*) from t)",
    ] {
        assert_eq!(score(Field::Query, value), 0, "{value}");
    }
    assert_eq!(score(Field::Query, "4' or 'a'='a"), 10);
    assert_eq!(score(Field::Code, "line\nselect a, b from c;\ndelete from d where 1=1\n"), 0);
    assert_eq!(score(Field::Code, "SAVE10' union select 1,2-- "), 10);
}

#[test]
fn prose_about_injection_is_suspicious_and_no_more() {
    let text = "please explain why somebody would send us ' or 1=1 -- in a login form";
    assert!(score(Field::Prose, text) <= 5);
    assert!(score(Field::Unknown, text) >= 8);
    assert_eq!(score(Field::Prose, "' or 1=1 -- "), 10);
}

#[test]
fn an_attack_behind_much_text_is_found() {
    let mut value = "lorem ipsum (dolor), ".repeat(20_000);
    value.push_str("7 union select a,b from c");
    assert_eq!(score(Field::Unknown, &value), 10);
}

#[test]
fn evidence_lies_where_the_fragment_is() {
    let value = b"abc 7 union select 1,2";
    let hits = hits(Field::Unknown, value);
    let hit = hits.iter().find(|hit| hit.rule == "union_select").unwrap();
    assert!(value[hit.span.clone()].starts_with(b"union select"));
}

/// The tokens that rules look at grow with the value alone, whatever it nests or repeats.
#[test]
fn work_grows_with_the_length_alone() {
    for part in [
        "(",
        "'",
        "or ",
        "or (",
        "union(",
        "select(",
        "/*",
        "case when ",
        "1 or 1 and ",
        "x'or'",
        "order by 1,",
        "uni,",
        "`\"'",
        "-",
        ";",
        "@",
        "concat(",
        "exec(",
        "'))",
        "' or ",
        "select a from ",
        "((select ",
        "insert into ",
        "having ",
    ] {
        let looks = |length: usize| {
            let before = token::LOOKS.get();
            hits(Field::Unknown, part.repeat(length / part.len()).as_bytes());
            token::LOOKS.get() - before
        };
        let (short, long) = (looks(10_000), looks(80_000));
        assert!(long <= short * 9 + 10_000, "{part:?}: {short} {long}");
        assert!(long <= 80_000 * 400, "{part:?}: {long}");
    }
}

proptest! {
    #[test]
    fn never_panics(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        hits(Field::Unknown, &bytes);
    }

    #[test]
    fn never_panics_on_fragments(parts in prop::collection::vec(prop::sample::select(vec![
        "'", "\"", "`", "(", ")", "--", "#", "/*", "*/", "/*!5", "or", "and", "union", "select", " ", "1", "=", ",", ";", "+", "||", "case",
        "when", "then", "end", "from", "in", "between", "sleep(", "concat(", "un", "\u{200b}", "ion", "é", "@", "[a]", "\\", ".", "0x", "1e",
        "order by", "having", "exec", "drop table", "dbms_pipe", "information_schema", "not", "::", "\n",
    ]), 0..60)) {
        hits(Field::Unknown, parts.concat().as_bytes());
        hits(Field::Query, parts.join(" ").as_bytes());
    }
}
