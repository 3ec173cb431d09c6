//! One server with two sites, and a caller for each column of the table.

use super::{CALLERS, Place, Who};
use frontdesk_client::Carrier;
use frontdesk_core::ids::{QueueId, SiteId};
use frontdesk_core::party::Role;
use frontdesk_core::skill::Skills;
use frontdesk_core::time::Millis;
use frontdesk_desk::{DeskService, DeskSettings, NewAgent, PasswordCost};
use frontdesk_proto::v1::client_frame::Request;
use frontdesk_proto::v1::{AgentStatus, TakeOver, Token};
use frontdesk_store::desk::{AccountDetails, DeskStore};
use frontdesk_store::sqlite::{DataFolder, SqliteDesk};
use frontdesk_tests::server::{Plan, Server};
use frontdesk_tests::wire::{Wire, fresh_id};
use serde_json::json;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;

const HERE: &str = "here";
const THERE: &str = "there";
const PASSWORD: &str = "a long enough password";

/// See the module.
pub(super) struct World {
    pub(super) server: Server,
    /// An agent of this site who has nothing.
    pub(super) colleague: String,
    tokens: BTreeMap<(Who, Place), String>,
    wires: BTreeMap<(Who, Place), Wire>,
    conversations: BTreeMap<(Who, Place), String>,
    /// Public key of this site.
    key: String,
    /// The token of each conversation's visitor.
    visitors: BTreeMap<String, String>,
    _folder: TempDir,
}

impl World {
    pub(super) async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let data = folder.path().join("data");
        std::fs::create_dir(&data).expect("a folder can be made");
        let keys = furnish(&data).await;
        let plan = Plan::default().data(&data).set("gateway.requests_per_second", 100_000);
        let server = plan.set("gateway.request_burst", 100_000).start().await;
        let mut world = Self {
            server,
            colleague: String::new(),
            tokens: BTreeMap::new(),
            wires: BTreeMap::new(),
            conversations: BTreeMap::new(),
            key: keys[0].clone(),
            visitors: BTreeMap::new(),
            _folder: folder,
        };
        for (who, place) in CALLERS {
            let token = world.sign_in(who, place, &keys).await;
            if (who, place) == (Who::Agent, Place::Other) {
                world.colleague = token.subject.expect("a token says whose it is").id;
            }
            world.tokens.insert((who, place), token.token);
        }
        world
    }

    async fn sign_in(&self, who: Who, place: Place, keys: &[String; 2]) -> Token {
        let elsewhere = place == Place::Elsewhere;
        let email = match (who, place) {
            (Who::Visitor, _) => return self.visitor(&keys[usize::from(elsewhere)]).await,
            (Who::Agent, Place::Other) => "other@x.example",
            (Who::Agent, _) => "agent@x.example",
            (Who::Supervisor, _) => "boss@x.example",
        };
        let site = if elsewhere { THERE } else { HERE };
        let ask = json!({ "site": site, "email": email, "password": PASSWORD });
        self.server.http().post("/v1/agent/sign-in", &ask).await.expect_ok().json()
    }

    async fn visitor(&self, key: &str) -> Token {
        let ask = json!({ "siteKey": key });
        self.server.http().post("/v1/visitor/token", &ask).await.expect_ok().json()
    }

    /// The token of a conversation's visitor.
    pub(super) fn visitor_of(&self, conversation: &str) -> &str {
        &self.visitors[conversation]
    }

    pub(super) fn token(&self, who: Who, place: Place) -> &str {
        &self.tokens[&(who, place)]
    }

    /// The caller's connection.
    pub(super) async fn wire(&mut self, who: Who, place: Place) -> &mut Wire {
        if !self.wires.contains_key(&(who, place)) {
            let token = self.token(who, place).to_owned();
            let (mut wire, _) = Wire::open(&self.server, Carrier::Grpc, &token).await;
            if place == Place::Own && who != Who::Visitor {
                wire.status(AgentStatus::Online).await;
            }
            self.wires.insert((who, place), wire);
        }
        self.wires.get_mut(&(who, place)).expect("it was opened")
    }

    /// The conversation that this caller is to ask about.
    pub(super) async fn conversation(&mut self, who: Who, place: Place) -> String {
        if let Some(id) = self.conversations.get(&(who, place)) {
            return id.clone();
        }
        let id = if (who, place) == (Who::Visitor, Place::Own) {
            let id = self.wire(who, place).await.start("hello").await.conversation_id;
            self.visitors.insert(id.clone(), self.token(who, place).to_owned());
            id
        } else {
            // Of a visitor of its own: each may have a few only.
            let token = self.visitor(&self.key).await.token;
            let (mut visitor, _) = Wire::open(&self.server, Carrier::Grpc, &token).await;
            let id = visitor.start("hello").await.conversation_id;
            self.visitors.insert(id.clone(), token);
            id
        };
        self.wire(Who::Agent, Place::Own).await.take(&id).await;
        if (who, place) == (Who::Supervisor, Place::Own) {
            let take_over = Request::TakeOver(TakeOver { conversation_id: id.clone() });
            let taken = self.wire(who, place).await.request(take_over).await;
            taken.expect("a supervisor can take over");
        }
        self.conversations.insert((who, place), id.clone());
        id
    }

    /// The next request of this caller is about another one.
    pub(super) fn spend(&mut self, who: Who, place: Place) {
        self.conversations.remove(&(who, place));
    }
}

/// Makes two sites with accounts; gives their public keys.
async fn furnish(data: &Path) -> [String; 2] {
    let folder = DataFolder::lock(data).expect("a data folder can be made");
    let store = Arc::new(SqliteDesk::open(&folder).expect("the tables can be made"));
    let settings = DeskSettings {
        password_cost: PasswordCost { memory_kib: 64, passes: 1 },
        ..DeskSettings::default()
    };
    let desk = DeskService::new(store.clone(), &settings).await.expect("the settings are good");
    let mut keys = Vec::new();
    for name in [HERE, THERE] {
        let id: SiteId = name.parse().expect("a name");
        let made = desk.ensure_example_site(&id, &[]).await.expect("a site can be made");
        keys.push(made.site.key.clone());
        let mut site = store.site(&id).await.expect("readable").expect("it was made");
        // Nobody runs out of room for having had many conversations.
        site.value.queues.iter_mut().for_each(|queue| queue.wrap_up = Millis::ZERO);
        store.put_site(site.value, site.version).await.expect("it can be changed");
        for (email, role, queue) in [
            ("agent@x.example", Role::Agent, "general"),
            // Of another queue: online, it would be offered what the first one is to take.
            ("other@x.example", Role::Agent, "sales"),
            ("boss@x.example", Role::Supervisor, "sales"),
        ] {
            desk.create_agent(account(&id, email, role, queue)).await.expect("an account");
        }
    }
    keys.try_into().expect("there are two")
}

fn account(site: &SiteId, email: &str, role: Role, queue: &str) -> NewAgent {
    let queue: QueueId = queue.parse().expect("a name");
    NewAgent {
        site: site.clone(),
        email: email.into(),
        name: fresh_id(),
        role,
        capacity: 100,
        queues: vec![queue],
        skills: Skills::default(),
        details: AccountDetails::default(),
        password: Some(PASSWORD.into()),
    }
}
