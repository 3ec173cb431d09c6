//! Results as files.

use crate::{RunResult, SCHEMA};

/// Why a text is not a result that can be used.
#[derive(Debug, thiserror::Error)]
pub enum ResultError {
    /// No JSON, or not with the fields of a result.
    #[error("not a result of a load test: {0}")]
    Json(#[from] serde_json::Error),
    /// JSON of another kind or version.
    #[error(
        "its schema is \"{0}\", this program reads \"{SCHEMA}\": read it with the version that \
         wrote it, or run the scenario again"
    )]
    Schema(String),
    /// JSON that does not say what it is.
    #[error("it does not say that it is a \"{SCHEMA}\": not a result of a load test")]
    Unnamed,
}

impl RunResult {
    /// Reads a result; of this version only, as others may mean other things by
    /// the same names.
    pub fn from_json(text: &str) -> Result<Self, ResultError> {
        let json: serde_json::Value = serde_json::from_str(text)?;
        match json.get("schema").and_then(serde_json::Value::as_str) {
            Some(SCHEMA) => Ok(serde_json::from_value(json)?),
            Some(other) => Err(ResultError::Schema(other.to_owned())),
            None => Err(ResultError::Unnamed),
        }
    }

    /// As it is written to a file: indented, with a line end.
    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self)
            .expect("the model has only text keys and serialises without failing");
        text.push('\n');
        text
    }

    /// Length of the counted part, seconds.
    pub fn counted_s(&self) -> f64 {
        self.counted.to_s - self.counted.from_s
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn a_result_survives_its_json() {
        let result = sample::support_day();
        let read = RunResult::from_json(&result.to_json()).unwrap();
        // Not compared whole: the parser may be off by the last bit of a float.
        assert_eq!((&read.scenario, read.verdict), (&result.scenario, result.verdict));
        assert_eq!((&read.counters, &read.audit), (&result.counters, &result.audit));
        assert_eq!((&read.faults, read.counted), (&result.faults, result.counted));
        let [read, written] =
            [&read, &result].map(|result| result.latencies["ack"].histogram().unwrap());
        assert_eq!(read, written);
    }

    #[test]
    fn other_versions_and_other_files_are_refused_in_words() {
        let json = sample::empty().to_json();
        let other = RunResult::from_json(&json.replace("result/v1", "result/v9")).unwrap_err();
        assert!(matches!(&other, ResultError::Schema(name) if name.ends_with("v9")));
        assert!(other.to_string().contains("run the scenario again"));
        assert!(matches!(RunResult::from_json("{}"), Err(ResultError::Unnamed)));
        assert!(matches!(RunResult::from_json("[1]"), Err(ResultError::Unnamed)));
        assert!(matches!(RunResult::from_json("nonsense"), Err(ResultError::Json(_))));
        let named = format!("{{\"schema\": \"{SCHEMA}\"}}");
        assert!(matches!(RunResult::from_json(&named), Err(ResultError::Json(_))));
    }
}
