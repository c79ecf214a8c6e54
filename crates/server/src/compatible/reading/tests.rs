//! Bodies that are read, and those that must not be.

use super::*;
use expect_test::expect;

#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "only read")]
struct Body<'a> {
    #[serde(borrow)]
    name: Text<'a>,
    #[serde(borrow, default)]
    parts: Option<OneOrMany<'a, Text<'a>, 3>>,
    list: Option<Many<u8, 3>>,
    schema: Option<Tree>,
    input: Option<Arguments>,
}

fn said(text: &str) -> String {
    match read::<Body<'_>>(text.as_bytes()) {
        Ok(_) => "taken".to_owned(),
        Err(Bad { param, message }) => format!("{} | {message}", param.unwrap_or_default()),
    }
}

#[test]
fn what_is_wrong_is_named_by_its_path() {
    let said = [
        said(r#"{"name":"a","parts":"b","new":{"things":[1]}}"#),
        said(r#"{"name":7}"#),
        said(r#"{"name":"a","parts":[1]}"#),
        said(r#"{"name":"a","parts":["1","2","3","4"]}"#),
        said(r#"{"name":"a","list":"text"}"#),
        said(r#"{"name":"a","list":[1,-1]}"#),
        said(r#"{"name":"a","input":[1]}"#),
        said(r#"{"name":"a","name":"b"}"#),
        said(r#"{"parts":"b"}"#),
        said(r#"["a"]"#),
        said(r#"{"name":"a"#),
        said(r#"{"name":"a"} x"#),
        said(""),
    ];
    expect![[r#"
        taken
        name | `name`: invalid type: integer `7`, expected a string
        parts[0] | `parts[0]`: invalid type: integer `1`, expected a string
        parts | `parts`: a list of more than 3
        list | `list`: invalid type: string "text", expected a list
        list[1] | `list[1]`: invalid value: integer `-1`, expected u8
        input | `input`: invalid type: sequence, expected a JSON object
         | the body is not understood: duplicate field `name`
         | the body is not understood: missing field `name`
         | the body must be a JSON object
         | the body is not understood: EOF while parsing a string at line 1 column 10
         | the body does not end where it should
         | the body is not understood: EOF while parsing a value at line 1 column 0"#]]
    .assert_eq(&said.join("\n"));
}

#[test]
fn arguments_stay_in_their_order() {
    for text in [
        r#"{"z":1,"a":[{},[],"x\n",null,true,-3,1.5,{"b":{"":0}}],"é":"\u0000"}"#,
        "{}",
        r#"{"a":[1,2]}"#,
    ] {
        assert_eq!(serde_json::from_str::<Arguments>(text).unwrap().0, text);
    }
}

#[test]
fn hostile_bodies_do_not_grow() {
    let deep = format!(r#"{{"name":"a","schema":{}1{}}}"#, "[".repeat(5000), "]".repeat(5000));
    assert!(said(&deep).contains("recursion limit"), "{}", said(&deep));
    let deep =
        format!(r#"{{"name":"a","input":{}1{}}}"#, r#"{"a":"#.repeat(5000), "}".repeat(5000));
    assert!(said(&deep).contains("recursion limit"), "{}", said(&deep));
    let wide = format!(r#"{{"name":"a","schema":[{}1]}}"#, "{},".repeat(VALUES as usize));
    assert!(said(&wide).contains("more than 200000 values"), "{}", said(&wide));
    let neighbour = format!(r#"{{"name":"a","schema":[{}1]}}"#, "{},".repeat(100_000));
    assert_eq!(said(&neighbour), "taken");
    let long = format!(r#"{{"name":"a","list":["{}"]}}"#, "x".repeat(100_000));
    assert!(said(&long).len() < 400);
}
