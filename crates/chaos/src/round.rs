//! One round: writers and readers at work, a fault, everybody back, everything compared.

use crate::{
    args::Args,
    chance::Chance,
    check::{self, Law, Violation, violation},
    fault::{Fault, Kind, Plan},
    history::Event,
    life::Life,
    reader::Reader,
    reading,
    writer::{Answer, Asked, Line, Shared, Writer, send},
};
use mosaic_protocol::{CommandId, Label, LogId, command::Command, conversation::ConversationRole};
use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// How long acknowledgements may stay away, and readers behind, when nothing is broken any more.
const RECOVERY: Duration = Duration::from_secs(30);
const TICK: Duration = Duration::from_millis(5);

/// What a round came to.
pub(crate) struct Outcome {
    pub(crate) plan: Plan,
    pub(crate) n_commands: u64,
    pub(crate) n_accepted: u64,
    pub(crate) n_entries: u64,
    /// From the end of the fault to the next acknowledgement.
    pub(crate) recovery: Duration,
    pub(crate) verified: bool,
    pub(crate) violations: Vec<Violation>,
}

/// What a fault left to be done.
struct Aftermath {
    /// When what was broken was whole again.
    whole_at: Instant,
    violations: Vec<Violation>,
}

pub(crate) async fn run(
    args: &Args,
    kinds: &[Kind],
    life: &mut Life,
    seed: u64,
    round: u64,
) -> anyhow::Result<Outcome> {
    let mut chance = Chance::of(seed, &[round]);
    let plan = Plan::of(&mut chance, kinds, life.nodes.len(), round);
    life.history.note(Event::Round { round, plan: plan.fault.to_string() });
    start(life).await?;
    let logs = begin_logs(args, life, &mut chance).await?;
    let counter = arm(life, &plan).await?;
    let shared = Arc::new(Shared {
        history: life.history.clone(),
        logs,
        aside: Mutex::default(),
        n_accepted: AtomicU64::new(0),
        n_sent: AtomicU64::new(0),
        stop: AtomicBool::new(false),
        asked: Mutex::default(),
    });
    let mut readers = vec![];
    for n in 0..usize::try_from(args.readers)? {
        let address = life.nodes[n % life.nodes.len()].address;
        let (who, chance) = (&life.people[n % 2], Chance::of(seed, &[round, 1, n as u64]));
        readers.push(Reader::begin(n, address, who, &shared.logs, chance, &life.history).await?);
    }
    let mut writers = vec![];
    for n in 0..usize::try_from(args.writers)? {
        let address = life.nodes[n % life.nodes.len()].address;
        let (by, chance) = (n % 2, Chance::of(seed, &[round, 2, n as u64]));
        let who = life.people[by].clone();
        // As many kinds on every node.
        let line = Line::of(n / life.nodes.len() + n, address, &who)?;
        let writer =
            Writer::new(format!("writer {n}"), by, who, (address, line), chance, shared.clone());
        writers.push(tokio::spawn(writer.run()));
    }

    let mut violations = vec![];
    let mut moment = Wait { shared: &shared, begun: Instant::now() };
    // A disk that fails has its moment in its calls, and may leave nobody to acknowledge anything.
    if counter.is_none() && !moment.until(plan.after).await {
        violations.push(violation(
            Law::Recovers,
            "nothing was acknowledged for 30 s, and nothing was broken yet",
        ));
    }
    let before = shared.n_accepted.load(Ordering::SeqCst);
    let aftermath = inflict(life, &plan, counter, &mut chance).await?;
    violations.extend(aftermath.violations);
    let during = shared.n_accepted.load(Ordering::SeqCst);
    moment.begun = Instant::now();
    if !moment.until(during + 1).await {
        violations.push(violation(
            Law::Recovers,
            "nothing was acknowledged for 30 s after the fault was over",
        ));
    }
    let recovery = aftermath.whole_at.elapsed();
    moment.until(before.max(during) + plan.then).await;
    shared.stop.store(true, Ordering::SeqCst);
    for writer in writers {
        writer.await?;
    }

    ask_again(life, &shared, &mut chance).await?;
    let named: Vec<(LogId, usize)> =
        shared.logs.iter().map(|log| (*log, 0)).chain(shared.aside()).collect();
    let address = life.nodes[usize::try_from(chance.next() % life.nodes.len() as u64)?].address;
    let Life { people, known, history, .. } = life;
    let heads = reading::read_all(address, people, &named, known, &mut chance, history).await?;
    let behind = |reader: &Reader| {
        let has = reader.positions();
        has.iter().any(|(log, seq)| heads.get(log).is_some_and(|head| seq < head))
    };
    let begun = Instant::now();
    while begun.elapsed() < RECOVERY && readers.iter().any(behind) {
        tokio::time::sleep(TICK).await;
    }
    for reader in &readers {
        for log in reader.positions().into_keys() {
            if let Some(head) = heads.get(&log) {
                let reader = reader.name.clone();
                life.history.note(Event::Due { reader, log, head: *head });
            }
        }
    }
    drop(readers);
    violations.extend(check::check(&life.history.so_far()));
    let verified = !plan.runs_on || !violations.is_empty();
    if verified {
        violations.extend(verify(life).await?);
    }
    violations.extend(
        life.nodes
            .iter()
            .filter_map(|node| node.panicked())
            .map(|line| violation(Law::Lives, line)),
    );
    Ok(Outcome {
        plan,
        n_commands: shared.n_sent.load(Ordering::SeqCst),
        n_accepted: shared.n_accepted.load(Ordering::SeqCst),
        n_entries: heads.values().map(|head| u64::try_from(head.0).unwrap_or(0)).sum(),
        recovery,
        verified,
        violations,
    })
}

