//! Where the work of a request goes: its instructions, counted by callgrind and held against
//! figures that were committed, and its CPU time, sampled by perf and told apart by stage. It owns
//! the two commands; it must not know the server but by its command line, its answers and its
//! functions' names.

mod callgrind;
mod figures;
mod instructions;
mod perf;
mod requests;
mod stages;

pub(crate) use instructions::{Settings as InstructionSettings, run as instructions};
pub(crate) use perf::{Settings as StageSettings, run as stages};
