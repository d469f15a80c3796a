//! What an attacker tries against the positive model; each of these was once let through or could have been.

use super::*;

/// An operation that takes a body in one media type, of this schema.
fn takes(media: &str, schema: &str) -> Arc<CompiledOperation> {
    let yaml = format!(
        "
    post:
      requestBody:
        content:
          {media}: {schema}
      responses: {{'200': {{description: ok}}}}
"
    );
    operation("/x", &yaml, CompileOptions::default())
}

const FORM: &str = "{schema: {type: object, properties: {
            role: {type: string, enum: [user]}, note: {type: string, maxLength: 4}, age: {type: integer},
            tags: {type: array, items: {type: string, maxLength: 2}}, address: {type: object, properties: {zip: {type: integer}}},
            photo: {type: string, format: binary}, small: {type: string, format: binary, minLength: 1, maxLength: 3}, any: {type: string}}},
            encoding: {photo: {contentType: image/png}}}";

fn post_form(text: &str) -> String {
    body(&takes("application/x-www-form-urlencoded", FORM), "application/x-www-form-urlencoded", text)
}

fn post_parts(parts: &[(&str, &str)]) -> String {
    let parts: String = parts
        .iter()
        .map(|(head, content)| format!("--b\r\nContent-Disposition: form-data; {head}\r\n\r\n{content}\r\n"))
        .collect();
    body(&takes("multipart/form-data", FORM), "multipart/form-data; boundary=b", &format!("{parts}--b--\r\n"))
}

