//! What becomes of schemas.

use super::{check, check_schema};
use crate::openapi::{LoadOptions, MemorySource, WrongDirection, load};

#[test]
fn lets_null_in_where_it_is_nullable() {
    insta::assert_snapshot!(check_schema("3.0.3", "
X:
  properties:
    text: {type: string, nullable: true, description: gone, example: gone, default: gone, x-gone: 1}
    choice: {type: string, nullable: true, enum: [a, b]}
    other: {nullable: true, $ref: '#/components/schemas/Y'}
    composed: {nullable: true, type: object, allOf: [{$ref: '#/components/schemas/Y'}]}
    anything: {nullable: true}
Y: {type: object}
"), @r###"
X = {"properties":{"text":{"type":["string","null"]},"choice":{"type":["string","null"],"enum":["a","b",null]},"other":{"anyOf":[{"$ref":"#/$defs/Y"},{"type":"null"}]},"composed":{"anyOf":[{"type":"object","allOf":[{"$ref":"#/$defs/Y"}]},{"type":"null"}]},"anything":{}}}
Y = {"type":"object"}
"###);
}

#[test]
fn drops_what_stands_beside_a_reference_before_3_1_only() {
    let schemas = "
X: {properties: {a: {$ref: '#/components/schemas/Y', maxLength: 3}}}
Y: {type: string}
";
    insta::assert_snapshot!(check_schema("3.0.0", schemas), @r###"
X = {"properties":{"a":{"$ref":"#/$defs/Y"}}}
Y = {"type":"string"}
"###);
    insta::assert_snapshot!(check_schema("3.1.0", schemas), @r###"
X = {"properties":{"a":{"$ref":"#/$defs/Y","maxLength":3}}}
Y = {"type":"string"}
"###);
}

#[test]
fn turns_boolean_bounds_into_numbers() {
    insta::assert_snapshot!(check_schema("3.0.0", "
X:
  items: {type: integer, minimum: 0, exclusiveMinimum: true, maximum: 10, exclusiveMaximum: false}
"), @r###"X = {"items":{"type":"integer","maximum":10,"exclusiveMinimum":0}}"###);
}

#[test]
fn repairs_keywords_of_the_wrong_type() {
    insta::assert_snapshot!(check_schema("3.0.0", "
X:
  type: Object
  required: true
  maxlength: 3
  properties:
    a: {type: string, maxLength: '5', minLength: -1, minimum: null}
    b: {enum: nothing, required: true}
    c: {type: any}
    d: {type: string, enum: [1, yes, true]}
    e: {type: integer, enum: ['1', 2], multipleOf: 0}
    f: {items: [{type: string}, {type: integer}]}
    g: {allOf: {type: string}, oneOf: []}
    h:
"), @r###"
X = {"type":"object","properties":{"a":{"type":"string","maxLength":5},"b":{},"c":{},"d":{"type":"string","enum":["1","yes","true"]},"e":{"type":"integer","enum":[1,2]},"f":{"prefixItems":[{"type":"string"},{"type":"integer"}]},"g":{"allOf":[{"type":"string"}]},"h":true}}
warning: openapi.yaml:13:7#/components/schemas/X/type: type `Object` is not known: `object` is taken
warning: openapi.yaml:14:7#/components/schemas/X/required: `required` must be an array of property names, not a boolean: it is left out
warning: openapi.yaml:15:7#/components/schemas/X/maxlength: `maxlength` is no keyword and says nothing: `maxLength` may be meant
warning: openapi.yaml:17:58#/components/schemas/X/properties/a/minimum: `minimum` must be a number, not null: it is left out
warning: openapi.yaml:17:27#/components/schemas/X/properties/a/maxLength: `maxLength` must be a number, not a string: it is read as one
warning: openapi.yaml:17:43#/components/schemas/X/properties/a/minLength: `minLength` must be a whole number of at least 0: it is left out
warning: openapi.yaml:18:13#/components/schemas/X/properties/b/enum: `enum` must be an array, not a string: it is left out
warning: openapi.yaml:18:28#/components/schemas/X/properties/b/required: `required` must be an array of property names, not a boolean: it is left out
warning: openapi.yaml:19:13#/components/schemas/X/properties/c/type: type `any` is not known: every type is accepted
warning: openapi.yaml:20:27#/components/schemas/X/properties/d/enum: values of `enum` do not have the schema's `type`: they are converted
warning: openapi.yaml:21:28#/components/schemas/X/properties/e/enum: values of `enum` do not have the schema's `type`: they are converted
warning: openapi.yaml:21:9#/components/schemas/X/properties/e: `multipleOf` must be greater than 0: it is left out
warning: openapi.yaml:22:13#/components/schemas/X/properties/f/items: `items` must be a schema: a list of them is read as `prefixItems`
warning: openapi.yaml:23:13#/components/schemas/X/properties/g/allOf: `allOf` must be an array: it is read as a list of this one
warning: openapi.yaml:23:36#/components/schemas/X/properties/g/oneOf: `oneOf` is empty: it is left out
warning: openapi.yaml:24:9#/components/schemas/X/properties/h: a schema without content: everything is accepted
"###);
}

#[test]
fn leaves_out_patterns_that_cannot_be_matched_in_linear_time() {
    insta::assert_snapshot!(check_schema("3.0.0", r"
X:
  properties:
    good: {pattern: '^\d{3}\/\w+\cJ$'}
    ahead: {pattern: '^(?!a)b'}
    back: {pattern: '(a)\1'}
    wrong: {pattern: '('}
    ruby: {pattern: '\A[\\A]\z'}
"), @r###"
X = {"properties":{"good":{"pattern":"^\\d{3}\\/\\w+\\cJ$"},"ahead":{},"back":{},"wrong":{},"ruby":{"pattern":"\\A[\\\\A]\\z"}}}
warning: openapi.yaml:15:17#/components/schemas/X/properties/ahead/pattern: pattern `^(?!a)b` uses look-around, which cannot be matched in linear time; it is left out: any text is accepted here; say it without look-around and back-references
warning: openapi.yaml:16:16#/components/schemas/X/properties/back/pattern: pattern `(a)\1` is no regular expression that can be matched in linear time; it is left out: any text is accepted here; say it without look-around and back-references
warning: openapi.yaml:17:17#/components/schemas/X/properties/wrong/pattern: pattern `(` is no regular expression that can be matched in linear time; it is left out: any text is accepted here; say it without look-around and back-references
"###);
}

#[test]
fn requires_nothing_of_the_other_side() {
    insta::assert_snapshot!(check_schema("3.0.0", "
X:
  allOf:
    - {$ref: '#/components/schemas/Base'}
    - {type: object, required: [id, name, secret], properties: {name: {type: string}, secret: {$ref: '#/components/schemas/Secret'}}}
Base: {type: object, required: [id], properties: {id: {allOf: [{type: integer}], readOnly: true}}}
Secret: {type: string, writeOnly: true}
"), @r###"
X = {"allOf":[{"$ref":"#/$defs/Base"},{"type":"object","required":["name","secret"],"properties":{"name":{"type":"string"},"secret":{"$ref":"#/$defs/Secret"}}}]}
  in responses = {"allOf":[{"$ref":"#/$defs/Base"},{"type":"object","required":["id","name"],"properties":{"name":{"type":"string"},"secret":{"$ref":"#/$defs/Secret"}}}]}
Base = {"type":"object","properties":{"id":{"allOf":[{"type":"integer"}]}}}
  in responses = {"type":"object","required":["id"],"properties":{"id":{"allOf":[{"type":"integer"}]}}}
Secret = {"type":"string"}
"###);
}

#[test]
fn refuses_the_other_sides_properties_by_choice() {
    let source = MemorySource::default().with(
        "o.yaml",
        "{openapi: 3.0.0, paths: {/x: {post: {requestBody: {content: {application/json: {schema:
          {properties: {id: {type: integer, readOnly: true}, pin: {type: string, writeOnly: true}}}}}}}}}}",
    );
    let options = LoadOptions {
        read_only_in_requests: WrongDirection::Refuse,
        write_only_in_responses: WrongDirection::Refuse,
        ..LoadOptions::default()
    };
    let document = load("o.yaml", &source, &options).unwrap();
    let pointer = document.operations[0].body.as_ref().unwrap().content[0].schema.as_ref().unwrap().pointer();
    let request = document.request_schemas.pointer(pointer).unwrap();
    let response = document.response_schemas.pointer(pointer).unwrap();
    assert_eq!(request.to_string(), r#"{"properties":{"id":false,"pin":{"type":"string"}}}"#);
    assert_eq!(response.to_string(), r#"{"properties":{"id":{"type":"integer"},"pin":false}}"#);
}

#[test]
fn resolves_the_names_of_a_discriminator() {
    insta::assert_snapshot!(check_schema("3.0.0", "
X:
  oneOf: [{$ref: '#/components/schemas/Cat'}, {$ref: '#/components/schemas/Dog'}]
  discriminator: {propertyName: kind, mapping: {feline: Cat, canine: '#/components/schemas/Dog', lost: Gone}}
Cat: {type: object}
Dog: {type: object}
"), @r###"
X = {"oneOf":[{"$ref":"#/$defs/Cat"},{"$ref":"#/$defs/Dog"}],"x-portcullis-discriminator":{"property":"kind","mapping":{"Cat":"#/$defs/Cat","Dog":"#/$defs/Dog","feline":"#/$defs/Cat","canine":"#/$defs/Dog"},"complete":true}}
Cat = {"type":"object"}
Dog = {"type":"object"}
warning: openapi.yaml:14:102#/components/schemas/X/discriminator/mapping/lost: `mapping` to `Gone`, which does not exist: this is left out
"###);
}

#[test]
fn lets_a_base_stand_for_its_heirs() {
    insta::assert_snapshot!(check_schema("3.0.0", "
X: {type: array, items: {$ref: '#/components/schemas/Pet'}}
Pet: {type: object, required: [kind], properties: {kind: {type: string}}, discriminator: {propertyName: kind, mapping: {pet: Pet}}}
Cat: {allOf: [{$ref: '#/components/schemas/Pet'}, {properties: {claws: {type: integer}}}]}
Lion: {allOf: [{$ref: '#/components/schemas/Cat'}, {properties: {mane: {type: boolean}}}]}
"), @r###"
X = {"type":"array","items":{"$ref":"#/$defs/Pet"}}
Pet = {"anyOf":[{"$ref":"#/$defs/Cat"},{"$ref":"#/$defs/Lion"},{"$ref":"#/$defs/Pet.base"}],"x-portcullis-discriminator":{"property":"kind","mapping":{"Cat":"#/$defs/Cat","Lion":"#/$defs/Lion","Pet":"#/$defs/Pet.base","pet":"#/$defs/Pet.base"}}}
Pet.base = {"type":"object","required":["kind"],"properties":{"kind":{"type":"string"}}}
Cat = {"allOf":[{"$ref":"#/$defs/Pet.base"},{"properties":{"claws":{"type":"integer"}}}]}
Lion = {"allOf":[{"$ref":"#/$defs/Cat"},{"properties":{"mane":{"type":"boolean"}}}]}
"###);
}

#[test]
fn unties_a_base_that_lists_its_heirs() {
    insta::assert_snapshot!(check_schema("3.0.0", "
X:
  type: object
  oneOf: [{$ref: '#/components/schemas/Cat'}]
  discriminator: {propertyName: kind}
Cat: {allOf: [{$ref: '#/components/schemas/X'}, {required: [claws]}]}
"), @r###"
X = {"type":"object","oneOf":[{"$ref":"#/$defs/Cat"}],"x-portcullis-discriminator":{"property":"kind","mapping":{"Cat":"#/$defs/Cat"}}}
Cat = {"allOf":[{"$ref":"#/$defs/X.base"},{"required":["claws"]}]}
X.base = {"type":"object"}
"###);
}

#[test]
fn keeps_recursive_schemas_and_shares_equal_ones() {
    insta::assert_snapshot!(check("
openapi: 3.1.0
paths:
  /a:
    post:
      parameters:
        - {name: p, in: query, schema: {type: string, maxLength: 3}}
        - {name: q, in: query, schema: {description: the same, type: string, maxLength: 3}}
      requestBody: {content: {application/json: {schema: {$ref: '#/components/schemas/Tree'}}}}
      responses: {200: {content: {application/json: {schema: {$ref: '#/paths/~1a/post/parameters/0/schema'}}}}}
components:
  schemas:
    Tree: {type: object, properties: {left: {$ref: '#/components/schemas/Tree'}, right: {$ref: '#/components/schemas/Alias'}}}
    Alias: {$ref: '#/components/schemas/Tree'}
    Unused: {type: string}
"), @r###"
POST /a `POST /a` at ``
  Query p? Form explode /$defs/-a.post.parameters.0.schema
  Query q? Form explode /$defs/-a.post.parameters.0.schema
  body: application/json /$defs/Tree
  Exact(200): application/json /$defs/-a.post.parameters.0.schema
-a.post.parameters.0.schema = {"type":"string","maxLength":3}
Tree = {"type":"object","properties":{"left":{"$ref":"#/$defs/Tree"},"right":{"$ref":"#/$defs/Tree"}}}
"###);
}

#[test]
fn reads_2020_12_keywords() {
    insta::assert_snapshot!(check_schema("3.1.0", "
X:
  $id: https://example.com/x
  type: [object, 'null']
  const: null
  patternProperties: {'^a': {type: string}}
  if: {properties: {a: {const: 1}}}
  then: {required: [b]}
  unevaluatedProperties: false
  dependentRequired: {a: [b]}
  properties:
    anchored: {$ref: '#named'}
    by_id: {$ref: 'https://example.com/x'}
    tuple: {prefixItems: [{type: string}], items: false, contains: {type: string}, minContains: 2}
Y: {$anchor: named, type: number, exclusiveMinimum: 0}
"), @r###"
X = {"type":["object","null"],"const":null,"patternProperties":{"^a":{"type":"string"}},"if":{"properties":{"a":{"const":1}}},"then":{"required":["b"]},"unevaluatedProperties":false,"dependentRequired":{"a":["b"]},"properties":{"anchored":{"$ref":"#/$defs/Y"},"by_id":{"$ref":"#/$defs/X"},"tuple":{"prefixItems":[{"type":"string"}],"items":false,"contains":{"type":"string"},"minContains":2}}}
Y = {"type":"number","exclusiveMinimum":0}
"###);
}
