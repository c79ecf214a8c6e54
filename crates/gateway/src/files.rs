//! Files that come along when a conversation is copied or moved to another workspace.

use crate::{Error, Gateway, Result};
use bytes::BytesMut;
use futures_util::StreamExt;
use mosaic_protocol::{BlobHash, LogId, Seq, WorkspaceId, entry::Fact, log::Body};
use mosaic_store::{Tx, logs};
use std::collections::BTreeSet;

const PAGE: i64 = 500;

impl Gateway {
    /// Stores every file that the entries up to a place refer to in the other workspace too, within its quota.
    pub(crate) async fn bring_files(
        &self,
        tx: &mut Tx,
        log: LogId,
        at: Seq,
        from: WorkspaceId,
        to: WorkspaceId,
    ) -> Result<()> {
        for hash in files_of(tx, log, at).await? {
            let Some((_, mut pieces)) = self.inner.store.get_blob(from, &hash).await? else {
                continue;
            };
            let mut bytes = BytesMut::new();
            while let Some(piece) = pieces.next().await {
                bytes.extend_from_slice(&piece.map_err(Error::from)?);
            }
            self.inner.store.put_blob(to, &bytes.freeze()).await?;
        }
        Ok(())
    }
}

async fn files_of(tx: &mut Tx, log: LogId, at: Seq) -> Result<BTreeSet<BlobHash>> {
    let (mut files, mut after) = (BTreeSet::new(), Seq::START);
    loop {
        let page = logs::after(tx, log, after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(files) };
        after = last.seq;
        for entry in page.into_iter().filter(|entry| entry.seq <= at) {
            if let Body::Fact(Fact::UserMessage { attachments, .. }) = entry.body {
                files.extend(attachments.into_iter().map(|attachment| attachment.hash));
            }
        }
        if after >= at {
            return Ok(files);
        }
    }
}
