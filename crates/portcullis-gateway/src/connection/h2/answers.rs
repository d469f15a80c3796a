//! The streams' turns: their exchanges, and their answers on the way out.

use std::{
    pin::Pin,
    task::{Context, Poll, Waker},
};

use bytes::Bytes;
use http::{Response, StatusCode};
use http_body::Body as _;

use super::{
    Talk,
    streams::{Sending, Work},
};
use crate::{
    h2::{
        Code,
        date::date,
        frame::{self, END_STREAM, Kind, PAYLOAD_BYTES_MAX},
        head::{self, Length},
    },
    reply::Reply,
};

impl Talk {
    /// What wakes the stream at a place; kept for those that come after it.
    pub(super) fn waker(&mut self, place: usize) -> Waker {
        while self.wakers.len() <= place {
            let waker = self.bell.waker(self.wakers.len());
            self.wakers.push(waker);
        }
        self.wakers.get(place).unwrap_or(Waker::noop()).clone()
    }

    /// A turn for each stream that was held up, as long as there is room, and for each that was woken.
    pub(super) fn give_turns(&mut self) {
        for _ in 0..self.queue.len() {
            if self.wire.is_full() || self.room.bytes() == 0 {
                break;
            }
            let Some(place) = self.queue.pop_front() else { break };
            if let Some(stream) = self.streams.at(place) {
                stream.is_queued = false;
                self.turn(place);
            }
        }
        let mut word = 0;
        while let Some(mut bits) = self.bell.take(word) {
            while bits != 0 {
                let bit = bits.trailing_zeros();
                bits &= bits - 1;
                self.turn(word * 64 + usize::try_from(bit).unwrap_or_default());
            }
            word += 1;
        }
    }

    fn turn(&mut self, place: usize) {
        let waker = self.waker(place);
        let mut cx = Context::from_waker(&waker);
        self.heed_reader(place);
        let Some(stream) = self.streams.at(place) else { return };
        match &mut stream.work {
            Work::Asking(asking) => match asking.as_mut().poll(&mut cx) {
                Poll::Ready(answer) => self.answer(place, answer, &mut cx),
                Poll::Pending => {}
            },
            Work::Sending(_) => self.send(place, &mut cx),
        }
        self.heed_reader(place);
    }

    /// Tells the client what the reader of its body has done.
    fn heed_reader(&mut self, place: usize) {
        let Some(stream) = self.streams.at(place) else { return };
        let Some(upload) = &mut stream.upload else { return };
        let (id, news) = (stream.id, upload.inbox.news());
        let mut more = None;
        let mut may_go_on = false;
        if upload.is_open {
            more = upload.given.took(news.taken);
            may_go_on =
                news.is_asked_for && matches!(stream.work, Work::Asking(_)) && upload.waits_for_continue;
            upload.waits_for_continue &= !may_go_on;
        }
        if let Some(more) = more {
            frame::window_update(self.wire.output(), id, more);
        }
        self.give_back(news.taken);
        if may_go_on {
            let output = self.wire.output();
            let from = frame::room_for_headers(output);
            self.encoder.begin(output);
            self.encoder.status(StatusCode::CONTINUE, output);
            frame::headers(output, from, 0, id);
        }
    }

    /// The exchange has come to its answer.
    fn answer(&mut self, place: usize, answer: Response<Reply>, cx: &mut Context<'_>) {
        let Some(stream) = self.streams.at(place) else { return };
        if stream.is_reset {
            self.remove(place);
            return;
        }
        let (head, reply) = answer.into_parts();
        let (id, status, exact) = (stream.id, head.status, reply.size_hint().exact());
        let never_has_body = status.is_informational() || status == StatusCode::NO_CONTENT;
        let bodiless = never_has_body || stream.head_only || status == StatusCode::NOT_MODIFIED;
        let length = match exact {
            _ if never_has_body => Length::Unsaid,
            _ if bodiless => Length::AsSaid,
            Some(bytes) => Length::Is(bytes),
            None => Length::Unsaid,
        };
        let ends = bodiless || reply.is_end_stream();
        if !ends {
            stream.work = Work::Sending(Sending { reply, waiting: Bytes::new(), left: exact });
        }
        let clock = &self.connection.listener.world.clock;
        let output = self.wire.output();
        let from = frame::room_for_headers(output);
        head::answer(&mut self.encoder, output, status, head.headers.iter(), length, || date(clock.now()));
        frame::headers(output, from, if ends { END_STREAM } else { 0 }, id);
        if ends {
            self.finish(place);
        } else {
            self.send(place, cx);
        }
    }

