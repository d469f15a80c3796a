//! The data plane as a whole: started, reloaded, drained.

use std::{
    collections::{BTreeMap, HashMap},
    io,
    net::SocketAddr,
    num::NonZeroUsize,
    sync::{Arc, Mutex, PoisonError},
    thread::JoinHandle,
    time::Duration,
};

use portcullis_core::{
    clock::{Clock, Entropy},
    ports::Recorder,
};
use tokio::sync::mpsc;

use crate::{
    listener::{self, Listener, Stage, World},
    plan::{ListenerPlan, Plan},
    retired::Retired,
    stats::Stats,
};

/// What the data plane is given by the binary.
#[derive(Clone)]
pub struct Options {
    /// Data threads, each with a runtime and sockets of its own.
    pub threads: NonZeroUsize,
    /// Connections that the system may hold for each socket before they are accepted.
    pub backlog: i32,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Chance, for references and spans.
    pub entropy: Arc<dyn Entropy>,
    /// Where the record of each exchange goes.
    pub recorder: Arc<dyn Recorder>,
}

/// Why the data plane cannot stand as planned. A reload that fails so has changed nothing.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A data thread or its runtime could not be started.
    #[error("a data thread could not be started")]
    Thread(#[source] io::Error),
    /// An address cannot be listened on.
    #[error("listener `{listener}` cannot listen on `{address}`")]
    Bind {
        /// The listener's name.
        listener: Arc<str>,
        /// The address asked for.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// Two listeners have one address.
    #[error("listeners `{first}` and `{second}` both want `{address}`")]
    SameAddress {
        /// One listener's name.
        first: Arc<str>,
        /// The other's.
        second: Arc<str>,
        /// The address.
        address: SocketAddr,
    },
    /// The data threads have ended.
    #[error("the data plane has been drained already")]
    Drained,
}

/// The running data plane. Dropping it closes every connection; [`Gateway::drain`] lets them end first.
pub struct Gateway {
    world: Arc<World>,
    backlog: i32,
    threads: Vec<DataThread>,
    retired: Retired,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    generation: u64,
    listeners: BTreeMap<Arc<str>, Arc<Listener>>,
    /// On their way out, still with connections.
    leaving: Vec<Arc<Listener>>,
}

struct DataThread {
    orders: mpsc::UnboundedSender<Order>,
    handle: JoinHandle<()>,
}

/// A socket for a data thread to accept on.
struct Order {
    listener: Arc<Listener>,
    socket: std::net::TcpListener,
}

impl Gateway {
    /// Binds every listener and begins to serve.
    pub fn start(plan: Plan, options: Options) -> Result<Self, StartError> {
        let Options { threads, backlog, clock, entropy, recorder } = options;
        let world = Arc::new(World { clock, entropy, recorder, stats: Stats::default() });
        let threads = (0..threads.get()).map(DataThread::start).collect::<Result<Vec<_>, _>>();
        let threads = threads.map_err(StartError::Thread)?;
        let retired = Retired::start().map_err(StartError::Thread)?;
        let gateway = Self { world, backlog, threads, retired, state: Mutex::default() };
        gateway.reload(plan)?;
        Ok(gateway)
    }

    /// Puts a new plan in place of the old one. Exchanges under way keep the plan they began with; listeners that are
    /// gone or have moved stop accepting and let their connections end.
    pub fn reload(&self, plan: Plan) -> Result<(), StartError> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        no_address_twice(&plan)?;
        // Everything that can fail comes first.
        let mut opened = Vec::new();
        for (name, listener) in &plan.listeners {
            let running = state.listeners.get(name);
            if running.is_some_and(|running| same_address(running, listener.address)) {
                continue;
            }
            opened.push(self.open(name, listener, &state)?);
        }
        for (listener, sockets) in opened {
            for (thread, socket) in self.threads.iter().zip(sockets) {
                let order = Order { listener: Arc::clone(&listener), socket };
                thread.orders.send(order).map_err(|_| StartError::Drained)?;
            }
            if let Some(moved) = state.listeners.insert(Arc::clone(&listener.name), listener) {
                self.leave(moved, &mut state);
            }
        }
        let gone: Vec<_> =
            state.listeners.keys().filter(|name| !plan.listeners.contains_key(*name)).cloned().collect();
        for name in gone {
            if let Some(listener) = state.listeners.remove(&name) {
                self.leave(listener, &mut state);
            }
        }
        for (name, listener) in &plan.listeners {
            if let Some(running) = state.listeners.get(name) {
                let before = running.plan.swap(Arc::clone(listener));
                // A listener opened just now was opened with it.
                if !Arc::ptr_eq(&before, listener) {
                    self.retired.take(before);
                }
            }
        }
        state.leaving.retain(|listener| listener.open() > 0);
        state.generation = plan.generation;
        Ok(())
    }

    /// The addresses listened on, by the listener's name; where the plan said port 0, with the port that was got.
    pub fn addresses(&self) -> BTreeMap<Arc<str>, SocketAddr> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.listeners.iter().map(|(name, listener)| (Arc::clone(name), listener.address)).collect()
    }

    /// The generation of the plan in place.
    pub fn generation(&self) -> u64 {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).generation
    }

    /// What the data plane counts about itself.
    pub fn stats(&self) -> &Stats {
        &self.world.stats
    }

    /// Stops accepting, tells every connection to end (`Connection: close`, GOAWAY), waits until they have or
    /// `grace` has passed, then cuts what is left. How many were cut.
    pub async fn drain(&self, grace: Duration) -> usize {
        const LOOK_EVERY: Duration = Duration::from_millis(10);
        let leaving = {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            let mut leaving = std::mem::take(&mut state.leaving);
            leaving.extend(std::mem::take(&mut state.listeners).into_values());
            leaving
        };
        for listener in &leaving {
            listener.drain.enter(Stage::Draining);
        }
        let open = || leaving.iter().map(|listener| listener.open()).sum::<usize>();
        let until = tokio::time::Instant::now() + grace;
        // The accept loops take in what the system had queued; one look's pause lets them.
        tokio::time::sleep(LOOK_EVERY).await;
        while open() > 0 && tokio::time::Instant::now() < until {
            tokio::time::sleep(LOOK_EVERY).await;
        }
        let cut = open();
        for listener in &leaving {
            listener.drain.enter(Stage::Closing);
        }
        let until = tokio::time::Instant::now() + Duration::from_secs(1);
        while open() > 0 && tokio::time::Instant::now() < until {
            tokio::time::sleep(LOOK_EVERY).await;
        }
        cut
    }

    /// Lets a listener's connections end; whoever ends last must not have to free its plan.
    fn leave(&self, listener: Arc<Listener>, state: &mut State) {
        listener.drain.enter(Stage::Draining);
        self.retired.take(listener.plan.load_full());
        state.leaving.push(listener);
    }

    fn open(
        &self,
        name: &Arc<str>,
        plan: &Arc<ListenerPlan>,
        state: &State,
    ) -> Result<(Arc<Listener>, Vec<std::net::TcpListener>), StartError> {
        let bind = || {
            let wanted = plan.address;
            let ours = state.listeners.values().any(|listener| listener.address == wanted);
            if wanted.port() != 0 && !ours {
                listener::is_taken(wanted)?;
            }
            let first = listener::bind(wanted, self.backlog)?;
            let address = first.local_addr()?;
            let mut sockets = vec![first];
            for _ in 1..self.threads.len() {
                sockets.push(listener::bind(address, self.backlog)?);
            }
            Ok((address, sockets))
        };
        let (address, sockets) = bind().map_err(|source| StartError::Bind {
            listener: Arc::clone(name),
            address: plan.address,
            source,
        })?;
        let world = Arc::clone(&self.world);
        Ok((Listener::new(Arc::clone(name), address, Arc::clone(plan), world), sockets))
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        for thread in std::mem::take(&mut self.threads) {
            thread.end();
        }
    }
}

