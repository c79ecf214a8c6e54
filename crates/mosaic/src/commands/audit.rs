//! `mosaic audit`.

use super::date;
use crate::{FAILED, args::AuditCommand, config::Settings, control::Control, out};
use mosaic_protocol::{
    audit::{AuditEntry, AuditReport},
    page::Page,
};
use std::process::ExitCode;

pub(crate) async fn audit(settings: &Settings, command: AuditCommand) -> anyhow::Result<ExitCode> {
    let control = Control::open(settings).await?;
    let done = run(&control, command).await;
    control.close().await;
    done
}

async fn run(control: &Control, command: AuditCommand) -> anyhow::Result<ExitCode> {
    match command {
        AuditCommand::List { after, limit } => {
            let page: Page<AuditEntry> =
                control.get(&format!("/api/audit?after={after}&limit={limit}")).await?;
            let row = |it: &AuditEntry| {
                vec![
                    it.seq.to_string(),
                    date(it.at),
                    it.action.clone(),
                    it.actor.clone(),
                    it.object.clone(),
                    it.detail.clone(),
                ]
            };
            let rows: Vec<_> = page.items.iter().map(row).collect();
            if rows.is_empty() {
                out::say("There are no more entries.")
            } else {
                out::say(&out::table(&rows))
            }
        }
        AuditCommand::Verify { expect } => {
            // A digest is hexadecimal, so it needs no escaping; anything else is refused there.
            let expect = expect.map_or_else(String::new, |head| format!("?expect={head}"));
            let report: AuditReport = control.get(&format!("/api/audit/verify{expect}")).await?;
            out::say(&format!("{} entries: {}", report.entries, report.message))?;
            match report.broken_at {
                None => out::say(&format!("head {}", report.head)),
                Some(seq) => {
                    out::complain(&format!(
                        "the audit log is broken at entry {seq}\n  somebody changed the database; compare it with a backup"
                    ));
                    Ok(ExitCode::from(FAILED))
                }
            }
        }
    }
}
