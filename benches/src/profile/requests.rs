//! The operations that are profiled. It must not know how they are profiled, nor what they say.

use crate::Outcome;
use crate::operations::{Operation, ROWS};

/// One operation.
pub(crate) struct Row {
    /// Its name in the table of operations.
    pub(crate) name: &'static str,
    /// How often it is sent while instructions are counted.
    pub(crate) repeats: u32,
}

pub(crate) const PROFILED: [Row; 6] = [
    Row { name: "GenerateDataKey", repeats: 400 },
    Row { name: "Encrypt", repeats: 400 },
    Row { name: "Decrypt", repeats: 400 },
    Row { name: "DescribeKey", repeats: 400 },
    Row { name: "Sign ECC_NIST_P256", repeats: 200 },
    Row { name: "Sign RSA_2048", repeats: 50 },
];

impl Row {
    /// What it is.
    pub(crate) fn operation(&self) -> Outcome<&'static Operation> {
        let found = ROWS.iter().find(|operation| operation.name == self.name);
        found.ok_or_else(|| format!("no operation is called {}", self.name))
    }
}

/// The rows whose names begin so; all of them where nothing is asked for.
pub(crate) fn chosen(only: &[String]) -> Vec<&'static Row> {
    let wanted = |row: &&Row| only.is_empty() || only.iter().any(|one| row.name.starts_with(one));
    PROFILED.iter().filter(wanted).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_an_operation() {
        assert!(PROFILED.iter().all(|row| row.operation().is_ok()));
    }
}
