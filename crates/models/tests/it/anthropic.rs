//! Anthropic's Messages against a fake that is as strict as the provider.
