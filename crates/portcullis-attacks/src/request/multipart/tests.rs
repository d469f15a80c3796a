use crate::{Inspector, Settings};

const ATTACK: &str = "' UNION SELECT password FROM users --";
const SCRIPT: &str = "<script>alert(1)</script>";

fn is_refused(content_type: &str, body: &str) -> bool {
    let inspector = Inspector::new(&Settings::default());
    let mut judging = inspector.judge(&|_| true);
    judging.body(Some(content_type.as_bytes()), body.as_bytes());
    judging.finish().is_attack
}

/// A body of one field; `head` is what its disposition goes on with.
fn one(head: &str, value: &str) -> String {
    format!("--b\r\nContent-Disposition: form-data; {head}\r\n\r\n{value}\r\n--b--\r\n")
}

fn refused(body: &str) -> bool {
    is_refused("multipart/form-data; boundary=b", body)
}

#[test]
fn looks_at_fields_and_files() {
    assert!(refused(&one("name=q", ATTACK)));
    assert!(!refused(&one("name=q", "hello --b-- world")));
    assert!(!refused(&one("name=q; filename=a.txt", "hello")));
}

#[test]
fn content_like_a_delimiter_hides_nothing() {
    for body in [
        one("name=q", &format!("x--b--{ATTACK}")),
        one("name=q", &format!("x--b {ATTACK}")),
        one("name=q", "' UNION /*\n--b\n*/ SELECT password FROM users --"),
        format!("{ATTACK}\r\n{}", one("name=q", "x")),
        format!("{}{ATTACK}", one("name=q", "x")),
    ] {
        assert!(refused(&body), "{body}");
    }
}

#[test]
fn a_second_reading_of_the_boundary_hides_nothing() {
    for content_type in [
        "multipart/form-data; boundary=z; boundary=b",
        "multipart/form-data; xboundary=z; boundary=b",
        "multipart/form-data; boundary*=utf-8''b; boundary=z",
        "multipart/form-data; boundary*0=b; boundary=z",
        "multipart/form-data; boundary=\"z\\\"b\"",
        "multipart/form-data; boundary=z,b",
    ] {
        let body = format!("{}\r\n--z--", one("name=q", ATTACK));
        assert!(is_refused(content_type, &body), "{content_type}");
    }
}

#[test]
fn what_only_looks_like_a_file_is_a_field() {
    assert!(refused(&one("name=\"q; filename=a.txt\"", SCRIPT)));
    assert!(refused(&one("name=q; filename=\"\"", SCRIPT)));
    let elsewhere = format!(
        "--b\r\nX: filename=a.txt\r\nContent-Disposition: form-data; name=q\r\n\r\n{SCRIPT}\r\n--b--\r\n"
    );
    assert!(refused(&elsewhere));
}

#[test]
fn parts_beyond_the_counted_are_looked_at() {
    let file = "--b\r\nContent-Disposition: form-data; name=a; filename=a.txt\r\n\r\nx\r\n";
    for count in [300, 11_000] {
        assert!(refused(&format!("{}{}", file.repeat(count), one("name=q", ATTACK))), "{count}");
        assert!(!refused(&format!("{}{}", file.repeat(count), one("name=q", "hello"))), "{count}");
    }
    assert!(refused(&format!("{}{}", file.repeat(300), one("name=q", ";cat /etc/passwd"))));
}

#[test]
fn quoted_printable_is_taken_off() {
    let coded: String = ATTACK.bytes().map(|byte| format!("={byte:02X}")).collect();
    assert!(refused(&one("name=q\r\nContent-Transfer-Encoding: quoted-printable", &coded)));
    assert!(!refused(&one("name=q\r\nContent-Transfer-Encoding: quoted-printable", "a=\r\nb=3D=zz=")));
}
