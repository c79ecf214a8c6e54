//! What calls of models cost: every call is announced before it is sent, and settled after it, or found interrupted.
//!
//! One task writes, many calls in one transaction. A call under a budget waits until what it may cost is held; one under
//! none does not wait, and when it is over before its announcement was written, both are one row. Which budgets bind a
//! call is decided above; here is only arithmetic that two nodes cannot do differently.

mod rows;

use crate::{Error, Result, Store, Tx, db::sql};
use mosaic_protocol::{
    BudgetId, CallId, LogId, Time, TokenId, UserId, WorkspaceId,
    budget::{Budget, Subject},
    provider::FailureClass,
    usage::{Cost, Usage},
};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// How long a call that nobody waits for may stay unwritten.
const GATHER: Duration = Duration::from_millis(25);

/// How many calls are written in one transaction.
const TOGETHER: usize = 512;

/// How many calls may wait to be written. More than that, and calls wait.
const WAITING: usize = 8192;

/// How often what could not be written is tried again before it is given up.
const TRIES: u32 = 5;

/// How it stands with a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Announced.
    Running,
    /// Answered to its end.
    Done,
    /// Answered in part.
    Incomplete,
    /// Not answered.
    Failed,
}

impl State {
    const fn as_str(self) -> &'static str {
        match self {
            State::Running => "running",
            State::Done => "done",
            State::Incomplete => "incomplete",
            State::Failed => "failed",
        }
    }
}

/// A call of a model.
#[derive(Debug, Clone)]
pub struct Call {
    /// Which.
    pub id: CallId,
    /// When it began.
    pub at: Time,
    /// Who called.
    pub user_id: Option<UserId>,
    /// In which workspace.
    pub workspace_id: Option<WorkspaceId>,
    /// With which token.
    pub token_id: Option<TokenId>,
    /// In which conversation.
    pub log_id: Option<LogId>,
    /// As which agent; empty: as none.
    pub agent: String,
    /// What the provider is called.
    pub provider: String,
    /// What kind it is.
    pub kind: String,
    /// Which model.
    pub model: String,
    /// What was asked for.
    pub asked: String,
    /// The rule that decided; empty: none.
    pub rule: String,
    /// How it stands.
    pub state: State,
    /// Why it failed.
    pub failure: Option<FailureClass>,
    /// What was used.
    pub usage: Usage,
    /// What it cost.
    pub cost: Cost,
    /// What may be spent for it at most, in micro-dollars and tokens.
    pub held: (i64, i64),
    /// When its silence means that it was interrupted.
    pub held_until: Time,
    /// Until the first word, in milliseconds.
    pub first_ms: Option<i64>,
    /// Until the end.
    pub took_ms: Option<i64>,
    /// How it was chosen, as JSON; empty where it was named.
    pub route: String,
    /// The budgets that it is held against.
    pub holds: Vec<Hold>,
}

/// A budget that binds a call.
#[derive(Debug, Clone)]
pub struct Hold {
    /// Which.
    pub id: BudgetId,
    /// Whose.
    pub subject: Subject,
    /// The period.
    pub since: Time,
    /// Its bounds.
    pub micros: Option<i64>,
    /// Its bounds.
    pub tokens: Option<i64>,
}

impl From<&Budget> for Hold {
    fn from(budget: &Budget) -> Self {
        let Budget { id, subject, micros, tokens, spent, .. } = budget.clone();
        Self { id, subject, since: spent.since, micros, tokens }
    }
}

/// A budget does not allow a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Over {
    /// Which.
    pub budget: BudgetId,
    /// What is left of it, in micro-dollars.
    pub left_micros: Option<i64>,
    /// What is left of it, in tokens.
    pub left_tokens: Option<i64>,
}

enum Item {
    Written(Box<Call>),
    Held(Box<Call>, oneshot::Sender<Result<std::result::Result<(), Over>>>),
    Flush(oneshot::Sender<()>),
}

/// The end of the ledger that callers hold.
#[derive(Clone)]
pub struct Ledger {
    items: mpsc::Sender<Item>,
}

impl Ledger {
    /// Starts the task that writes. It ends when every end is gone and all is written.
    pub fn start(store: Store) -> Self {
        let (items, waiting) = mpsc::channel(WAITING);
        tokio::spawn(write(store, waiting));
        Self { items }
    }

    /// Announces a call that no budget binds.
    pub async fn announce(&self, call: Call) {
        let _ = self.items.send(Item::Written(Box::new(call))).await;
    }

    /// Announces a call, and holds what it may cost against its budgets: all of them, or none.
    pub async fn hold(&self, call: Call) -> Result<std::result::Result<(), Over>> {
        let (answer, answered) = oneshot::channel();
        let gone = || Error::Unavailable("the ledger has stopped".into());
        self.items.send(Item::Held(Box::new(call), answer)).await.map_err(|_| gone())?;
        answered.await.map_err(|_| gone())?
    }

