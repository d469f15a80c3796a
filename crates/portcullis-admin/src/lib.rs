//! The admin listener and the control socket.
