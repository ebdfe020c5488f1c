//! The gateway as it is run: a process of its own, files made by `admin` and openssl; curl, and plain HTTP over TLS where
//! connections have to stay open, as the clients.

mod backend;
mod client;
mod desk;
mod gateway;

mod ending;
mod load;
mod proxy;
mod reload;
mod slow;
mod standing;
mod story;
