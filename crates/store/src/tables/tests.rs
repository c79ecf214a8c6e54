//! The list of tables is the schema: every table and column of both databases, of the kind that it says, in an order
//! that foreign keys allow.

use super::{AUDIT_HEAD, Kind, TABLES};
use crate::{Ambient, Db, Dialect, db::sql, migrate};
use mosaic_protocol::Time;
use sqlx::{AssertSqlSafe, Connection, PgConnection};

#[tokio::test]
async fn lists_what_sqlite_has() {
    let dir = tempfile::tempdir().unwrap();
    lists_what_there_is(&Db::open_sqlite(&dir.path().join("mosaic.db")).await.unwrap()).await;
}

#[tokio::test]
async fn lists_what_postgres_has() {
    let Ok(server) = std::env::var("TEST_POSTGRES_URL") else {
        let required = std::env::var_os("TEST_REQUIRED").is_some();
        assert!(!required, "TEST_POSTGRES_URL is not set");
        eprintln!("skipped: TEST_POSTGRES_URL is not set");
        return;
    };
    let name = format!("test_{}", u128::from_be_bytes(Ambient::real().bytes()));
    administer(&server, format!("create database {name}")).await;
    let url = format!("{}/{name}", server.rsplit_once('/').unwrap().0);
    let looking =
        tokio::spawn(
            async move { lists_what_there_is(&Db::open_postgres(&url).await.unwrap()).await },
        );
    let looked = looking.await;
    administer(&server, format!("drop database {name} with (force)")).await;
    looked.unwrap();
}

async fn administer(server: &str, text: String) {
    let mut server = PgConnection::connect(server).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(text)).execute(&mut server).await.unwrap();
    server.close().await.unwrap();
}

async fn lists_what_there_is(db: &Db) {
    let mut tx = db.write().await.unwrap();
    migrate::apply(&mut tx, db.dialect(), Time(0)).await.unwrap();
    let (names, columns, references) = match db.dialect() {
        Dialect::Sqlite => (
            "select name from sqlite_master where type = 'table' and name not like 'sqlite%'",
            "select name, type from pragma_table_info($1)",
            "select \"table\", '' from pragma_foreign_key_list($1)",
        ),
        Dialect::Postgres => (
            "select tablename::text from pg_tables where schemaname = current_schema()",
            "select column_name::text, data_type::text from information_schema.columns
             where table_schema = current_schema() and table_name = $1",
            "select confrelid::regclass::text, '' from pg_constraint
             where contype = 'f' and conrelid = $1::regclass",
        ),
    };

    let mut there: Vec<String> =
        sql!(tx, all(String,), names).unwrap().into_iter().map(|row| row.0).collect();
    let mut listed: Vec<&str> = TABLES.iter().map(|table| table.name).chain([AUDIT_HEAD]).collect();
    there.sort_unstable();
    listed.sort_unstable();
    assert_eq!(listed, there);

    for (n, table) in TABLES.iter().enumerate() {
        let ours: Vec<&str> = table.columns.iter().map(|column| column.0).collect();
        assert_eq!(ours, tx.columns(table.name).await.unwrap(), "{}", table.name);
        let kinds = sql!(tx, all(String, String), columns, table.name).unwrap();
        for (name, kind) in table.columns {
            let (_, stored) = kinds.iter().find(|row| row.0 == *name).unwrap();
            let spelled = match (kind, db.dialect()) {
                (Kind::Text, Dialect::Sqlite) => "TEXT",
                (Kind::Int, Dialect::Sqlite) => "INTEGER",
                (Kind::Bytes, Dialect::Sqlite) => "BLOB",
                (Kind::Text, Dialect::Postgres) => "text",
                (Kind::Int, Dialect::Postgres) => "bigint",
                (Kind::Bytes, Dialect::Postgres) => "bytea",
            };
            assert_eq!(stored.to_uppercase(), spelled.to_uppercase(), "{}.{name}", table.name);
        }
        for (to, _) in sql!(tx, all(String, String), references, table.name).unwrap() {
            let before = TABLES[..n].iter().find(|earlier| earlier.name == to);
            let before = before.unwrap_or_else(|| panic!("{} comes before {to}", table.name));
            assert!(before.kept || !table.kept, "{} is kept without {to}", table.name);
        }
    }
}
