//! The JSON Schema of the language, for editors.

use schemars::generate::SchemaSettings;
use serde_json::Value;

use crate::model::Config;

/// The schema (draft 2020-12), as a JSON document.
pub fn schema() -> Value {
    let generator = SchemaSettings::draft2020_12().into_generator();
    let mut schema = generator.into_root_schema_for::<Config>();
    schema.insert("title".to_owned(), Value::from("Portcullis configuration"));
    schema.insert("$id".to_owned(), Value::from("https://portcullis.dev/schema/v1.json"));
    schema.to_value()
}
