//! The syntax tree of SecLang: what one directive says, typed, with places. No defaults are applied here and no rule is
//! looked up; that is the work of the resolver, whose result is [`crate::rules`].
//!
//! Texts are bytes: rules written for ModSecurity may hold any byte.

pub mod action;
pub mod ctl;
pub mod directive;
mod named;
pub mod operator;
pub mod setting;
pub mod target;
pub mod template;
pub mod variable;

pub use crate::transformations::Transformation;
pub use action::{Action, AllowScope, Change, Phase, SetVar, Severity};
pub use ctl::{Ctl, IdRange, PartsChange, RuleSelection};
pub use directive::{Directive, RuleDirective};
pub use operator::{Operator, OperatorName};
pub use setting::{AuditEngine, BodyProcessor, CookieFormat, EngineMode, LimitAction, Setting, XmlIntoArgs};
pub use target::{Selector, Target, TargetMode};
pub use template::{Reference, Segment, Template};
pub use variable::{Collection, Shape, Variable};
