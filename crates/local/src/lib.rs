//! Small real models in the process: embeddings and a chat model that need no key and no server.
