//! `docs/metrics.md`, made of the table of metrics.

use std::fmt::Write as _;

use prometheus_client::metrics::MetricType;

use super::catalog::{ALL, Metric};
use super::requests::ACCOUNTS_TOLD_APART;

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/metrics.md");

const HEAD: &str = "\
# Metrics and health

The operations listener is plain HTTP on an address of its own: `operations.listen` in production,
`strongroom dev --operations-listen ADDRESS` in dev mode. It asks nobody who they are, and metrics
name accounts: keep it to the loopback interface or a network of the operators'. It answers while
the server is sealed.

- `GET /metrics`: the metrics below, in the text format that Prometheus reads (OpenMetrics 1.0).
- `GET /livez`: 200 while the process runs and can answer.
- `GET /readyz`: 200 if the server is unsealed, its store takes commits and its audit log takes
  records; else 503 with a line for each condition that doesn't hold. Where no commit has taken
  place for five seconds, an empty one is tried. A request that the audit log couldn't take a record
  of makes the server not ready for ten seconds: after that, requests have to show whether it can.

A probe that restarts the server belongs on `/livez`: a server that is sealed or whose disk is full
is not helped by a restart. What sends requests belongs on `/readyz`.

`packaging/prometheus/alerts.yml` has alerts, `packaging/grafana/strongroom.json` a dashboard to
begin with.

## The metrics

Counters begin at zero with the process. Where a part isn't there, as an audit sink or while the
server is sealed, its metrics have no samples.

Each account is a set of time series of its own, so that only the first ACCOUNTS that send a
request are told apart: all later ones are `other`. `unknown` is who isn't known, as where a
signature doesn't hold, and an operation that doesn't exist. Codes are those that the client is
told.

";

fn page() -> String {
    let mut page = HEAD.replace("ACCOUNTS", &ACCOUNTS_TOLD_APART.to_string());
    page.push_str("| name | kind | labels | meaning |\n|---|---|---|---|\n");
    for metric in ALL {
        let labels: Vec<_> = metric.labels.iter().map(|label| format!("`{label}`")).collect();
        let (name, labels) = (shown(metric), labels.join(", "));
        // Writing to a string doesn't fail.
        let _ =
            writeln!(page, "| `{name}` | {} | {labels} | {} |", metric.kind.as_str(), metric.help);
    }
    page
}

/// The name that queries use; of a histogram, what its samples' names begin with.
fn shown(metric: &Metric) -> String {
    match metric.kind {
        MetricType::Histogram => metric.name(),
        _ => metric.samples().remove(0),
    }
}

#[test]
fn the_page_is_what_the_table_says() {
    let expected = page();
    if std::env::var_os("STRONGROOM_WRITE_DOCS").is_some() {
        std::fs::write(PAGE, &expected).unwrap();
    }
    let found = std::fs::read_to_string(PAGE).unwrap_or_default();
    assert!(found == expected, "write it anew: STRONGROOM_WRITE_DOCS=1 cargo test -p server page");
}