    /// Settles a call.
    pub async fn settle(&self, call: Call) {
        let _ = self.items.send(Item::Written(Box::new(call))).await;
    }

    /// Settles a call where nothing can be waited for: its caller went away. False: too many wait; the call will be found
    /// interrupted, and count for what was held.
    pub fn settle_now(&self, call: Call) -> bool {
        self.items.try_send(Item::Written(Box::new(call))).is_ok()
    }

    /// Waits until everything up to now is written.
    pub async fn flush(&self) {
        let (answer, answered) = oneshot::channel();
        if self.items.send(Item::Flush(answer)).await.is_ok() {
            let _ = answered.await;
        }
    }
}

async fn write(store: Store, mut waiting: mpsc::Receiver<Item>) {
    let mut batch = Vec::with_capacity(TOGETHER);
    loop {
        let mut flushed = vec![];
        if waiting.recv_many(&mut batch, TOGETHER).await == 0 {
            return;
        }
        let nobody_waits = |batch: &[Item]| batch.iter().all(|it| matches!(it, Item::Written(_)));
        if nobody_waits(&batch) {
            let gathering = async {
                while batch.len() < TOGETHER && nobody_waits(&batch) {
                    let room = TOGETHER - batch.len();
                    if waiting.recv_many(&mut batch, room).await == 0 {
                        break;
                    }
                }
            };
            let _ = tokio::time::timeout(GATHER, gathering).await;
        }
        let mut written: Vec<Box<Call>> = vec![];
        let mut held = vec![];
        for item in batch.drain(..) {
            match item {
                Item::Written(call) => written.push(call),
                Item::Held(call, answer) => held.push((call, answer)),
                Item::Flush(answer) => flushed.push(answer),
            }
        }
        commit(&store, written, held).await;
        for answer in flushed {
            let _ = answer.send(());
        }
    }
}

type Answer = oneshot::Sender<Result<std::result::Result<(), Over>>>;

#[expect(clippy::vec_box, reason = "a call is moved from the queue, and large")]
async fn commit(store: &Store, written: Vec<Box<Call>>, held: Vec<(Box<Call>, Answer)>) {
    let (calls, answers): (Vec<_>, Vec<_>) = held.into_iter().unzip();
    let mut tried = 0;
    loop {
        match rows::write(store, &written, &calls).await {
            Ok(decided) => {
                let mut unsent = vec![];
                for ((answer, decided), call) in answers.into_iter().zip(decided).zip(&calls) {
                    let held = decided.is_ok();
                    if answer.send(Ok(decided)).is_err() && held {
                        // Whoever asked went away before anything was sent: what was held is free again.
                        let mut call = call.clone();
                        (call.state, call.cost.micros) = (State::Failed, Some(0));
                        unsent.push(call);
                    }
                }
                if !unsent.is_empty()
                    && let Err(error) = rows::write(store, &unsent, &[]).await
                {
                    tracing::warn!(%error, "what was held for calls that were not sent is found interrupted later");
                }
                return;
            }
            Err(error) => {
                tried += 1;
                // A call that waits is refused after the second try rather than held up: nothing has been sent for it.
                if (!answers.is_empty() && tried >= 2) || tried >= TRIES {
                    if tried >= TRIES {
                        let n = written.len();
                        tracing::error!(%error, n, "what calls cost could not be written");
                    } else {
                        // The others are written without those that wait.
                        Box::pin(commit(store, written, vec![])).await;
                    }
                    for answer in answers {
                        let said = Error::Unavailable("what it may cost cannot be held now".into());
                        let _ = answer.send(Err(said));
                    }
                    return;
                }
                tracing::warn!(%error, "what calls cost could not be written; it will be tried again");
                tokio::time::sleep(Duration::from_millis(200 << tried)).await;
            }
        }
    }
}

/// Finds calls that were interrupted: announced, and silent for longer than they may be. What was held for them counts
/// as spent, because nobody knows. `all`: also those whose time is not over, when nobody can be at work on them.
pub async fn interrupt(store: &Store, all: bool) -> Result<u64> {
    rows::interrupt(store, all).await
}

/// What somebody called stays counted, and nobody's. Their budgets go.
pub(crate) async fn person_goes(tx: &mut Tx, id: UserId) -> Result<()> {
    let text = "delete from budgets where subject_kind = 'user' and subject = $1";
    sql!(tx, run, text, id)?;
    let text = "update calls set user_id = null, token_id = null where user_id = $1";
    sql!(tx, run, text, id).map(drop)
}