struct Wait<'a> {
    shared: &'a Shared,
    begun: Instant,
}

impl Wait<'_> {
    /// Until so many commands were acknowledged. False: they were not, for too long.
    async fn until(&self, n: u64) -> bool {
        while self.shared.n_accepted.load(Ordering::SeqCst) < n {
            if self.begun.elapsed() > RECOVERY {
                return false;
            }
            tokio::time::sleep(TICK).await;
        }
        true
    }
}

/// A file in which the calls of a gateway are counted, and the call that it waits for.
type Counter = (std::path::PathBuf, u64);

/// Starts what does not run.
async fn start(life: &mut Life) -> anyhow::Result<()> {
    for node in life.nodes.iter_mut().filter(|node| !node.runs()) {
        node.start(&[]).await?;
    }
    Ok(())
}

/// Prepares a fault that must be there from a start on.
async fn arm(life: &mut Life, plan: &Plan) -> anyhow::Result<Option<Counter>> {
    let (at_call, errno, once) = match &plan.fault {
        Fault::WriteError { at_call, errno, once, .. } => (*at_call, *errno, *once),
        // Where no disk can be mounted, one is played.
        Fault::FullDisk { .. } if life.disk.is_none() => (100 + plan.after * 10, "ENOSPC", false),
        _ => return Ok(None),
    };
    life.nodes[plan.node].stop().await;
    let (environment, count) = life.shim(&life.nodes[plan.node], at_call, errno, once)?;
    if let Err(error) = life.nodes[plan.node].start(&environment).await {
        // A disk that fails at once is a reason not to start; then it is mended.
        life.history.note(Event::Fault { what: format!("{error:#}") });
        life.nodes[plan.node].kill();
        life.nodes[plan.node].start(&[]).await?;
        return Ok(None);
    }
    Ok(Some((count, at_call)))
}

/// The conversations that everybody writes to in this round.
async fn begin_logs(args: &Args, life: &Life, chance: &mut Chance) -> anyhow::Result<Vec<LogId>> {
    let [root, ada] = &life.people;
    let shared = Shared {
        history: life.history.clone(),
        logs: vec![],
        aside: Mutex::default(),
        n_accepted: AtomicU64::new(0),
        n_sent: AtomicU64::new(0),
        stop: AtomicBool::new(false),
        asked: Mutex::default(),
    };
    let mut line = Line::of(0, life.nodes[0].address, root)?;
    let mut logs = vec![];
    while logs.len() < usize::try_from(args.logs)? {
        let id = CommandId::new(chance.uuid());
        let title = Some(Label::try_from(id.to_string())?);
        let command = Command::CreateConversation { workspace_id: None, title };
        let log = insist(&shared, &mut line, root, id, &command).await?;
        let role = ConversationRole::Editor;
        let id = CommandId::new(chance.uuid());
        insist(&shared, &mut line, root, id, &Command::SetMember { log, user_id: ada.id, role })
            .await?;
        logs.push(log);
    }
    Ok(logs)
}

async fn insist(
    shared: &Shared,
    line: &mut Line,
    who: &crate::people::Person,
    id: CommandId,
    command: &Command,
) -> anyhow::Result<LogId> {
    let begun = Instant::now();
    loop {
        if let Answer::Accepted(log, _) = send(shared, "the round", line, who, id, command).await {
            return Ok(log);
        }
        anyhow::ensure!(
            begun.elapsed() < RECOVERY,
            "the round cannot begin: {command:?} is not accepted"
        );
        tokio::time::sleep(TICK).await;
    }
}

