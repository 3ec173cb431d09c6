//! How pages go out: JSON for programs, lines with tabs for a terminal, HTML for people in
//! a browser. The HTML runs nothing and loads nothing but its style from here.

use super::Format;
use axum::Json;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use serde_json::Value;
use std::fmt::Write as _;

/// What the pages may do.
const POLICY: &str = "default-src 'none'; style-src 'self'; frame-ancestors 'none'; \
                      base-uri 'none'; form-action 'none'";

/// The style sheet of all pages.
pub(super) const STYLE: &str = include_str!("style.css");

/// The list of pages.
pub(super) fn index(pages: &[(&str, &str)], format: Format) -> Response {
    let names: Vec<&str> = pages.iter().map(|(name, _)| *name).collect();
    match format {
        Format::Json => Json(names).into_response(),
        Format::Text => {
            let line = |(name, about): &(&str, &str)| format!("{name}\t{about}\n");
            pages.iter().map(line).collect::<String>().into_response()
        }
        Format::Html => {
            let mut list = String::from("<dl>");
            for (name, about) in pages {
                let (name, about) = (escaped(name), escaped(about));
                // Writing to a String cannot fail.
                let _ =
                    write!(list, "<dt><a href=\"/debug/{name}\">{name}</a></dt><dd>{about}</dd>");
            }
            list.push_str("</dl>");
            html("debug", "What this process is at.", &names, &list)
        }
    }
}

/// One page.
pub(super) fn page(
    name: &str,
    about: &str,
    names: &[&str],
    rows: &Value,
    format: Format,
) -> Response {
    match format {
        Format::Json => Json(rows).into_response(),
        Format::Text => lines(rows).into_response(),
        Format::Html => html(name, about, names, &table(rows)),
    }
}

fn html(title: &str, about: &str, names: &[&str], body: &str) -> Response {
    let mut links = String::new();
    for name in names {
        let current = if *name == title { " aria-current=\"page\"" } else { "" };
        let name = escaped(name);
        let _ = write!(links, "<a href=\"/debug/{name}\"{current}>{name}</a> ");
    }
    let (title, about) = (escaped(title), escaped(about));
    let page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>{title} · Frontdesk</title>\n\
         <link rel=\"stylesheet\" href=\"/debug/style.css\">\n</head>\n<body>\n\
         <nav><a href=\"/debug/\">Frontdesk</a> {links}</nav>\n<main>\n<h1>{title}</h1>\n<p>{about}</p>\n\
         {body}\n</main>\n</body>\n</html>\n"
    );
    let head = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
    ];
    (head, page).into_response()
}

/// What tells rows apart stands before what is said of them.
const FIRST: [&str; 15] = [
    "name",
    "id",
    "site",
    "queue",
    "carrier",
    "state",
    "connection",
    "way",
    "gateway",
    "voter",
    "address",
    "role",
    "conversation",
    "shard",
    "group",
];

/// The fields of rows, in the order in which people read them.
pub(crate) fn columns(rows: &[Value]) -> Vec<&str> {
    let fields = rows.iter().find_map(Value::as_object);
    let mut names: Vec<&str> =
        fields.map_or_else(Vec::new, |row| row.keys().map(String::as_str).collect());
    let place = |name: &&str| FIRST.iter().position(|first| first == name);
    names.sort_by_key(|name| place(name).unwrap_or(FIRST.len()));
    names
}

fn list(rows: &Value) -> &[Value] {
    rows.as_array().map_or(&[][..], Vec::as_slice)
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Rows as lines, fields parted by tabs, their names first.
fn lines(rows: &Value) -> String {
    let rows = list(rows);
    let names = columns(rows);
    let mut text = names.join("\t");
    for row in rows {
        let cells: Vec<String> = names.iter().map(|name| cell(&row[*name])).collect();
        let _ = write!(text, "\n{}", cells.join("\t"));
    }
    text.push('\n');
    text
}

/// Rows as a table, numbers to the right.
fn table(rows: &Value) -> String {
    let rows = list(rows);
    if rows.is_empty() {
        return "<p>Nothing.</p>".to_owned();
    }
    let names = columns(rows);
    let mut text = String::from("<div class=\"wide\">\n<table>\n<thead><tr>");
    for name in &names {
        let _ = write!(text, "<th scope=\"col\">{}</th>", escaped(&name.replace('_', " ")));
    }
    text.push_str("</tr></thead>\n<tbody>\n");
    for row in rows {
        text.push_str("<tr>");
        for name in &names {
            let value = &row[*name];
            let class = if value.is_string() { "" } else { " class=\"number\"" };
            let _ = write!(text, "<td{class}>{}</td>", escaped(&cell(value)));
        }
        text.push_str("</tr>\n");
    }
    text.push_str("</tbody>\n</table>\n</div>");
    text
}

fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            other => safe.push(other),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn rows_are_lines() {
        let rows = json!([{ "a": 1, "b": null }, { "a": 2, "b": "x" }]);
        assert_eq!(lines(&rows), "a\tb\n1\t-\n2\tx\n");
        assert_eq!(lines(&json!([])), "\n");
    }

    #[test]
    fn what_tells_rows_apart_comes_first() {
        let rows = [json!({ "alive": 1, "busy": 2, "name": "x", "shard": 3 })];
        assert_eq!(columns(&rows), ["name", "shard", "alive", "busy"]);
        assert_eq!(columns(&[]), [""; 0]);
    }

    #[test]
    fn what_stands_in_a_cell_is_text_and_no_markup() {
        let shown = table(&json!([{ "a_b": "<script>\"&", "n": 1 }]));
        assert!(shown.contains("<th scope=\"col\">a b</th>"), "{shown}");
        assert!(shown.contains("<td>&lt;script&gt;&quot;&amp;</td><td class=\"number\">1</td>"));
        assert_eq!(table(&json!([])), "<p>Nothing.</p>");
    }

    #[test]
    fn a_page_of_html_says_that_nothing_in_it_runs() {
        let answer = index(&[("tasks", "About <them>.")], Format::Html);
        let policy = answer.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none';") && !policy.contains("unsafe"));
        let kind = answer.headers()[header::CONTENT_TYPE].to_str().unwrap();
        assert_eq!(kind, "text/html; charset=utf-8");
    }
}
