//! Making the present format of an earlier one, in one transaction.
//!
//! An earlier version of the server refuses the database from then on, by its format's number.
//! Must not know what records mean.

use rusqlite::{Connection, TransactionBehavior, params};

use super::checks::{Check, Total};
use super::schema::{self, FORMAT, SCHEMA, State};

/// Gives every record of a database without checks the check that it should have. What was
/// damaged by now is so for good: nothing tells what it had been.
pub(super) fn add_checks(connection: &mut Connection) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let revision = schema::read_revision(&transaction)?;
    transaction.execute_batch(
        "DROP INDEX records_by_key;
         ALTER TABLE records RENAME TO earlier_records;
         ALTER TABLE meta RENAME TO earlier_meta;",
    )?;
    transaction.execute_batch(SCHEMA)?;
    let mut total = Total::default();
    {
        let mut select =
            transaction.prepare("SELECT id, key, value, revision FROM earlier_records")?;
        let mut insert = transaction.prepare(
            "INSERT INTO records (id, key, value, revision, checksum) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?;
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            let (key, value) = (row.get_ref(1)?.as_blob()?, row.get_ref(2)?.as_blob()?);
            let written: i64 = row.get(3)?;
            let check = Check::of_record(key, value, schema::revision(written));
            total.add(&check);
            insert.execute(params![row.get::<_, i64>(0)?, key, value, written, check])?;
        }
    }
    schema::write_state(&transaction, &State { revision, total })?;
    transaction.execute_batch("DROP TABLE earlier_records; DROP TABLE earlier_meta;")?;
    transaction.pragma_update(None, "user_version", FORMAT)?;
    transaction.commit()
}
