//! Conversations as projections of their logs: titles, who takes part, tags, pins. `project` writes them in the
//! transaction of the entry, and nothing else does.

use crate::{
    Error, Result, Tx,
    db::{One, sql},
};
use mosaic_protocol::{
    Label, LogId, ProjectId, Seq, Time, UserId, WorkspaceId,
    conversation::{
        Conversation, ConversationRole, Participant, Participants, RoleFacts, SharedTeam,
    },
    entry::Fact,
    log::{Author, Body, Entry},
    team::Role,
};
use sqlx::FromRow;

/// Whether this fact may change who may read the log.
pub(crate) fn moves_access(fact: &Fact) -> bool {
    matches!(
        fact,
        Fact::MemberSet { .. }
            | Fact::MemberRemoved { .. }
            | Fact::TeamShared { .. }
            | Fact::TeamUnshared { .. }
            | Fact::Moved { .. }
    )
}

/// Writes what follows from an entry.
pub(crate) async fn project(tx: &mut Tx, log: LogId, entry: &Entry) -> Result<()> {
    let Body::Fact(fact) = &entry.body else { return Ok(()) };
    match fact {
        Fact::Began { title, .. } | Fact::Imported { title, .. } => {
            begin(tx, log, title.as_str(), &entry.author, None).await
        }
        Fact::Forked { parent, title, .. } => {
            begin(tx, log, title.as_str(), &entry.author, Some(*parent)).await
        }
        Fact::Renamed { title } => sql!(
            tx,
            run,
            "update conversations set title = $1 where log_id = $2",
            title.as_str(),
            log
        )
        .map(drop),
        Fact::Archived {} => archive(tx, log, true).await,
        Fact::Unarchived {} => archive(tx, log, false).await,
        Fact::Tagged { tags } => {
            sql!(tx, run, "delete from conversation_tags where log_id = $1", log)?;
            for tag in tags {
                sql!(
                    tx,
                    run,
                    "insert into conversation_tags (log_id, tag) values ($1, $2) on conflict (log_id, tag) do nothing",
                    log,
                    tag.as_str()
                )?;
            }
            Ok(())
        }
        Fact::Moved { workspace_id, project_id } => {
            sql!(tx, run, "update logs set workspace_id = $1 where id = $2", *workspace_id, log)?;
            sql!(
                tx,
                run,
                "update conversations set project_id = $1 where log_id = $2",
                *project_id,
                log
            )
            .map(drop)
        }
        Fact::MemberSet { user_id, role } => set_member(tx, log, *user_id, *role).await,
        Fact::MemberRemoved { user_id } => sql!(
            tx,
            run,
            "delete from conversation_members where log_id = $1 and user_id = $2",
            log,
            *user_id
        )
        .map(drop),
        Fact::TeamShared { team_id, role } => sql!(
            tx,
            run,
            "insert into conversation_teams (log_id, team_id, role) select $1, id, $2 from teams where id = $3
             on conflict (log_id, team_id) do update set role = excluded.role",
            log,
            role.as_str(),
            *team_id
        )
        .map(drop),
        Fact::TeamUnshared { team_id } => sql!(
            tx,
            run,
            "delete from conversation_teams where log_id = $1 and team_id = $2",
            log,
            *team_id
        )
        .map(drop),
        Fact::LinkClosed {} => {
            sql!(tx, run, "delete from share_links where log_id = $1", log).map(drop)
        }
        Fact::Pinned { seq } => sql!(
            tx,
            run,
            "insert into pins (log_id, seq) values ($1, $2) on conflict (log_id, seq) do nothing",
            log,
            seq.0
        )
        .map(drop),
        Fact::Unpinned { seq } => {
            sql!(tx, run, "delete from pins where log_id = $1 and seq = $2", log, seq.0).map(drop)
        }
        // Nothing follows from these; named, so that a new fact is thought about here.
        Fact::UserMessage { .. }
        | Fact::AssistantReply { .. }
        | Fact::ToolResult { .. }
        | Fact::LinkOpened {}
        | Fact::SharedWithMe { .. }
        | Fact::TakenAway { .. }
        | Fact::NeedsMe { .. }
        | Fact::Erased { .. } => Ok(()),
    }
}

