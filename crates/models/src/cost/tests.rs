//! Costs computed by hand, who is believed about them, and estimates beside what a tokenizer counts.

use super::*;
use crate::{Catalogue, Image, ImageSource, Message, Part, Rates, Role, System, Tool};
use mosaic_protocol::provider::ProviderKind::{
    self, Anthropic, Local, Ollama, OpenAi, OpenRouter, Scripted,
};
use proptest::prelude::*;

const SAID: Said = Said { exact: true, cost_micros: None };

fn used(input: u64, cache_read: u64, cache_write: u64, hour: u64, output: u64) -> Usage {
    Usage { input, cache_read, cache_write, cache_write_hour: hour, output, reasoning: 0 }
}

#[test]
fn calls_cost_what_was_computed_by_hand() {
    let table: &[(ProviderKind, &str, Usage, u64)] = &[
        // 1000 × 3 + 10000 × 0.30 + 2000 × 3.75 + 500 × 15 = 3000 + 3000 + 7500 + 7500
        (Anthropic, "claude-sonnet-4-5", used(1_000, 10_000, 2_000, 0, 500), 21_000),
        (Anthropic, "claude-sonnet-4-5-20250929", used(1_000, 10_000, 2_000, 0, 500), 21_000),
        // 1000 × 5 + 1000 × 10 + 100 × 25
        (Anthropic, "claude-opus-4-5", used(1_000, 0, 0, 1_000, 100), 17_500),
        // 100000 × 0.10 + 10 × 0.50; one token more, and it is 100001 × 0.50 + 10 × 2.50 = 50000.5 + 25
        (Anthropic, "claude-haiku-5-5", used(100_000, 0, 0, 0, 10), 10_005),
        (Anthropic, "claude-haiku-5-5", used(100_001, 0, 0, 0, 10), 50_026),
        // Cached or not, it is the size of the prompt: 1 × 0.50 + 100000 × 0.05
        (Anthropic, "claude-haiku-5-5", used(1, 100_000, 0, 0, 0), 5_001),
        // 272000 × 1.25 + 1000 × 10
        (OpenAi, "gpt-5-2025-08-07", used(272_000, 0, 0, 0, 1_000), 350_000),
        // 1000 × 1.25 + 9000 × 0.125 + 200 × 10
        (OpenAi, "gpt-5", used(1_000, 9_000, 0, 0, 200), 4_375),
        // 272000 × 2.50 + 1000 × 15; then 272001 × 5 + 1000 × 22.50
        (OpenAi, "gpt-5.4", used(272_000, 0, 0, 0, 1_000), 695_000),
        (OpenAi, "gpt-5.4", used(272_001, 0, 0, 0, 1_000), 1_382_505),
        // A fiftieth of a micro-dollar is one, and a million tokens are two cents.
        (OpenAi, "text-embedding-3-small", used(1, 0, 0, 0, 0), 1),
        (OpenAi, "text-embedding-3-small", used(1_000_000, 0, 0, 0, 0), 20_000),
        // 200001 × 6 + 10 × 22.50
        (OpenRouter, "anthropic/claude-sonnet-4.5", used(200_001, 0, 0, 0, 10), 1_200_231),
        (OpenAi, "gpt-5", Usage::default(), 0),
    ];
    for (kind, id, usage, micros) in table {
        let model = Catalogue::bundled().find(*kind, id).unwrap();
        let cost = cost(model.priced(), usage, SAID);
        let source = PriceSource::Catalogue;
        assert_eq!(cost, Cost { micros: Some(*micros), source, exact: true }, "{id} {usage:?}");
    }
}

