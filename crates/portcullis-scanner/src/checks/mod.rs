//! The checks, one file each. This list is their order within a phase, and what the reference is made of.

mod account_changed_by_stranger;
mod address_fetched;
mod answer_undeclared;
mod body_unbounded;
mod command_injected;
mod cookie_switch_trusted;
mod credential_not_required;
mod delay_obeyed;
mod delete_without_effect;
mod dimension_unbounded;
mod entity_resolved;
mod expired_token_accepted;
mod exposure;
mod file_disclosed;
mod flow_abused;
mod forbidden_input_accepted;
mod forged_token_accepted;
mod forgotten_endpoint;
mod graphql_aliases_unlimited;
mod graphql_batch_unlimited;
mod graphql_cost_unlimited;
mod graphql_deny_list_bypassed;
mod graphql_depth_unlimited;
mod graphql_directives_unlimited;
mod graphql_field_repetition_unlimited;
mod graphql_fragment_cycle_accepted;
mod graphql_ide_exposed;
mod graphql_mutation_by_form;
mod graphql_mutation_by_get;
mod graphql_names_suggested;
mod graphql_object_read_around_guard;
mod graphql_operation_name_recorded;
mod graphql_schema_disclosed;
mod grpc_message_unlimited;
mod grpc_metadata_guard_bypassed;
mod grpc_reflection_enabled;
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
mod operation_occupies_server;
mod page_unbounded;
mod partner_trusted;
pub mod parts;
mod password_guessed;
mod pattern_backtracks;
mod privileged_operation_done_by_ordinary_user;
mod probing;
mod redirect_open;
mod script_reflected;
mod script_stored;
mod secret_in_answer;
mod session_outlives_its_end;
mod soap_action_spoofed;
mod soap_entities_expanded;
mod soap_external_entity_resolved;
mod soap_second_body_accepted;
mod sql_injected;
mod sql_injected_later;
mod template_injected;
mod user_enumeration;
mod valid_call_fails;
mod weak_token_key;
mod ws_security_replayed;
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
    &dimension_unbounded::DimensionUnbounded,
    &body_unbounded::BodyUnbounded,
    &nesting_costly::NestingCostly,
    &pattern_backtracks::PatternBacktracks,
    &sql_injected_later::SqlInjectedLater,
    &valid_call_fails::ValidCallFails,
    &answer_undeclared::AnswerUndeclared,
    &forbidden_input_accepted::ForbiddenInputAccepted,
    &odd_input_crashes::OddInputCrashes,
    &delete_without_effect::DeleteWithoutEffect,
    &graphql_schema_disclosed::GraphqlSchemaDisclosed,
    &graphql_names_suggested::GraphqlNamesSuggested,
    &graphql_ide_exposed::GraphqlIdeExposed,
    &graphql_mutation_by_get::GraphqlMutationByGet,
    &graphql_mutation_by_form::GraphqlMutationByForm,
    &graphql_object_read_around_guard::GraphqlObjectReadAroundGuard,
    &graphql_deny_list_bypassed::GraphqlDenyListBypassed,
    &graphql_operation_name_recorded::GraphqlOperationNameRecorded,
    &cookie_switch_trusted::CookieSwitchTrusted,
    &password_guessed::PasswordGuessed,
    &grpc_reflection_enabled::GrpcReflectionEnabled,
    &grpc_metadata_guard_bypassed::GrpcMetadataGuardBypassed,
    &soap_entities_expanded::SoapEntitiesExpanded,
    &soap_external_entity_resolved::SoapExternalEntityResolved,
    &soap_action_spoofed::SoapActionSpoofed,
    &soap_second_body_accepted::SoapSecondBodyAccepted,
    &ws_security_replayed::WsSecurityReplayed,
    &graphql_batch_unlimited::GraphqlBatchUnlimited,
    &graphql_aliases_unlimited::GraphqlAliasesUnlimited,
    &graphql_field_repetition_unlimited::GraphqlFieldRepetitionUnlimited,
    &graphql_directives_unlimited::GraphqlDirectivesUnlimited,
    &graphql_fragment_cycle_accepted::GraphqlFragmentCycleAccepted,
    &graphql_depth_unlimited::GraphqlDepthUnlimited,
    &graphql_cost_unlimited::GraphqlCostUnlimited,
    &grpc_message_unlimited::GrpcMessageUnlimited,
    &operation_occupies_server::OperationOccupiesServer,
];
