//! The plan of the measurement: which servers are started, in which order they are loaded, and
//! which parts were asked for. It must not know how a round is made, nor how the report looks.

use tempfile::TempDir;

use crate::beside::{self, Beside};
use crate::certificate::Certificate;
use crate::cores::{self, Cores};
use crate::installation::{Installation, Sync, folder};
use crate::machine::Machine;
use crate::operations::{Operation, ROWS};
use crate::rows::{self, Row, Subject};
use crate::startup::{self, StartUp};
use crate::{Outcome, Settings, peers};

/// The parts that aren't rows, by the names that `--only` knows them by.
const BESIDE: &str = "beside";
const CORES: &str = "cores";
const START_UP: &str = "start-up";
/// The row that is measured with synced records too.
const SYNCED: &str = "GenerateDataKey synced";

/// All that was measured; what wasn't asked for is empty.
pub(crate) struct Report {
    pub(crate) machine: Machine,
    pub(crate) rows: Vec<Row>,
    pub(crate) tls: Vec<Row>,
    pub(crate) synced: Option<Row>,
    pub(crate) peers: Vec<Row>,
    /// Sentences about the peers: their versions, or why they aren't there.
    pub(crate) notes: Vec<String>,
    pub(crate) beside: Option<Beside>,
    pub(crate) cores: Option<Cores>,
    pub(crate) start_up: Option<StartUp>,
    /// Resident memory in bytes, after the start and after the load.
    pub(crate) resident: Option<(u64, u64)>,
}

/// Measures what the settings ask for.
pub(crate) fn all(settings: &Settings) -> Outcome<Report> {
    check(settings)?;
    let machine = Machine::look(&settings.built);
    let start_up = if settings.wants(START_UP) { Some(startup::measure(settings)?) } else { None };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| error.to_string())?.block_on(async {
        let mut report = plain(settings, machine).await?;
        report.start_up = start_up;
        report.tls = over_tls(settings).await?;
        if settings.wants(SYNCED) {
            report.synced = Some(synced(settings).await?);
        }
        if settings.wants(CORES) {
            report.cores = Some(cores::measure(settings).await?);
        }
        others(settings, &mut report).await;
        Ok(report)
    })
}

/// A name that means nothing would leave out what was meant.
fn check(settings: &Settings) -> Outcome {
    let rows = ROWS.iter().map(|row| row.name);
    let names: Vec<_> = rows.chain([BESIDE, CORES, START_UP, "moto", "OpenBao"]).collect();
    for only in &settings.only {
        let begins = |name: &&str| begins_with(name, only) || begins_with(only, name);
        if !names.iter().any(begins) {
            return Err(format!("nothing is called `{only}`; there are {}", names.join(", ")));
        }
    }
    Ok(())
}

/// Whether a name begins with words, in any case.
pub(crate) fn begins_with(name: &str, words: &str) -> bool {
    name.get(..words.len()).is_some_and(|start| start.eq_ignore_ascii_case(words))
}

async fn plain(settings: &Settings, machine: Machine) -> Outcome<Report> {
    let mut report = Report {
        machine,
        rows: Vec::new(),
        tls: Vec::new(),
        synced: None,
        peers: Vec::new(),
        notes: settings.note.clone(),
        beside: None,
        cores: None,
        start_up: None,
        resident: None,
    };
    let wanted: Vec<_> = ROWS.iter().filter(|row| settings.wants(row.name)).collect();
    if wanted.is_empty() && !settings.wants(BESIDE) {
        return Ok(report);
    }
    let installation = Installation::on_one_core(&settings.program, Sync::None, None).await?;
    let at_start = installation.server.resident()?;
    for operation in wanted {
        let name = operation.name.to_owned();
        report.rows.push(row(settings, &installation, operation, name, None).await?);
    }
    if settings.wants(BESIDE) {
        report.beside = Some(beside::measure(settings, &installation).await?);
    }
    report.resident = Some((at_start, installation.server.resident()?));
    Ok(report)
}

async fn over_tls(settings: &Settings) -> Outcome<Vec<Row>> {
    let named = ROWS.iter().filter(|row| row.over_tls);
    let named = named.map(|row| (format!("{} TLS", row.name), row));
    let wanted: Vec<_> = named.filter(|(name, _)| settings.wants(name)).collect();
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let folder: TempDir = folder()?;
    let made = Certificate::make(folder.path())?;
    let installation =
        Installation::on_one_core(&settings.program, Sync::None, Some(&made)).await?;
    let mut found = Vec::new();
    for (name, operation) in wanted {
        found.push(row(settings, &installation, operation, name, Some(&made)).await?);
    }
    Ok(found)
}

async fn synced(settings: &Settings) -> Outcome<Row> {
    let installation = Installation::on_one_core(&settings.program, Sync::Group, None).await?;
    row(settings, &installation, &ROWS[0], SYNCED.to_owned(), None).await
}

async fn row(
    settings: &Settings,
    installation: &Installation,
    operation: &Operation,
    name: String,
    tls: Option<&Certificate>,
) -> Outcome<Row> {
    let body = installation.body(operation).await?;
    let request = || installation.signed(operation, &body);
    let (server, primitive) = (&installation.server, operation.primitive);
    rows::measure(settings, Subject { name, server, tls, request: &request, primitive }).await
}

/// The other servers; one that fails is left out with a sentence.
async fn others(settings: &Settings, report: &mut Report) {
    if let Some(program) = settings.moto.as_deref().filter(|_| settings.wants_any_of("moto")) {
        match peers::moto(settings, program).await {
            Ok(rows) => report.peers.extend(rows),
            Err(error) => report.notes.push(format!("moto is left out: {error}.")),
        }
    }
    if let Some(program) = settings.bao.as_deref().filter(|_| settings.wants_any_of("OpenBao")) {
        match peers::openbao(settings, program).await {
            Ok(rows) => report.peers.extend(rows),
            Err(error) => report.notes.push(format!("OpenBao is left out: {error}.")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_synced_row_is_the_first_one() {
        assert!(begins_with(SYNCED, ROWS[0].name));
    }

    #[test]
    fn names_begin_with_words_in_any_case() {
        assert!(begins_with("Sign RSA_2048", "sign rsa"));
        assert!(begins_with("Encrypt", "Encrypt"));
        assert!(!begins_with("ReEncrypt", "Encrypt"));
        assert!(!begins_with("Sign", "Sign RSA_2048"));
    }
}