#[test]
fn who_says_what_it_costs() {
    let price = Price::flat(1_000_000, 2_000_000);
    let usage = used(10, 0, 0, 0, 10);
    let (known, none) = (Some(&price), None);
    for (price, source, charged, expected) in [
        (known, PriceSource::Catalogue, None, (Some(30), PriceSource::Catalogue)),
        (known, PriceSource::Catalogue, Some(7), (Some(7), PriceSource::Provider)),
        (known, PriceSource::Override, Some(7), (Some(30), PriceSource::Override)),
        (none, PriceSource::Unknown, None, (None, PriceSource::Unknown)),
        (none, PriceSource::Unknown, Some(7), (Some(7), PriceSource::Provider)),
        (none, PriceSource::Free, None, (Some(0), PriceSource::Free)),
        (none, PriceSource::Free, Some(7), (Some(0), PriceSource::Free)),
    ] {
        let said = Said { exact: false, cost_micros: charged };
        let cost = cost(Priced { price, source }, &usage, said);
        assert_eq!((cost.micros, cost.source, cost.exact), (expected.0, expected.1, false));
    }
    for kind in [Local, Ollama, Scripted] {
        let model = Catalogue::bundled().get(kind, "whatever");
        assert_eq!(cost(model.priced(), &usage, SAID).source, PriceSource::Free);
    }
    let model = Catalogue::bundled().get(ProviderKind::Compatible, "whatever");
    assert_eq!(cost(model.priced(), &usage, SAID).micros, None);
}

#[test]
fn what_a_table_lacks_has_its_default() {
    let price = Price::flat(1_000_000, 2_000_000);
    assert_eq!(charge(&price, &used(0, 5, 0, 0, 0)), 5);
    assert_eq!(charge(&price, &used(0, 0, 5, 0, 0)), 5);
    assert_eq!(charge(&price, &used(0, 0, 0, 5, 0)), 10);
    let mut usage = used(0, 0, 0, 0, 10);
    usage.reasoning = 4;
    assert_eq!(charge(&price, &usage), 20);
    let reasoned =
        Price { base: Rates { reasoning: Some(3_000_000), ..price.base }, tiers: vec![] };
    assert_eq!(charge(&reasoned, &usage), 6 * 2 + 4 * 3);
    // More reasoning than output is no more than all of it.
    usage.reasoning = 11;
    assert_eq!(charge(&reasoned, &usage), 30);
}

#[test]
fn more_than_fits_is_as_much_as_fits() {
    let price = Price::flat(u64::MAX, u64::MAX);
    let most = u64::MAX;
    assert_eq!(charge(&price, &used(most, most, most, most, most)), u64::MAX);
}

proptest! {
    #[test]
    fn a_call_rounds_once_and_never_down(
        a in any::<[u32; 5]>(), b in any::<[u32; 5]>(), rate in 0u64..100_000_000,
    ) {
        let usage = |n: [u32; 5]| {
            let [input, read, write, hour, output] = n.map(u64::from);
            used(input, read, write, hour, output)
        };
        let price = Price::flat(rate, rate / 3);
        let both: [u32; 5] = std::array::from_fn(|i| a[i].saturating_add(b[i]));
        let sum = charge(&price, &usage(a)) + charge(&price, &usage(b));
        let whole = charge(&price, &usage(both));
        prop_assert!(whole <= sum);
        prop_assert!(whole >= charge(&price, &usage(a)));
    }

    #[test]
    fn an_estimate_is_never_nothing_and_never_less_for_more(text in ".{1,60}", more in ".{0,60}") {
        let (one, two) = (estimate_tokens(&text), estimate_tokens(&format!("{text}{more}")));
        prop_assert!(one > 0);
        prop_assert!(two >= one);
        prop_assert!(two <= one + estimate_tokens(&more));
    }
}

