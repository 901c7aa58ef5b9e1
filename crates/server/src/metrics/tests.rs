//! The page that Prometheus reads, and what is kept in `packaging/` to go with it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use iam::Sts;
use keystores::software::{Software, SystemEntropy};
use kms::Kms;
use serde::Deserialize;
use service::CacheStats;
use service::ports::{Clock as _, Commit, Outcome, Store as _};
use wire::{AccountId, ErrorCode};

use super::catalog::ALL;
use super::*;
use crate::clock::MovableClock;
use crate::seed::SeedFile;

const PACKAGING: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../packaging");

/// Every source, each with something to tell.
async fn everything() -> Arc<Observed> {
    let requests = Requests::new(ACCOUNTS_TOLD_APART);
    let account = AccountId::parse("111122223333").unwrap();
    let (operation, duration) = (Some(0), Duration::from_micros(120));
    let outcome =
        Outcome { operation, account: Some(&account), error: None, unrecorded: false, duration };
    let throttled = Outcome { error: Some(ErrorCode::ThrottlingException), ..outcome };
    requests.observer::<Kms>().unwrap().answered(&outcome);
    requests.observer::<Kms>().unwrap().answered(&throttled);
    requests.observer::<Sts>().unwrap().answered(&throttled);
    let store = ObservedStore::new(Arc::new(storage::Memory::new()));
    store.commit(Commit::default()).await.unwrap();
    let cache = CacheStats { hits: 5, misses: 1, entries: 2, weight: 3, capacity: 10 };
    let sink = SinkReading { name: "syslog".into(), last_failure: Some(1.5), ..sink() };
    let audit = AuditReading {
        records: 3,
        last_digest: Some(1.0),
        sinks: vec![sink],
        ..AuditReading::default()
    };
    let keys = census().await;
    Arc::new(Observed {
        requests: Some(Arc::new(requests)),
        network: Some(Box::new(NetworkReading::default)),
        caches: Some(Box::new(move || vec![("keys", cache)])),
        store_stats: Some(store.stats()),
        store: Some(Box::new(|| StoreReading { revision: 7, bytes: Some(4096) })),
        audit: Some(Box::new(move || audit.clone())),
        seal: Some(Box::new(|| SealReading { sealed: true, failed_attempts: 2 })),
        keys: Some(Arc::new(keys)),
        certificates: Some(Box::new(|| {
            vec![CertificateReading { name: "listener".into(), expiry: 1.8e9 }]
        })),
        readiness: Some(Box::new(|| vec![("unsealed", true)])),
    })
}

/// One key, counted.
async fn census() -> KeyCensus {
    let store: Arc<dyn service::ports::Store> = Arc::new(storage::Memory::new());
    let root_key = crypto::RootKey::generate().unwrap();
    let key_store = Arc::new(Software::new(Arc::clone(&store), root_key));
    let kms = Kms::new(store, key_store, Arc::new(SystemEntropy), 10).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let seed = directory.path().join("seed.yaml");
    std::fs::write(&seed, "keys: [{id: 11111111-2222-4333-8444-555555555555}]").unwrap();
    let clock = MovableClock::default();
    SeedFile::read(&seed).unwrap().plant(&kms, clock.now()).await.unwrap();
    let keys = KeyCensus::default();
    keys.count_once(&kms, &clock).await;
    keys
}

fn sink() -> SinkReading {
    SinkReading { lag_records: 4, lag_bytes: 400, ..SinkReading::default() }
}

#[tokio::test]
async fn every_metric_of_the_table_is_shown_and_no_other() {
    let text = render(&everything().await).unwrap();
    let kinds = text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    let shown: BTreeSet<_> =
        kinds.filter_map(|line| line.split(' ').next()).map(str::to_owned).collect();
    let known: BTreeSet<_> = ALL.iter().map(|metric| metric.name()).collect();
    assert_eq!(shown, known);
    assert_eq!(known.len(), ALL.len(), "two of a name");
    for metric in ALL {
        for sample in metric.samples() {
            let lines = text.lines().filter(|line| line.starts_with(&sample));
            let labelled: Vec<_> =
                lines.filter(|line| line[sample.len()..].starts_with(['{', ' '])).collect();
            assert!(!labelled.is_empty(), "{sample}");
            for label in metric.labels {
                let named = format!("{label}=\"");
                assert!(labelled.iter().all(|line| line.contains(&named)), "{sample}: {label}");
            }
        }
    }
}

