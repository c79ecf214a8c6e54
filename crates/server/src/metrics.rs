//! What is counted, for Prometheus.

use http::{Method, StatusCode};
use metrics::{Counter, Histogram, Key, Label, Level, Metadata, Recorder, SharedString};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle, PrometheusRecorder};
use mosaic_gateway::BusCounts;
use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

/// One recorder per gateway, not one per process: tests run several.
pub(crate) struct Metrics {
    recorder: PrometheusRecorder,
    handle: PrometheusHandle,
    /// Looking a series up by its labels costs more than counting in it.
    known: RwLock<HashMap<Series, (Counter, Histogram)>>,
}

/// Method, route, status.
type Series = (&'static str, Arc<str>, u16);

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
        recorder.describe_gauge(
            "mosaic_bus_connected".into(),
            None,
            text("Whether what is said on the bus comes back."),
        );
        for (name, what) in [
            ("mosaic_bus_messages_total", "Messages on the bus."),
            (
                "mosaic_bus_dropped_total",
                "Messages that were not sent: no connection, or too many.",
            ),
            ("mosaic_bus_refused_total", "Messages that were not understood."),
        ] {
            recorder.describe_counter(name.into(), None, text(what));
        }
        Metrics { recorder, handle, known: RwLock::default() }
    }

    /// The route's pattern, never the path: ids would make a series each.
    pub(crate) fn count(
        &self,
        method: &Method,
        route: &Arc<str>,
        status: StatusCode,
        took: Duration,
    ) {
        let series = (named(method), route.clone(), status.as_u16());
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner).get(&series).cloned();
        let (counter, histogram) = known.unwrap_or_else(|| self.register(series));
        counter.increment(1);
        histogram.record(took.as_secs_f64());
    }

    fn register(&self, series: Series) -> (Counter, Histogram) {
        let (method, route, status) = &series;
        let mut labels =
            vec![Label::new("method", *method), Label::new("route", route.to_string())];
        let timed = Key::from_parts("mosaic_http_request_seconds", labels.clone());
        labels.push(Label::new("status", status.to_string()));
        let counted = Key::from_parts("mosaic_http_requests_total", labels);
        let handles = (
            self.recorder.register_counter(&counted, &METADATA),
            self.recorder.register_histogram(&timed, &METADATA),
        );
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.entry(series).or_insert(handles).clone()
    }

    /// What Prometheus reads.
    pub(crate) fn text(&self, bus: Option<BusCounts>) -> String {
        if let Some(bus) = bus {
            self.note_bus(bus);
        }
        self.handle.render()
    }

    /// The bus counts by itself; here it is only written down.
    fn note_bus(&self, bus: BusCounts) {
        let key = |name, labels: &[(&'static str, &'static str)]| {
            let label = |(name, value): &(&'static str, &'static str)| Label::new(*name, *value);
            Key::from_parts(name, labels.iter().map(label).collect::<Vec<_>>())
        };
        let gauge = self.recorder.register_gauge(&key("mosaic_bus_connected", &[]), &METADATA);
        gauge.set(if bus.is_connected() { 1.0 } else { 0.0 });
        let counted = [
            (key("mosaic_bus_messages_total", &[("direction", "sent")]), bus.sent),
            (key("mosaic_bus_messages_total", &[("direction", "received")]), bus.received),
            (key("mosaic_bus_dropped_total", &[]), bus.dropped),
            (key("mosaic_bus_refused_total", &[]), bus.refused),
        ];
        for (key, n) in counted {
            self.recorder.register_counter(&key, &METADATA).absolute(n);
        }
    }

    /// Keeps histograms from growing between reads.
    pub(crate) fn upkeep(&self) {
        self.handle.run_upkeep();
    }
}

/// An invented method must not make a series of its own.
fn named(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}
