//! Finding what was said, in everything that one may read.

use crate::{Error, Gateway, Result, check, pages, person, standing::check_conversation};
use mosaic_protocol::{
    access::{Action, Actor, Object},
    conversation::{Found, SearchQuery},
    page::Page,
};
use mosaic_store::search::{self, Hit, Question, Sought};

/// How many hits one page has unless told, and at most.
const USUAL: u16 = 20;
const MOST: u16 = 100;
const MAX_CHARS: usize = 200;

impl Gateway {
    /// Looks for words: newest first, or the best of the newest ten thousand.
    pub async fn search(&self, actor: &Actor, query: &SearchQuery) -> Result<Page<Found>> {
        let me = person(actor)?.id;
        check(actor, Action::SeeOwn, Object::Own { owner: me })?;
        if query.q.chars().count() > MAX_CHARS || query.q.contains('\0') {
            let rule = format!("`q` has at most {MAX_CHARS} characters, and no NUL among them");
            return Err(Error::Invalid(rule));
        }
        let limit = query.limit.unwrap_or(USUAL);
        if !(1..=MOST).contains(&limit) {
            return Err(Error::Invalid(format!("`limit` is 1 to {MOST}")));
        }
        let question = Question::read(&query.q).map_err(|why| Error::Invalid(why.to_owned()))?;
        let after = match query.after.as_deref() {
            None => None,
            Some(_) if query.ranked => {
                return Err(Error::Invalid("`after` goes only without `ranked`".into()));
            }
            Some(text) => {
                let bad = |_| Error::Invalid("`after` is not the `next` of a page".into());
                Some(text.parse().map_err(bad)?)
            }
        };
        if let Some(log) = query.conversation_id {
            let mut tx = self.inner.store.read().await?;
            check_conversation(&mut tx, actor, Action::ReadConversation, log).await?;
        }
        let limit = i64::from(limit);
        let sought = Sought {
            question: &question,
            user_id: me,
            log: query.conversation_id,
            author: query.author,
            kind: query.kind,
            since: query.since,
            until: query.until,
            ranked: query.ranked,
            after,
            limit: limit + i64::from(!query.ranked),
        };
        let hits = search::find(&self.inner.store, &sought).await?;
        let page = pages::page(hits, limit, |hit| hit.id.to_string());
        let items = page.items.into_iter().filter_map(|hit| found(hit, &question)).collect();
        Ok(Page { items, next: page.next })
    }

    /// Waits until there is something to index.
    pub async fn unindexed(&self) {
        self.inner.store.unindexed().await;
    }

    /// Keeps the index up with the logs; now and then all of them are compared.
    pub async fn index(&self, all: bool) -> Result<()> {
        if all {
            self.inner.store.look_at_index();
        }
        Ok(self.inner.store.index().await?)
    }
}

fn found(hit: Hit, question: &Question) -> Option<Found> {
    let (kind, text) = search::searchable(&hit.entry.body)?;
    Some(Found {
        conversation_id: hit.log,
        title: hit.title,
        seq: hit.entry.seq,
        kind,
        at: hit.entry.at,
        author: hit.entry.author,
        snippet: search::snippet(&text, question),
    })
}