#[test]
fn estimates_are_about_what_tokenizers_count() {
    // What cl100k, a tokenizer of OpenAI's, counts, and what is estimated.
    for (text, counted, estimated) in [
        ("", 0, 0),
        ("The quick brown fox jumps over the lazy dog.", 10, 12),
        ("fn main() { println!(\"{}\", 40 + 2); }", 13, 14),
        ("{\"path\": \"src/main.rs\", \"limit\": 20}", 14, 13),
        ("1234567890", 4, 5),
        ("Der schnelle braune Fuchs springt über den faulen Hund.", 15, 15),
        ("Съешь ещё этих мягких французских булок.", 27, 28),
        ("هذه جملة عربية قصيرة.", 16, 19),
        ("हिन्दी में एक वाक्य।", 20, 18),
        ("今天天气很好，我们去公园散步吧。", 20, 20),
        ("今日はとても良い天気ですね。", 15, 18),
        ("오늘은 날씨가 아주 좋네요.", 18, 15),
        ("🙂🙃", 5, 5),
    ] {
        let estimate = estimate_tokens(text);
        assert_eq!(estimate, estimated, "{text}");
        assert!(estimate * 10 >= counted * 8 && estimate * 10 <= counted * 13, "{text}");
    }
}

fn request() -> Request {
    Request {
        messages: vec![Message { role: Role::User, parts: vec![Part::text("hello there")] }],
        ..Request::default()
    }
}

#[test]
fn everything_in_a_request_counts() {
    let plain = estimate_request(&request());
    let say = |r: &mut Request, part| r.messages[0].parts.push(part);
    let image = |source| Part::Image(Image { media_type: "image/png".into(), source });
    let call = || Part::ToolCall { id: "a".into(), name: "b".into(), arguments: "{}".into() };
    let result = || Part::ToolResult { call_id: "a".into(), parts: vec![], failed: false };
    let tool = || Tool {
        name: "t".into(),
        description: "d".into(),
        schema: serde_json::json!({}),
        strict: None,
        cache: None,
    };
    let schema = serde_json::json!({});
    let form = crate::Output::Schema { name: "n".into(), schema, strict: true };
    type Grow<'a> = Box<dyn Fn(&mut Request) + 'a>;
    let grown: Vec<Grow> = vec![
        Box::new(|r| r.system.push(System { text: "be brief".into(), cache: None })),
        Box::new(|r| r.messages.push(r.messages[0].clone())),
        Box::new(|r| say(r, call())),
        Box::new(|r| say(r, result())),
        Box::new(|r| say(r, Part::Thinking { text: "hm, hm, hm, hm".into(), sealed: None })),
        Box::new(|r| say(r, image(ImageSource::Base64("AAAA".into())))),
        Box::new(|r| r.tools.push(tool())),
        Box::new(|r| r.output = form.clone()),
    ];
    for (at, grow) in grown.into_iter().enumerate() {
        let mut request = request();
        grow(&mut request);
        assert!(estimate_request(&request) > plain, "{at}");
    }
    // What is sealed is read by its provider, and charged for, however little of it is shown.
    let mut sealed = request();
    let value = serde_json::json!("long ".repeat(4_000));
    let seal = Some(crate::Sealed { by: OpenRouter, value });
    say(&mut sealed, Part::Thinking { text: String::new(), sealed: seal });
    assert!(estimate_request(&sealed) > plain + 4_000);
}

#[test]
fn what_is_set_aside_is_enough_for_the_dearest_way() {
    let mut price = Price::flat(1_000_000, 2_000_000);
    price.base.cache_write = Some(1_250_000);
    let mut request = request();
    let prompt = estimate_request(&request);
    assert_eq!(charge_at_most(&price, &request, 100), prompt + 200);
    request.cache = true;
    assert_eq!(charge_at_most(&price, &request, 100), (prompt * 5).div_ceil(4) + 200);
    request.messages[0].parts[0] =
        Part::Text { text: "hello there".into(), cache: Some(CacheFor::Hour) };
    assert_eq!(charge_at_most(&price, &request, 100), prompt * 2 + 200);
    price.base.cache_write_hour = Some(0);
    assert_eq!(charge_at_most(&price, &request, 100), prompt + 200);
}
