//! What is counted, for Prometheus.

use http::{Method, StatusCode};
use metrics::{Key, Label, Level, Metadata, Recorder, SharedString};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle, PrometheusRecorder};
use std::time::Duration;

/// One recorder per gateway, not one per process: tests run several.
pub(crate) struct Metrics {
    recorder: PrometheusRecorder,
    handle: PrometheusHandle,
}

static METADATA: Metadata<'static> = Metadata::new("mosaic", Level::INFO, None);

impl Metrics {
    pub(crate) fn new() -> Metrics {
        let builder = PrometheusBuilder::new();
        let builder = builder
            .set_buckets(&[
                0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
            ])
            .unwrap_or_else(|_| PrometheusBuilder::new());
        let recorder = builder.build_recorder();
        let handle = recorder.handle();
        let text = |text: &'static str| SharedString::const_str(text);
        recorder.describe_counter(
            "mosaic_http_requests_total".into(),
            None,
            text("Requests answered."),
        );
        recorder.describe_histogram(
            "mosaic_http_request_seconds".into(),
            None,
            text("How long requests took until their answer began."),
        );
        Metrics { recorder, handle }
    }

    /// The route's pattern, never the path: ids would make a series each.
    pub(crate) fn count(&self, method: &Method, route: &str, status: StatusCode, took: Duration) {
        // An invented method must not make a series of its own.
        let method = if filtered(method) { method.as_str().to_owned() } else { "other".to_owned() };
        let labels = vec![Label::new("method", method), Label::new("route", route.to_owned())];
        let timed = Key::from_parts("mosaic_http_request_seconds", labels.clone());
        self.recorder.register_histogram(&timed, &METADATA).record(took.as_secs_f64());
        let mut labels = labels;
        labels.push(Label::new("status", status.as_str().to_owned()));
        let counted = Key::from_parts("mosaic_http_requests_total", labels);
        self.recorder.register_counter(&counted, &METADATA).increment(1);
    }

    /// What Prometheus reads.
    pub(crate) fn text(&self) -> String {
        self.handle.render()
    }

    /// Keeps histograms from growing between reads.
    pub(crate) fn upkeep(&self) {
        self.handle.run_upkeep();
    }
}

fn filtered(method: &Method) -> bool {
    matches!(
        *method,
        Method::GET | Method::HEAD | Method::POST | Method::PUT | Method::PATCH | Method::DELETE
    )
}