async fn begin(
    tx: &mut Tx,
    log: LogId,
    title: &str,
    author: &Author,
    parent: Option<LogId>,
) -> Result<()> {
    let creator = match author {
        Author::User { id } => Some(*id),
        _ => None,
    };
    // What a copied prefix told happened elsewhere: here everything begins with this entry.
    sql!(tx, run, "delete from conversations where log_id = $1", log)?;
    sql!(
        tx,
        run,
        "insert into conversations (log_id, title, created_by, archived, project_id, parent_id)
         values ($1, $2, $3, 0, null, $4)",
        log,
        title,
        creator,
        parent
    )?;
    match creator {
        Some(user_id) => set_member(tx, log, user_id, ConversationRole::Owner).await,
        None => Ok(()),
    }
}

/// Whether a conversation begins with this fact, and where it lives then. What a copied prefix told before it happened
/// elsewhere.
pub(crate) fn beginning(fact: &Fact) -> Option<(&Label, WorkspaceId)> {
    match fact {
        Fact::Began { title, workspace_id }
        | Fact::Forked { title, workspace_id, .. }
        | Fact::Imported { title, workspace_id } => Some((title, *workspace_id)),
        _ => None,
    }
}

/// Title and tags as the entries tell them now: some were erased.
pub(crate) async fn name_again(tx: &mut Tx, log: LogId) -> Result<()> {
    let rows = sql!(
        tx,
        all crate::logs::Row,
        "select seq, at, author, kind, body from entries where log_id = $1
            and kind in ('began', 'forked', 'imported', 'renamed', 'tagged') order by seq",
        log
    )?;
    for entry in rows.into_iter().map(crate::logs::entry) {
        let begun = match &entry.body {
            Body::Fact(fact) => beginning(fact),
            Body::Other { .. } => None,
        };
        let Some((title, _)) = begun else {
            project(tx, log, &entry).await?;
            continue;
        };
        let text = "update conversations set title = $1 where log_id = $2";
        sql!(tx, run, text, title.as_str(), log)?;
        sql!(tx, run, "delete from conversation_tags where log_id = $1", log)?;
    }
    Ok(())
}

async fn archive(tx: &mut Tx, log: LogId, archived: bool) -> Result<()> {
    sql!(tx, run, "update conversations set archived = $1 where log_id = $2", archived, log)
        .map(drop)
}

async fn set_member(
    tx: &mut Tx,
    log: LogId,
    user_id: UserId,
    role: ConversationRole,
) -> Result<()> {
    // Whoever was deleted meanwhile is no member.
    sql!(
        tx,
        run,
        "insert into conversation_members (log_id, user_id, role) select $1, id, $2 from users where id = $3
         on conflict (log_id, user_id) do update set role = excluded.role",
        log,
        role.as_str(),
        user_id
    )
    .map(drop)
}

/// What decides a person's role, and the access version that it was read at.
#[derive(Debug, Clone, Copy)]
pub struct Standing {
    /// What decides.
    pub facts: RoleFacts,
    /// Whose personal workspace it lives in.
    pub owner: Option<UserId>,
    /// Where the conversation lives.
    pub workspace_id: WorkspaceId,
    /// What the access version of its log is.
    pub access_version: i64,
    /// Its last entry.
    pub head: Seq,
}

#[derive(FromRow)]
struct StandingRow {
    workspace_id: String,
    access_version: i64,
    head: i64,
    owner: Option<String>,
    team_id: Option<String>,
    team_role: Option<String>,
    member: Option<String>,
    shared_owner: i64,
    shared_editor: i64,
    shared_viewer: i64,
}

