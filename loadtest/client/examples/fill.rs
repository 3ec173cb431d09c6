//! Fills a server with conversations that were opened and closed:
//! `fill ADDRESS SITE_KEY COUNT`. Visitors by the hundred, each one after the other.

use frontdesk_client::{Address, Carrier, Tokens, Visitor};
use frontdesk_proto::v1::CloseConversation;
use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

const VISITORS: usize = 100;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [address, site_key, count] = arguments.as_slice() else {
        return Err("usage: fill ADDRESS SITE_KEY COUNT".into());
    };
    let address: Address = address.parse()?;
    let left = Arc::new(AtomicUsize::new(count.parse()?));
    let tokens = Tokens::new(&address)?;
    let mut tasks = Vec::new();
    for _ in 0..VISITORS {
        let visitor = Visitor::new(&address, Carrier::WebSocketProtobuf, &tokens, site_key).await?;
        tasks.push(tokio::spawn(fill(visitor, left.clone())));
    }
    for task in tasks {
        task.await?.map_err(|e| e.to_string())?;
    }
    Ok(())
}

async fn fill(
    mut visitor: Visitor,
    left: Arc<AtomicUsize>,
) -> Result<(), Box<dyn Error + Send + Sync>> {
    let take = |left: usize| left.checked_sub(1);
    while left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok() {
        let conversation_id = visitor.start("").await?.conversation_id;
        visitor.session.call(CloseConversation { conversation_id }).await?;
    }
    Ok(())
}
