//! What a second core gives. The load needs a core itself, so that rates alone can't tell: what is
//! compared is the CPU time of a request. It must not know how a round is made.

use crate::child::{LOAD_CORE, SERVER_CORE, pin};
use crate::installation::{Installation, Sync};
use crate::load::{self, Round};
use crate::operations::ENCRYPT;
use crate::statistics::{Summary, ratio};
use crate::{Outcome, Settings, sign};

/// The server on one core and the load on the other; and both on both.
pub(crate) struct Cores {
    pub(crate) apart: Summary,
    pub(crate) together: Summary,
}

impl Cores {
    /// How many times the rate of one core two cores allow, if nothing but CPU time bounds it.
    pub(crate) fn allowed(&self) -> f64 {
        2.0 * ratio(&self.apart.costs, &self.together.costs)
    }

    /// The share of both cores that server and load used while they were together.
    pub(crate) fn busy(&self) -> f64 {
        let a_request = self.together.micros() + self.together.load_micros;
        self.together.rate().median * a_request / 2e6
    }
}

/// Measures Encrypt, in turns.
pub(crate) async fn measure(settings: &Settings) -> Outcome<Cores> {
    eprintln!("benches: {} on two cores", ENCRYPT.name);
    let program = &settings.program;
    let one = Installation::on_one_core(program, Sync::None, None).await?;
    let both = [SERVER_CORE, LOAD_CORE];
    let two = Installation::start(program, Sync::None, None, &both).await?;
    let mut rounds: [Vec<Round>; 2] = [Vec::new(), Vec::new()];
    let mut bodies = Vec::new();
    for installation in [&one, &two] {
        let material = installation.administrator().await?.prepare(&ENCRYPT).await?;
        bodies.push(ENCRYPT.body(&material).to_string());
    }
    for _ in 0..settings.rounds {
        let places: [(&Installation, &[usize]); 2] = [(&one, &[LOAD_CORE]), (&two, &both)];
        for (((installation, cores), body), rounds) in places.iter().zip(&bodies).zip(&mut rounds) {
            let Installation { server, user, .. } = installation;
            let request = sign::request(user, server.endpoint.address, &ENCRYPT.target(), body)?;
            pin(cores)?;
            let round = load::round(server, &request, settings.connections, settings.length()?);
            let round = round.await;
            pin(&[LOAD_CORE])?;
            rounds.push(round?);
        }
    }
    let [apart, together] = rounds.map(Summary::of);
    Ok(Cores { apart, together })
}
