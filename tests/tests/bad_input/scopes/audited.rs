//! What of all that can be asked or done stands in the audit log: a decision for each verb
//! of the protocol, each call, route and question to the desk, and each `frontdesk ctl`
//! command. One without a decision does not compile, or fails here; and what supervisors
//! do to others' conversations is tried.

use super::world::World;
use super::{Cell, Place, Who, calls, routes, rules, samples};
use frontdesk_cluster::DeskQuestion;
use frontdesk_proto::v1::admin_service_client::AdminServiceClient;
use frontdesk_proto::v1::client_frame::Request;
use frontdesk_proto::v1::{AgentStatus, LeaveConversation, ListAuditRequest};
use frontdesk_tests::binary;
use frontdesk_tests::wire::fresh_id;
use serde_json::Value;
use std::process::Command;
use tonic::transport::Channel;

/// What is decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Audit {
    /// Written down as this, unless it concerns nothing but the caller's own.
    As(&'static str),
    /// Not, for this reason.
    Not(&'static str),
}

use Audit::{As, Not};

const OVERVIEW: Audit = Not("counts, names and states: nothing of what was said");
const OWN: Audit = Not("one's own work, which stands in the conversation");
const OF_VISITORS: Audit = Not("a visitor's");
const NOTHING: Audit = Not("changes nothing and tells nothing of anybody");
/// Taking part takes joining or taking over, each of which is written down.
const TAKES_PART: Audit = Not("only for those who take part");

fn of_verb(request: &Request) -> Audit {
    match request {
        Request::Hello(_) | Request::RefreshToken(_) | Request::Pong(_) => NOTHING,
        Request::Start(_) | Request::Rate(_) | Request::Reopen(_) | Request::LeaveContact(_) => {
            OF_VISITORS
        }
        Request::Send(_) | Request::Typing(_) | Request::MarkRead(_) | Request::Transfer(_) => {
            TAKES_PART
        }
        Request::Close(_) => As("close"),
        Request::Subscribe(_) => As("watch"),
        Request::GetHistory(_) => As("read"),
        Request::Unsubscribe(_) => NOTHING,
        Request::ListConversations(_) | Request::SetStatus(_) => OWN,
        Request::AcceptOffer(_) | Request::DeclineOffer(_) => OWN,
        Request::AddNote(_) => As("note"),
        Request::SetTags(_) => As("set_tags"),
        Request::ListTeam(_) | Request::WatchBoard(_) => OVERVIEW,
        Request::Invite(_) => As("invite"),
        Request::Join(_) => As("join"),
        Request::Leave(_) => As("dismiss"),
        Request::Whisper(_) => As("whisper"),
        Request::TakeOver(_) => As("take_over"),
        Request::ForceRelease(_) => As("force_release"),
        Request::SetPriority(_) => As("set_priority"),
    }
}

const CALLS: [(&str, Audit); 18] = [
    ("AdminService/ApplyConfiguration", As("apply")),
    ("AdminService/EndSessions", As("end_sessions")),
    ("AdminService/EraseVisitor", As("erase_visitor")),
    ("AdminService/ExplainConversation", OVERVIEW),
    ("AdminService/ExplainRoute", NOTHING),
    ("AdminService/ExportVisitor", As("export_visitor")),
    ("AdminService/FollowConversation", As("watch")),
    ("AdminService/GetConversation", As("read")),
    ("AdminService/GetFigures", OVERVIEW),
    ("AdminService/ListAgents", OVERVIEW),
    ("AdminService/ListAudit", Not("reading the log changes nothing, and would fill it")),
    ("AdminService/ListConversations", OVERVIEW),
    ("AdminService/ListQueues", OVERVIEW),
    ("AdminService/RecordedArrivals", As("read_arrivals")),
    ("AdminService/UnbindAccount", As("unbind")),
    ("AuthService/IssueVisitorToken", OF_VISITORS),
    ("AuthService/SignIn", As("sign_in")),
    ("ChatService/Chat", Not("its verbs have decisions of their own")),
];

const ROUTES: [(&str, Audit); 23] = [
    ("GET /", NOTHING),
    ("GET /auth/methods", NOTHING),
    ("GET /auth/oidc/callback", As("sign_in")),
    ("GET /auth/oidc/start", NOTHING),
    ("GET /console/", NOTHING),
    ("GET /console/{path}", NOTHING),
    ("GET /demo/", NOTHING),
    ("GET /demo/config.json", NOTHING),
    ("GET /demo/{path}", NOTHING),
    ("GET /livez", NOTHING),
    ("GET /metrics", OVERVIEW),
    ("GET /openapi.json", NOTHING),
    ("GET /readyz", NOTHING),
    ("GET /supervisor/", NOTHING),
    ("GET /supervisor/{path}", NOTHING),
    ("GET /v1/attachments/{id}", As("read")),
    ("GET /v1/conversations/{id}/transcript", As("read")),
    ("GET /v1/ws", Not("its verbs have decisions of their own")),
    ("GET /widget/{path}", NOTHING),
    ("POST /auth/oidc/token", Not("whoever is let in is written down at the callback")),
    ("POST /v1/agent/sign-in", As("sign_in")),
    ("POST /v1/conversations/{id}/attachments", TAKES_PART),
    ("POST /v1/visitor/token", OF_VISITORS),
];

/// The operator's and supervisors' commands, as they are typed.
const COMMANDS: [(&str, Audit); 33] = [
    ("agents", OVERVIEW),
    ("agents revoke", As("end_sessions")),
    ("agents unbind", As("unbind")),
    ("apply", As("apply")),
    ("audit", Not("reading the log changes nothing, and would fill it")),
    ("audit export", Not("reading the log changes nothing, and would fill it")),
    ("backup", Not("copies files of this machine: whoever may is its operator")),
    ("conversations", OVERVIEW),
    ("debug", OVERVIEW),
    ("drain", As("drain")),
    ("explain", OVERVIEW),
    ("figures", OVERVIEW),
    ("follow", As("watch")),
    ("log", Not("of one process, which logs it; no site's")),
    ("move", As("move")),
    ("nodes", OVERVIEW),
    ("placement", OVERVIEW),
    ("queues", OVERVIEW),
    ("raft add", As("raft")),
    ("raft fit", As("raft")),
    ("raft promote", As("raft")),
    ("raft remove", As("raft")),
    ("raft status", OVERVIEW),
    ("raft transfer", As("raft")),
    ("replay", As("read_arrivals")),
    ("reservations", OVERVIEW),
    ("restore", Not("makes a new folder of a backup")),
    ("route", NOTHING),
    ("show", As("read")),
    ("staff", OVERVIEW),
    ("visitor erase", As("erase_visitor")),
    ("visitor export", As("export_visitor")),
    ("where", OVERVIEW),
];

/// A question that changes something needs somebody who asks. Compiled only: here a new
/// one gets its decision.
fn of_question(question: &DeskQuestion) -> Audit {
    match question {
        DeskQuestion::SiteByKey { .. }
        | DeskQuestion::Site { .. }
        | DeskQuestion::Sites
        | DeskQuestion::Agent { .. }
        | DeskQuestion::Generations { .. } => NOTHING,
        DeskQuestion::SignIn { .. } | DeskQuestion::SignInVouched(_) => As("sign_in"),
        DeskQuestion::Apply { .. } => Not("only says what it would change"),
        DeskQuestion::ApplyBy { .. } => As("apply"),
        DeskQuestion::EndSessions { .. } => As("end_sessions"),
        DeskQuestion::Unbind { .. } => As("unbind"),
        DeskQuestion::Record(_) | DeskQuestion::Audit(_) => Not("is the log itself"),
        DeskQuestion::AddAttachment(_)
        | DeskQuestion::Attachments { .. }
        | DeskQuestion::RemoveAttachments { .. }
        | DeskQuestion::Attachment { .. } => Not("the gateway writes down what it is for"),
    }
}

fn sorted(names: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut names: Vec<String> = names.into_iter().collect();
    names.sort();
    names
}

#[test]
fn every_call_and_command_has_a_decision_about_the_audit_log() {
    assert_eq!(sorted(calls::of_schema()), CALLS.map(|(name, _)| name));
    assert_eq!(sorted(commands("")), COMMANDS.map(|(name, _)| name));
    assert_eq!(of_question(&DeskQuestion::Sites), NOTHING);
    for audit in CALLS.iter().chain(&ROUTES).chain(&COMMANDS).map(|(_, audit)| audit) {
        let (As(word) | Not(word)) = audit;
        assert!(!word.is_empty());
    }
}

/// Those below one, as its help lists them; itself where it can be run without any.
fn commands(of: &str) -> Vec<String> {
    let mut command = Command::new(binary::frontdesk());
    let help = command.arg("ctl").args(of.split_whitespace()).arg("--help").output();
    let help = String::from_utf8(help.expect("the binary runs").stdout).expect("UTF-8");
    let listed = help.split_once("\nCommands:\n").map_or("", |(_, rest)| rest);
    let lines = listed.lines().take_while(|line| !line.is_empty());
    // What continues an explanation is further to the right.
    let named = lines.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let names = named.filter_map(|line| line.split_whitespace().next());
    let below: Vec<String> = names
        .filter(|name| *name != "help")
        .flat_map(|name| commands(format!("{of} {name}").trim()))
        .collect();
    let alone = help.lines().any(|line| line.starts_with("Usage:") && line.contains("[COMMAND]"));
    if below.is_empty() || alone {
        return [vec![of.to_owned()], below].concat();
    }
    below
}

/// What has been added to a site's log since.
struct Log {
    admin: AdminServiceClient<Channel>,
    token: String,
    known: Vec<String>,
}

impl Log {
    async fn of(world: &World) -> Self {
        let url = world.server.url().to_owned();
        let admin = AdminServiceClient::connect(url).await.expect("connects");
        let token = world.token(Who::Supervisor, Place::Other).to_owned();
        let mut log = Self { admin, token, known: Vec::new() };
        log.news().await;
        log
    }

    async fn news(&mut self) -> Vec<String> {
        let ask = calls::with(&self.token, ListAuditRequest::default());
        let answer = self.admin.list_audit(ask).await.expect("a supervisor may read it");
        let records = answer.into_inner().records;
        let new = records.iter().filter(|record| !self.known.contains(&record.id));
        let acts = new.map(|record| record.act.clone()).rev().collect();
        self.known = records.into_iter().map(|record| record.id).collect();
        acts
    }
}

fn expected(audit: Audit) -> Vec<&'static str> {
    match audit {
        As(act) => vec![act],
        Not(_) => vec![],
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_supervisor_does_to_others_conversations_is_written_down() {
    let (who, place) = (Who::Supervisor, Place::Other);
    let mut world = World::start().await;
    // Only who is there can be invited.
    world.wire(Who::Agent, Place::Other).await.status(AgentStatus::Busy).await;
    let mut log = Log::of(&world).await;
    let mut wrong = Vec::new();
    let mut check = |what: &str, seen: Vec<String>, audit: Audit| {
        if seen != expected(audit) {
            wrong.push(format!("{what}: {seen:?}, not {audit:?}"));
        }
    };
    for n in 0..samples("", "").len() {
        let id = world.conversation(who, place).await;
        let mut request = samples(&id, &world.colleague)[n].clone();
        if let Request::Leave(leave) = &mut request {
            // Of oneself it is none.
            *leave = LeaveConversation { agent_id: fresh_id(), ..leave.clone() };
        }
        if let Request::Pong(_) = request {
            continue;
        }
        let (verb, rule) = rules::rule(&request);
        let audit = match rule.cell(who, place) {
            Cell::May => of_verb(&request),
            Cell::Denied | Cell::Absent => NOTHING,
        };
        log.news().await;
        // Whether it was refused for another reason is not what is asked here.
        let _ = world.wire(who, place).await.request(request.clone()).await;
        check(verb, log.news().await, audit);
        if rules::spends(&request) {
            world.spend(who, place);
        }
    }
    let id = world.conversation(who, place).await;
    let token = world.token(who, place).to_owned();
    let mut admin = log.admin.clone();
    for (name, audit) in CALLS {
        // What is done to people who are not there is not done.
        if !name.starts_with("AdminService/") || calls::is_about_people(name) {
            continue;
        }
        // As it is tried there, a configuration is only looked at.
        let audit = if name.ends_with("ApplyConfiguration") { NOTHING } else { audit };
        let answer = calls::call(&mut admin, name, &token, &id).await;
        check(name, log.news().await, audit);
        drop(answer);
    }
    let described: Value = world.server.http().get("/openapi.json").await.expect_ok().json();
    assert_eq!(routes::of(&described), ROUTES.map(|(route, _)| route));
    let file = routes::file(&mut world, who, place).await;
    log.news().await;
    for (route, audit) in ROUTES {
        if !route.contains("{id}") {
            continue;
        }
        let about = if route.contains("/v1/attachments/") { &file } else { &id };
        routes::call(&world, route, &token, about).await;
        check(route, log.news().await, audit);
    }
    assert!(wrong.is_empty(), "{}:\n  {}", wrong.len(), wrong.join("\n  "));
}
