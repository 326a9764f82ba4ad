//! A recording in the formats of other tools.

mod itf;
mod json;
mod mermaid;
mod shiviz;

pub use itf::itf;
pub use json::json;
pub(super) use json::step as json_step;
pub use mermaid::mermaid;
pub use shiviz::shiviz;
