//! The whole rule as one table: every action, by every kind of actor, on every kind of object.

use super::*;
use expect_test::expect;
use uuid::Uuid;

const ACTIONS: [Action; 16] = [
    Action::SeeOwn,
    Action::ChangeOwn,
    Action::GuardOwn,
    Action::Administer,
    Action::GuardServer,
    Action::ReadAudit,
    Action::ReadMetrics,
    Action::Operate,
    Action::CreateTeam,
    Action::SeeTeam,
    Action::ChangeTeam,
    Action::LeaveTeam,
    Action::ReadWorkspace,
    Action::WriteWorkspace,
    Action::SeeSecrets,
    Action::ChangeSecrets,
];

fn me() -> UserId {
    UserId::new(Uuid::from_u128(1))
}

fn objects() -> Vec<(&'static str, Object)> {
    let mut objects = vec![
        ("server", Object::Server),
        ("mine", Object::Own { owner: me() }),
        ("theirs", Object::Own { owner: UserId::new(Uuid::from_u128(2)) }),
    ];
    for (name, role) in [
        ("-", None),
        ("viewer", Some(Role::Viewer)),
        ("member", Some(Role::Member)),
        ("owner", Some(Role::Owner)),
    ] {
        objects.push((Box::leak(format!("team:{name}").into_boxed_str()), Object::Team { role }));
        objects.push((
            Box::leak(format!("space:{name}").into_boxed_str()),
            Object::Workspace { role },
        ));
    }
    objects
}

/// One line an action: on which objects it is allowed; in brackets where it is refused openly. All else is hidden.
fn table(actor: &Actor) -> String {
    let mut text = String::new();
    for action in ACTIONS {
        let mut words = vec![];
        for (name, object) in objects() {
            match may(actor, action, &object) {
                Ok(()) => words.push(name.to_owned()),
                Err(Denial::Hidden) => {}
                Err(Denial::Forbidden) => words.push(format!("({name})")),
                Err(other) => {
                    words = vec![format!("({other})")];
                    break;
                }
            }
        }
        let line = format!("{:<15}{}", format!("{action:?}"), words.join(" "));
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

fn session(admin: bool) -> Actor {
    Actor::User(Person {
        id: me(),
        admin,
        grant: Grant::Session(SessionId::new(Uuid::from_u128(9))),
    })
}

fn token(admin: bool, scopes: &[Scope]) -> Actor {
    let grant = Grant::Token(TokenId::new(Uuid::from_u128(9)), scopes.iter().copied().collect());
    Actor::User(Person { id: me(), admin, grant })
}

#[test]
fn a_person_in_a_browser() {
    expect![[r#"
        SeeOwn         mine
        ChangeOwn      mine
        GuardOwn       mine
        Administer     (server) (mine) (theirs) (team:-) (space:-) (team:viewer) (space:viewer) (team:member) (space:member) (team:owner) (space:owner)
        GuardServer    (server) (mine) (theirs) (team:-) (space:-) (team:viewer) (space:viewer) (team:member) (space:member) (team:owner) (space:owner)
        ReadAudit      (server) (mine) (theirs) (team:-) (space:-) (team:viewer) (space:viewer) (team:member) (space:member) (team:owner) (space:owner)
        ReadMetrics    (server) (mine) (theirs) (team:-) (space:-) (team:viewer) (space:viewer) (team:member) (space:member) (team:owner) (space:owner)
        Operate
        CreateTeam     server
        SeeTeam        team:viewer team:member team:owner
        ChangeTeam     (team:viewer) (team:member) team:owner
        LeaveTeam      team:viewer team:member team:owner
        ReadWorkspace  space:viewer space:member space:owner
        WriteWorkspace (space:viewer) space:member space:owner
        SeeSecrets     (space:viewer) space:member space:owner
        ChangeSecrets  (space:viewer) (space:member) space:owner
    "#]]
    .assert_eq(&table(&session(false)));
}

#[test]
fn an_admin_looks_after_the_server_and_into_nobodys_things() {
    expect![[r#"
        SeeOwn         mine
        ChangeOwn      mine
        GuardOwn       mine
        Administer     server
        GuardServer    server
        ReadAudit      server
        ReadMetrics    server
        Operate
        CreateTeam     server
        SeeTeam        team:viewer team:member team:owner
        ChangeTeam     (team:viewer) (team:member) team:owner
        LeaveTeam      team:viewer team:member team:owner
        ReadWorkspace  space:viewer space:member space:owner
        WriteWorkspace (space:viewer) space:member space:owner
        SeeSecrets     (space:viewer) space:member space:owner
        ChangeSecrets  (space:viewer) (space:member) space:owner
    "#]]
    .assert_eq(&table(&session(true)));
}

#[test]
fn an_admins_token_has_no_more_than_its_scopes() {
    expect![[r#"
        SeeOwn         mine
        ChangeOwn      (the token does not have the scope `write`)
        GuardOwn       (this takes a login in a browser, not a token)
        Administer     (the token does not have the scope `admin`)
        GuardServer    (this takes a login in a browser, not a token)
        ReadAudit      (the token does not have the scope `admin`)
        ReadMetrics    (the token does not have the scope `metrics`)
        Operate
        CreateTeam     (the token does not have the scope `write`)
        SeeTeam        team:viewer team:member team:owner
        ChangeTeam     (the token does not have the scope `write`)
        LeaveTeam      (the token does not have the scope `write`)
        ReadWorkspace  space:viewer space:member space:owner
        WriteWorkspace (the token does not have the scope `write`)
        SeeSecrets     (space:viewer) space:member space:owner
        ChangeSecrets  (the token does not have the scope `write`)
    "#]]
    .assert_eq(&table(&token(true, &[Scope::Read])));
}

#[test]
fn scopes_give_no_rights_that_the_person_lacks() {
    let everything = [Scope::Read, Scope::Write, Scope::Admin, Scope::Metrics];
    for needs in [Needs::Admin, Needs::Metrics] {
        assert_eq!(meets(&token(false, &everything), needs), Err(Denial::Forbidden));
        assert_eq!(meets(&token(true, &everything), needs), Ok(()));
    }
    // Not even all of them make a program an admin who guards the server.
    assert_eq!(meets(&token(false, &everything), Needs::AdminSession), Err(Denial::Forbidden));
    assert_eq!(meets(&token(true, &everything), Needs::AdminSession), Err(Denial::NeedsSession));
    assert_eq!(meets(&session(false), Needs::AdminSession), Err(Denial::Forbidden));
    assert_eq!(meets(&session(true), Needs::AdminSession), Ok(()));
    assert_eq!(meets(&token(true, &everything), Needs::Operator), Err(Denial::Hidden));
    assert_eq!(meets(&Actor::System, Needs::Operator), Ok(()));
}
