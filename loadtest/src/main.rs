//! `frontdesk-loadtest`: runs a scenario against a Frontdesk and gives a verdict.
//! Exit status: 0 passed, 1 usage or not run, 2 threshold missed, 3 regression
//! against a baseline, 4 audit violation, 5 invalid generator.

mod cli;

use clap::Parser as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = match cli::Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Printing help or a usage error can only fail with the terminal gone.
            let _ = error.print();
            return if error.use_stderr() { ExitCode::from(1) } else { ExitCode::SUCCESS };
        }
    };
    match cli.execute() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("frontdesk-loadtest: {error}");
            ExitCode::from(1)
        }
    }
}
