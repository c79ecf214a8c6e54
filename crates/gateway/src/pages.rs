//! Long lists, a page at a time.

use crate::{Error, Result};
use mosaic_protocol::page::{Page, PageQuery};

const PAGE: u16 = 100;
const MAX_PAGE: u16 = 500;

/// How many things a page holds.
pub(crate) fn page_size(query: &PageQuery) -> Result<i64> {
    let limit = query.limit.unwrap_or(PAGE);
    if !(1..=MAX_PAGE).contains(&limit) {
        return Err(Error::Invalid(format!("`limit` must be between 1 and {MAX_PAGE}")));
    }
    if query.after.as_deref().is_some_and(|after| after.contains('\0') || after.len() > 200) {
        return Err(Error::Invalid("`after` must be the `next` of the page before".into()));
    }
    Ok(i64::from(limit))
}

/// A page out of one thing more than it holds: that one only tells that there is a next page.
pub(crate) fn page<T>(mut items: Vec<T>, limit: i64, cursor: impl Fn(&T) -> String) -> Page<T> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = items.len() > limit;
    items.truncate(limit);
    let next = if more { items.last().map(cursor) } else { None };
    Page { items, next }
}
