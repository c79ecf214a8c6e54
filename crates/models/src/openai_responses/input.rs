//! What was said, as items: every call followed by its result, sealed reasoning only for whoever sealed it.

use super::body::{Item, PartOut};
use crate::{
    Image, Request, Role, openai,
    openai_chat::{
        body::Picture,
        dialect::Broken,
        history::{images, lost_words, result_words, sendable},
    },
    pairing::{Said, turns},
};
use mosaic_protocol::provider::ProviderKind;
use std::borrow::Cow;

/// All items of a call to a provider of this kind.
pub(crate) fn items(kind: ProviderKind, request: &Request) -> Vec<Item<'_>> {
    // A model that does not reason refuses what another one of the same provider did.
    let reasons = openai::reasons(&request.model);
    let turns = turns(&request.messages, &|sealed| reasons && sealed.by == kind);
    let mut items = Vec::with_capacity(turns.len());
    for turn in turns {
        match turn.role {
            Role::User => {
                let mut content = vec![];
                for answered in turn.answered {
                    let parts = answered.found.map_or(&[][..], |(parts, _)| parts);
                    content.extend(images(parts).map(picture));
                    let output = result_words(&answered);
                    items.push(Item::FunctionCallOutput { call_id: answered.id, output });
                }
                if !content.is_empty() {
                    content.insert(0, text(Cow::Borrowed("What the tools showed:")));
                }
                for said in turn.said {
                    match said {
                        Said::Text { text: words, .. } => content.push(text(Cow::Borrowed(words))),
                        Said::Image(image) => content.push(picture(image)),
                        Said::Lost(parts) => {
                            content.push(text(lost_words(parts)));
                            content.extend(images(parts).map(picture));
                        }
                        Said::Thought { .. } | Said::Call { .. } => {}
                    }
                }
                if !content.is_empty() {
                    items.push(Item::Message { role: "user", content });
                }
            }
            Role::Assistant => items.extend(turn.said.into_iter().filter_map(said)),
        }
    }
    items
}

fn text(text: Cow<'_, str>) -> PartOut<'_> {
    PartOut::InputText { text }
}

fn picture(image: &Image) -> PartOut<'_> {
    PartOut::InputImage { image_url: Picture(image) }
}

fn said(said: Said<'_>) -> Option<Item<'_>> {
    match said {
        Said::Text { text, .. } => {
            Some(Item::Message { role: "assistant", content: vec![PartOut::OutputText { text }] })
        }
        // Its id stays behind: nothing is kept there that it could be the id of.
        Said::Thought { sealed, .. } => Some(Item::Reasoning {
            summary: sealed.value.get("summary")?,
            encrypted_content: sealed.value.get("encrypted_content")?.as_str()?,
        }),
        Said::Call { id, name, arguments } => {
            let arguments = sendable(arguments, Broken::AsWritten);
            Some(Item::FunctionCall { call_id: id, name, arguments })
        }
        Said::Image(_) | Said::Lost(_) => None,
    }
}
