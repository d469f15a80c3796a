//! The streams of a connection.

use std::{collections::VecDeque, pin::Pin, sync::Arc};

use bytes::Bytes;
use hashbrown::HashMap;
use http::Response;

use super::inbox::Inbox;
use crate::{
    h2::window::{Given, Room},
    reply::Reply,
};

/// The exchange of a stream, up to its answer.
pub(super) type Asking = Pin<Box<dyn Future<Output = Response<Reply>> + Send>>;

/// One stream that is under way.
pub(super) struct Stream {
    pub(super) id: u32,
    pub(super) work: Work,
    /// `HEAD`.
    pub(super) head_only: bool,
    /// Room for the answer's body.
    pub(super) room: Room,
    /// The request's body, where there is one.
    pub(super) upload: Option<Arriving>,
    /// Nothing more can be sent; the exchange is left to find out and to record it.
    pub(super) is_reset: bool,
    /// Waits in the line of those that have something to send.
    pub(super) is_queued: bool,
}

/// What a stream does.
pub(super) enum Work {
    Asking(Asking),
    Sending(Sending),
}

/// An answer's body on its way out.
pub(super) struct Sending {
    pub(super) reply: Reply,
    /// Came from the reply and is not written yet.
    pub(super) waiting: Bytes,
    /// Bytes of the promised length that have not come from the reply.
    pub(super) left: Option<u64>,
}

/// A request's body on its way in.
pub(super) struct Arriving {
    pub(super) inbox: Arc<Inbox>,
    pub(super) given: Given,
    /// Bytes of the declared length that have not come.
    pub(super) left: Option<u64>,
    /// Its end has not come.
    pub(super) is_open: bool,
    pub(super) waits_for_continue: bool,
}

/// However a stream ends, whoever reads its body elsewhere learns that no more will come.
impl Drop for Arriving {
    fn drop(&mut self) {
        self.inbox.close();
    }
}

impl Stream {
    pub(super) fn is_receiving(&self) -> bool {
        self.upload.as_ref().is_some_and(|upload| upload.is_open)
    }

    /// Whether the client's window is what keeps its answer from going on.
    pub(super) fn lacks_room(&self, of_all: Room) -> bool {
        let waits = matches!(&self.work, Work::Sending(sending) if !sending.waiting.is_empty());
        waits && (self.room.bytes() == 0 || of_all.bytes() == 0)
    }
}

/// Streams at their places, found by number too.
pub(super) struct Streams {
    places: Vec<Option<Box<Stream>>>,
    free: Vec<usize>,
    by_id: HashMap<u32, usize>,
    /// Streams that the gate ended before the client had: what was on its way is no fault.
    forgotten: VecDeque<u32>,
    forgotten_max: usize,
}

impl Streams {
    pub(super) fn new(streams_max: usize) -> Self {
        Self {
            places: Vec::new(),
            free: Vec::new(),
            by_id: HashMap::new(),
            forgotten: VecDeque::new(),
            forgotten_max: streams_max.saturating_mul(2).max(64),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.places.len() - self.free.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Where the next one will be.
    pub(super) fn next_place(&self) -> usize {
        self.free.last().copied().unwrap_or(self.places.len())
    }

    /// Puts it at [`Self::next_place`].
    pub(super) fn insert(&mut self, stream: Stream) {
        let place = self.next_place();
        self.by_id.insert(stream.id, place);
        let stream = Some(Box::new(stream));
        self.free.pop();
        match self.places.get_mut(place) {
            Some(free) => *free = stream,
            None => self.places.push(stream),
        }
    }

    pub(super) fn at(&mut self, place: usize) -> Option<&mut Stream> {
        self.places.get_mut(place)?.as_deref_mut()
    }

    pub(super) fn place_of(&self, id: u32) -> Option<usize> {
        self.by_id.get(&id).copied()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Stream> {
        self.places.iter().filter_map(Option::as_deref)
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Stream> {
        self.places.iter_mut().filter_map(Option::as_deref_mut)
    }

    /// Takes all out.
    pub(super) fn clear(&mut self) {
        self.places.clear();
        self.free.clear();
        self.by_id.clear();
    }

    /// Takes it out.
    pub(super) fn remove(&mut self, place: usize) -> Option<Box<Stream>> {
        let stream = self.places.get_mut(place)?.take()?;
        self.free.push(place);
        if self.by_id.get(&stream.id) == Some(&place) {
            self.by_id.remove(&stream.id);
        }
        Some(stream)
    }

    /// Notes that the gate ended it first; it is not found by its number any more.
    pub(super) fn forget(&mut self, id: u32) {
        self.by_id.remove(&id);
        if self.forgotten.len() >= self.forgotten_max {
            self.forgotten.pop_front();
        }
        self.forgotten.push_back(id);
    }

    pub(super) fn is_forgotten(&self, id: u32) -> bool {
        self.forgotten.contains(&id)
    }

    /// Gives the memory of an idle connection back.
    pub(super) fn rest(&mut self) {
        const PLACES_KEPT: usize = 16;
        if self.is_empty() && self.places.capacity() > PLACES_KEPT {
            self.places = Vec::new();
            self.free = Vec::new();
            self.by_id = HashMap::new();
        }
    }
}
