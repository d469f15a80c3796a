//! One document compiled with several options.

use super::*;

#[test]
fn an_operation_is_found_in_another_variant_even_where_paths_share_an_item() {
    let text = "
openapi: 3.1.0
info: {title: t, version: '1'}
paths:
  /b: {$ref: '#/components/pathItems/shared'}
  /a: {$ref: '#/components/pathItems/shared'}
  /c: {get: {responses: {'200': {description: ok}}}}
components:
  pathItems:
    shared:
      post: {responses: {'200': {description: ok}}}
      get: {responses: {'200': {description: ok}}}
";
    let base = compile(text, CompileOptions::default());
    let strict = CompileOptions { unknown_fields: UnknownFields::Refuse, ..CompileOptions::default() };
    let strict = compile(text, strict);
    assert_eq!(base.operations.len(), 5);
    for operation in &base.operations {
        let same = strict.same_operation(operation).unwrap();
        assert_eq!((&same.method, &same.path), (&operation.method, &operation.path));
        assert!(!Arc::ptr_eq(same, operation));
    }
    let other = compile(&text.replace("  /c:", "  /d:"), CompileOptions::default());
    let gone = base.operations.iter().find(|it| it.path == "/c").unwrap();
    assert!(other.same_operation(gone).is_none());
}
