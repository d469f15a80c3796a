//! The whole configuration.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use super::{Admin, Api, Consumer, Firewall, Identity, Listener, Plan, Settings, Tls, Upstream};
use crate::{
    read::{Elsewhere, keys, words},
    units::{Address, Count, FilePath, Size},
};

keys! {
    /// The whole configuration.
    pub struct Config {
        /// The version of the language.
        version: u32 = "1";
        /// Further documents of the same shape, merged by name: patterns with `*`, `?` and `**`, relative to this file.
        include: Elsewhere<Vec<Arc<str>>> => "[apis/*.yaml]";
        /// Where the gate keeps its state: keys, counters, certificates, records. `./portcullis-data` unless given.
        data: Option<FilePath> => "/var/lib/portcullis";
        /// The address of the listener `main`, where one listener is enough.
        listen: Elsewhere<Address> => ":8443";
        /// TLS at the listener `main`: `auto`, `off` or settings.
        tls: Elsewhere<Tls> => "auto";
        /// Addresses where clients connect, by name. For a single one `listen` and `tls` at the top are enough.
        listeners: BTreeMap<Arc<str>, Listener> => "{ public: { address: \"0.0.0.0:443\" } }";
        /// The listener for operators.
        admin: Admin = "{}";
        /// Who can vouch for callers.
        identity: Identity = "{}";
        /// What is known about callers beyond their credentials, by their id.
        consumers: BTreeMap<Arc<str>, Consumer> => "{ shop-frontend: { plan: gold } }";
        /// Sets of limits, by name.
        plans: BTreeMap<Arc<str>, Plan> => "{ gold: { rate: 200/s burst 400, quota: 50M/month } }";
        /// What stands behind the gate, by name.
        upstreams: BTreeMap<Arc<str>, Upstream> => "{ orders: { servers: [http://10.0.1.11:8080] } }";
        /// The same as `firewall` in `defaults`, where that is all there is to say.
        firewall: Elsewhere<Firewall> => "{ rules: [{ crs: /usr/share/portcullis/crs }] }";
        /// What holds unless an API says otherwise.
        defaults: Settings = "{}";
        /// The APIs, by name.
        apis: BTreeMap<Arc<str>, Api> => "{ orders: { spec: openapi.yaml, upstream: \"http://127.0.0.1:9000\" } }";
        /// How exchanges are recorded.
        record: Record = "{}";
    }
    later &[
        "stores", "brokers", "keys", "policies", "detect", "alerts", "audit", "telemetry", "discovery", "scan",
        "reload",
    ];
}

keys! {
    /// How exchanges are recorded. The files lie in the data directory.
    pub struct Record {
        /// Which calls leave a record. What is not recorded still counts in the metrics.
        calls: RecordedCalls = "all";
        /// A file is closed and the next begun at this size.
        rotate_size: Size = "64MiB";
        /// A file is closed and the next begun at this age.
        rotate_age: Duration = "1d";
        /// Closed files kept; older ones are removed.
        keep: Count = "100";
        /// Further names of fields, parameters and header fields whose values are never recorded.
        redact: Vec<Arc<str>> => "[iban]";
    }
}

words! {
    /// Which calls leave a record.
    pub enum RecordedCalls {
        /// Every one.
        All = "all",
        /// All but those that were served, below status 500, with nothing for a guard to remark: what was refused, or
        /// would have been were its guard not on `report`, whose upstream failed, whose client left.
        Refused = "refused",
    }
}
