//! Conversations and logs. What changes them comes in as commands.

use crate::{
    answer::{Created, Download, Events, Shown, Upgraded},
    events,
    input::{Json, LastEvent, Path, Query, Upload, WebSocket},
    lifeline,
    refusal::Refusal,
    row::Cx,
    socket,
};
use axum::body::Body;
use mosaic_protocol::{
    LogId, Seq,
    command::Submission,
    conversation::{
        Conversation, ConversationQuery, Entries, EntryQuery, FollowQuery, Found, Inbox,
        LinkedConversation, LinkedRequest, Participants, SearchQuery, ShareLink,
    },
    log::Accepted,
    page::Page,
    transfer::{self, ExportQuery, ImportQuery, ImportReport},
};

pub(super) async fn submit(
    cx: Cx,
    Json(submission): Json<Submission>,
) -> Result<Shown<Accepted>, Refusal> {
    Ok(Shown(cx.gateway().submit(cx.actor()?, &submission).await?))
}

pub(super) async fn list(
    cx: Cx,
    (Query(query),): (Query<ConversationQuery>,),
) -> Result<Shown<Page<Conversation>>, Refusal> {
    Ok(Shown(cx.gateway().list_conversations(cx.actor()?, &query).await?))
}

pub(super) async fn search(
    cx: Cx,
    (Query(query),): (Query<SearchQuery>,),
) -> Result<Shown<Page<Found>>, Refusal> {
    Ok(Shown(cx.gateway().search(cx.actor()?, &query).await?))
}

pub(super) async fn get(
    cx: Cx,
    (Path(log),): (Path<LogId>,),
) -> Result<Shown<Conversation>, Refusal> {
    Ok(Shown(cx.gateway().get_conversation(cx.actor()?, log).await?))
}

pub(super) async fn participants(
    cx: Cx,
    (Path(log),): (Path<LogId>,),
) -> Result<Shown<Participants>, Refusal> {
    Ok(Shown(cx.gateway().list_participants(cx.actor()?, log).await?))
}

pub(super) async fn pins(
    cx: Cx,
    (Path(log),): (Path<LogId>,),
) -> Result<Shown<Page<Seq>>, Refusal> {
    Ok(Shown(cx.gateway().list_pins(cx.actor()?, log).await?))
}

pub(super) async fn open_link(
    cx: Cx,
    (Path(log),): (Path<LogId>,),
) -> Result<Created<ShareLink>, Refusal> {
    Ok(Created(cx.gateway().open_link(cx.actor()?, log).await?))
}

pub(super) async fn read_linked(
    cx: Cx,
    Json(request): Json<LinkedRequest>,
) -> Result<Shown<LinkedConversation>, Refusal> {
    let query = EntryQuery { after: request.after, before: request.before, limit: request.limit };
    Ok(Shown(cx.gateway().read_linked(request.code.expose(), &query).await?))
}

pub(super) async fn entries(
    cx: Cx,
    ((Path(log), Query(query)),): ((Path<LogId>, Query<EntryQuery>),),
) -> Result<Shown<Entries>, Refusal> {
    Ok(Shown(cx.gateway().read_log(cx.actor()?, log, &query).await?))
}

/// Which log, and from where on.
type From = ((Path<LogId>, Query<FollowQuery>), LastEvent);

pub(super) async fn follow(
    cx: Cx,
    (((Path(log), Query(query)), LastEvent(last)),): (From,),
) -> Result<Events, Refusal> {
    // A browser that comes back says how far it was; the address still says where it once began.
    let last = last.filter(|(of, _)| *of == log).map(|(_, seq)| seq);
    let after = last.or(query.after).unwrap_or(Seq::START);
    let following = cx.gateway().follow(cx.actor()?, log, after).await?;
    let share = cx.stream_share()?;
    Ok(Events::new(events::of_log(cx, following, share)))
}

pub(super) async fn export(
    cx: Cx,
    ((Path(log), Query(query)),): ((Path<LogId>, Query<ExportQuery>),),
) -> Result<Download, Refusal> {
    let exported = cx.gateway().export(cx.actor()?, log, query.format).await?;
    let name = transfer::file_name(&exported.title, query.format);
    let body = Body::from_stream(lifeline::guarded(cx, exported.pieces));
    Ok(Download { size_bytes: None, name: Some(name), body })
}

pub(super) async fn import(
    mut cx: Cx,
    (Query(query), upload): (Query<ImportQuery>, Upload),
) -> Result<Created<ImportReport>, Refusal> {
    // Before the file is read: a stranger may not make us hold it.
    cx.gateway().may_import(cx.actor()?, query.workspace_id).await?;
    let state = cx.state.clone();
    let _room = state.uploads.try_acquire().map_err(|_| Refusal::busy())?;
    let bytes = upload.read(&mut cx).await?;
    Ok(Created(cx.gateway().import(cx.actor()?, &query, bytes).await?))
}

pub(super) async fn inbox(cx: Cx, (): ()) -> Result<Shown<Inbox>, Refusal> {
    Ok(Shown(Inbox { log: cx.gateway().inbox(cx.actor()?).await? }))
}

pub(super) async fn socket(cx: Cx, (upgrade,): (WebSocket,)) -> Result<Upgraded, Refusal> {
    let share = cx.stream_share()?;
    Ok(Upgraded(upgrade.accept(async move |socket| {
        socket::serve(socket, cx).await;
        drop(share);
    })))
}