#[tokio::test]
async fn numbers_come_through() {
    let text = render(&everything().await).unwrap();
    for line in [
        "strongroom_requests_total{service=\"kms\",operation=\"CancelKeyDeletion\",code=\"OK\",\
         account=\"111122223333\"} 1",
        "strongroom_throttled_requests_total{service=\"kms\",operation=\"CancelKeyDeletion\"} 1",
        "strongroom_throttled_requests_total{service=\"sts\",operation=\"AssumeRole\"} 1",
        "strongroom_request_duration_seconds_bucket{le=\"0.00025\",service=\"kms\",\
         operation=\"CancelKeyDeletion\"} 2",
        "strongroom_store_commits_total{result=\"committed\"} 1",
        "strongroom_audit_sink_lag_bytes{sink=\"syslog\"} 400",
        "strongroom_certificate_expiry_timestamp_seconds{certificate=\"listener\"} 1800000000.0",
        "strongroom_keys{spec=\"SYMMETRIC_DEFAULT\",state=\"Enabled\"} 1",
        "strongroom_sealed 1",
        "strongroom_cache_hits_total{cache=\"keys\"} 5",
    ] {
        assert!(text.lines().any(|shown| shown == line), "{line}\n{text}");
    }
}

#[test]
fn what_is_absent_has_no_samples() {
    let text = render(&Arc::default()).unwrap();
    assert!(!text.contains("strongroom_requests") && !text.contains("strongroom_sealed"));
    assert!(text.contains("process_resident_memory_bytes ") && text.ends_with("# EOF\n"));
}

/// The metrics that a query names.
fn named(query: &str) -> BTreeSet<String> {
    let words = query.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let ours = |word: &&str| word.starts_with("strongroom_") || word.starts_with("process_");
    words.filter(ours).map(str::to_owned).collect()
}

fn assert_known(queries: &[(String, String)]) {
    let known: BTreeSet<_> = ALL.iter().flat_map(|metric| metric.samples()).collect();
    assert!(!queries.is_empty());
    for (place, query) in queries {
        let named = named(query);
        assert!(!named.is_empty(), "{place} names no metric of ours: {query}");
        let unknown: Vec<_> = named.difference(&known).collect();
        assert!(unknown.is_empty(), "{place} names {unknown:?}, which there is none of");
    }
}

#[derive(Deserialize)]
struct Dashboard {
    panels: Vec<Panel>,
    templating: Templating,
}

#[derive(Deserialize)]
struct Panel {
    title: String,
    #[serde(default)]
    targets: Vec<Target>,
    #[serde(default)]
    description: String,
    r#type: String,
}

#[derive(Deserialize)]
struct Target {
    expr: String,
}

#[derive(Deserialize)]
struct Templating {
    list: Vec<Variable>,
}

#[derive(Deserialize)]
struct Variable {
    name: String,
    #[serde(default)]
    definition: String,
}

#[test]
fn the_dashboard_asks_for_what_there_is() {
    let text = std::fs::read(format!("{PACKAGING}/grafana/strongroom.json")).unwrap();
    let dashboard: Dashboard = serde_json::from_slice(&text).unwrap();
    let mut queries = Vec::new();
    for panel in &dashboard.panels {
        let is_row = panel.r#type == "row";
        assert_eq!(panel.targets.is_empty(), is_row, "{}", panel.title);
        assert_eq!(panel.description.is_empty(), is_row, "{}", panel.title);
        queries.extend(panel.targets.iter().map(|t| (panel.title.clone(), t.expr.clone())));
    }
    for variable in dashboard.templating.list.iter().filter(|v| !v.definition.is_empty()) {
        queries.push((variable.name.clone(), variable.definition.clone()));
    }
    assert_known(&queries);
}

#[derive(Deserialize)]
struct Alerts {
    groups: Vec<Group>,
}

#[derive(Deserialize)]
struct Group {
    rules: Vec<Alert>,
}

#[derive(Deserialize)]
struct Alert {
    #[serde(rename = "alert")]
    name: String,
    expr: String,
    labels: Labels,
    annotations: Annotations,
}

#[derive(Deserialize)]
struct Labels {
    severity: String,
}

#[derive(Deserialize)]
struct Annotations {
    summary: String,
    description: String,
}

#[test]
fn the_alerts_ask_for_what_there_is() {
    let text = std::fs::read_to_string(format!("{PACKAGING}/prometheus/alerts.yml")).unwrap();
    let alerts: Alerts = serde_saphyr::from_str(&text).unwrap();
    let rules: Vec<_> = alerts.groups.iter().flat_map(|group| &group.rules).collect();
    let mut queries = Vec::new();
    for rule in &rules {
        assert!(matches!(rule.labels.severity.as_str(), "critical" | "warning"), "{}", rule.name);
        assert!(rule.annotations.summary.len() < 80, "{}", rule.name);
        assert!(rule.annotations.description.len() > 40, "{}", rule.name);
        queries.push((rule.name.clone(), rule.expr.clone()));
    }
    let names: BTreeSet<_> = rules.iter().map(|rule| &rule.name).collect();
    assert_eq!(names.len(), rules.len(), "two of a name");
    assert_known(&queries);
}
