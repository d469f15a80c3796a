//! The listener for operators.

use crate::{
    codes,
    read::{Fields, Reader, keys},
    units::{Address, SecretRef},
};

keys! {
    /// The listener for operators: health, metrics and the state of the gate. Never on a public listener.
    pub struct Admin {
        /// Where operators reach it. On any address but loopback a `token` is required.
        address: Address = "127.0.0.1:9901";
        /// The bearer token that callers must present.
        token: Option<SecretRef> => "env:PORTCULLIS_ADMIN_TOKEN";
    }
    later &["auth"];
    check check;
}

fn check(admin: &Admin, fields: &Fields<'_>, reader: &mut Reader<'_>) {
    if !admin.address.is_loopback() && admin.token.is_none() {
        let message = format!("the admin listener on `{}` needs a token", admin.address);
        let hint = "add `token: env:NAME`, or listen on 127.0.0.1";
        reader.advise(&codes::ADMIN_OPEN, fields.place("address"), message, hint);
    }
}
