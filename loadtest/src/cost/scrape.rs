//! Reads what a server process says of itself: its metrics page in Prometheus
//! text form. Plain HTTP only, one short connection for each reading.

use super::{Reading, malformed};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::header::{ACCEPT, CONNECTION, HOST};
use hyper::{Request, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use std::fmt;
use std::io;
use std::str::FromStr;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Longest that one reading may take.
pub(super) const DEADLINE: Duration = Duration::from_secs(2);
/// Largest page that is read.
const MOST_BYTES: usize = 4 << 20;
/// CPU time of the process, all threads, seconds.
const CPU: &str = "process_cpu_seconds_total";
/// Its resident memory, bytes.
const RESIDENT: &str = "process_resident_memory_bytes";

/// The address of a metrics page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetricsPage {
    host: String,
    port: u16,
    path: String,
}

/// Why a text is no address of a metrics page.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PageError {
    /// Not of the form.
    #[error("{0:?} is no address like http://127.0.0.1:8080/metrics")]
    Form(String),
    /// Not plain HTTP.
    #[error("{0:?}: metrics are read over plain http only")]
    Scheme(String),
}

impl FromStr for MetricsPage {
    type Err = PageError;

    /// Reads `http://HOST[:PORT][/PATH]`; without a path it is `/metrics`.
    fn from_str(text: &str) -> Result<Self, PageError> {
        let form = || PageError::Form(text.to_owned());
        let uri: Uri = text.parse().map_err(|_| form())?;
        match uri.scheme_str() {
            Some("http") => {}
            Some(_) => return Err(PageError::Scheme(text.to_owned())),
            None => return Err(form()),
        }
        // Behind the host there may only be a port: neither a wrong one, nor a user.
        let (authority, host) = uri.authority().zip(uri.host()).ok_or_else(form)?;
        let port = match authority.as_str().strip_prefix(host).ok_or_else(form)? {
            "" => 80,
            port => port.strip_prefix(':').and_then(|p| p.parse().ok()).ok_or_else(form)?,
        };
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        Ok(Self {
            host: host.to_owned(),
            port,
            path: if path == "/" { "/metrics".to_owned() } else { path.to_owned() },
        })
    }
}

impl fmt::Display for MetricsPage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}:{}{}", self.host, self.port, self.path)
    }
}

impl MetricsPage {
    /// What its process has used. Fails when it does not answer within 2 s, or
    /// does not say it.
    pub async fn read(&self) -> io::Result<Reading> {
        let page = match timeout(DEADLINE, self.fetch()).await {
            Ok(page) => page,
            Err(_) => Err(io::ErrorKind::TimedOut.into()),
        };
        page.and_then(|page| reading(&page))
            .map_err(|error| io::Error::new(error.kind(), format!("{self}: {error}")))
    }

