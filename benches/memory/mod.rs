//! Memory instead of time, with `-- --memory`: each case in a process of its own, because a process
//! tells only the most that it ever had.

/// Measures the memory of each case, or of the one that this process is for, with `of`; without
/// `--memory` calls `time`.
pub(crate) fn instead(cases: usize, of: impl FnOnce(usize), time: impl FnOnce()) {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().position(|argument| argument == "--memory") {
        Some(at) => match arguments.get(at + 1).and_then(|number| number.parse().ok()) {
            Some(case) => of(case),
            None => (0..cases).for_each(in_a_process),
        },
        None => time(),
    }
}

fn in_a_process(case: usize) {
    let mut process = std::process::Command::new(std::env::current_exe().unwrap());
    let status = process.args(["--memory", &case.to_string()]).status().unwrap();
    assert!(status.success());
}

/// Returns the most memory that this process ever had resident.
pub(crate) fn peak_mebibytes() -> u64 {
    let peak = || {
        let status = std::fs::read_to_string("/proc/self/status").ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.div_ceil(1024))
    };
    peak().expect("Linux tells it in /proc/self")
}
