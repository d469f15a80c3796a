//! What the client's frames do.

use std::task::{Context, Poll};

use bytes::{Buf as _, BytesMut};

use super::{
    End, Stage, Talk,
    inbox::{COPIED_BYTES_MAX, Piece},
    pulse,
};
use crate::h2::{
    Code, Fault,
    block::Pieces,
    frame::{self, ACK, END_HEADERS, END_STREAM, HEAD_BYTES, Head, Kind, PREFACE},
    settings,
};

/// How far what came was read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Read {
    All,
    /// More may have come; it is read once what waits has been written.
    HeldUp,
}

impl Talk {
    /// Reads and heeds what has come, as long as what is to be written does not pile up.
    pub(super) fn read_frames(&mut self, cx: &mut Context<'_>) -> Result<Read, End> {
        loop {
            self.heed_frames()?;
            if self.wire.is_full() {
                return Ok(Read::HeldUp);
            }
            match self.wire.poll_fill(cx) {
                Poll::Pending => return Ok(Read::All),
                Poll::Ready(Ok(0) | Err(_)) => return Err(End::Gone),
                Poll::Ready(Ok(_)) => self.pulse.hear(),
            }
        }
    }

    fn heed_frames(&mut self) -> Result<(), Fault> {
        // Taken out, so that a frame can be heeded where it lies.
        let mut input = std::mem::take(&mut self.wire.input);
        let heeded = self.heed_input(&mut input);
        self.wire.input = input;
        heeded
    }

    fn heed_input(&mut self, input: &mut BytesMut) -> Result<(), Fault> {
        if self.stage == Stage::Preface {
            let len = input.len().min(PREFACE.len());
            if input.get(..len) != PREFACE.get(..len) {
                return Err(Fault::Preface);
            }
            if len < PREFACE.len() {
                return Ok(());
            }
            input.advance(len);
            self.stage = Stage::Settings;
        }
        while !self.wire.is_full() {
            let Some(head) = Head::read(input) else { return Ok(()) };
            head.check()?;
            let len = HEAD_BYTES + head.len;
            let Some(payload) = input.get(HEAD_BYTES..len) else { return Ok(()) };
            if self.stage == Stage::Settings {
                if head.kind != Kind::Settings || head.has(ACK) {
                    return Err(Fault::Preface);
                }
                self.stage = Stage::Open;
            }
            if self.block.is_some() && head.kind != Kind::Continuation {
                return Err(Fault::Interrupted);
            }
            if head.kind == Kind::Data {
                let inner = head.inner(payload)?;
                let bytes = inner.len();
                if bytes > COPIED_BYTES_MAX {
                    let payload = input.split_to(len).freeze().slice(HEAD_BYTES..);
                    self.data(head, Piece::Large(payload.slice(inner)), bytes)?;
                    continue;
                }
                self.data(head, Piece::Small(payload.get(inner).unwrap_or_default()), bytes)?;
            } else {
                self.heed(head, payload)?;
            }
            input.advance(len);
        }
        Ok(())
    }

    fn heed(&mut self, head: Head, payload: &[u8]) -> Result<(), Fault> {
        match head.kind {
            Kind::Headers => {
                let fragment = payload.get(head.inner(payload)?).unwrap_or_default();
                if head.has(END_HEADERS) {
                    return self.block(head, fragment);
                }
                self.block = Some(Pieces::new(head, fragment));
                Ok(())
            }
            Kind::Continuation => {
                let mut pieces = self.block.take().ok_or(Fault::Interrupted)?;
                pieces.add(head, payload, self.bounds.bytes_max)?;
                if head.has(END_HEADERS) {
                    return self.block(pieces.first, &pieces.bytes);
                }
                self.block = Some(pieces);
                Ok(())
            }
            Kind::Reset => self.reset(head),
            Kind::Settings => self.settings(head, payload),
            Kind::Ping => self.ping(head, payload),
            Kind::WindowUpdate => self.more_room(head, payload),
            Kind::Push => Err(Fault::Push),
            // Which streams matter more to the client is not heeded (RFC 9113 §5.3.2). What it says when it goes, and
            // what nobody knows, needs no answer.
            Kind::Priority | Kind::GoAway | Kind::Unknown | Kind::Data => self.calm_idle(),
        }
    }

    pub(super) fn calm_idle(&mut self) -> Result<(), Fault> {
        self.calm.idle_frame(|| self.began.elapsed())
    }

