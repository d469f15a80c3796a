//! Plans that are no longer in place and that exchanges under way still hold. Whoever lets go last frees every table of a
//! plan, which takes a quarter of a second for five thousand operations: on a data thread all other calls would wait
//! for it. So a thread of its own lets go last.

use std::{
    any::Any,
    io,
    sync::{
        Arc,
        mpsc::{self, Receiver, RecvTimeoutError, Sender},
    },
    time::Duration,
};

/// How often to look whether the exchanges have ended. Nobody looks while nothing is held.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Takes what is to be freed away from the data threads. Its thread ends when this is dropped.
pub(crate) struct Retired {
    inbox: Sender<Arc<dyn Any + Send + Sync>>,
}

impl Retired {
    /// Starts the thread.
    pub(crate) fn start() -> io::Result<Self> {
        let (inbox, outbox) = mpsc::channel();
        std::thread::Builder::new().name("retired".to_owned()).spawn(move || keep(&outbox))?;
        Ok(Self { inbox })
    }

    /// Keeps it until nobody else does. It must be out of place already: nobody can come to hold it anew.
    pub(crate) fn take(&self, plan: Arc<dyn Any + Send + Sync>) {
        // The thread is there as long as this is.
        let _freed_here = self.inbox.send(plan);
    }
}

fn keep(outbox: &Receiver<Arc<dyn Any + Send + Sync>>) {
    let mut held = Vec::new();
    loop {
        let next = if held.is_empty() {
            outbox.recv().map_err(|_| RecvTimeoutError::Disconnected)
        } else {
            outbox.recv_timeout(LOOK_EVERY)
        };
        match next {
            Ok(plan) => held.push(plan),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        held.retain(|plan| Arc::strong_count(plan) > 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tells which thread freed it.
    struct Plan(Sender<Option<String>>);

    impl Drop for Plan {
        fn drop(&mut self) {
            let _nobody_asks = self.0.send(std::thread::current().name().map(str::to_owned));
        }
    }

    #[test]
    fn what_others_hold_is_freed_by_the_thread_once_they_let_go() {
        let retired = Retired::start().expect("a thread");
        let (tell, told) = mpsc::channel();
        let plan = Arc::new(Plan(tell.clone()));
        let held_elsewhere = Arc::clone(&plan);
        retired.take(plan);
        retired.take(Arc::new(Plan(tell)));
        let freed_by = || told.recv_timeout(Duration::from_secs(20)).expect("freed");
        assert_eq!(freed_by().as_deref(), Some("retired"), "what nobody holds is freed at once");
        assert!(told.try_recv().is_err(), "what somebody holds is not");
        drop(held_elsewhere);
        assert_eq!(freed_by().as_deref(), Some("retired"));
    }
}
