//! What the engine needs of the world and does not do itself: time, unique ids, storage that outlives a request.

use std::sync::Arc;

use crate::operators::OutsideChecks;

/// Tells the time.
pub trait Clock: Send + Sync {
    /// Microseconds since the Unix epoch.
    fn unix_micros(&self) -> u64;
}

/// Names transactions.
pub trait UniqueIds: Send + Sync {
    /// An id that no other transaction bears.
    fn unique_id(&self) -> String;
}

/// One variable of a persistent collection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// The variable's name, lower case.
    pub name: Vec<u8>,
    /// Its value.
    pub value: Vec<u8>,
    /// When it lapses, in seconds since the Unix epoch; never where absent.
    pub expires: Option<u64>,
}

/// Persistent collections: `IP`, `GLOBAL`, `RESOURCE`, `SESSION` and `USER`, each instance under a key.
pub trait Collections: Send + Sync {
    /// The live variables of one instance; empty where there is none.
    fn load(&self, collection: &str, key: &[u8]) -> Vec<Stored>;
    /// Adds `delta` to a number atomically and answers with the sum; an absent variable counts as 0.
    fn add(&self, collection: &str, key: &[u8], name: &[u8], delta: i64) -> i64;
    /// Sets a variable and keeps its expiry.
    fn set(&self, collection: &str, key: &[u8], name: &[u8], value: &[u8]);
    /// Removes a variable.
    fn unset(&self, collection: &str, key: &[u8], name: &[u8]);
    /// Lets a variable lapse after so many seconds.
    fn expire(&self, collection: &str, key: &[u8], name: &[u8], secs: u64);
}

/// The ports of one engine. A rule set that needs one which is absent is refused at load.
#[derive(Clone)]
pub struct Ports {
    /// `TIME*`, `DURATION`, expiry.
    pub clock: Arc<dyn Clock>,
    /// `UNIQUE_ID`.
    pub ids: Arc<dyn UniqueIds>,
    /// `initcol`, `setsid`, `setuid`, `setrsc` and the collections they open.
    pub collections: Option<Arc<dyn Collections>>,
    /// Operators that ask DNS, GeoIP and the like.
    pub outside: Option<Arc<dyn OutsideChecks + Send + Sync>>,
}
