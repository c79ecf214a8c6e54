//! Both models behind their threads.

use crate::found;
use mosaic_local::{CHAT_FILE, E5_FILE, Error, Input, Local, Piece, Role, Settings, Why};

fn local(name: &str) -> Option<Local> {
    let folder = found::model(name)?.parent()?.to_owned();
    Some(Local::new(vec![folder]))
}

#[test]
fn what_is_not_there_is_said_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let local = Local::new(vec![folder.path().to_owned()]);
    assert!(!local.has_chat() && !local.has_embeddings());
    let error = local.embed_blocking(Input::Query, vec!["a".into()], 128).unwrap_err();
    assert!(matches!(&error, Error::Missing { name, .. } if name == E5_FILE), "{error}");
    assert!(error.to_string().contains("run `make models`"));
    assert!(matches!(local.chat(vec![], Settings::default()), Err(Error::Missing { .. })));
}

#[test]
fn what_is_damaged_fails_each_who_asks_and_works_when_it_was_mended() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(E5_FILE), "not a model").unwrap();
    std::fs::write(folder.path().join(CHAT_FILE), "not a model").unwrap();
    let local = Local::new(vec![folder.path().to_owned()]);
    for _ in 0..2 {
        let error = local.embed_blocking(Input::Query, vec!["a".into()], 128).unwrap_err();
        assert!(matches!(error, Error::Damaged { .. }), "{error}");
        let mut pieces = local.chat(vec![(Role::User, "hi".into())], Settings::default()).unwrap();
        assert!(matches!(pieces.blocking_recv(), Some(Piece::Failed(Error::Damaged { .. }))));
    }
    let Some(whole) = found::model(E5_FILE) else { return };
    std::fs::copy(whole, folder.path().join(E5_FILE)).unwrap();
    assert_eq!(local.embed_blocking(Input::Query, vec!["a".into()], 128).unwrap().len(), 1);
}

#[tokio::test]
async fn several_ask_for_vectors_at_once() {
    let Some(local) = local(E5_FILE) else { return };
    let ask = |text: &str| local.embed(Input::Passage, vec![text.into(), "same".into()], 16);
    let (a, b) = tokio::join!(ask("one"), ask("two"));
    let (a, b) = (a.unwrap(), b.unwrap());
    assert!(a.len() == 2 && a[1] == b[1] && a[0] != b[0] && a[0].len() == 384);
}

#[tokio::test]
async fn an_answer_comes_in_pieces_and_who_left_holds_up_nobody() {
    let Some(local) = local(CHAT_FILE) else { return };
    let ask = |max_tokens| {
        let question = vec![(Role::User, "Count from one to a thousand.".to_owned())];
        local
            .chat(question, Settings { max_tokens, temperature: 0.0, ..Settings::default() })
            .unwrap()
    };
    // It would take minutes, if it were not stopped.
    let mut left = ask(4000);
    assert!(matches!(left.recv().await, Some(Piece::Text(_))));
    drop((left, ask(4000)));
    let mut stays = ask(5);
    let mut text = String::new();
    loop {
        match stays.recv().await {
            Some(Piece::Text(more)) => text.push_str(&more),
            Some(Piece::Finished(finished)) => {
                assert_eq!((finished.why, finished.output_tokens), (Why::MaxTokens, 5));
                break;
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(!text.is_empty() && stays.recv().await.is_none());
}

#[test]
fn more_than_may_wait_is_refused() {
    let Some(local) = local(CHAT_FILE) else { return };
    let ask =
        || local.chat(vec![(Role::User, "Tell me a long story.".into())], Settings::default());
    let asked: Vec<_> = (0..80).map(|_| ask()).collect();
    assert!(asked.iter().take(60).all(Result::is_ok));
    assert!(matches!(asked.last(), Some(Err(Error::Busy { .. }))));
}
