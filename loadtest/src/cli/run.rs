//! `run`: from arguments to a verdict.

use super::{Failure, RunArgs, compare_with, print};
use frontdesk_client::Address;
use frontdesk_loadtest::arithmetic::Needs;
use frontdesk_loadtest::coordinate::{self, Order, Recruit};
use frontdesk_loadtest::cost::{MetricsPage, Source};
use frontdesk_loadtest::credentials::Accounts;
use frontdesk_loadtest::plan::Plan;
use frontdesk_loadtest::scenario::Scenario;
use frontdesk_results::{Baseline, Reason, RunResult, Verdict, summary};
use frontdesk_view::Mode;
use rustix::process::{Resource, getrlimit, setrlimit};
use std::process::ExitCode;

pub(super) fn run(mut args: RunArgs) -> Result<ExitCode, Failure> {
    let mut scenario = Scenario::read(&args.scenario)?;
    if let Some(seed) = args.seed {
        scenario.seed = seed;
    }
    // Load goes to this machine unless somebody says otherwise in so many words.
    if let Some(remote) = args.targets.iter().find(|target| !target.is_loopback())
        && !args.allow_remote
    {
        return Err(format!("{remote} is not here; --allow-remote permits it").into());
    }
    if let Some(name) = &args.tls_name {
        let named = args.targets.into_iter().map(|target| target.named(name.clone()));
        args.targets = named.collect::<Result<_, _>>()?;
    }
    if args.each_address {
        args.targets = runtime()?.block_on(each_address(&args.targets))?;
    }
    // What cannot be written should be known before the run, not behind it.
    let baseline = args.baseline.as_deref();
    if let Some(path) = baseline {
        Baseline::from_json(&super::read(path)?)?;
    }
    let order = order(scenario, &args)?;
    let mut result = runtime()?.block_on(coordinate::run(order))?;
    // What is violated or invalid does not compare.
    let sound = !matches!(result.verdict, Verdict::Violated | Verdict::Invalid);
    let comparison = match baseline.filter(|_| sound) {
        Some(path) => Some(compare_with(path, &result, args.any_machine)?),
        None => None,
    };
    if let Some(comparison) = &comparison {
        print(&format!("{comparison}\n"))?;
        comparison.reasons().into_iter().for_each(|reason| object(&mut result, reason));
    }
    args.outputs.write(&result, comparison.as_ref())?;
    print(&summary(&result))?;
    Ok(ExitCode::from(result.exit_status))
}

async fn each_address(targets: &[Address]) -> Result<Vec<Address>, Failure> {
    let mut found = Vec::new();
    for target in targets {
        let each = target.each().await.map_err(|e| format!("{target}: {e}"))?;
        found.extend(each);
    }
    Ok(found)
}

/// One more thing that is wrong with a run that was judged.
fn object(result: &mut RunResult, reason: Reason) {
    result.reasons.push(reason);
    result.reasons.sort_by_key(|reason| std::cmp::Reverse(reason.verdict));
    let worst = result.reasons.iter().map(|reason| reason.verdict).max();
    result.verdict = worst.unwrap_or(result.verdict);
    result.exit_status = result.verdict.exit_status();
}

pub(super) fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()
}

fn order(scenario: Scenario, args: &RunArgs) -> Result<Order, Failure> {
    let needs = Needs::of(&scenario, &Plan::of(&scenario), args.targets.len());
    let recruit = match (args.workers, args.listen) {
        (Some(workers), Some(address)) => Recruit::Callers(workers, address),
        (Some(workers), None) => children(workers),
        (None, _) => children(u32::try_from(needs.workers)?),
    };
    let files = file_limit();
    let each = if recruit == Recruit::Here { needs.files + 64 } else { needs.files };
    if files.is_some_and(|files| files < each as u64) {
        return Err(format!(
            "a process may open {} files here and the run needs {each}: more --workers, or a \
             higher ulimit -n",
            files.unwrap_or_default()
        )
        .into());
    }
    Ok(Order {
        cells: cells(args)?,
        source: source(args)?,
        server_pids: args.server_pids.clone(),
        recruit,
        mode: if args.plain { Mode::Plain } else { Mode::Auto },
        scenario,
    })
}

fn children(workers: u32) -> Recruit {
    if workers <= 1 { Recruit::Here } else { Recruit::Children(workers) }
}

/// Files that a process may open. Workers inherit the limit, which is raised as far as it
/// may be.
fn file_limit() -> Option<u64> {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    // Where it cannot be raised, what there is is counted on.
    let _ = setrlimit(Resource::Nofile, limit);
    getrlimit(Resource::Nofile).current
}

/// All targets share the accounts, or each has its own.
fn cells(args: &RunArgs) -> Result<Vec<(Vec<Address>, String)>, Failure> {
    let texts = args.accounts.iter().map(|path| Accounts::read(path));
    let texts: Vec<String> = texts.collect::<Result<_, _>>()?;
    match &texts[..] {
        [one] => Ok(vec![(args.targets.clone(), one.clone())]),
        several if several.len() == args.targets.len() => {
            let targets = args.targets.iter().map(|target| vec![target.clone()]);
            Ok(targets.zip(several.iter().cloned()).collect())
        }
        several => Err(format!(
            "{} files of accounts for {} targets: give one for all, or one for each",
            several.len(),
            args.targets.len()
        )
        .into()),
    }
}

fn source(args: &RunArgs) -> Result<Source, Failure> {
    if !args.server_pids.is_empty() {
        return Ok(Source::Processes(args.server_pids.clone()));
    }
    if args.server_metrics.is_empty() {
        return Ok(Source::None);
    }
    let pages = args.server_metrics.iter().map(|url| url.parse::<MetricsPage>());
    Ok(Source::Metrics(pages.collect::<Result<_, _>>()?))
}
