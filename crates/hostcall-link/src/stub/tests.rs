//! Runs what is generated, module by module, against a host made of a few lines.

mod golden;
