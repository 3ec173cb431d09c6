//! The JSON schema of a result, for readers that are not this program.

/// JSON Schema (2020-12) of [`crate::RunResult`]. Readers must ignore fields they
/// do not know: later versions add some under the same name.
pub const RESULT_JSON_SCHEMA: &str = include_str!("../result.schema.json");

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Offence, RunResult, SCHEMA, Violation, sample};
    use serde_json::{Value, json};

    /// The part of JSON Schema that ours is written in, with one rule more: a
    /// field that the schema does not know is an error. Answers what is wrong.
    fn check(root: &Value, schema: &Value, value: &Value, at: &str) -> Vec<String> {
        if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
            let found = root.pointer(reference.trim_start_matches('#'));
            return check(root, found.unwrap_or_else(|| panic!("{reference}")), value, at);
        }
        if let Some(any) = schema.get("anyOf").and_then(Value::as_array) {
            let mut wrong = any.iter().map(|schema| check(root, schema, value, at));
            return if wrong.any(|wrong| wrong.is_empty()) {
                Vec::new()
            } else {
                vec![format!("{at}: none of anyOf")]
            };
        }
        let mut wrong = Vec::new();
        if !type_fits(&schema["type"], value) {
            wrong.push(format!("{at}: not a {}", schema["type"]));
        }
        if schema.get("const").is_some_and(|only| only != value) {
            wrong.push(format!("{at}: not {}", schema["const"]));
        }
        if let Some(allowed) = schema.get("enum").and_then(Value::as_array)
            && !allowed.contains(value)
        {
            wrong.push(format!("{at}: {value} is not in the enum"));
        }
        if let (Some(least), Some(value)) = (schema.get("minimum"), value.as_f64())
            && value < least.as_f64().unwrap()
        {
            wrong.push(format!("{at}: below {least}"));
        }
        for (index, item) in value.as_array().into_iter().flatten().enumerate() {
            wrong.extend(check(root, &schema["items"], item, &format!("{at}/{index}")));
        }
        for required in schema.get("required").and_then(Value::as_array).into_iter().flatten() {
            let name = required.as_str().unwrap();
            if value.is_object() && value.get(name).is_none() {
                wrong.push(format!("{at}: without {name}"));
            }
        }
        for (name, field) in value.as_object().into_iter().flatten() {
            let at = format!("{at}/{name}");
            let known = schema.get("properties").and_then(|properties| properties.get(name));
            match known.or_else(|| schema.get("additionalProperties")) {
                Some(schema) => wrong.extend(check(root, schema, field, &at)),
                None => wrong.push(format!("{at}: not in the schema")),
            }
        }
        wrong
    }

    fn type_fits(wanted: &Value, value: &Value) -> bool {
        match wanted {
            Value::Array(any) => any.iter().any(|wanted| type_fits(wanted, value)),
            Value::String(name) => match name.as_str() {
                "object" => value.is_object(),
                "array" => value.is_array(),
                "string" => value.is_string(),
                "number" => value.is_number(),
                "integer" => value.is_u64() || value.is_i64(),
                "boolean" => value.is_boolean(),
                "null" => value.is_null(),
                other => panic!("type {other}"),
            },
            _ => panic!("a schema without type: {wanted}"),
        }
    }

    fn wrong(value: &Value) -> Vec<String> {
        let schema: Value = serde_json::from_str(RESULT_JSON_SCHEMA).unwrap();
        check(&schema, &schema, value, "")
    }

    fn full() -> RunResult {
        let mut result = sample::support_day();
        result.audit.violations = Violation::ALL.map(|violation| (violation, 1)).into();
        result.audit.offences = Violation::ALL
            .map(|violation| Offence {
                violation,
                conversation: "0193".into(),
                sender: Some("agent".into()),
                number: Some(1),
                seq: Some(2),
                detail: "seen by the visitor".into(),
            })
            .into();
        crate::judge(&mut result, Vec::new());
        result
    }

    #[test]
    fn every_field_of_a_result_is_in_the_schema() {
        for result in [full(), sample::support_day(), sample::empty()] {
            assert_eq!(wrong(&serde_json::to_value(result).unwrap()), Vec::<String>::new());
        }
    }

    /// The other way round: what the schema requires, a result has; so every
    /// property that is not required must be nullable or named here.
    #[test]
    fn everything_is_required() {
        let schema: Value = serde_json::from_str(RESULT_JSON_SCHEMA).unwrap();
        let definitions = schema["$defs"].as_object().unwrap().values();
        for object in definitions.chain([&schema]) {
            let Some(properties) = object.get("properties").and_then(Value::as_object) else {
                continue;
            };
            let required = object["required"].as_array().unwrap();
            let names: Vec<_> = properties.keys().cloned().map(Value::String).collect();
            assert!(names.iter().all(|name| required.contains(name)), "{names:?}");
            assert_eq!(names.len(), required.len(), "{names:?}");
        }
    }

    #[test]
    fn what_is_not_a_result_is_found_out() {
        let good = serde_json::to_value(full()).unwrap();
        let spoiled = |path: &str, value: Value| {
            let mut bad = good.clone();
            *bad.pointer_mut(path).unwrap() = value;
            wrong(&bad)
        };
        assert_eq!(spoiled("/schema", json!("other")).len(), 1);
        assert_eq!(spoiled("/verdict", json!("fine")).len(), 1);
        assert_eq!(spoiled("/counters/sent", json!(-1)).len(), 1);
        assert_eq!(spoiled("/latencies/ack/histogram", json!(7)).len(), 1);
        assert_eq!(spoiled("/series/columns/waiting/0", json!("many")).len(), 1);
        assert_eq!(spoiled("/faults/0/recovery_s", json!(null)).len(), 0);
        assert_eq!(spoiled("/audit/offences/0/violation", json!("none")).len(), 1);
        let mut without = good;
        without.as_object_mut().unwrap().remove("generator");
        assert_eq!(wrong(&without), [": without generator"]);
    }

    #[test]
    fn it_is_the_schema_of_this_version() {
        let schema: Value = serde_json::from_str(RESULT_JSON_SCHEMA).unwrap();
        assert_eq!(schema["properties"]["schema"]["const"], SCHEMA);
        assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    }
}