    async fn fetch(&self) -> io::Result<String> {
        // An IPv6 address is in brackets in a URL, and bare for the resolver.
        let host = self.host.trim_start_matches('[').trim_end_matches(']');
        let stream = TcpStream::connect((host, self.port)).await?;
        let (mut sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
        let request = Request::get(&self.path)
            .header(HOST, format!("{}:{}", self.host, self.port))
            .header(ACCEPT, "text/plain;version=0.0.4")
            .header(CONNECTION, "close")
            .body(Empty::<Bytes>::new())
            .map_err(io::Error::other)?;
        let exchange = async move {
            let response = sender.send_request(request).await.map_err(io::Error::other)?;
            if response.status() != StatusCode::OK {
                return Err(io::Error::other(format!("answered {}", response.status())));
            }
            let body = Limited::new(response.into_body(), MOST_BYTES);
            Ok(body.collect().await.map_err(io::Error::other)?.to_bytes())
        };
        // What befalls the connection shows in the exchange that it carries.
        let (page, _) = futures::future::join(exchange, connection).await;
        String::from_utf8(page?.into()).map_err(|_| malformed("not UTF-8"))
    }
}

/// The two figures in a page.
fn reading(page: &str) -> io::Result<Reading> {
    let value = |name| sample(page, name).ok_or_else(|| malformed(format!("it has no {name}")));
    let cpu = Duration::try_from_secs_f64(value(CPU)?)
        .map_err(|error| malformed(format!("{CPU}: {error}")))?;
    Ok(Reading { cpu, resident_bytes: value(RESIDENT)? as u64 })
}

/// The value of the first line `NAME[{LABELS}] VALUE [TIME]`.
fn sample(page: &str, name: &str) -> Option<f64> {
    page.lines().find_map(|line| {
        let behind = line.strip_prefix(name)?;
        let value = match behind.strip_prefix('{') {
            Some(labels) => labels.rsplit_once('}')?.1,
            None => behind,
        };
        // Another metric may begin with this one's name.
        let value = value.strip_prefix([' ', '\t'])?;
        value.split_whitespace().next()?.parse().ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    const PAGE: &str = "# HELP process_cpu_seconds_total CPU.\n\
        # TYPE process_cpu_seconds_total counter\n\
        process_cpu_seconds_total_other 9\n\
        process_cpu_seconds_total 12.34\n\
        process_resident_memory_bytes{role=\"gate}way\"} 1.5e6 1700000000\n";

    /// Answers one request with these bytes, and gives the request.
    async fn server(answer: Vec<u8>) -> (MetricsPage, tokio::task::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        // Ends with the one connection it takes.
        let task = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                request.push(stream.read_u8().await.unwrap());
            }
            // The client may have hung up on an answer that is too long.
            let _ = stream.write_all(&answer).await;
            String::from_utf8(request).unwrap()
        });
        (url.parse().unwrap(), task)
    }

    fn answer(status: &str, body: &str) -> Vec<u8> {
        format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n{body}", body.len()).into_bytes()
    }

    #[tokio::test]
    async fn a_page_is_read() {
        let (page, request) = server(answer("200 OK", PAGE)).await;
        let reading = page.read().await.unwrap();
        assert_eq!(reading.cpu, Duration::from_millis(12_340));
        assert_eq!(reading.resident_bytes, 1_500_000);
        assert!(request.await.unwrap().starts_with("GET /metrics HTTP/1.1\r\n"));
    }

    #[tokio::test]
    async fn a_page_in_chunks_is_read() {
        let (one, two) = PAGE.split_at(70);
        let body = format!("{:x}\r\n{one}\r\n{:x}\r\n{two}\r\n0\r\n\r\n", one.len(), two.len());
        let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
        let (page, _request) = server(format!("{head}{body}").into_bytes()).await;
        assert_eq!(page.read().await.unwrap().resident_bytes, 1_500_000);
    }

    #[tokio::test]
    async fn what_is_no_page_is_an_error_that_names_it() {
        for (given, says) in [
            (answer("404 Not Found", ""), "404"),
            (answer("200 OK", "other 1\n"), CPU),
            (answer("200 OK", "process_cpu_seconds_total -1\n"), CPU),
            (b"SSH-2.0-x\r\n".to_vec(), "http://127.0.0.1"),
            (answer("200 OK", &"#".repeat(MOST_BYTES + 1)), "limit"),
        ] {
            let (page, _request) = server(given).await;
            let error = page.read().await.unwrap_err().to_string();
            assert!(error.contains(says) && error.contains("/metrics"), "{error}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_does_not_answer_is_given_up() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let page: MetricsPage =
            format!("http://{}/m", listener.local_addr().unwrap()).parse().unwrap();
        assert_eq!(page.read().await.unwrap_err().kind(), io::ErrorKind::TimedOut);
    }

    #[test]
    fn addresses_are_read_strictly() {
        let shown = |text: &str| text.parse::<MetricsPage>().map(|page| page.to_string());
        assert_eq!(shown("http://h:9/x?y=1").unwrap(), "http://h:9/x?y=1");
        assert_eq!(shown("http://[::1]:9").unwrap(), "http://[::1]:9/metrics");
        assert_eq!(shown("http://h").unwrap(), "http://h:80/metrics");
        assert!(matches!(shown("https://h/metrics"), Err(PageError::Scheme(_))));
        for wrong in ["", "h:9", "/metrics", "http://", "http://h:99999/", "http://me@h/"] {
            assert!(matches!(shown(wrong), Err(PageError::Form(_))), "{wrong}");
        }
    }
}