impl DataThread {
    fn start(index: usize) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (orders, mut inbox) = mpsc::unbounded_channel::<Order>();
        let run = move || {
            runtime.block_on(async move {
                while let Some(Order { listener, socket }) = inbox.recv().await {
                    match tokio::net::TcpListener::from_std(socket) {
                        Ok(socket) => {
                            tokio::spawn(listener::accept(listener, socket));
                        }
                        Err(error) => {
                            tracing::error!(listener = %listener.name, %error, "a socket cannot be listened on");
                        }
                    }
                }
            });
            // Connections must not be able to hold the process.
            runtime.shutdown_background();
        };
        let handle = std::thread::Builder::new().name(format!("data-{index}")).spawn(run)?;
        Ok(Self { orders, handle })
    }

    fn end(self) {
        let Self { orders, handle } = self;
        drop(orders);
        if handle.join().is_err() {
            tracing::error!("a data thread panicked");
        }
    }
}

fn same_address(running: &Listener, wanted: SocketAddr) -> bool {
    let planned = running.plan.load().address;
    running.address == wanted || (planned == wanted && wanted.port() == 0)
}

fn no_address_twice(plan: &Plan) -> Result<(), StartError> {
    let mut seen: HashMap<SocketAddr, &Arc<str>> = HashMap::new();
    for (name, listener) in &plan.listeners {
        if listener.address.port() == 0 {
            continue;
        }
        if let Some(first) = seen.insert(listener.address, name) {
            return Err(StartError::SameAddress {
                first: Arc::clone(first),
                second: Arc::clone(name),
                address: listener.address,
            });
        }
    }
    Ok(())
}
