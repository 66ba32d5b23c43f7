//! Runs what is generated, module by module, against a host of a few lines.

mod drivers;
mod edges;
mod golden;
mod linked;
mod machine;
mod model;
mod reader;
mod sequences;
mod shapes;
mod wrappers;
