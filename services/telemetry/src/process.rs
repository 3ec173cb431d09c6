//! What this process has used of its machine, under the names that every
//! Prometheus client gives it. Read from /proc when the page is rendered.

use std::fmt::Write;
use std::fs;

/// The kernel counts CPU time in these (USER_HZ is 100 on every Linux platform).
const TICKS_PER_SECOND: f64 = 100.0;

/// Appends the process's metrics to a page; where there is no /proc, none.
pub(crate) fn append(page: &mut String) {
    let cpu = fs::read_to_string("/proc/self/stat").ok().and_then(|stat| cpu_seconds(&stat));
    let resident =
        fs::read_to_string("/proc/self/status").ok().and_then(|status| resident_bytes(&status));
    // The entry of the open directory itself is not ours to count.
    let files = fs::read_dir("/proc/self/fd").ok().map(|entries| entries.count().saturating_sub(1));
    let cpu = cpu.map(|seconds| format!("{seconds:.2}"));
    append_one(page, "process_cpu_seconds_total", "counter", cpu);
    append_one(page, "process_resident_memory_bytes", "gauge", resident);
    append_one(page, "process_open_fds", "gauge", files);
}

fn append_one<T: ToString>(page: &mut String, name: &str, kind: &str, value: Option<T>) {
    if let Some(value) = value {
        // Writing to a String cannot fail.
        let help = crate::catalog::of_series(name).map_or("", |metric| metric.help);
        let value = value.to_string();
        let _ = write!(page, "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}\n\n");
    }
}

/// User and system time, all threads.
pub(crate) fn cpu_seconds(stat: &str) -> Option<f64> {
    // The name in parentheses may hold anything: fields are counted behind it.
    let (_, behind) = stat.rsplit_once(')')?;
    let mut fields = behind.split_whitespace().skip(11);
    let (user, system) = (fields.next()?.parse::<u64>().ok()?, fields.next()?.parse::<u64>().ok()?);
    Some((user + system) as f64 / TICKS_PER_SECOND)
}

fn resident_bytes(status: &str) -> Option<u64> {
    let value = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(value.split_whitespace().next()?.parse::<u64>().ok()? * 1_024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_gains_what_this_process_uses() {
        let mut page = "up 1\n".to_owned();
        append(&mut page);
        assert!(page.starts_with("up 1\n# HELP process_cpu_seconds_total "), "{page}");
        assert!(page.contains("\n# TYPE process_cpu_seconds_total counter\n"), "{page}");
        let value = |name: &str| -> f64 {
            let sample = page.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
            sample.unwrap().parse().unwrap()
        };
        assert!(value("process_resident_memory_bytes") > 100_000.0);
        assert!(value("process_cpu_seconds_total") >= 0.0);
        assert!(value("process_open_fds") >= 3.0);
    }

    #[test]
    fn a_name_with_a_parenthesis_does_not_shift_the_fields() {
        let stat = "7 (a) b) c) S 1 7 7 0 -1 4194560 900 0 3 0 120 45 8 9 20 0 12 0 100";
        assert_eq!(cpu_seconds(stat), Some(1.65));
        assert_eq!(resident_bytes("VmHWM:\t9 kB\nVmRSS:\t 512 kB\n"), Some(524_288));
    }
}
