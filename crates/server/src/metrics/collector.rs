//! Putting readings into the text format that Prometheus reads (OpenMetrics 1.0).
//!
//! Must not know where readings come from.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::UNIX_EPOCH;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{
    DescriptorEncoder, EncodeCounterValue, EncodeGaugeValue, MetricEncoder, NoLabelSet,
};
use prometheus_client::registry::Registry;

use super::catalog::{self as metric, Metric};
use super::histogram::Reading;
use super::process::ProcessReading;
use super::sources::Observed;

/// All metrics as text.
///
/// # Errors
/// Those of the encoder, which fails only where a label can't be written.
pub fn render(observed: &Arc<Observed>) -> Result<String, fmt::Error> {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(Shown(Arc::clone(observed))));
    let mut text = String::with_capacity(16 << 10);
    prometheus_client::encoding::text::encode(&mut text, &registry)?;
    Ok(text)
}

#[derive(Debug)]
struct Shown(Arc<Observed>);

impl Collector for Shown {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let (observed, out) = (self.0.as_ref(), &mut Page(&mut encoder));
        state(observed, out)?;
        requests(observed, out)?;
        network(observed, out)?;
        caches(observed, out)?;
        store(observed, out)?;
        audit(observed, out)?;
        sinks(observed, out)?;
        keys(observed, out)?;
        process(out)
    }
}

/// What metrics are written to.
struct Page<'a, 'b>(&'a mut DescriptorEncoder<'b>);

