//! `frontdesk ctl apply`: puts a document in force and shows the difference.

use super::{Admin, CtlError, print_json};
use crate::cli::Output;
use frontdesk_proto::api::Problem;
use frontdesk_proto::v1::ApplyConfigurationRequest;
use std::io::Read as _;
use std::path::Path;
use std::time::Duration;
use tonic::Request;

/// Making many accounts takes some 50 ms each.
const DEADLINE: Duration = Duration::from_secs(300);

/// Prints what changes; refusals as `FILE:LINE:COLUMN: reason`.
pub(super) async fn apply(
    mut admin: Admin,
    output: Output,
    file: &Path,
    dry_run: bool,
) -> Result<(), CtlError> {
    let name = name_of(file);
    let document = read(file).map_err(|source| CtlError::File { file: name.clone(), source })?;
    let mut request = Request::new(ApplyConfigurationRequest { document, dry_run });
    request.set_timeout(DEADLINE);
    let answer = admin.apply_configuration(request).await?.into_inner();
    if let Output::Json = output {
        print_json(&answer)?;
    } else {
        for problem in &answer.problems {
            eprintln!("{name}:{}:{}: {}", problem.line, problem.column, problem.reason);
        }
        answer.changes.iter().for_each(|change| println!("{change}"));
        for made in &answer.made {
            println!("  {}   {}", made.email, made.password);
        }
    }
    let problems = answer.problems.len();
    if problems > 0 {
        return Err(CtlError::Document { file: name, problems });
    }
    if let Output::Table = output {
        let version = answer.version;
        match (answer.changes.len(), dry_run) {
            (0, _) => println!("nothing differs from version {version}"),
            (changes, true) => println!("{changes} changes to version {version}; none was made"),
            (changes, false) => println!("{changes} changes; version {version} is in force"),
        }
    }
    Ok(())
}

/// As problems name it.
pub(super) fn name_of(file: &Path) -> String {
    if file == Path::new("-") { "<stdin>".into() } else { file.display().to_string() }
}

/// Prints what is wrong with a document that is tried.
pub(super) fn refused(name: &str, problems: &[Problem]) -> CtlError {
    for problem in problems {
        eprintln!("{name}:{}:{}: {}", problem.line, problem.column, problem.reason);
    }
    CtlError::Document { file: name.to_owned(), problems: problems.len() }
}

pub(super) fn read(file: &Path) -> std::io::Result<String> {
    if file != Path::new("-") {
        return std::fs::read_to_string(file);
    }
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text)?;
    Ok(text)
}