    fn settings(&mut self, head: Head, payload: &[u8]) -> Result<(), Fault> {
        self.calm_idle()?;
        if head.has(ACK) {
            return Ok(());
        }
        let changes = settings::read(payload)?;
        if let Some(bytes) = changes.table {
            self.encoder.allow(usize::try_from(bytes).unwrap_or(usize::MAX));
        }
        if let Some(bytes) = changes.window {
            let by = i64::from(bytes) - i64::from(self.stream_room);
            self.stream_room = bytes;
            for stream in self.streams.iter_mut() {
                stream.room.change(by)?;
            }
            self.enqueue_all();
        }
        frame::head(self.wire.output(), 0, Kind::Settings, ACK, 0);
        Ok(())
    }

    fn ping(&mut self, head: Head, payload: &[u8]) -> Result<(), Fault> {
        self.calm_idle()?;
        if !head.has(ACK) {
            frame::ping(self.wire.output(), ACK, payload);
        } else if payload == pulse::FAREWELL {
            self.end_heard();
        }
        Ok(())
    }

    fn more_room(&mut self, head: Head, payload: &[u8]) -> Result<(), Fault> {
        /// Less than this lets the gate send frames that are mostly head (CVE-2019-9511).
        const WORTH: u32 = 256;
        let bytes =
            payload.first_chunk::<4>().map_or(0, |bytes| u32::from_be_bytes(*bytes)) & settings::WINDOW_MAX;
        if bytes < WORTH {
            self.calm_idle()?;
        }
        if head.stream == 0 {
            if bytes == 0 {
                return Err(Fault::NoRoom);
            }
            return self.room.change(i64::from(bytes));
        }
        let Some(place) = self.streams.place_of(head.stream) else {
            // It may have been on its way when the stream ended.
            return if head.stream > self.last { Err(Fault::Idle) } else { Ok(()) };
        };
        let Some(stream) = self.streams.at(place) else { return Ok(()) };
        if bytes == 0 {
            self.break_off(place, Code::ProtocolError);
        } else if stream.room.change(i64::from(bytes)).is_err() {
            self.break_off(place, Code::FlowControlError);
        } else {
            self.enqueue(place);
        }
        Ok(())
    }

    /// The client gives a request up.
    fn reset(&mut self, head: Head) -> Result<(), Fault> {
        if head.stream > self.last {
            return Err(Fault::Idle);
        }
        let Some(place) = self.streams.place_of(head.stream) else { return self.calm_idle() };
        self.remove(place);
        self.calm.given_up(|| self.began.elapsed())
    }

    fn data(&mut self, head: Head, piece: Piece<'_>, inner: usize) -> Result<(), Fault> {
        self.given.came(head.len)?;
        let Some(place) = self.streams.place_of(head.stream) else {
            if head.stream > self.last {
                return Err(Fault::Idle);
            }
            if !self.streams.is_forgotten(head.stream) {
                return Err(Fault::Closed);
            }
            self.give_back(head.len);
            return self.calm_idle();
        };
        let ends = head.has(END_STREAM);
        if inner == 0 && !ends {
            self.calm_idle()?;
        }
        let Some(upload) = self.streams.at(place).and_then(|stream| stream.upload.as_mut()) else {
            return Err(Fault::Closed);
        };
        if !upload.is_open {
            return Err(Fault::Closed);
        }
        let fault = if upload.given.came(head.len).is_err() {
            Some(Code::FlowControlError)
        } else {
            match upload.left.map(|left| left.checked_sub(inner as u64)) {
                Some(None) => Some(Code::ProtocolError),
                Some(Some(left)) if ends && left > 0 => Some(Code::ProtocolError),
                left => {
                    upload.left = left.flatten();
                    None
                }
            }
        };
        if let Some(code) = fault {
            self.give_back(head.len);
            self.break_off(place, code);
            return Ok(());
        }
        if inner > 0 {
            upload.inbox.push(piece);
        }
        let padding = head.len - inner;
        let more = upload.given.took(padding).filter(|_| !ends);
        if ends {
            upload.is_open = false;
            upload.inbox.end(None);
        }
        if let Some(more) = more {
            frame::window_update(self.wire.output(), head.stream, more);
        }
        self.give_back(padding);
        Ok(())
    }

    /// Bytes of bodies take no more memory.
    pub(super) fn give_back(&mut self, bytes: usize) {
        if let Some(more) = self.given.took(bytes) {
            frame::window_update(self.wire.output(), 0, more);
        }
    }
}