impl Page<'_, '_> {
    fn describe(&mut self, metric: &'static Metric) -> Result<MetricEncoder<'_>, fmt::Error> {
        self.0.encode_descriptor(metric.stem, metric.help, metric.unit.as_ref(), metric.kind)
    }

    /// A metric with a sample for each set of labels; the only one where there are no labels.
    fn samples<T, const N: usize>(
        &mut self,
        metric: &'static Metric,
        samples: impl IntoIterator<Item = ([String; N], T)>,
        write: impl Fn(&mut MetricEncoder<'_>, T) -> fmt::Result,
    ) -> fmt::Result {
        let mut encoder = self.describe(metric)?;
        for (values, sample) in samples {
            if N == 0 {
                write(&mut encoder, sample)?;
            } else {
                write(&mut encoder.encode_family(&labels(metric, &values))?, sample)?;
            }
        }
        Ok(())
    }

    fn counters<V: EncodeCounterValue, const N: usize>(
        &mut self,
        metric: &'static Metric,
        samples: impl IntoIterator<Item = ([String; N], V)>,
    ) -> fmt::Result {
        self.samples(metric, samples, |encoder, value| {
            encoder.encode_counter::<NoLabelSet, _, f64>(&value, None)
        })
    }

    fn gauges<V: EncodeGaugeValue, const N: usize>(
        &mut self,
        metric: &'static Metric,
        samples: impl IntoIterator<Item = ([String; N], V)>,
    ) -> fmt::Result {
        self.samples(metric, samples, |encoder, value| encoder.encode_gauge(&value))
    }

    fn histograms<const N: usize>(
        &mut self,
        metric: &'static Metric,
        samples: impl IntoIterator<Item = ([String; N], Reading)>,
    ) -> fmt::Result {
        self.samples(metric, samples, |encoder, read| {
            let Reading { sum, count, buckets } = read;
            encoder.encode_histogram::<NoLabelSet>(sum, count, &buckets, None)
        })
    }

    fn counter(&mut self, metric: &'static Metric, value: impl EncodeCounterValue) -> fmt::Result {
        self.counters(metric, [([], value)])
    }

    fn gauge(&mut self, metric: &'static Metric, value: impl EncodeGaugeValue) -> fmt::Result {
        self.gauges(metric, [([], value)])
    }
}

fn labels<'a, const N: usize>(
    metric: &'static Metric,
    values: &'a [String; N],
) -> [(&'static str, &'a str); N] {
    debug_assert_eq!(metric.labels.len(), N, "{}", metric.stem);
    let name = |place: usize| metric.labels.get(place).copied().unwrap_or_default();
    std::array::from_fn(|place| (name(place), values[place].as_str()))
}

fn state(observed: &Observed, out: &mut Page<'_, '_>) -> fmt::Result {
    let version = [("version", env!("CARGO_PKG_VERSION"))];
    out.describe(&metric::BUILD_INFO)?.encode_info(&version)?;
    if let Some(readiness) = &observed.readiness {
        let conditions = readiness();
        let sample = |(name, held): (&str, bool)| ([name.to_owned()], u64::from(held));
        out.gauges(&metric::READY, conditions.into_iter().map(sample))?;
    }
    let Some(seal) = observed.seal.as_ref().map(|seal| seal()) else { return Ok(()) };
    out.gauge(&metric::SEALED, u64::from(seal.sealed))?;
    out.counter(&metric::UNSEAL_FAILURES, seal.failed_attempts)
}

fn requests(observed: &Observed, out: &mut Page<'_, '_>) -> fmt::Result {
    let Some(requests) = &observed.requests else { return Ok(()) };
    let counts: Vec<_> =
        requests.services().map(|service| (service.name, service.counts())).collect();
    let each = || counts.iter().flat_map(|(name, counts)| counts.iter().map(move |c| (*name, c)));
    out.counters(
        &metric::REQUESTS,
        each()
            .map(|(service, count)| {
                let account = requests.account(count.account);
                ([service, count.operation, count.code].map(str::to_owned), account, count.requests)
            })
            .map(|([service, operation, code], account, requests)| {
                ([service, operation, code, account], requests)
            }),
    )?;
    out.histograms(
        &metric::REQUEST_DURATION,
        requests.services().flat_map(|service| {
            let of_operations = service.operations.iter().zip(&service.durations);
            of_operations
                .map(|(operation, durations)| (operation, durations.read()))
                .filter(|(_, read)| read.count > 0)
                .map(|(operation, read)| ([service.name, operation].map(str::to_owned), read))
        }),
    )?;
    let in_flight = requests.services().map(|service| {
        ([service.name.to_owned()], service.in_flight.load(Ordering::Relaxed).max(0))
    });
    out.gauges(&metric::REQUESTS_IN_FLIGHT, in_flight)?;
    let mut throttled: Vec<([String; 2], u64)> = Vec::new();
    let is_throttling = |code: &str| matches!(code, "ThrottlingException" | "Throttling");
    for (service, count) in each().filter(|(_, count)| is_throttling(count.code)) {
        let labels = [service, count.operation].map(str::to_owned);
        match throttled.iter_mut().find(|(known, _)| *known == labels) {
            Some((_, requests)) => *requests += count.requests,
            None => throttled.push((labels, count.requests)),
        }
    }
    out.counters(&metric::THROTTLED_REQUESTS, throttled)?;
    let unrecorded = requests
        .services()
        .map(|service| ([service.name.to_owned()], service.unrecorded.load(Ordering::Relaxed)));
    out.counters(&metric::UNRECORDED_REQUESTS, unrecorded)
}

fn network(observed: &Observed, out: &mut Page<'_, '_>) -> fmt::Result {
    if let Some(network) = observed.network.as_ref().map(|network| network()) {
        out.gauge(&metric::CONNECTIONS, network.open)?;
        out.counter(&metric::CONNECTIONS_ACCEPTED, network.accepted)?;
        out.counter(&metric::CONNECTIONS_REFUSED, network.refused)?;
        out.counter(&metric::HANDSHAKE_FAILURES, network.handshake_failures)?;
        out.counter(&metric::RECEIVED, network.received_bytes)?;
        out.counter(&metric::SENT, network.sent_bytes)?;
    }
    let Some(certificates) = &observed.certificates else { return Ok(()) };
    let expiries = certificates().into_iter().map(|one| ([one.name], one.expiry));
    out.gauges(&metric::CERTIFICATE_EXPIRY, expiries)
}

fn caches(observed: &Observed, out: &mut Page<'_, '_>) -> fmt::Result {
    let Some(caches) = observed.caches.as_ref().map(|caches| caches()) else { return Ok(()) };
    let each = |of: fn(&service::CacheStats) -> u64| {
        caches.iter().map(move |(name, stats)| ([(*name).to_owned()], of(stats)))
    };
    out.counters(&metric::CACHE_HITS, each(|stats| stats.hits))?;
    out.counters(&metric::CACHE_MISSES, each(|stats| stats.misses))?;
    out.gauges(&metric::CACHE_ENTRIES, each(|stats| stats.entries as u64))?;
    out.gauges(&metric::CACHE_WEIGHT, each(|stats| stats.weight))?;
    out.gauges(&metric::CACHE_CAPACITY, each(|stats| stats.capacity))
}

fn store(observed: &Observed, out: &mut Page<'_, '_>) -> fmt::Result {
    if let Some(stats) = &observed.store_stats {
        let ends = [
            ("committed", &stats.committed),
            ("conflict", &stats.conflicts),
            ("too_large", &stats.too_large),
            ("failed", &stats.failures),
        ];
        let ends = ends.map(|(end, count)| ([end.to_owned()], count.load(Ordering::Relaxed)));
        out.counters(&metric::STORE_COMMITS, ends)?;
        out.histograms(&metric::STORE_COMMIT_DURATION, [([], stats.durations.read())])?;
    }
    let Some(store) = observed.store.as_ref().map(|store| store()) else { return Ok(()) };
    out.gauge(&metric::STORE_REVISION, store.revision)?;
    out.gauges(&metric::STORE_SIZE, store.bytes.map(|bytes| ([], bytes)))
}

fn audit(observed: &Observed, out: &mut Page<'_, '_>) -> fmt::Result {
    let Some(audit) = observed.audit.as_ref().map(|audit| audit()) else { return Ok(()) };
    out.counter(&metric::AUDIT_RECORDS, audit.records)?;
    out.counter(&metric::AUDIT_WRITTEN, audit.bytes)?;
    out.counter(&metric::AUDIT_FAILURES, audit.failures)?;
    out.gauges(&metric::AUDIT_LAST_DIGEST, audit.last_digest.map(|at| ([], at)))
}

fn sinks(observed: &Observed, out: &mut Page<'_, '_>) -> fmt::Result {
    let Some(audit) = observed.audit.as_ref().map(|audit| audit()) else { return Ok(()) };
    let each = |of: fn(&super::SinkReading) -> u64| {
        audit.sinks.iter().map(move |sink| ([sink.name.clone()], of(sink)))
    };
    out.counters(&metric::SINK_DELIVERED, each(|sink| sink.delivered))?;
    out.gauges(&metric::SINK_LAG_RECORDS, each(|sink| sink.lag_records))?;
    out.gauges(&metric::SINK_LAG, each(|sink| sink.lag_bytes))?;
    out.counters(&metric::SINK_FAILURES, each(|sink| sink.failures))?;
    let failed = audit.sinks.iter().filter_map(|sink| Some((sink, sink.last_failure?)));
    out.gauges(&metric::SINK_LAST_FAILURE, failed.map(|(sink, at)| ([sink.name.clone()], at)))
}

fn keys(observed: &Observed, out: &mut Page<'_, '_>) -> fmt::Result {
    let last = observed.keys.as_ref().and_then(|keys| keys.last());
    let Some((census, counted)) = last else { return Ok(()) };
    let found = census.iter();
    let found = found.map(|(spec, state, keys)| ([spec.to_string(), state.to_string()], keys));
    out.gauges(&metric::KEYS, found)?;
    let counted = counted.duration_since(UNIX_EPOCH).unwrap_or_default();
    out.gauge(&metric::KEYS_COUNTED, counted.as_secs_f64())
}

fn process(out: &mut Page<'_, '_>) -> fmt::Result {
    let process = ProcessReading::now();
    out.counter(&metric::PROCESS_CPU, process.cpu_seconds)?;
    out.gauge(&metric::PROCESS_RESIDENT, process.resident_bytes)?;
    out.gauge(&metric::PROCESS_VIRTUAL, process.virtual_bytes)?;
    out.gauge(&metric::PROCESS_LOCKED, process.locked_bytes)?;
    out.gauge(&metric::PROCESS_THREADS, process.threads)?;
    out.gauge(&metric::PROCESS_OPEN_FDS, process.open_fds)?;
    out.gauge(&metric::PROCESS_MAX_FDS, process.max_fds)?;
    out.gauge(&metric::PROCESS_START, process.start_seconds)
}
