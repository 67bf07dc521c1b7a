//! Fetching model files over HTTP: official weights by their names, others by their addresses.
//!
//! | step | file |
//! |---|---|
//! | what can be fetched by name | `list` (`weights/models.toml`) |
//! | where a file comes from, and what it is called here | `address` |
//! | its checksum | `digest` |
//! | one request and what the server makes of it | `client` |
//! | bytes from the connection to the file | `copy` |
//! | the unfinished file, which a later call goes on with | `part` |
//! | requests until the file is whole and right | `download` |
//! | where fetched models lie, and how they are found again | `cache` |
//!
//! Neither servers nor files are believed: a fetched file is there under its name only when it is whole and its
//! checksum, if one is known, is right; what a server may send is bounded; and a name from an address never
//! leaves the folder.

mod address;
mod cache;
mod client;
mod copy;
mod digest;
mod download;
mod list;
mod part;

pub use address::Address;
pub use cache::{Cache, resolve};
pub use digest::{Algorithm, Digest};
pub use download::{Event, Fetched, Wanted, fetch};
pub use list::{Entry, List};

#[cfg(test)]
mod tests;