    /// Sends of an answer's body what has come and there is room for, up to one frame's worth: then it is others' turn.
    fn send(&mut self, place: usize, cx: &mut Context<'_>) {
        let mut budget = PAYLOAD_BYTES_MAX;
        loop {
            let Some(stream) = self.streams.at(place) else { return };
            let Work::Sending(sending) = &mut stream.work else { return };
            if !sending.waiting.is_empty() {
                let room = stream.room.bytes().min(self.room.bytes()).min(budget);
                if room == 0 || self.wire.is_full() {
                    // Who waits for room of its own is called when it comes.
                    if stream.room.bytes() > 0 {
                        self.enqueue(place);
                    }
                    return;
                }
                let bytes = sending.waiting.len().min(room);
                let piece = sending.waiting.split_to(bytes);
                budget -= bytes;
                stream.room.take(bytes);
                self.room.take(bytes);
                self.pulse.moved();
                let ends = sending.is_whole();
                let id = stream.id;
                let output = self.wire.output();
                frame::head(output, bytes, Kind::Data, if ends { END_STREAM } else { 0 }, id);
                output.extend_from_slice(&piece);
                if ends {
                    return self.finish(place);
                }
                continue;
            }
            let frame = match Pin::new(&mut sending.reply).poll_frame(cx) {
                Poll::Pending => return,
                Poll::Ready(frame) => frame,
            };
            let id = stream.id;
            match frame.map(|frame| frame.map(http_body::Frame::into_data)) {
                Some(Ok(Ok(data))) => match sending.take(data) {
                    Ok(()) => {}
                    Err(NotAsPromised) => return self.break_off(place, Code::InternalError),
                },
                _ if sending.left.is_some_and(|left| left > 0) => {
                    return self.break_off(place, Code::InternalError);
                }
                Some(Ok(Err(frame))) => {
                    let trailers = frame.into_trailers().unwrap_or_default();
                    let output = self.wire.output();
                    let from = frame::room_for_headers(output);
                    head::trailers(&mut self.encoder, output, &trailers);
                    frame::headers(output, from, END_STREAM, id);
                    return self.finish(place);
                }
                None => {
                    frame::head(self.wire.output(), 0, Kind::Data, END_STREAM, id);
                    return self.finish(place);
                }
                Some(Err(_)) => return self.break_off(place, Code::InternalError),
            }
        }
    }

    /// It has something to send and will be called when it can.
    pub(super) fn enqueue(&mut self, place: usize) {
        let Some(stream) = self.streams.at(place) else { return };
        if matches!(stream.work, Work::Sending(_)) && !stream.is_queued {
            stream.is_queued = true;
            self.queue.push_back(place);
        }
    }

    pub(super) fn enqueue_all(&mut self) {
        for place in 0..self.wakers.len() {
            self.enqueue(place);
        }
    }

    /// The answer has been sent to its end.
    fn finish(&mut self, place: usize) {
        let Some(stream) = self.streams.at(place) else { return };
        if stream.is_receiving() {
            // The client need not send the rest (RFC 9113 §8.1).
            let id = stream.id;
            frame::reset(self.wire.output(), id, Code::NoError);
            self.streams.forget(id);
        }
        self.remove(place);
        self.calm.served();
    }

    /// Ends a stream in the midst. An exchange without an answer finds out by its body and is recorded for what it was.
    pub(super) fn break_off(&mut self, place: usize, code: Code) {
        let Some(stream) = self.streams.at(place) else { return };
        let id = stream.id;
        frame::reset(self.wire.output(), id, code);
        stream.is_reset = true;
        if let Some(upload) = &mut stream.upload {
            upload.is_open = false;
            upload.inbox.lose();
        }
        let is_sending = matches!(stream.work, Work::Sending(_));
        self.streams.forget(id);
        if is_sending {
            self.remove(place);
        }
    }

    /// Takes a stream out, and with it its exchange.
    pub(super) fn remove(&mut self, place: usize) {
        let Some(stream) = self.streams.remove(place) else { return };
        if stream.is_queued {
            self.queue.retain(|queued| *queued != place);
        }
        if let Some(upload) = &stream.upload {
            let bytes = upload.inbox.close();
            self.give_back(bytes);
        }
    }
}

/// The body has more bytes than were promised.
struct NotAsPromised;

impl Sending {
    fn take(&mut self, data: Bytes) -> Result<(), NotAsPromised> {
        if let Some(left) = &mut self.left {
            *left = left.checked_sub(data.len() as u64).ok_or(NotAsPromised)?;
        }
        self.waiting = data;
        Ok(())
    }

    /// Whether all of it has been sent, and no trailers follow.
    fn is_whole(&self) -> bool {
        self.waiting.is_empty() && self.left.unwrap_or(0) == 0 && self.reply.is_end_stream()
    }
}
