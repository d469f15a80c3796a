//! A real SQL engine over a small catalogue. The careless twins build their queries from text; the careful ones bind.
//!
//! Every query runs on a connection of its own, in memory and read only, so that one that sleeps holds up nobody
//! and none can change what the others see.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use rusqlite::{
    Connection, ToSql,
    functions::FunctionFlags,
    limits::Limit,
    types::{Value as Cell, ValueRef},
};
use serde_json::{Map, Number, Value};

/// Connections kept for the next query.
const KEPT_MAX: usize = 16;

/// Rows that a query may give.
const ROWS_MAX: usize = 1_000;

/// The longest that a query may sleep in one call of the function, in milliseconds.
const SLEEP_MILLIS_MAX: f64 = 5_000.0;

/// Virtual machine steps of one query, in thousands: about a second.
const STEPS_THOUSANDS_MAX: u32 = 20_000;

const SCHEMA: &str = "
CREATE TABLE products (id INTEGER PRIMARY KEY, sku TEXT, name TEXT, category TEXT, brand TEXT, price REAL, released INTEGER);
CREATE TABLE product_reviews (id INTEGER PRIMARY KEY, product_id INTEGER, stars INTEGER, text TEXT);
CREATE TABLE shipments (id INTEGER PRIMARY KEY, carrier TEXT, status TEXT);
CREATE TABLE promotions (id INTEGER PRIMARY KEY, region TEXT, title TEXT);
CREATE TABLE customers (id INTEGER PRIMARY KEY, code TEXT, discount REAL);
CREATE TABLE kiosk_staff (id INTEGER PRIMARY KEY, badge TEXT, pin TEXT, name TEXT);
CREATE TABLE signing_keys (kid TEXT, secret TEXT);
INSERT INTO products (sku, name, category, brand, price, released) VALUES
 ('LAMP-100','Storm lantern','lamps','Quayside',25.0,1), ('LAMP-200','Deck lamp','lamps','Quayside',45.0,1),
 ('LAMP-300','Signal lamp','lamps','Northlight',145.0,0), ('ROPE-010','Mooring rope','ropes','Quayside',15.0,1),
 ('ROPE-020','Tow rope','ropes','Northlight',35.0,1), ('COAT-001','Oilskin coat','clothes','Gale',90.0,1),
 ('COAT-002','Wool jumper','clothes','Gale',70.0,1), ('COMP-001','Brass compass','tools','Northlight',40.0,1);
INSERT INTO product_reviews (product_id, stars, text) VALUES
 (1,5,'Bright'), (1,4,'Heavy but good'), (2,3,'Fair'), (4,5,'Holds'), (6,4,'Dry at last'), (8,5,'Points north');
INSERT INTO shipments (carrier, status) VALUES ('gull','under way'), ('tern','delivered');
INSERT INTO promotions (region, title) VALUES ('north','Winter sale'), ('north','Free delivery'), ('south','Spring sale');
INSERT INTO customers (code, discount) VALUES ('HARBOUR','0.1'), ('QUAY','0.2');
INSERT INTO kiosk_staff (badge, pin, name) VALUES ('K-1001','7731','Ines'), ('K-1002','9054','Olaf');
INSERT INTO signing_keys (kid, secret) VALUES ('mobile-9','retired-long-ago');
";

/// Idle connections.
#[derive(Default)]
pub(crate) struct Pool(Mutex<Vec<Connection>>);

impl Pool {
    /// Runs one query and gives its rows as objects.
    ///
    /// # Errors
    /// The engine's own message, as careless services show it.
    pub(crate) fn select(&self, query: &str, bound: &[&dyn ToSql]) -> Result<Vec<Value>, String> {
        let idle = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut connection = match idle {
            Some(connection) => connection,
            None => open().map_err(|error| error.to_string())?,
        };
        let rows = run(&mut connection, query, bound).map_err(|error| message(&error));
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < KEPT_MAX {
            kept.push(connection);
        }
        rows
    }
}

fn open() -> rusqlite::Result<Connection> {
    let connection = Connection::open_in_memory()?;
    connection.execute_batch(SCHEMA)?;
    connection.pragma_update(None, "query_only", true)?;
    connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, 4 << 20)?;
    connection.set_limit(Limit::SQLITE_LIMIT_SQL_LENGTH, 64 << 10)?;
    connection.set_limit(Limit::SQLITE_LIMIT_ATTACHED, 0)?;
    connection.set_limit(Limit::SQLITE_LIMIT_EXPR_DEPTH, 200)?;
    for (name, arguments) in [("sleep", 1), ("pg_sleep", 1)] {
        connection.create_scalar_function(name, arguments, FunctionFlags::SQLITE_UTF8, |cx| {
            let secs: f64 = cx.get::<Cell>(0).map_or(0.0, |cell| match cell {
                Cell::Integer(secs) => f64::from(i32::try_from(secs).unwrap_or(i32::MAX)),
                Cell::Real(secs) => secs,
                _ => 0.0,
            });
            let millis = (secs * 1_000.0).clamp(0.0, SLEEP_MILLIS_MAX);
            #[expect(
                clippy::disallowed_methods,
                reason = "the point of the function; it runs where blocking is allowed"
            )]
            std::thread::sleep(Duration::from_secs_f64(millis / 1_000.0));
            Ok(0)
        })?;
    }
    Ok(connection)
}

fn run(connection: &mut Connection, query: &str, bound: &[&dyn ToSql]) -> rusqlite::Result<Vec<Value>> {
    let mut thousands = 0_u32;
    connection.progress_handler(
        1_000,
        Some(move || {
            thousands += 1;
            thousands > STEPS_THOUSANDS_MAX
        }),
    )?;
    let mut statement = connection.prepare(query)?;
    let names: Vec<String> = statement.column_names().map(str::to_owned).collect();
    let mut rows = statement.query(bound)?;
    let mut out = Vec::new();
    while let Some(row) = rows.next()? {
        if out.len() >= ROWS_MAX {
            break;
        }
        let mut object = Map::new();
        for (at, name) in names.iter().enumerate() {
            object.insert(name.clone(), cell(row.get_ref(at)?));
        }
        out.push(Value::Object(object));
    }
    Ok(out)
}

fn cell(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => number.into(),
        ValueRef::Real(number) => Number::from_f64(number).map_or(Value::Null, Value::Number),
        ValueRef::Text(text) | ValueRef::Blob(text) => String::from_utf8_lossy(text).into_owned().into(),
    }
}

fn message(error: &rusqlite::Error) -> String {
    format!("SQLite error: {error}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_a_real_engine_and_cannot_be_changed() {
        let pool = Pool::default();
        let all = pool.select("SELECT id FROM products WHERE category = 'x' OR 1=1", &[]).expect("selects");
        assert_eq!(all.len(), 8);
        let union = pool.select("SELECT name FROM products WHERE 0 UNION SELECT pin FROM kiosk_staff", &[]);
        assert_eq!(union.map(|it| it.len()), Ok(2));
        assert!(pool.select("SELECT '", &[]).is_err_and(|it| it.contains("unrecognized token")));
        assert!(pool.select("DELETE FROM products", &[]).is_err());
        assert!(pool.select("ATTACH '/tmp/x' AS x", &[]).is_err());
        let bound = pool.select("SELECT id FROM products WHERE category = ?1", &[&"x' OR 1=1"]);
        assert_eq!(bound.map(|it| it.len()), Ok(0));
    }

    #[test]
    fn a_query_without_end_is_stopped() {
        let endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT max(x) FROM n";
        assert!(Pool::default().select(endless, &[]).is_err());
    }
}
