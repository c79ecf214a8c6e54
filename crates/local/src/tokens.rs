//! Text to tokens and back: one file per way of cutting. Written here because the known library keeps a vocabulary of
//! 250,000 pieces in more memory than the whole model needs.

pub(crate) mod bytepair;
pub(crate) mod charsmap;
pub(crate) mod json;
pub(crate) mod unigram;
pub(crate) mod wordpiece;