#[test]
fn a_form_field_is_not_hidden_behind_brackets() {
    for text in
        ["role[]=admin", "role%5B%5D=admin", "role=user&role[]=admin", "role[0]=admin", "role[x=admin"]
    {
        assert!(post_form(text).starts_with("422 body /role: notation"), "{text}");
    }
    assert_eq!(
        post_form("address=%7B%22zip%22:5%7D&address[zip]=x"),
        "422 body /address: repeated_parameter: comes more than once and is no array []"
    );
    assert_eq!(post_form("tags[]=a&tags[]=b"), r#"{"tags": ["a", "b"]}"#);
    assert!(post_form("tags=a&tags[]=abc").starts_with("422 body /tags/1: maxLength"));
    assert!(post_parts(&[("name=\"role[]\"", "admin")]).starts_with("422 body /role: notation"));
    assert!(post_parts(&[("name=\"address[zip]\"", "x")]).starts_with("422 body /address: notation"));
    assert_eq!(post_parts(&[("name=\"tags[]\"", "a"), ("name=\"tags[]\"", "b")]), r#"{"tags": ["a", "b"]}"#);
    assert!(post_parts(&[("name=\"tags[0]\"", "abc")]).starts_with("422 body /tags/0: maxLength"));
}

#[test]
fn a_semicolon_separates_nothing_in_a_form() {
    assert!(post_form("any=1;role=admin").starts_with("400"));
    assert_eq!(post_form("any=1%3Brole=admin"), r#"{"any": "1;role=admin"}"#);
}

#[test]
fn a_field_cannot_change_the_charset_of_the_others() {
    assert!(post_form("_charset_=utf-16&any=a").starts_with("400"));
    assert_eq!(post_form("_charset_=UTF-8"), r#"{"_charset_": "UTF-8"}"#);
    assert!(post_parts(&[("name=_charset_", "utf-7"), ("name=any", "a")]).starts_with("400"));
    let typed = |kind: &str| format!("name=any\r\nContent-Type: {kind}");
    assert!(post_parts(&[(&typed("text/plain; charset=utf-16"), "a")]).starts_with("400 body /any"));
    assert!(post_parts(&[(&typed("text/plain; charset*=UTF-8''utf-16"), "a")]).starts_with("400 body /any"));
    assert_eq!(post_parts(&[(&typed("text/plain; charset=utf-8"), "a")]), r#"{"any": "a"}"#);
}

#[test]
fn a_file_name_takes_no_field_out_of_its_schema() {
    assert!(post_parts(&[("name=note; filename=x", "too long")]).starts_with("422 body /note: maxLength"));
    assert!(post_parts(&[("name=note; filename=x", "\u{fffd}too long")]).starts_with("422 body /note"));
    assert!(post_parts(&[("name=role; filename=x", "admin")]).starts_with("422 body /role: enum"));
    assert_eq!(post_parts(&[("name=any; filename=x", "whatever")]), r#"{"any": ""}"#);
    assert_eq!(post_parts(&[("name=age; filename=x", "5")]), r#"{"age": 5}"#);
    // Opaque content has a length all the same.
    assert_eq!(post_parts(&[("name=small; filename=x", "abc")]), r#"{"small": "   "}"#);
    assert!(post_parts(&[("name=small; filename=x", "")]).starts_with("422 body /small: minLength"));
    assert!(post_parts(&[("name=small; filename=x", "abcd")]).starts_with("422 body /small: maxLength"));
}

#[test]
fn a_part_cannot_choose_how_it_is_judged() {
    let typed = |head: &str, kind: &str| format!("{head}\r\nContent-Type: {kind}");
    // The text is longer than what its JSON says.
    assert!(
        post_parts(&[(&typed("name=note", "application/json"), r#""\u0061bc""#)])
            .starts_with("422 body /note")
    );
    assert_eq!(post_parts(&[(&typed("name=age", "application/json"), "5")]), r#"{"age": 5}"#);
    assert_eq!(
        post_parts(&[(&typed("name=tags", "application/json"), r#"["a", "b"]"#)]),
        r#"{"tags": ["a", "b"]}"#
    );
    assert!(
        post_parts(&[("name=photo; filename=x.html", "<script>")]).starts_with("422 body /photo: media_type")
    );
    assert_eq!(post_parts(&[(&typed("name=photo; filename=x.png", "image/png"), "PNG")]), r#"{"photo": ""}"#);
}

#[test]
fn a_delimiter_hides_in_no_part() {
    for content in ["1\n--b\nContent-Disposition: form-data; name=role\n\nadmin", "1\r--b--", "1\n--bc"] {
        assert!(post_parts(&[("name=any", content)]).starts_with("400"), "{content}");
    }
    assert_eq!(post_parts(&[("name=any", "a--b\nc")]), r#"{"any": "a--b\nc"}"#);
    for boundary in [
        "boundary=\"\\b\"",
        "boundary=\"b c\"",
        "boundary=\"b,c\"",
        "boundary=b; boundary*=UTF-8''c",
        "boundary=",
    ] {
        let operation = takes("multipart/form-data", FORM);
        let told = body(&operation, &format!("multipart/form-data; {boundary}"), "--b--\r\n");
        assert!(told.starts_with("400") || told.starts_with("415"), "{boundary} {told}");
    }
}

#[test]
fn multipart_without_an_end_or_a_boundary_is_refused() {
    let operation = takes("multipart/form-data", FORM);
    let part = "--b\r\nContent-Disposition: form-data; name=any\r\n\r\n1";
    for text in [
        part.to_owned(),
        format!("{part}\r\n--b"),
        format!("{part}\r\n--b\r\n"),
        format!("x\r\n{part}\r\n--b--"),
    ] {
        assert!(body(&operation, "multipart/form-data; boundary=b", &text).starts_with("400"), "{text}");
    }
    assert!(body(&operation, "multipart/form-data", &format!("{part}\r\n--b--")).starts_with("400"));
    let nested = "--b\r\nContent-Disposition: form-data; name=age\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n--c--\r\n--b--";
    assert!(body(&operation, "multipart/form-data; boundary=b", nested).starts_with("422"));
}

#[test]
fn a_tag_nobody_mapped_is_refused_where_all_alternatives_are_mapped() {
    let schemas = "
components:
  schemas:
    Cat: {type: object, required: [kind], properties: {kind: {type: string}, lives: {type: integer}}}
    Dog: {type: object, required: [kind], properties: {kind: {type: string}, lives: {type: string}}}
";
    let yaml = |mapping: &str| {
        format!(
            "
    post:
      requestBody:
        content:
          application/json:
            schema:
              anyOf: [{{$ref: '#/components/schemas/Cat'}}, {{$ref: '#/components/schemas/Dog'}}]
              discriminator: {{propertyName: kind, mapping: {mapping}}}
      responses: {{'200': {{description: ok}}}}
{schemas}"
        )
    };
    let complete = operation("/x", &yaml("{cat: Cat, dog: Dog}"), CompileOptions::default());
    let partial = operation("/x", &yaml("{cat: Cat}"), CompileOptions::default());
    let check = |operation: &CompiledOperation, text: &str| body(operation, "application/json", text);
    for text in [r#"{"kind": "CAT", "lives": "x"}"#, r#"{"kind": "cow"}"#] {
        assert!(check(&complete, text).starts_with("422 body /kind: enum"), "{}", check(&complete, text));
        assert_eq!(check(&partial, text), text);
    }
    for text in [r#"{"kind": "cat", "lives": 9}"#, r#"{"kind": "Dog", "lives": "x"}"#] {
        assert_eq!(check(&complete, text), text);
    }
    assert!(check(&complete, r#"{"kind": "cat", "lives": "x"}"#).starts_with("422"));
    assert!(check(&complete, r#"{"kind": ["cat"], "lives": 9}"#).starts_with("422"));
    assert!(check(&complete, "{}").starts_with("422"));
}

#[test]
fn cookies_are_found_however_they_are_written() {
    let yaml = "
    get:
      parameters: [{name: size, in: cookie, schema: {type: integer}}]
      responses: {'200': {description: ok}}
";
    let operation = operation("/x", yaml, CompileOptions::default());
    let check = |line: &[u8]| {
        let mut fields = HeaderMap::new();
        fields.insert("cookie", HeaderValue::from_bytes(line).unwrap());
        let request = Request {
            method: Method::GET,
            version: Version::HTTP_11,
            host: "localhost".into(),
            path: "/x".into(),
            query: None,
            headers: fields,
            path_parameters: smallvec::SmallVec::new(),
            body: None,
            parsed: None,
        };
        operation.check_parameters(&request).err().map(|it| it[0].keyword.to_string())
    };
    assert_eq!(check(b"a=b; size=3"), None);
    assert_eq!(check(b"size =x").as_deref(), Some("type"));
    assert_eq!(check(b"size= x").as_deref(), Some("type"));
    assert_eq!(check("size=x; other=\u{e9}".as_bytes()).as_deref(), Some("type"));
    assert_eq!(check(b"size=\xff").as_deref(), Some("not_text"));
    assert_eq!(check(b"size=1; size =2").as_deref(), Some("repeated_parameter"));
    assert_eq!(check(b"other=\xff; size=3"), None);
}

#[test]
fn a_list_in_one_field_is_counted_and_split_when_it_comes_in_several() {
    let yaml = "
    get:
      parameters:
        - {name: ids, in: query, explode: false, schema: {type: array, maxItems: 3, items: {type: string, maxLength: 3}}}
      responses: {'200': {description: ok}}
";
    let operation = operation("/x", yaml, CompileOptions::default());
    assert_eq!(parameters(&operation, "?ids=a,b&ids=c", &[], &[]), "passes");
    assert!(parameters(&operation, "?ids=a,b&ids=c,d", &[], &[]).contains("maxItems"));
    assert_eq!(parameters(&operation, "?ids=abc,abc&ids=c", &[], &[]), "passes");
}

#[test]
fn bounds_hold_for_a_parameter_without_a_type() {
    let yaml = "
    get:
      parameters:
        - {name: limit, in: query, schema: {minimum: 1, maximum: 10}}
        - {name: word, in: query, content: {text/plain: {schema: {type: string, maxLength: 3}}}}
      responses: {'200': {description: ok}}
";
    let operation = operation("/x", yaml, CompileOptions::default());
    assert_eq!(parameters(&operation, "?limit=7&word=abc", &[], &[]), "passes");
    assert!(parameters(&operation, "?limit=99", &[], &[]).starts_with("query limit: maximum"));
    assert!(parameters(&operation, "?word=abcd", &[], &[]).starts_with("query word: maxLength"));
}

#[test]
fn a_scalar_parameter_has_no_alias_even_where_others_are_unknown() {
    let yaml = "
    get:
      parameters: [{name: role, in: query, schema: {enum: [user]}}, {name: ids, in: query, schema: {type: array}}]
      responses: {'200': {description: ok}}
";
    let options =
        CompileOptions { unknown_parameters: UnknownParameters::Allow, ..CompileOptions::default() };
    let operation = operation("/x", yaml, options);
    for target in ["?role[]=admin", "?role=user&role%5B0%5D=admin", "?role[x=admin"] {
        assert!(parameters(&operation, target, &[], &[]).starts_with("query role: notation"), "{target}");
    }
    assert_eq!(parameters(&operation, "?ids[]=1&other[]=2&role=user", &[], &[]), "passes");
}

#[test]
fn many_places_within_one_value_are_refused_before_they_cost_much() {
    let fields =
        |count: usize| (0..count).map(|n| format!("address[{n}][x]=1")).collect::<Vec<_>>().join("&");
    let limits = Limits { fields_max: 100_000, keys_max: 100_000, members_max: 100_000, ..Limits::default() };
    let yaml = format!(
        "
    post:
      requestBody: {{content: {{application/x-www-form-urlencoded: {FORM}}}}}
      responses: {{'200': {{description: ok}}}}
"
    );
    let operation = operation("/x", &yaml, CompileOptions { limits, ..CompileOptions::default() });
    let check = |count| body(&operation, "application/x-www-form-urlencoded", &fields(count));
    assert!(check(60_000).starts_with("400 body /address: unparsable: has more than"));
    assert!(check(4_000).starts_with("{"));
}

#[test]
fn numbers_get_over_no_bound() {
    let schema = "{schema: {type: object, properties: {
            small: {type: integer, format: int32}, large: {type: integer, format: int64}, price: {type: number, exclusiveMinimum: 0, maximum: 100}}}}";
    let operation = takes("application/json", schema);
    let check = |text: &str| body(&operation, "application/json", text);
    for text in [
        r#"{"small": 2147483648}"#,
        r#"{"small": 2147483648.0}"#,
        r#"{"small": 21474836480e-1}"#,
        r#"{"small": 0.5}"#,
        r#"{"small": 1e10}"#,
        r#"{"large": 9223372036854775808}"#,
        r#"{"large": -9223372036854775809}"#,
        r#"{"large": 9223372036854775808.0}"#,
        r#"{"large": 1e19}"#,
        r#"{"large": 99999999999999999999999999999999}"#,
        r#"{"price": -0.0}"#,
        r#"{"price": 100.00000000000001}"#,
        r#"{"price": 1e308}"#,
    ] {
        assert!(check(text).starts_with("422"), "{text} {}", check(text));
    }
    for text in
        [r#"{"large": 9223372036854775807, "small": -2147483648}"#, r#"{"large": -9223372036854775808}"#]
    {
        assert_eq!(check(text), text);
    }
    for text in [
        r#"{"price": 1e309}"#,
        r#"{"price": NaN}"#,
        r#"{"price": Infinity}"#,
        r#"{"small": 01}"#,
        r#"{"small": +1}"#,
        r#"{"small": 0x1}"#,
    ] {
        assert!(check(text).starts_with("400"), "{text} {}", check(text));
    }
}

#[test]
fn json_that_parsers_read_differently_is_refused() {
    let operation = takes("application/json", "{schema: {type: object}}");
    let nested = format!("{}1{}", "[".repeat(100), "]".repeat(100));
    for text in [
        r#"{"a": 1, "a": 2}"#,
        r#"{"a": 1, "\u0061": 2}"#,
        "\u{feff}{}",
        r#"{"a": "\ud800"}"#,
        r#"{"a": "\udc00\ud800"}"#,
        r#"{"a": 1} {}"#,
        r#"{"a": 1,}"#,
        "{/**/}",
        "{'a': 1}",
        "{\"a\": \"\u{1}\"}",
        &format!(r#"{{"a": {nested}}}"#),
    ] {
        assert!(body(&operation, "application/json", text).starts_with("400"), "{text}");
    }
}

#[test]
fn names_outside_of_patterns_stay_refused() {
    let schema = "{schema: {type: object, properties: {a: {type: integer}}, patternProperties: {'^x-': {type: string}}, additionalProperties: false}}";
    let operation = takes("application/json", schema);
    let check = |text: &str| body(&operation, "application/json", text);
    assert_eq!(check(r#"{"a": 1, "x-b": "c"}"#), r#"{"a": 1, "x-b": "c"}"#);
    for text in
        [r#"{"x-b": 1}"#, r#"{"X-b": "c"}"#, r#"{"a": 1, "b": 1}"#, r#"{"A": 1}"#, r#"{"\nx-b": "c"}"#]
    {
        assert!(check(text).starts_with("422"), "{text} {}", check(text));
    }
}

#[test]
fn a_complete_discriminator_holds_with_unknown_fields_refused() {
    let yaml = "
    post:
      requestBody:
        content:
          application/json:
            schema:
              oneOf: [{$ref: '#/components/schemas/Cat'}, {$ref: '#/components/schemas/Dog'}]
              discriminator: {propertyName: kind, mapping: {cat: Cat, dog: Dog}}
      responses: {'200': {description: ok}}
components:
  schemas:
    Cat: {type: object, required: [kind], properties: {kind: {type: string}, lives: {type: integer}}}
    Dog: {type: object, required: [kind], properties: {kind: {type: string}, barks: {type: boolean}}}
";
    let options = CompileOptions { unknown_fields: UnknownFields::Refuse, ..CompileOptions::default() };
    let operation = operation("/x", yaml, options);
    let check = |text: &str| body(&operation, "application/json", text);
    assert_eq!(check(r#"{"kind": "cat", "lives": 9}"#), r#"{"kind": "cat", "lives": 9}"#);
    for text in [r#"{"kind": "cat", "barks": true}"#, r#"{"kind": "cow"}"#, r#"{"kind": "dog", "x": 1}"#] {
        assert!(check(text).starts_with("422"), "{text}");
    }
}
