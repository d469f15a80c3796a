//! Settings in order; of several the last one counts, but lists grow.

use crate::rules::{HostSetting, Settings};
use crate::source::Located;
use crate::syntax::Setting;

/// What all settings together say.
pub(crate) fn settings(directives: Vec<Located<Setting>>) -> Settings {
    let mut settings = Settings::default();
    for Located { value, place } in directives {
        match value {
            Setting::RuleEngine(mode) => settings.rule_engine = mode,
            Setting::RequestBodyAccess(is_on) => settings.request_body_access = is_on,
            Setting::ResponseBodyAccess(is_on) => settings.response_body_access = is_on,
            Setting::RequestBodyLimit(bytes) => settings.request_body_bytes_max = Some(bytes),
            Setting::RequestBodyNoFilesLimit(bytes) => settings.request_body_no_files_bytes_max = Some(bytes),
            Setting::RequestBodyLimitAction(action) => settings.request_body_limit_action = action,
            Setting::RequestBodyJsonDepthLimit(depth) => settings.json_depth_max = Some(depth),
            Setting::ResponseBodyLimit(bytes) => settings.response_body_bytes_max = Some(bytes),
            Setting::ResponseBodyLimitAction(action) => settings.response_body_limit_action = action,
            Setting::ResponseBodyMimeTypes(types) => settings.response_body_mime_types.extend(types),
            Setting::ResponseBodyMimeTypesClear => settings.response_body_mime_types.clear(),
            Setting::ArgumentsLimit(count) => settings.arguments_max = Some(count),
            Setting::ArgumentSeparator(byte) => settings.argument_separator = byte,
            Setting::CookieFormat(format) => settings.cookie_format = format,
            Setting::UnicodeMap(map) => settings.unicode_map = Some(map),
            Setting::CollectionTimeout(secs) => settings.collection_timeout_secs = Some(secs),
            Setting::UploadFileLimit(count) => settings.upload_files_max = Some(count),
            Setting::ParseXmlIntoArgs(mode) => settings.parse_xml_into_args = mode,
            Setting::ComponentSignature(text) => settings.component_signatures.push(text),
            Setting::ServerSignature(text) => settings.server_signature = Some(text),
            Setting::WebAppId(text) => settings.web_app_id = Some(text),
            Setting::Host { name, value } => settings.host.push(HostSetting { name, value, place }),
        }
    }
    settings
}
