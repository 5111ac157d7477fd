//! A running server.

use std::{env, fs, path::PathBuf, process::Stdio, time::Duration};

use load::{Result, Target};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    time::timeout,
};

use crate::report::Column;

/// How long it may take to start or stop, also at the pace of callgrind.
const PATIENCE: Duration = Duration::from_secs(120);

pub(crate) struct Server {
    /// Logged in.
    pub(crate) target: Target,
    pub(crate) pid: u32,
    child: Child,
    folder: PathBuf,
}

impl Server {
    /// Starts a server and logs in.
    pub(crate) async fn start(column: &Column) -> Result<Self> {
        Self::start_as(column, Command::new(&column.program)).await
    }

    /// Starts a server on one thread under callgrind and logs in.
    pub(crate) async fn start_counting(column: &Column) -> Result<Self> {
        let mut command = Command::new("valgrind");
        command.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]).arg(&column.program);
        command.env("BENCH_SINGLE", "1").stderr(Stdio::piped());
        Self::start_as(column, command).await
    }

    async fn start_as(column: &Column, mut command: Command) -> Result<Self> {
        let folder = env::temp_dir().join(format!("gatekit-bench-{}", std::process::id()));
        fs::create_dir_all(&folder)?;
        let mut child = command
            .env("PORT", "0")
            .env("BENCH_DIR", &folder)
            .envs(column.kind.environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| format!("cannot start {command:?}: {error}"))?;

        let mut lines = BufReader::new(child.stdout.take().ok_or("no output")?).lines();
        let line = timeout(PATIENCE, lines.next_line()).await??.unwrap_or_default();
        let url = line.strip_prefix("READY ").ok_or_else(|| format!("{} said {line:?}", column.kind.name))?;
        let mut target = Target::new(url)?;
        target.log_in().await?;
        let pid = child.id().ok_or("stopped already")?;
        Ok(Self { target, pid, child, folder })
    }

    /// Stops it in the orderly way and returns what it wrote to its standard error, if that was
    /// caught.
    pub(crate) async fn stop(self) -> Result<String> {
        Command::new("kill").arg(self.pid.to_string()).status().await?;
        let output = timeout(PATIENCE, self.child.wait_with_output()).await??;
        fs::remove_dir_all(self.folder)?;
        if !output.status.success() {
            return Err(format!("the server ended with {}", output.status).into());
        }
        Ok(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}
