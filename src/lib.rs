//! convscope: a terminal explorer for convolutional networks.
//!
//! The layers of the code, each using only those above it: [`model`], [`formats`], [`fetch`], [`photo`],
//! [`engine`], [`explain`], [`picture`], [`terminal`], [`tui`], [`cli`]. [`mod@array`] and [`error`] are beneath
//! them all.

#![deny(unsafe_code)]
#![warn(missing_docs)]

pub mod array;
pub mod error;
#[cfg(test)]
mod golden;
pub mod model;

pub mod formats;

pub mod fetch;

pub mod photo;

pub mod engine;

pub mod explain;

pub mod picture;

pub mod terminal;

pub mod tui;

pub mod cli;
