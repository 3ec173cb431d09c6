use crate::testing::World;
use frontdesk_proto::v1;
use prost::Message as _;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

fn rss() -> usize {
    let s = std::fs::read_to_string("/proc/self/status").unwrap();
    s.lines()
        .find(|l| l.starts_with("VmRSS"))
        .unwrap()
        .split_whitespace()
        .nth(1)
        .unwrap()
        .parse()
        .unwrap()
}

#[tokio::test]
async fn zz_idle() {
    let world = World::start().await;
    let token = world.visitor();
    let n = 4000;
    let mut all = Vec::with_capacity(n);
    let mut before = 0;
    for i in 0..n + 500 {
        if i == 500 {
            before = rss();
        }
        let mut s = tokio::net::TcpStream::connect(world.gateway.local_addr())
            .await
            .unwrap();
        s.write_all(b"GET /v1/ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: frontdesk.v1.proto\r\n\r\n").await.unwrap();
        let token = if i % 20 == 0 {
            world.visitor()
        } else {
            world.visitor()
        };
        let b = v1::ClientBatch {
            frames: vec![v1::ClientFrame {
                id: 1,
                request: Some(v1::client_frame::Request::Hello(v1::Hello {
                    token,
                    ..Default::default()
                })),
            }],
        }
        .encode_to_vec();
        let mut f = vec![0x82, 0x80 | 126];
        f.extend((b.len() as u16).to_be_bytes());
        f.extend([0u8; 4]);
        f.extend(&b);
        s.write_all(&f).await.unwrap();
        let mut buf = [0u8; 1024];
        let mut got = 0;
        while got < 300 {
            let k = s.read(&mut buf).await.unwrap();
            assert!(k > 0);
            got += k;
        }
        all.push(s);
    }
    let _ = token;
    eprintln!("KiB per connection {}", (rss() - before) as f64 / n as f64);
    eprintln!("size {}", std::mem::size_of::<crate::connection::Sized_>());
    std::process::exit(0);
}
