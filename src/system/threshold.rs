//! k6's threshold grammar: `aggregation operator number`.
