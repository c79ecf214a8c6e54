//! `mosaic backup` and `mosaic restore`.

use crate::{args::RestoreArgs, config::Settings, control::Control, out, up::store_options};
use mosaic_protocol::operator::BackupReport;
use mosaic_store::{
    DataDir, Error, Options, Store,
    keyring::KeySource,
    restore::{self, How},
};
use serde_json::json;
use std::{path::Path, process::ExitCode};

pub(crate) async fn backup(settings: &Settings, file: &Path) -> anyhow::Result<ExitCode> {
    let path = std::path::absolute(file)?;
    let Some(path) = path.to_str() else {
        anyhow::bail!("the file's name is not UTF-8\n  choose another")
    };
    let control = Control::open(settings).await?;
    out::progress("writing the backup…");
    let report =
        control.post::<BackupReport>("/api/operator/backup", &json!({ "path": path })).await;
    out::progress_done();
    control.close().await;
    let report = report?;
    out::say(&format!(
        "{}: {} rows, {} blobs, {} bytes\nThe master key is not in it. Keep a copy of key {} elsewhere: without it, secrets cannot be opened.",
        report.path, report.n_rows, report.n_blobs, report.size_bytes, report.key_id
    ))
}

pub(crate) async fn restore(settings: &Settings, args: &RestoreArgs) -> anyhow::Result<ExitCode> {
    // Everything that can be checked without writing is, before anything is made.
    out::progress("checking the backup…");
    let key_id = restore::check(&args.file).map_err(|error| match error {
        Error::File { .. } => {
            anyhow::anyhow!(
                "the backup cannot be read: {error}\n  check the path and its permissions"
            )
        }
        error => error.into(),
    })?;
    let options = store_options(settings);
    restore::check_key(&KeySource::of(options.master_key.clone(), &options.data), &key_id)?;
    let dir = DataDir::lock(&settings.data)?;
    let store = Store::open_holding(dir, Options { keep_spare_keys: true, ..options }).await?;
    let how = How { replace: args.replace, keep_tokens: args.keep_tokens, unsigned: args.unsigned };
    let progress = |n_rows: i64| {
        if n_rows % 10_000 == 0 {
            out::progress(&format!("{n_rows} rows…"));
        }
    };
    let restored = store.restore(&args.file, how, progress).await;
    store.close().await;
    out::progress_done();
    let restored = restored?;
    let tokens = if args.keep_tokens {
        "API tokens are as they were then."
    } else {
        "API tokens were not kept."
    };
    out::say(&format!(
        "{} rows and {} blobs are restored. Everybody must log in again. {tokens}",
        restored.n_rows, restored.n_blobs
    ))
}
