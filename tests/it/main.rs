//! Tests of the library's public interface, in one binary: linking one for each file takes longer than they run.

mod diagnostic_render;
mod error_codes;
mod k6_json;
mod k6_ramp;
mod k6_recorder;
mod k6_summary;
mod k6_threshold;
mod measured_compare;
mod measured_judgement;
mod measured_read;
mod measured_statistics;
mod redis_commands;
mod redis_conformance;
mod redis_properties;
mod scenario_errors;
mod scenario_files;
mod scenario_load;
mod scenario_options;
mod scenario_robust;
mod scenario_schema;
mod sql_conformance;
mod sql_store;
mod support;