/// What decides this person's role in that conversation. `None`: there is no such conversation.
pub async fn standing(tx: &mut Tx, log: LogId, user_id: UserId) -> Result<Option<Standing>> {
    let row = sql!(
        tx,
        maybe StandingRow,
        "select l.workspace_id, l.access_version, l.head, w.user_id as owner, w.team_id, tm.role as team_role,
            cm.role as member,
            (select count(*) from conversation_teams s join members m on m.team_id = s.team_id
                where s.log_id = l.id and m.user_id = $1 and s.role = 'owner') as shared_owner,
            (select count(*) from conversation_teams s join members m on m.team_id = s.team_id
                where s.log_id = l.id and m.user_id = $1 and s.role = 'editor') as shared_editor,
            (select count(*) from conversation_teams s join members m on m.team_id = s.team_id
                where s.log_id = l.id and m.user_id = $1 and s.role = 'viewer') as shared_viewer
         from conversations c join logs l on l.id = c.log_id join workspaces w on w.id = l.workspace_id
         left join members tm on tm.team_id = w.team_id and tm.user_id = $1
         left join conversation_members cm on cm.log_id = l.id and cm.user_id = $1
         where c.log_id = $2",
        user_id,
        log
    )?;
    row.map(|row| row.standing(user_id)).transpose()
}

impl StandingRow {
    fn standing(self, user_id: UserId) -> Result<Standing> {
        let damaged = |what: &str| Error::Damaged(what.into());
        let role = |text: Option<String>| -> Result<Option<ConversationRole>> {
            text.map(|text| text.parse().map_err(|_| damaged("a role"))).transpose()
        };
        let team_role: Option<Role> =
            self.team_role.map(|text| text.parse().map_err(|_| damaged("a role"))).transpose()?;
        let shared = [
            (self.shared_viewer, ConversationRole::Viewer),
            (self.shared_editor, ConversationRole::Editor),
            (self.shared_owner, ConversationRole::Owner),
        ];
        let shared = shared.into_iter().filter(|(n, _)| *n > 0).map(|(_, role)| role).max();
        let facts = RoleFacts {
            own_workspace: self.owner.as_deref() == Some(user_id.to_string().as_str()),
            in_team_workspace: self.team_id.is_some(),
            team_role,
            member: role(self.member)?,
            shared,
        };
        Ok(Standing {
            facts,
            owner: self.owner.and_then(|id| id.parse().ok()),
            workspace_id: self.workspace_id.parse().map_err(|_| damaged("a workspace's id"))?,
            access_version: self.access_version,
            head: Seq(self.head),
        })
    }
}

#[derive(FromRow)]
struct Row {
    #[sqlx(try_from = "String")]
    id: LogId,
    title: String,
    #[sqlx(try_from = "String")]
    workspace_id: WorkspaceId,
    project_id: Option<String>,
    created_by: Option<String>,
    created_at: i64,
    updated_at: i64,
    head: i64,
    read: i64,
    archived: i64,
    parent_id: Option<String>,
    link: i64,
}

impl Row {
    async fn conversation(self, tx: &mut Tx, role: ConversationRole) -> Result<Conversation> {
        let tags = sql!(
            tx,
            all One<String>,
            "select tag from conversation_tags where log_id = $1 order by tag",
            self.id
        )?;
        Ok(Conversation {
            id: self.id,
            title: self.title,
            workspace_id: self.workspace_id,
            project_id: self.project_id.and_then(|id| id.parse::<ProjectId>().ok()),
            created_by: self.created_by.and_then(|id| id.parse().ok()),
            created_at: Time(self.created_at),
            updated_at: Time(self.updated_at),
            head: Seq(self.head),
            read: Seq(self.read),
            archived: self.archived != 0,
            parent: self.parent_id.and_then(|id| id.parse().ok()),
            tags: tags.into_iter().map(|row| row.0).collect(),
            role,
            link: self.link != 0,
        })
    }
}

