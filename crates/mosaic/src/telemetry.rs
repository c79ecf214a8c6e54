//! Traces for an OpenTelemetry collector, when one is configured.

use crate::config::settings::Telemetry as Settings;
use anyhow::Context;
use opentelemetry::{KeyValue, trace::TracerProvider};
use opentelemetry_otlp::{WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::{Resource, trace::SdkTracerProvider};
use tracing::Subscriber;
use tracing_subscriber::{Layer, registry::LookupSpan};

/// What sends spans away.
pub(crate) struct Telemetry {
    provider: SdkTracerProvider,
}

impl Telemetry {
    /// Begins to send, if there is somewhere to send to. Must be called outside the async threads: the exporter brings
    /// a blocking client of its own.
    pub(crate) fn begin(settings: &Settings) -> anyhow::Result<Option<Telemetry>> {
        let Some(endpoint) = &settings.endpoint else { return Ok(None) };
        let headers =
            settings.headers.iter().map(|(name, value)| (name.clone(), value.expose().to_owned()));
        let url = format!("{}/v1/traces", endpoint.as_str().trim_end_matches('/'));
        let exporter = opentelemetry_otlp::SpanExporter::builder()
            .with_http()
            .with_endpoint(url)
            .with_headers(headers.collect())
            .build()
            .context("telemetry.endpoint cannot be used")?;
        let resource = Resource::builder()
            .with_service_name("mosaic")
            .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
            .build();
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_resource(resource)
            .build();
        Ok(Some(Telemetry { provider }))
    }

    /// What turns spans of ours into spans of theirs.
    pub(crate) fn layer<S>(&self) -> impl Layer<S> + use<S>
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        tracing_opentelemetry::layer().with_tracer(self.provider.tracer("mosaic"))
    }

    /// Sends what is left.
    pub(crate) fn end(self) {
        if let Err(error) = self.provider.shutdown() {
            tracing::warn!(%error, "the last traces could not be sent");
        }
    }
}
