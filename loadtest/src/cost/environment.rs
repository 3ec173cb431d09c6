//! What this machine is, so that results of different machines are not compared.

use super::process::kib;
use frontdesk_results::Environment;
use std::fs;
use std::thread::available_parallelism;

/// What it is called when the kernel does not say.
const UNKNOWN: &str = "unknown";

/// Looks at this machine. What cannot be found out is `unknown` or 0.
pub fn environment(with_server: bool) -> Environment {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let kernel = read("/proc/sys/kernel/osrelease").trim().to_owned();
    Environment {
        cpu: cpu(&read("/proc/cpuinfo")),
        cores: available_parallelism().map_or(0, |cores| cores.get() as u32),
        memory_mib: kib(&read("/proc/meminfo"), "MemTotal:").unwrap_or(0) / 1_024,
        kernel: if kernel.is_empty() { UNKNOWN.to_owned() } else { kernel },
        with_server,
    }
}

/// The model of the first CPU. ARM has no names, only numbers.
fn cpu(info: &str) -> String {
    let value = |name: &str| {
        let lines = info.lines().filter_map(|line| line.split_once(':'));
        lines.map(|(key, value)| (key.trim(), value.trim())).find(|(key, _)| *key == name)
    };
    if let Some((_, model)) = value("model name") {
        return model.to_owned();
    }
    match (value("CPU implementer"), value("CPU part")) {
        (Some((_, maker)), Some((_, part))) => format!("{} {maker} {part}", std::env::consts::ARCH),
        _ => UNKNOWN.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_has_an_environment_that_stays() {
        let here = environment(true);
        assert!(here.cores >= 1 && here.memory_mib > 64, "{here:?}");
        assert_eq!(here, environment(true));
    }

    #[test]
    fn the_first_model_is_taken() {
        assert_eq!(cpu("processor\t: 0\nmodel name\t: A: 3 GHz\nmodel name\t: B\n"), "A: 3 GHz");
        let arm = cpu("CPU implementer\t: 0x41\nCPU part\t: 0xd0c\n");
        assert!(arm.ends_with(" 0x41 0xd0c"), "{arm}");
        assert_eq!(cpu(""), UNKNOWN);
    }
}
