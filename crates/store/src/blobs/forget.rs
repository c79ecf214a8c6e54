//! Forgets for good what was deleted: files of blobs, and on SQLite what the write-ahead log still holds.
//!
//! Nobody who reads or stores blobs waits for this. While a backup reads, no file goes that its picture may have;
//! what is due then is done when the last backup ends. What fails stays due, and is tried again with the next.

use super::{BlobPlace, files, size};
use crate::{
    Error, Result, Store, Tx,
    db::{One, sql},
};
use mosaic_protocol::{BlobHash, WorkspaceId};
use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// What is still to be forgotten, and what must not be just now.
#[derive(Default)]
pub(crate) struct Forgetting {
    due: Mutex<Due>,
    /// An upload holds it while its file has no row yet; alone holds it who deletes a file that has none, for just
    /// that one file.
    pub(super) uploads: tokio::sync::RwLock<()>,
    /// Held by what must come to its end; alone by who closes the store.
    work: Arc<tokio::sync::RwLock<()>>,
}

#[derive(Default)]
struct Due {
    /// How many read files that may have lost their rows meanwhile.
    n_held: usize,
    /// Workspaces that are gone, or lost blobs. Not more than there are.
    workspaces: BTreeSet<WorkspaceId>,
    /// Whether the write-ahead log may hold something that was deleted.
    log: bool,
}

/// As long as this lives, no file of a blob is deleted that had a row when it was made.
pub struct Held {
    store: Store,
}

impl Drop for Held {
    fn drop(&mut self) {
        let due = {
            let mut due = self.store.due();
            due.n_held -= 1;
            due.n_held == 0 && (due.log || !due.workspaces.is_empty())
        };
        // Without a runtime the program is ending, and the next start does it.
        if due && let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let store = self.store.clone();
            runtime.spawn(async move {
                let again = store.clone();
                let forgetting = async move {
                    again.forget_or_warn().await;
                    Ok(())
                };
                store.to_its_end(forgetting).await
            });
        }
    }
}

impl Store {
    /// Runs this to its end, also if whoever asked for it hangs up.
    pub(super) async fn to_its_end<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T>> + Send + 'static,
    ) -> Result<T> {
        let lasting = self.inner.forgetting.work.clone().read_owned().await;
        let done = tokio::spawn(async move {
            let done = work.await;
            drop(lasting);
            done
        });
        done.await.map_err(|error| Error::Damaged(error.to_string()))?
    }

    /// Waits for what must come to its end.
    pub(crate) async fn settle(&self) {
        drop(self.inner.forgetting.work.write().await);
    }

    fn due(&self) -> MutexGuard<'_, Due> {
        self.inner.forgetting.due.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps the files of blobs for a picture of the rows that is taken after this: for backups.
    pub fn hold_blobs(&self) -> Held {
        self.due().n_held += 1;
        Held { store: self.clone() }
    }

    /// Commits a transaction that deleted people or these workspaces, and forgets them. What cannot be forgotten now
    /// stays due: it is deleted, and nobody could do more about it by asking again.
    pub async fn commit_and_forget(&self, tx: Tx, workspaces: Vec<WorkspaceId>) -> Result<()> {
        let store = self.clone();
        self.to_its_end(async move {
            tx.commit().await?;
            {
                let mut due = store.due();
                due.workspaces.extend(workspaces);
                due.log = true;
            }
            store.look_at_index();
            store.forget_or_warn().await;
            Ok(())
        })
        .await
    }

    /// Does what is due, and empties the write-ahead log of what was changed, unless a backup reads: from time to time.
    pub async fn forget(&self) -> Result<()> {
        self.due().log = true;
        let store = self.clone();
        self.to_its_end(async move { store.forget_now().await }).await
    }

    async fn forget_or_warn(&self) {
        if let Err(error) = self.forget_now().await {
            tracing::warn!(%error, "what was deleted is not forgotten yet; it will be tried again");
        }
    }

    async fn forget_now(&self) -> Result<()> {
        let (workspaces, log) = {
            let mut due = self.due();
            if due.n_held > 0 {
                return Ok(());
            }
            (std::mem::take(&mut due.workspaces), std::mem::take(&mut due.log))
        };
        let mut done = Ok(());
        for workspace_id in workspaces {
            if let Err(error) = self.sweep_workspace(workspace_id).await {
                self.due().workspaces.insert(workspace_id);
                done = Err(error);
            }
        }
        if log {
            match self.inner.db.forget_deleted().await {
                Ok(true) => {}
                Ok(false) => self.due().log = true,
                Err(error) => {
                    self.due().log = true;
                    done = Err(error);
                }
            }
        }
        done
    }

    /// A blob's row was deleted: its file goes now or, if a backup may need it, later.
    pub(super) async fn forget_blob(&self, workspace_id: WorkspaceId, hash: &BlobHash) {
        if let Err(error) = self.sweep_file(workspace_id, hash).await {
            tracing::warn!(%error, "the file of a deleted blob stays for now");
            self.due().workspaces.insert(workspace_id);
        }
    }

    /// Whether a file may go whose row is gone. Asked after the row was looked for: a backup that begins later takes
    /// its picture later, too.
    fn may_go(&self, workspace_id: WorkspaceId) -> bool {
        let mut due = self.due();
        if due.n_held > 0 {
            due.workspaces.insert(workspace_id);
        }
        due.n_held == 0
    }

    /// Deletes the file of this blob if it has no row.
    async fn sweep_file(&self, workspace_id: WorkspaceId, hash: &BlobHash) -> Result<()> {
        let BlobPlace::Files(root) = &self.inner.blobs else { return Ok(()) };
        let _alone = self.inner.forgetting.uploads.write().await;
        if size(&mut self.read().await?, workspace_id, hash).await?.is_some()
            || !self.may_go(workspace_id)
        {
            return Ok(());
        }
        let path = files::file(root, workspace_id, hash);
        files::blocking(move || files::remove(&path)).await
    }

    /// Deletes what a workspace has files of and no rows.
    pub(super) async fn sweep_workspace(&self, workspace_id: WorkspaceId) -> Result<()> {
        let BlobPlace::Files(root) = &self.inner.blobs else { return Ok(()) };
        let dir = files::dir(root, workspace_id);
        let mut tx = self.read().await?;
        let text = "select id from workspaces where id = $1";
        if sql!(tx, maybe One<String>, text, workspace_id)?.is_none() {
            drop(tx);
            // Its id never comes back: what an upload still puts there, the upload takes away again.
            if !self.may_go(workspace_id) {
                return Ok(());
            }
            return files::blocking(move || files::remove_all(&dir)).await;
        }
        let text = "select hash from blobs where workspace_id = $1";
        let known = sql!(tx, all One<String>, text, workspace_id)?;
        drop(tx);
        let known: BTreeSet<String> = known.into_iter().map(|row| row.0).collect();
        for hash in files::blocking(move || files::names(&dir)).await? {
            if !known.contains(hash.as_str()) {
                self.sweep_file(workspace_id, &hash).await?;
            }
        }
        Ok(())
    }

    /// Deletes every file that has no row: at a start, and after everything was replaced, when nobody else is here.
    pub(crate) async fn sweep_all_files(&self) -> Result<()> {
        let BlobPlace::Files(root) = &self.inner.blobs else { return Ok(()) };
        let _alone = self.inner.forgetting.uploads.write().await;
        let mut tx = self.read().await?;
        let rows = sql!(tx, all(String, String), "select workspace_id, hash from blobs")?;
        drop(tx);
        let root = root.clone();
        files::blocking(move || files::sweep(&root, &rows.into_iter().collect())).await
    }
}
