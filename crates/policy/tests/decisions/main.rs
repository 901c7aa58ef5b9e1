//! The policy language as its users meet it: a table of decisions, products of all that decides,
//! and a second evaluator to compare with.

mod case;
mod draw;
mod hostile;
mod naive;
mod operators;
mod product;
mod reasons;
mod table;
