//! What several tests share: golden files, real servers, and the samples that tests are made from.

pub(crate) mod built_in;
pub(crate) mod golden;
pub(crate) mod k6_seed;
pub(crate) mod measured;
pub(crate) mod postgres_server;
pub(crate) mod redis_scripts;
pub(crate) mod redis_server;
pub(crate) mod require;
pub(crate) mod sandbox;
pub(crate) mod scenario;
pub(crate) mod sql_script;
