//! Which model for which message, and why. Pure: no IO, no clock, no randomness.

mod choose;
pub mod classify;
mod language;
mod matching;
mod offer;
mod seeded;
mod soundness;

pub use choose::{Asked, Choice, Current, Demand, LEAST_OUTPUT, NoModel, Question, choose};
pub use language::language;
pub use matching::{Facts, fault, holds};
pub use offer::{Can, Family, Offer, State};
pub use seeded::seeded;
pub use soundness::{cycle, warnings};
