//! The checks, one file each. This list is their order within a phase, and what the reference is made of.

mod account_changed_by_stranger;
mod credential_not_required;
mod expired_token_accepted;
mod forged_token_accepted;
mod object_read_by_stranger;
mod object_written_by_stranger;
pub mod parts;
mod privileged_operation_done_by_ordinary_user;
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
];
