//! From a request to the classes that it counts towards.
//!
//! Must not know rates.

use std::sync::LazyLock;

use service::ports::{Claim, Uses};
use wire::Region;
use wire::enums::KeySpec;

use super::classes::{BY_KEY, BY_PAIR, CLASSES, Class, Counted, named};

/// How the requests of an operation are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rule {
    /// They aren't.
    Free,
    /// Towards this class.
    One(usize),
    /// By the kinds of the keys that they name; towards each class once.
    ByKey,
    /// By the kind of the pair that they make.
    ByPair,
    /// Towards this class here, and twice towards CreateKey where the replica is made.
    Replicate { own: usize, create: usize },
    /// Towards this class in both Regions.
    BothRegions(usize),
}

/// What a request costs in one class.
#[derive(Debug, Clone, Copy)]
pub(super) struct Charge<'a> {
    pub(super) class: usize,
    pub(super) region: &'a Region,
    pub(super) times: u64,
}

/// One charge, or two.
#[derive(Debug, Default)]
pub(super) struct Charges<'a> {
    charges: Option<[Charge<'a>; 2]>,
    number: usize,
}

impl<'a> Charges<'a> {
    fn of(first: Charge<'a>, second: Option<Charge<'a>>) -> Self {
        let number = if second.is_some() { 2 } else { 1 };
        Self { charges: Some([first, second.unwrap_or(first)]), number }
    }

    pub(super) fn as_slice(&self) -> &[Charge<'a>] {
        self.charges.as_ref().map_or(&[], |charges| &charges[..self.number])
    }
}

impl Rule {
    /// The rule for an operation of a service.
    pub(super) fn of(service: &str, operation: &str) -> Self {
        if service != "kms" {
            let shared = CLASSES.iter().position(|class| {
                matches!(class.counted, Counted::Service(known) if known == service)
                    && (class.operations.is_empty() || class.operations.contains(&operation))
            });
            return shared.map_or(Self::Free, Self::One);
        }
        let by_name = |class: &Class| {
            let own = matches!(class.counted, Counted::Operation) && class.name == operation;
            let shared = matches!(class.counted, Counted::Keys(_));
            own || shared && class.operations.contains(&operation)
        };
        match (CLASSES.iter().position(by_name), operation) {
            _ if BY_KEY.contains(&operation) => Self::ByKey,
            _ if BY_PAIR.contains(&operation) => Self::ByPair,
            (Some(own), "ReplicateKey") => {
                named("CreateKey").map_or(Self::One(own), |create| Self::Replicate { own, create })
            }
            (Some(class), "UpdatePrimaryRegion") => Self::BothRegions(class),
            (Some(class), _) => Self::One(class),
            (None, _) => Self::Free,
        }
    }

    /// What a request costs; `None` where that depends on what it uses and isn't known yet.
    pub(super) fn charges<'a>(&self, claim: &Claim<'a>) -> Option<Charges<'a>> {
        let here = |class| Charge { class, region: claim.region, times: 1 };
        Some(match (self, claim.uses) {
            (Self::Free, _) => Charges::default(),
            (Self::One(class), _) => Charges::of(here(*class), None),
            (_, None) => return None,
            (Self::ByKey, Some(uses)) => by_kind(&PLACES.keys, uses, here),
            (Self::ByPair, Some(uses)) => by_kind(&PLACES.pairs, uses, here),
            (Self::Replicate { own, create }, Some(uses)) => {
                let region = uses.elsewhere.as_ref();
                let replica = region.map(|region| Charge { class: *create, region, times: 2 });
                Charges::of(here(*own), replica)
            }
            (Self::BothRegions(class), Some(uses)) => {
                let region = uses.elsewhere.as_ref().filter(|region| *region != claim.region);
                let there = region.map(|region| Charge { class: *class, region, times: 1 });
                Charges::of(here(*class), there)
            }
        })
    }
}

/// The classes of the kinds that a request uses, each once.
fn by_kind<'a>(
    places: &[Option<usize>],
    uses: &Uses,
    here: impl Fn(usize) -> Charge<'a>,
) -> Charges<'a> {
    let class = |spec: Option<KeySpec>| places.get(spec? as usize).copied().flatten();
    let [first, second] = uses.keys.map(class);
    match (first, second) {
        (Some(first), second) => {
            Charges::of(here(first), second.filter(|second| *second != first).map(here))
        }
        (None, Some(only)) => Charges::of(here(only), None),
        (None, None) => Charges::default(),
    }
}

/// Where the classes of each kind stand, by the order of the kinds.
struct Places {
    keys: Vec<Option<usize>>,
    pairs: Vec<Option<usize>>,
}

static PLACES: LazyLock<Places> = LazyLock::new(|| {
    let place = |counts: &dyn Fn(&Class, KeySpec) -> bool| {
        let class = |spec: &KeySpec| CLASSES.iter().position(|class| counts(class, *spec));
        KeySpec::ALL.iter().map(class).collect()
    };
    Places {
        keys: place(
            &|class, spec| matches!(class.counted, Counted::Keys(specs) if specs.contains(&spec)),
        ),
        pairs: place(&|class, spec| matches!(class.counted, Counted::Pairs(own) if own == spec)),
    }
});
