//! `config show`: every setting, its value and where it came from, for people and for programs.
//! Leaves out: printing. Secrets were masked when they were read, so nothing here can show one.

use serde_json::{Map, Value, json};

use super::Config;

impl Config {
    /// An aligned table, one setting a line.
    pub(crate) fn show(&self) -> String {
        let lines: Vec<[String; 3]> = self
            .rows
            .iter()
            .map(|row| [row.name.clone(), row.shown.text.clone(), row.source.to_string()])
            .collect();
        let width = |column: usize| {
            lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0)
        };
        let (names, values) = (width(0), width(1));
        let line = |[name, value, source]: &[String; 3]| {
            format!("{name:names$}  {value:values$}  {source}\n")
        };
        lines.iter().map(line).collect()
    }

    /// `{"limits.body_bytes": {"value": 1048576, "source": "default"}, …}`; what is not set is null.
    pub(crate) fn show_json(&self) -> Value {
        let entry = |row: &super::Row| {
            (row.name.clone(), json!({ "value": row.shown.json, "source": row.source.to_string() }))
        };
        Value::Object(self.rows.iter().map(entry).collect::<Map<_, _>>())
    }
}
