//! The policy language as its users meet it: operators, rules of decision, and a second evaluator
//! to compare with.

mod naive;
mod operators;
mod rules;