/// One conversation, as this person sees it. Whether they may is not asked here.
pub async fn get(
    tx: &mut Tx,
    log: LogId,
    user_id: Option<UserId>,
    role: ConversationRole,
) -> Result<Option<Conversation>> {
    let row = sql!(
        tx,
        maybe Row,
        "select l.id, c.title, l.workspace_id, c.project_id, c.created_by, l.created_at, l.updated_at, l.head,
            coalesce(r.seq, 0) as read, c.archived, c.parent_id,
            (select count(*) from share_links s where s.log_id = l.id) as link
         from conversations c join logs l on l.id = c.log_id
         left join read_marks r on r.log_id = l.id and r.user_id = $1 where c.log_id = $2",
        user_id,
        log
    )?;
    match row {
        Some(row) => Ok(Some(row.conversation(tx, role).await?)),
        None => Ok(None),
    }
}

/// Which conversations to list.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Those that were put away, instead of those that were not.
    pub archived: bool,
    /// Only those that are filed under this.
    pub tag: Option<String>,
    /// Only those in this workspace.
    pub workspace_id: Option<WorkspaceId>,
    /// Only those that changed before this, or then and with a smaller id.
    pub before: Option<(Time, LogId)>,
}

/// The logs of the conversations that this person may read, as a subquery with `$1` for the person. It must say the
/// same as `RoleFacts::role`; a test compares the two.
pub(crate) const READABLE: &str = "
    select l.id from logs l join workspaces w on w.id = l.workspace_id and w.user_id = $1 where l.kind = 'conversation'
    union
    select cm.log_id from conversation_members cm join logs l on l.id = cm.log_id
        join workspaces w on w.id = l.workspace_id
        where cm.user_id = $1 and (w.team_id is null
            or exists (select 1 from members m where m.team_id = w.team_id and m.user_id = $1))
    union
    select s.log_id from conversation_teams s join members sm on sm.team_id = s.team_id and sm.user_id = $1
        join logs l on l.id = s.log_id join workspaces w on w.id = l.workspace_id
        where w.team_id is null or exists (select 1 from members m where m.team_id = w.team_id and m.user_id = $1)
    union
    select l.id from members m join workspaces w on w.team_id = m.team_id
        join logs l on l.workspace_id = w.id where m.user_id = $1 and m.role = 'owner' and l.kind = 'conversation'";

/// The same as a condition on a row `l` of `logs`, for queries that have few of them to ask about.
pub(crate) const READS: &str = "exists (select 1 from workspaces w where w.id = l.workspace_id and (
    w.user_id = $1
    or exists (select 1 from members m where m.team_id = w.team_id and m.user_id = $1 and m.role = 'owner')
    or ((w.team_id is null or exists (select 1 from members m where m.team_id = w.team_id and m.user_id = $1))
        and (exists (select 1 from conversation_members cm where cm.log_id = l.id and cm.user_id = $1)
            or exists (select 1 from conversation_teams t join members sm on sm.team_id = t.team_id
                where t.log_id = l.id and sm.user_id = $1)))))";