/// Breaks what is to be broken, and mends it again.
async fn inflict(
    life: &mut Life,
    plan: &Plan,
    counter: Option<Counter>,
    chance: &mut Chance,
) -> anyhow::Result<Aftermath> {
    let mut violations = vec![];
    let note = |life: &Life, what: &str| {
        let what = format!("{}: {what}", life.nodes[plan.node].name);
        life.history.note(Event::Fault { what });
    };
    note(life, &plan.fault.to_string());
    let then_kill = match &plan.fault {
        Fault::Kill => true,
        Fault::Freeze { time, then_kill } => {
            life.nodes[plan.node].freeze();
            tokio::time::sleep(*time).await;
            if !then_kill {
                life.nodes[plan.node].thaw();
            }
            *then_kill
        }
        Fault::FullDisk { time, then_kill } => {
            match (&life.disk, counter) {
                (Some(disk), _) => {
                    disk.fill();
                    tokio::time::sleep(*time).await;
                    if *then_kill {
                        life.nodes[plan.node].kill();
                    }
                    life.disk.iter().for_each(crate::life::SmallDisk::free);
                    *then_kill
                }
                // One that is played is full until the process ends.
                (None, counter) => {
                    reached(counter).await;
                    tokio::time::sleep(*time).await;
                    true
                }
            }
        }
        Fault::WriteError { once, then_kill, .. } => {
            reached(counter).await;
            tokio::time::sleep(Duration::from_millis(chance.among(10, 300))).await;
            *then_kill || !once
        }
        Fault::Cut { times, gap, down } => {
            for _ in 0..*times {
                life.proxies[plan.node].cut(chance);
                tokio::time::sleep(*gap).await;
            }
            if !down.is_zero() {
                life.proxies[plan.node].set_down(true);
                tokio::time::sleep(*down).await;
                life.proxies[plan.node].set_down(false);
            }
            false
        }
    };
    let whole_at = Instant::now();
    let node = &mut life.nodes[plan.node];
    if then_kill {
        node.kill();
        if let Err(error) = node.start(&[]).await {
            violations.push(violation(Law::Recovers, format!("{error:#}")));
            // Everything else may still be compared.
            node.kill();
            node.start(&[]).await?;
        }
        note(life, "started again");
    } else if let Some(status) = node.ended() {
        violations.push(violation(Law::Lives, format!("{} ended by itself: {status}", node.name)));
        node.start(&[]).await?;
    }
    Ok(Aftermath { whole_at, violations })
}

/// Waits until the call has come, or does not come any more.
async fn reached(counter: Option<Counter>) {
    let Some((file, at_call)) = counter else { return };
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(8) {
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        if text.trim().parse::<u64>().is_ok_and(|n| n >= at_call) {
            return;
        }
        tokio::time::sleep(TICK).await;
    }
}

/// Sends again: half of what got no answer, and some of what did.
async fn ask_again(life: &Life, shared: &Shared, chance: &mut Chance) -> anyhow::Result<()> {
    let asked: Vec<Asked> = shared.asked.lock().unwrap_or_else(PoisonError::into_inner).clone();
    for asked in asked {
        if !chance.percent(if asked.is_answered { 5 } else { 50 }) {
            continue;
        }
        let who = &life.people[asked.by];
        // By any node.
        let node = chance.pick(&life.nodes).map(|node| node.address);
        let Some(address) = node else { continue };
        let mut line = Line::of(0, address, who)?;
        send(shared, "the round", &mut line, who, asked.id, &asked.command).await;
    }
    Ok(())
}

/// Stops everything, and lets the program look at what it stored.
async fn verify(life: &mut Life) -> anyhow::Result<Vec<Violation>> {
    let mut violations = vec![];
    for node in &mut life.nodes {
        if node.runs()
            && let Some(wrong) = node.stop().await
        {
            violations.push(violation(Law::Lives, wrong));
        }
    }
    let Some(node) = life.nodes.first() else { return Ok(violations) };
    let (is_clean, said) = node.run(&["verify"], life.database_url()).await?;
    if !is_clean {
        let bad: Vec<&str> = said.lines().filter(|line| !line.starts_with("good ")).collect();
        violations.push(violation(Law::Verified, bad.join("\n          ")));
    }
    Ok(violations)
}
