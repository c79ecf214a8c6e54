//! Whose providers, rules or usage a command means, and how what it asks for is written.

use super::find_user;
use crate::{args::Whose, control::Control};
use mosaic_protocol::{WorkspaceId, workspace::Workspace};
use url::form_urlencoded::Serializer;

/// The workspace that is meant; none: the whole server.
pub(super) async fn workspace(
    control: &Control,
    whose: &Whose,
) -> anyhow::Result<Option<WorkspaceId>> {
    let Some(name) = &whose.user else { return Ok(whose.workspace) };
    let user = find_user(control, &name.0).await?;
    let path = format!("/api/operator/users/{}/workspace", user.id);
    Ok(Some(control.get::<Workspace>(&path).await?.id))
}

/// A path with a query; what is not there is left out.
pub(super) fn path(path: &str, query: &[(&str, Option<String>)]) -> String {
    let mut text = Serializer::new(String::new());
    for (name, value) in query {
        if let Some(value) = value {
            text.append_pair(name, value);
        }
    }
    match text.finish() {
        query if query.is_empty() => path.to_owned(),
        query => format!("{path}?{query}"),
    }
}

/// The same, of a workspace.
pub(super) fn in_workspace(path: &str, workspace_id: Option<WorkspaceId>) -> String {
    self::path(path, &[("workspace_id", workspace_id.map(|id| id.to_string()))])
}

/// Micro-dollars for people: at least cents, and as much more as there is.
pub(super) fn dollars(micros: i64) -> String {
    let sign = if micros < 0 { "-" } else { "" };
    let micros = micros.unsigned_abs();
    let part = format!("{:06}", micros % 1_000_000);
    let (cents, rest) = part.split_at(2);
    format!("{sign}${}.{cents}{}", micros / 1_000_000, rest.trim_end_matches('0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_shown_exactly() {
        let shown = [0, 1, 10_000, 1_500_000, -2_000_001, i64::MIN].map(dollars);
        let wanted =
            ["$0.00", "$0.000001", "$0.01", "$1.50", "-$2.000001", "-$9223372036854.775808"];
        assert_eq!(shown, wanted);
    }

    #[test]
    fn what_is_typed_stays_one_value() {
        let typed = Some("a b&by=x#%".to_owned());
        assert_eq!(path("/x", &[("from", typed), ("to", None)]), "/x?from=a+b%26by%3Dx%23%25");
        assert_eq!(path("/x", &[("to", None)]), "/x");
    }
}
