//! The judgement of one exchange, phase by phase.

use std::sync::Arc;

use crate::engine::{self, Desk, Shared, run_phase};
use crate::message::{RequestHead, ResponseHead};
use crate::syntax::{EngineMode, LimitAction, Variable};
use crate::verdict::{Disruption, Intervention, RecordChange, RuleMatch};

/// Status when a body is over the limit that the rules set.
const TOO_LARGE: u16 = 413;

/// One exchange under judgement. The host calls the phases in order and stops forwarding at the first intervention;
/// `finish` always comes last, also after an intervention. A phase left out is run without its data by the next call; a
/// phase called twice counts once.
pub struct Transaction {
    shared: Arc<Shared>,
    /// Gone only once dropped.
    desk: Option<Box<Desk>>,
    /// Phases run.
    done: u8,
}

impl Transaction {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        let mut desk = shared.take_desk();
        if shared.program.reads(Variable::UniqueId) {
            desk.values.set(Variable::UniqueId, shared.ports.ids.unique_id().as_bytes());
        }
        if shared.program.reads_time() {
            desk.state.began = shared.ports.clock.unix_micros();
        }
        Transaction { shared, desk: Some(desk), done: 0 }
    }

    /// Sets a variable of `TX` before the first phase. What is set so must have been named when the rules were compiled
    /// ([`crate::CompileOptions::host_variables`]); else rules may have been decided without it.
    pub fn set_tx(&mut self, name: &str, value: Arc<[u8]>) {
        if let Some(desk) = self.desk.as_deref_mut() {
            let value = engine::state::TxValue::Shared(value);
            desk.state.set_tx_named(&self.shared.program, name.to_ascii_lowercase().as_bytes(), Some(value));
        }
    }

    /// Phase 1: the request's head.
    pub fn request_head(&mut self, head: &RequestHead<'_>) -> Option<Intervention> {
        let desk = self.desk.as_deref_mut()?;
        if self.done >= 1 {
            return desk.state.intervention.clone();
        }
        engine::request_head(&self.shared.program, desk, head);
        self.run(1)
    }

    /// Whether the rules ask for the request's body; without need the host may stream it through, and calls
    /// [`Self::request_body`] without bytes.
    #[must_use]
    pub fn wants_request_body(&self) -> bool {
        let Some(desk) = self.desk.as_deref() else { return false };
        let settings = &self.shared.program.settings;
        self.mode() != EngineMode::Off
            && desk.state.request_body_access.unwrap_or(settings.request_body_access)
    }

    /// Phase 2: the whole request body as far as the host read it; empty where there is none.
    ///
    /// A body over `SecRequestBodyLimit` is refused with 413, or inspected as far as the limit, as the rules say.
    pub fn request_body(&mut self, body: &[u8]) -> Option<Intervention> {
        self.catch_up(1);
        let wanted = self.wants_request_body();
        let mode = self.mode();
        let desk = self.desk.as_deref_mut()?;
        if self.done >= 2 || desk.state.intervention.is_some() {
            return desk.state.intervention.clone();
        }
        let settings = &self.shared.program.settings;
        let body = if wanted { body } else { &[] };
        let (body, is_over) = limited(body, settings.request_body_bytes_max);
        desk.values.set(Variable::InboundDataError, if is_over { b"1" } else { b"0" });
        if is_over && settings.request_body_limit_action == LimitAction::Reject && mode == EngineMode::On {
            desk.state.intervention = Some(too_large(2));
            self.done = 2;
            return Some(too_large(2));
        }
        engine::request_body(&self.shared.program, desk, body);
        self.run(2)
    }

    /// Phase 3: the response's head.
    pub fn response_head(&mut self, head: &ResponseHead<'_>) -> Option<Intervention> {
        self.catch_up(2);
        let desk = self.desk.as_deref_mut()?;
        if self.done >= 3 || desk.state.intervention.is_some() {
            return desk.state.intervention.clone();
        }
        engine::response_head(desk, head);
        self.run(3)
    }

    /// Whether the rules ask for the response's body; without need the host may stream it through.
    #[must_use]
    pub fn wants_response_body(&self) -> bool {
        let Some(desk) = self.desk.as_deref() else { return false };
        let settings = &self.shared.program.settings;
        if self.mode() == EngineMode::Off
            || !desk.state.response_body_access.unwrap_or(settings.response_body_access)
        {
            return false;
        }
        let media_type = desk.values.scalar(Variable::ResponseContentType);
        settings.response_body_mime_types.is_empty()
            || settings.response_body_mime_types.iter().any(|each| each.eq_ignore_ascii_case(media_type))
    }

    /// Phase 4: the whole response body as far as the host read it.
    pub fn response_body(&mut self, body: &[u8]) -> Option<Intervention> {
        self.catch_up(3);
        let wanted = self.wants_response_body();
        let mode = self.mode();
        let desk = self.desk.as_deref_mut()?;
        if self.done >= 4 || desk.state.intervention.is_some() {
            return desk.state.intervention.clone();
        }
        let settings = &self.shared.program.settings;
        let body = if wanted { body } else { &[] };
        let (body, is_over) = limited(body, settings.response_body_bytes_max);
        desk.values.set(Variable::OutboundDataError, if is_over { b"1" } else { b"0" });
        if is_over && settings.response_body_limit_action == LimitAction::Reject && mode == EngineMode::On {
            desk.state.intervention = Some(too_large(4));
            self.done = 4;
            return Some(too_large(4));
        }
        engine::response_body(&self.shared.program, desk, body);
        self.run(4)
    }

    /// Phase 5: logging; its rules cannot stop anything any more.
    pub fn finish(&mut self) {
        if let (Some(desk), true) = (self.desk.as_deref_mut(), self.done < 5) {
            run_phase(&self.shared, desk, 5);
            self.done = 5;
        }
    }

    /// The intervention that ended the exchange, if any.
    #[must_use]
    pub fn intervention(&self) -> Option<&Intervention> {
        self.desk.as_deref()?.state.intervention.as_ref()
    }

    /// The matches that asked to be logged so far, in order; the first thousand.
    #[must_use]
    pub fn matches(&self) -> &[RuleMatch] {
        self.desk.as_deref().map_or(&[], |desk| &desk.state.matches)
    }

    /// Matches beyond those that [`Self::matches`] holds.
    #[must_use]
    pub fn matches_left_out(&self) -> usize {
        self.desk.as_deref().map_or(0, |desk| desk.state.matches_left_out)
    }

    /// Wishes of the rules about the record of this exchange, in order.
    #[must_use]
    pub fn record_changes(&self) -> &[RecordChange] {
        self.desk.as_deref().map_or(&[], |desk| &desk.state.record)
    }

    /// Names and values that `setenv` hands to the host.
    #[must_use]
    pub fn environment(&self) -> &[(Vec<u8>, Vec<u8>)] {
        self.desk.as_deref().map_or(&[], |desk| &desk.state.environment)
    }

    /// An integer of the `TX` collection as the rules left it, `blocking_inbound_anomaly_score` for one; `None` where there
    /// is no such variable. Text counts as the number it starts with.
    #[must_use]
    pub fn tx_integer(&self, name: &str) -> Option<i64> {
        let desk = self.desk.as_deref()?;
        let name = name.to_ascii_lowercase();
        desk.state.tx_named(&self.shared.program, name.as_bytes()).map(engine::state::TxValue::number)
    }

    fn mode(&self) -> EngineMode {
        let ours = self.desk.as_deref().and_then(|desk| desk.state.mode);
        ours.unwrap_or(self.shared.program.settings.rule_engine)
    }

    /// Runs the phases up to `phase` that the host left out.
    fn catch_up(&mut self, phase: u8) {
        while self.done < phase && self.desk.as_deref().is_some_and(|desk| desk.state.intervention.is_none())
        {
            self.run(self.done + 1);
        }
    }

    fn run(&mut self, phase: u8) -> Option<Intervention> {
        let desk = self.desk.as_deref_mut()?;
        self.done = phase;
        run_phase(&self.shared, desk, phase);
        desk.state.intervention.clone()
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        if let Some(desk) = self.desk.take() {
            self.shared.give_back(desk);
        }
    }
}

fn too_large(phase: u8) -> Intervention {
    Intervention { disruption: Disruption::Deny, status: TOO_LARGE, rule: 0, phase }
}

/// The bytes within a limit, and whether there are more.
fn limited(body: &[u8], bytes_max: Option<u64>) -> (&[u8], bool) {
    let bytes_max = bytes_max.and_then(|bytes| usize::try_from(bytes).ok()).filter(|bytes| *bytes > 0);
    match bytes_max.and_then(|bytes_max| body.get(..bytes_max)) {
        Some(part) if part.len() < body.len() => (part, true),
        _ => (body, false),
    }
}
