//! Ollama's own API against a fake that is as strict as the provider.
