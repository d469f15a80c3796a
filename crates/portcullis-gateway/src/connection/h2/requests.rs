//! Requests: whole header blocks, and the streams that they begin.

use std::{sync::Arc, task::Waker};

use http::{Method, Version};

use super::{
    Farewell, STREAM_WINDOW, Talk,
    inbox::{Inbox, Upload},
    streams::{Arriving, Stream, Work},
};
use crate::{
    connection::ClientBody,
    exchange,
    h2::{
        Code, Fault,
        fault::HeadFault,
        frame::{self, END_STREAM, Head},
        head::{Draft, RequestHead},
        window::{Given, Room},
    },
    reply::{Content, Reply},
};

impl Talk {
    /// A whole header block has come.
    pub(super) fn block(&mut self, head: Head, block: &[u8]) -> Result<(), Fault> {
        let mut draft = Draft::new(self.bounds);
        self.decoder.decode(block, |field| draft.add(field)).map_err(Fault::Block)?;
        let ends = head.has(END_STREAM);
        if let Some(place) = self.streams.place_of(head.stream) {
            return self.trailers(place, draft, ends);
        }
        if head.stream <= self.last {
            return if self.streams.is_forgotten(head.stream) {
                self.calm_idle()
            } else {
                Err(Fault::Closed)
            };
        }
        if head.stream.is_multiple_of(2) {
            return Err(Fault::Number);
        }
        self.last = head.stream;
        match self.farewell {
            // It was told up to where it would be served.
            Farewell::Said => {
                self.streams.forget(head.stream);
                return self.calm_idle();
            }
            Farewell::NotYet | Farewell::Announced => {}
        }
        if self.streams.len() >= self.streams_max {
            frame::reset(self.wire.output(), head.stream, Code::RefusedStream);
            self.streams.forget(head.stream);
            return self.calm.given_up(|| self.began.elapsed());
        }
        match draft.request(ends, &mut self.authority) {
            Ok(request) => self.begin(head.stream, request, ends),
            Err(fault) => self.refuse(head.stream, fault, ends),
        }
        Ok(())
    }

    fn trailers(&mut self, place: usize, draft: Draft, ends: bool) -> Result<(), Fault> {
        let Some(upload) = self.streams.at(place).and_then(|stream| stream.upload.as_mut()) else {
            return Err(Fault::Closed);
        };
        if !upload.is_open {
            return Err(Fault::Closed);
        }
        match draft.trailers() {
            Ok(trailers) if ends && upload.left.unwrap_or(0) == 0 => {
                upload.is_open = false;
                upload.inbox.end(Some(trailers));
            }
            Ok(_) | Err(_) => self.break_off(place, Code::ProtocolError),
        }
        Ok(())
    }

    fn begin(&mut self, id: u32, head: RequestHead, ends: bool) {
        let RequestHead { request, length, waits_for_continue } = head;
        let place = self.streams.next_place();
        let upload = (!ends).then(|| Arriving {
            inbox: Inbox::new(length, self.waker(place)),
            given: Given::new(STREAM_WINDOW),
            left: length,
            is_open: true,
            waits_for_continue,
        });
        let body = match &upload {
            Some(upload) => ClientBody::H2(Upload(Arc::clone(&upload.inbox))),
            None => ClientBody::None,
        };
        let head_only = *request.method() == Method::HEAD;
        let serving = exchange::serve(Arc::clone(&self.connection), request.map(|()| body));
        self.open(id, Work::Asking(Box::pin(serving)), upload, head_only);
    }

    /// Answers a head that was no request, and records it.
    fn refuse(&mut self, id: u32, fault: HeadFault, ends: bool) {
        let answer = exchange::refused(&self.connection, Version::HTTP_2, fault.denial(), fault.reason());
        let upload = (!ends).then(|| {
            let inbox = Inbox::new(None, Waker::noop().clone());
            inbox.close();
            let given = Given::new(STREAM_WINDOW);
            Arriving { inbox, given, left: None, is_open: true, waits_for_continue: false }
        });
        let answer = answer.map(|text| Reply::alone(Content::Whole(text)));
        self.open(id, Work::Asking(Box::pin(std::future::ready(answer))), upload, false);
    }

    fn open(&mut self, id: u32, work: Work, upload: Option<Arriving>, head_only: bool) {
        let place = self.streams.next_place();
        self.waker(place);
        let room = Room::new(self.stream_room);
        self.streams.insert(Stream { id, work, head_only, room, upload, is_reset: false, is_queued: false });
        self.bell.mark(place);
    }
}
