//! When a server is asked, and what its answers come to.

use super::*;
use expect_test::expect;
use serde_json::json;

const NOW: Time = Time(1_800_000_000_000);

fn offered(field: &str, value: Value) -> Result<Started> {
    let mut answer = json!({
        "device_code": "dev-ice",
        "user_code": "WDJB-MJHT",
        "verification_uri": "https://login.example.org/device",
        "verification_uri_complete": "https://login.example.org/device?user_code=WDJB-MJHT&state=x#y",
        "expires_in": 600,
        "interval": 5,
    });
    answer[field] = value;
    let offered = serde_json::from_value::<Offered>(answer);
    offered.map_err(|error| Error::new(FailureClass::Malformed, error.to_string()))?.started(NOW)
}

fn started() -> Started {
    offered("interval", json!(5)).unwrap()
}

fn at(seconds: i64) -> Time {
    NOW.plus_ms(seconds * 1000)
}

#[test]
fn an_offer_is_taken_within_bounds() {
    for (field, said, interval, lasts) in [
        ("interval", json!(null), 5, 600),
        ("interval", json!("7"), 7, 600),
        ("interval", json!(0), 1, 600),
        ("interval", json!(-3), 1, 600),
        ("interval", json!(100_000), 60, 600),
        ("interval", json!([]), 5, 600),
        ("expires_in", json!(1_000_000), 5, 3600),
        ("expires_in", json!(-1), 5, 1),
    ] {
        let started = offered(field, said.clone()).unwrap();
        assert_eq!(
            (started.interval_seconds, started.expires_at),
            (interval, at(lasts)),
            "{field} {said}"
        );
    }
    for (field, bad) in [
        ("device_code", json!("")),
        ("device_code", json!("dev\nice")),
        ("device_code", json!("d".repeat(20_000))),
        ("user_code", json!("")),
        ("user_code", json!("A".repeat(65))),
        ("user_code", json!("A\u{202e}B")),
        ("user_code", json!("A\u{1b}[2J")),
        ("verification_uri", json!("javascript:alert(1)")),
        ("verification_uri", json!("http://login.example.org/device")),
        ("verification_uri", json!("https://user:pass@login.example.org/device")),
        ("expires_in", json!(null)),
        ("expires_in", json!("soon")),
    ] {
        assert!(offered(field, bad.clone()).is_err(), "{field} {bad}");
    }
    // The longer address is a comfort, and no reason to fail.
    let started = offered("verification_uri_complete", json!("javascript:alert(1)")).unwrap();
    assert_eq!(started.verification_uri_complete, None);
}

#[test]
fn the_device_code_is_kept_and_not_shown() {
    let started = started();
    expect![[r#"Started { user_code: "***", verification_uri: "https://login.example.org/device", expires_at: Time(1800000600000), interval_seconds: 5, device_code: ***, .. }"#]].assert_eq(&format!("{started:?}"));
    let again = Started::from_json(&started.to_json()).unwrap();
    assert_eq!(again.device_code.expose(), "dev-ice");
    assert_eq!(*again.to_json(), *started.to_json());
}

fn told(polled: &Result<Polled>) -> String {
    match polled {
        Ok(Polled::Pending { wait }) => format!("wait {}", wait.as_secs()),
        Ok(Polled::Done(_)) => "done".into(),
        Ok(Polled::Denied) => "denied".into(),
        Ok(Polled::Expired) => "expired".into(),
        Err(error) => format!("{}", error.class),
    }
}

#[test]
fn nobody_is_asked_too_early_or_too_late() {
    let mut started = started();
    let early = |started: &mut Started, seconds| match started.before(at(seconds)) {
        Some(polled) => told(&Ok(polled)),
        None => "ask".to_owned(),
    };
    assert_eq!(early(&mut started, 0), "wait 5");
    assert_eq!(early(&mut started, 4), "wait 1");
    assert_eq!(early(&mut started, 5), "ask");
    // That it was asked counts, even if nobody waited for the answer.
    assert_eq!(early(&mut started, 5), "wait 5");
    assert_eq!(early(&mut started, 599), "ask");
    // Waiting ends with the login.
    assert_eq!(early(&mut started, 599), "wait 1");
    assert_eq!(early(&mut started, 600), "expired");
    assert_eq!(early(&mut started, 9999), "expired");
}

#[test]
fn whoever_says_slow_down_or_nothing_is_asked_less_often_within_bounds() {
    let mut started = started();
    let slow = |started: &mut Started| told(&started.after(NOW, Ok(Err(Refusal::SlowDown))));
    assert_eq!(slow(&mut started), "wait 10");
    assert_eq!(slow(&mut started), "wait 15");
    started.before(at(100));
    assert_eq!(told(&started.after(at(100), Ok(Err(Refusal::Pending)))), "wait 15");
    let failed = |class| Err(Error::new(class, "x"));
    assert_eq!(told(&started.after(at(100), failed(FailureClass::Timeout))), "timeout");
    assert_eq!(started.wait(at(100)), Duration::from_secs(30));
    for _ in 0..100 {
        slow(&mut started);
    }
    assert_eq!(started.interval_seconds, LONGEST);
    let later = Error {
        retry_after: Some(Duration::from_secs(400)),
        ..Error::new(FailureClass::Rate, "x")
    };
    assert_eq!(told(&started.after(NOW, Err(later))), "rate");
    assert_eq!(started.wait(NOW), Duration::from_secs(400));
}

#[test]
fn what_may_pass_does_not_end_the_waiting_and_everything_else_does() {
    let started = started();
    let came = |polled| match next(polled, &started, NOW) {
        Next::Wait(wait) => format!("wait {}", wait.as_secs()),
        Next::Over(Ok(_)) => "tokens".into(),
        Next::Over(Err(error)) => format!("{} {error}", error.class),
    };
    assert_eq!(came(Ok(Polled::Pending { wait: Duration::from_secs(3) })), "wait 3");
    assert_eq!(came(Ok(Polled::Denied)), "refused the login was refused");
    assert_eq!(came(Ok(Polled::Expired)), "auth the login took too long; begin again");
    for class in FailureClass::ALL {
        let over = came(Err(Error::new(*class, "x"))) != "wait 5";
        assert_eq!(over, !class.passes(), "{class}");
    }
}
