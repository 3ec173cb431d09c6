//! `frontdesk ctl debug`: the pages of processes, as their health listeners show them to
//! whoever bears the admin token.

use super::{CtlError, cluster, operate, print_json, table};
use crate::cli::{DebugArgs, Output};
use crate::ops::columns;
use serde_json::{Value, json};
use std::path::PathBuf;

/// Shows one page of each process, or which pages it has.
pub(super) async fn run(
    mut wanted: DebugArgs,
    config: Option<PathBuf>,
    output: Output,
) -> Result<(), CtlError> {
    let places: Vec<(String, String)> = match wanted.processes.as_slice() {
        [] => wanted.ops.at.iter().map(|at| (at.clone(), at.clone())).collect(),
        names => {
            let (found, token) = cluster::health_of(names, config).await?;
            if wanted.ops.admin_token.is_empty() {
                wanted.ops.admin_token = token;
            }
            names.iter().cloned().zip(found).collect()
        }
    };
    let page = wanted.page.as_deref().unwrap_or_default();
    if !page.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-') {
        return Err(CtlError::Usage("pages are named in small letters".into()));
    }
    let path = if page.is_empty() { "/debug".to_owned() } else { format!("/debug/{page}") };
    let mut answers = Vec::new();
    for (name, at) in &places {
        let answer = operate::ask(&wanted.ops, at, "GET", &path, "").await?;
        answers.push((name.clone(), serde_json::from_str(&answer)?));
    }
    match output {
        Output::Json => print_json(&by_process(answers))?,
        Output::Table => {
            let (heading, rows) = rows(&answers);
            let heading: Vec<&str> = heading.iter().map(String::as_str).collect();
            table::print(&heading, rows);
        }
    }
    Ok(())
}

fn by_process(answers: Vec<(String, Value)>) -> Vec<Value> {
    let one = |(process, rows): (String, Value)| json!({ "process": process, "rows": rows });
    answers.into_iter().map(one).collect()
}

/// All in one table, the process first when there are several.
fn rows(answers: &[(String, Value)]) -> (Vec<String>, Vec<Vec<String>>) {
    // Pages have the same fields at all processes; names of pages are no rows.
    let lists = answers.iter().filter_map(|(_, rows)| rows.as_array());
    let fields = lists.map(|rows| columns(rows)).find(|fields| !fields.is_empty());
    let fields = fields.unwrap_or_default();
    let several = answers.len() > 1;
    let mut heading = if several { vec!["PROCESS".to_owned()] } else { Vec::new() };
    heading.extend(fields.iter().map(|field| field.to_uppercase()));
    if fields.is_empty() {
        heading.push("PAGE".into());
    }
    let row = |process: &String, row: &Value| {
        let mut cells = if several { vec![process.clone()] } else { Vec::new() };
        match row {
            Value::String(page) => cells.push(page.clone()),
            row => cells.extend(fields.iter().map(|field| cell(&row[*field]))),
        }
        cells
    };
    let listed = answers.iter().flat_map(|(process, rows)| {
        rows.as_array().into_iter().flatten().map(move |one| row(process, one))
    });
    (heading, listed.collect())
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_several_processes_are_told_apart() {
        let page = json!([{ "depth": 1, "name": "a" }, { "depth": null, "name": "b" }]);
        let one = [("s1".to_owned(), page.clone())];
        let (heading, listed) = rows(&one);
        assert_eq!(heading, ["NAME", "DEPTH"]);
        assert_eq!(listed, [["a", "1"], ["b", "-"]]);
        let (heading, listed) = rows(&[one[0].clone(), ("s2".to_owned(), page)]);
        assert_eq!(heading, ["PROCESS", "NAME", "DEPTH"]);
        assert_eq!(listed.len(), 4);
        assert_eq!(listed[3], ["s2", "b", "-"]);
        let (heading, listed) = rows(&[("s1".to_owned(), json!(["slow", "tasks"]))]);
        assert_eq!(
            (heading, listed),
            (vec!["PAGE".to_owned()], vec![vec!["slow".into()], vec!["tasks".into()]])
        );
    }
}