/// The conversations that this person may read, those that changed last first.
pub async fn list(
    tx: &mut Tx,
    user_id: UserId,
    wanted: &Wanted,
    limit: i64,
) -> Result<Vec<Conversation>> {
    let (before, before_id) = match wanted.before {
        Some((time, id)) => (time, id.to_string()),
        None => (Time(i64::MAX), String::new()),
    };
    let text = format!(
        "select l.id, c.title, l.workspace_id, c.project_id, c.created_by, l.created_at, l.updated_at, l.head,
            coalesce(r.seq, 0) as read, c.archived, c.parent_id,
            (select count(*) from share_links s where s.log_id = l.id) as link
         from conversations c join logs l on l.id = c.log_id
         left join read_marks r on r.log_id = l.id and r.user_id = $1
         where c.log_id in ({READABLE}) and c.archived = $2
            and (l.updated_at < $3 or (l.updated_at = $3 and l.id < $4))
            and ($5 = '' or l.workspace_id = $5)
            and ($6 = '' or exists (select 1 from conversation_tags t where t.log_id = l.id and t.tag = $6))
         order by l.updated_at desc, l.id desc limit $7"
    );
    let rows = sql!(
        tx,
        all Row,
        sqlx::AssertSqlSafe(text.as_str()),
        user_id,
        wanted.archived,
        before,
        before_id,
        wanted.workspace_id.map(|id| id.to_string()).unwrap_or_default(),
        wanted.tag.clone().unwrap_or_default(),
        limit
    )?;
    let mut found = vec![];
    for row in rows {
        let id = row.id;
        // The one rule decides; the query only narrows down what to ask it about.
        let Some(standing) = standing(tx, id, user_id).await? else { continue };
        if let Some(role) = standing.facts.role() {
            found.push(row.conversation(tx, role).await?);
        }
    }
    Ok(found)
}

/// Who takes part.
pub async fn participants(tx: &mut Tx, log: LogId) -> Result<Participants> {
    let members = sql!(
        tx,
        all(String, String, String, String),
        "select m.user_id, u.name, u.display_name, m.role from conversation_members m
         join users u on u.id = m.user_id where m.log_id = $1 order by u.name",
        log
    )?;
    let teams = sql!(
        tx,
        all(String, String, String),
        "select s.team_id, t.name, s.role from conversation_teams s join teams t on t.id = s.team_id
         where s.log_id = $1 order by t.name, t.id",
        log
    )?;
    let damaged = || Error::Damaged("a conversation's members".into());
    let member = |(id, name, display_name, role): (String, String, String, String)| {
        let user_id = id.parse().map_err(|_| damaged())?;
        Ok(Participant { user_id, name, display_name, role: role.parse().map_err(|_| damaged())? })
    };
    let team = |(id, name, role): (String, String, String)| {
        let team_id = id.parse().map_err(|_| damaged())?;
        Ok(SharedTeam { team_id, name, role: role.parse().map_err(|_| damaged())? })
    };
    Ok(Participants {
        members: members.into_iter().map(member).collect::<Result<_>>()?,
        teams: teams.into_iter().map(team).collect::<Result<_>>()?,
    })
}

/// The messages that are pinned.
pub async fn pins(tx: &mut Tx, log: LogId) -> Result<Vec<Seq>> {
    let rows = sql!(tx, all One<i64>, "select seq from pins where log_id = $1 order by seq", log)?;
    Ok(rows.into_iter().map(|row| Seq(row.0)).collect())
}

/// Notes how far somebody has read; never back.
pub async fn mark_read(tx: &mut Tx, user_id: UserId, log: LogId, seq: Seq) -> Result<()> {
    sql!(
        tx,
        run,
        "insert into read_marks (user_id, log_id, seq) values ($1, $2, $3)
         on conflict (user_id, log_id) do update set seq = excluded.seq where excluded.seq > read_marks.seq",
        user_id,
        log,
        seq.0
    )
    .map(drop)
}

/// Lets whoever has the secret of this digest read along.
pub(crate) async fn open_link(tx: &mut Tx, log: LogId, digest: &[u8], now: Time) -> Result<()> {
    sql!(
        tx,
        run,
        "insert into share_links (log_id, digest, created_at) values ($1, $2, $3)
         on conflict (log_id) do update set digest = excluded.digest, created_at = excluded.created_at",
        log,
        digest,
        now
    )
    .map(drop)
}

/// The conversation that this link is of.
pub async fn by_link(tx: &mut Tx, digest: &[u8]) -> Result<Option<LogId>> {
    let row =
        sql!(tx, maybe One<String>, "select log_id from share_links where digest = $1", digest)?;
    Ok(row.and_then(|row| row.0.parse().ok()))
}
