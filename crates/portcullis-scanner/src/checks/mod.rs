//! The checks, one file each. This list is their order within a phase, and what the reference is made of.

mod account_changed_by_stranger;
mod address_fetched;
mod answer_undeclared;
mod body_unbounded;
mod command_injected;
mod credential_not_required;
mod delay_obeyed;
mod delete_without_effect;
mod entity_resolved;
mod expired_token_accepted;
mod exposure;
mod file_disclosed;
mod flow_abused;
mod forbidden_input_accepted;
mod forged_token_accepted;
mod forgotten_endpoint;
mod guessing_unlimited;
mod header_split;
mod hidden_method;
mod ldap_injected;
mod mass_assignment;
mod nesting_costly;
mod nosql_injected;
mod object_deserialized;
mod object_read_by_stranger;
mod object_written_by_stranger;
mod odd_input_crashes;
mod page_unbounded;
mod partner_trusted;
pub mod parts;
mod pattern_backtracks;
mod privileged_operation_done_by_ordinary_user;
mod probing;
mod redirect_open;
mod script_reflected;
mod script_stored;
mod secret_in_answer;
mod session_outlives_its_end;
mod sql_injected;
mod sql_injected_later;
mod template_injected;
mod user_enumeration;
mod valid_call_fails;
mod weak_token_key;
mod xpath_injected;

use crate::check::Check;

/// All checks.
pub const ALL: &[&dyn Check] = &[
    &object_read_by_stranger::ObjectReadByStranger,
    &object_written_by_stranger::ObjectWrittenByStranger,
    &account_changed_by_stranger::AccountChangedByStranger,
    &privileged_operation_done_by_ordinary_user::PrivilegedOperationDoneByOrdinaryUser,
    &credential_not_required::CredentialNotRequired,
    &forged_token_accepted::ForgedTokenAccepted,
    &weak_token_key::WeakTokenKey,
    &expired_token_accepted::ExpiredTokenAccepted,
    &user_enumeration::UserEnumeration,
    &session_outlives_its_end::SessionOutlivesItsEnd,
    &guessing_unlimited::GuessingUnlimited,
    &secret_in_answer::SecretInAnswer,
    &mass_assignment::MassAssignment,
    &hidden_method::HiddenMethod,
    &forgotten_endpoint::ForgottenEndpoint,
    &exposure::Exposure,
    &flow_abused::FlowAbused,
    &partner_trusted::PartnerTrusted,
    &address_fetched::AddressFetched,
    &sql_injected::SqlInjected,
    &nosql_injected::NosqlInjected,
    &command_injected::CommandInjected,
    &template_injected::TemplateInjected,
    &file_disclosed::FileDisclosed,
    &script_reflected::ScriptReflected,
    &script_stored::ScriptStored,
    &xpath_injected::XpathInjected,
    &ldap_injected::LdapInjected,
    &header_split::HeaderSplit,
    &redirect_open::RedirectOpen,
    &entity_resolved::EntityResolved,
    &object_deserialized::ObjectDeserialized,
    &delay_obeyed::DelayObeyed,
    &page_unbounded::PageUnbounded,
    &body_unbounded::BodyUnbounded,
    &nesting_costly::NestingCostly,
    &pattern_backtracks::PatternBacktracks,
    &sql_injected_later::SqlInjectedLater,
    &valid_call_fails::ValidCallFails,
    &answer_undeclared::AnswerUndeclared,
    &forbidden_input_accepted::ForbiddenInputAccepted,
    &odd_input_crashes::OddInputCrashes,
    &delete_without_effect::DeleteWithoutEffect,
];
