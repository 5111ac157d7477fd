//! Who drives the browser? A chromedriver of its own for each, on a port that it chooses.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// How long it may take to go by itself, with its browser.
const GOODBYE: Duration = Duration::from_secs(10);

/// A running chromedriver. It ends, and its browser with it, when this is dropped.
#[derive(Debug)]
pub(crate) struct ChromeDriver {
    process: Child,
    port: u16,
}

impl ChromeDriver {
    /// Starts it. It wants the same port in IPv4 and IPv6, and gives up when the one it has chosen
    /// is taken in one of them: then it is started again.
    pub(crate) fn start() -> Self {
        (0..20).find_map(|_| Self::attempt()).expect("chromedriver finds a free port")
    }

    fn attempt() -> Option<Self> {
        let mut process = Command::new("chromedriver")
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|e| panic!("chromedriver: {e}; `cargo xtask test --only browser` installs it"));
        let output = process.stdout.take().unwrap();
        // From here on it ends with this value, also when it does not say its port.
        let mut driver = Self { process, port: 0 };
        let mut lines = BufReader::new(output).lines().map_while(Result::ok);
        driver.port =
            lines.find_map(|line| line.split_once("successfully on port ")?.1.trim_end_matches('.').parse().ok())?;
        // Nobody reads on, but it must not block on a full pipe.
        thread::spawn(move || lines.for_each(drop));
        Some(driver)
    }

    /// Where it listens.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Asks it to end its browser and itself. Killing it would leave the browser.
    fn ask_to_end(&self) -> std::io::Result<()> {
        let mut stream = TcpStream::connect_timeout(&SocketAddr::from((Ipv4Addr::LOCALHOST, self.port)), GOODBYE)?;
        stream.set_read_timeout(Some(GOODBYE))?;
        write!(stream, "GET /shutdown HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nConnection: close\r\n\r\n", self.port)?;
        stream.read_to_end(&mut Vec::new()).map(drop)
    }
}

impl Drop for ChromeDriver {
    fn drop(&mut self) {
        // If one of these fails, the next is harder.
        let asked = self.port != 0 && self.ask_to_end().is_ok();
        let begun = Instant::now();
        while asked && begun.elapsed() < GOODBYE && matches!(self.process.try_wait(), Ok(None)) {
            thread::sleep(Duration::from_millis(10));
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
