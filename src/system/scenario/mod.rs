//! The scenario file: under which load, faults and bounds a model is judged, and what verdict is expected.
