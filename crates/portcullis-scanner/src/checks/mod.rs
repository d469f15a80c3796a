//! The checks, one file each. This list is their order within a phase, and what the reference is made of.

mod account_changed_by_stranger;
mod credential_not_required;
mod expired_token_accepted;
mod exposure;
mod flow_abused;
mod forged_token_accepted;
mod forgotten_endpoint;
mod guessing_unlimited;
mod hidden_method;
mod mass_assignment;
mod object_read_by_stranger;
mod object_written_by_stranger;
mod partner_trusted;
pub mod parts;
mod privileged_operation_done_by_ordinary_user;
mod secret_in_answer;
mod session_outlives_its_end;
mod user_enumeration;
mod weak_token_key;

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
];
