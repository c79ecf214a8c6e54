//! The local models as they are: compared with what others make of the same texts. Needs the files of `make models`.

mod chat;
mod found;
mod reference;
mod tensors;
mod threads;
