//! Every call of every public service.

use super::world::World;
use super::{CALLERS, Place, Who};
use frontdesk_proto::DESCRIPTORS;
use frontdesk_proto::v1::admin_service_client::AdminServiceClient;
use frontdesk_proto::v1::{
    AdminListConversationsRequest, ApplyConfigurationRequest, Cursor, EndSessionsRequest,
    EraseVisitorRequest, ExplainConversationRequest, ExplainRouteRequest, ExportVisitorRequest,
    FollowConversationRequest, GetConversationRequest, GetFiguresRequest, ListAgentsRequest,
    ListAuditRequest, ListQueuesRequest, RecordedArrivalsRequest, UnbindAccountRequest,
};
use frontdesk_tests::wire::fresh_id;
use prost::Message as _;
use prost_types::FileDescriptorSet;
use std::collections::BTreeMap;
use tonic::transport::Channel;
use tonic::{Code, Request, Status};

/// Who may call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rule {
    /// Whoever knows a site's public key, or a password.
    Anybody,
    /// With a token in Hello; what then may be asked is the other table's.
    Hello,
    /// Supervisors, of their own site.
    Site,
    /// The same, about one conversation.
    Conversation,
    /// The same, about an account or a visitor: here about none.
    Person,
}

const RULES: [(&str, Rule); 18] = [
    ("AuthService/IssueVisitorToken", Rule::Anybody),
    ("AuthService/SignIn", Rule::Anybody),
    ("ChatService/Chat", Rule::Hello),
    ("AdminService/ListAgents", Rule::Site),
    ("AdminService/ListQueues", Rule::Site),
    ("AdminService/ListConversations", Rule::Site),
    ("AdminService/GetConversation", Rule::Conversation),
    ("AdminService/FollowConversation", Rule::Conversation),
    ("AdminService/ApplyConfiguration", Rule::Site),
    ("AdminService/ExplainConversation", Rule::Conversation),
    ("AdminService/ExplainRoute", Rule::Site),
    ("AdminService/GetFigures", Rule::Site),
    ("AdminService/ListAudit", Rule::Site),
    ("AdminService/RecordedArrivals", Rule::Site),
    ("AdminService/EndSessions", Rule::Person),
    ("AdminService/UnbindAccount", Rule::Person),
    ("AdminService/ExportVisitor", Rule::Person),
    ("AdminService/EraseVisitor", Rule::Person),
];

/// The calls that there are.
pub(super) fn of_schema() -> Vec<String> {
    let schema = FileDescriptorSet::decode(DESCRIPTORS).expect("the schema");
    let public = schema.file.iter().filter(|file| file.package() == "frontdesk.v1");
    let calls = public.flat_map(|file| &file.service).flat_map(|service| {
        service.method.iter().map(|method| format!("{}/{}", service.name(), method.name()))
    });
    calls.collect()
}

/// Whether a call is about an account or a visitor.
pub(super) fn is_about_people(name: &str) -> bool {
    RULES.contains(&(name, Rule::Person))
}

#[test]
fn every_call_of_the_schema_has_a_rule() {
    let mut calls = of_schema();
    let mut known: Vec<&str> = RULES.iter().map(|(name, _)| *name).collect();
    calls.sort();
    known.sort_unstable();
    assert_eq!(calls, known);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_call_does_what_the_table_says() {
    let mut world = World::start().await;
    let mut admin =
        AdminServiceClient::connect(world.server.url().to_owned()).await.expect("connects");
    let rules: BTreeMap<&str, Rule> = RULES.into_iter().collect();
    let mut wrong = Vec::new();
    for (name, rule) in rules {
        let about_one = match rule {
            Rule::Anybody | Rule::Hello => continue,
            Rule::Site | Rule::Person => false,
            Rule::Conversation => true,
        };
        let mut check = |who: &str, answer: Result<(), Status>, expected: Code| {
            let seen = match answer.map_or_else(|status| status.code(), |()| Code::Ok) {
                // Refused for another reason than who asks.
                Code::InvalidArgument => Code::Ok,
                other => other,
            };
            if seen != expected {
                wrong.push(format!("{name} {who}: {seen:?}, not {expected:?}"));
            }
        };
        for token in ["", "nonsense"] {
            let answer = call(&mut admin, name, token, &fresh_id()).await;
            check("nobody", answer, Code::Unauthenticated);
        }
        for (who, place) in CALLERS {
            let id = world.conversation(who, place).await;
            let token = world.token(who, place).to_owned();
            let expected = match (who, place) {
                (Who::Visitor | Who::Agent, _) => Code::PermissionDenied,
                (Who::Supervisor, Place::Elsewhere) if about_one => Code::NotFound,
                (Who::Supervisor, _) if rule == Rule::Person => Code::NotFound,
                (Who::Supervisor, _) => Code::Ok,
            };
            let answer = call(&mut admin, name, &token, &id).await;
            if expected == Code::NotFound {
                let none = fresh_id();
                let said = |answer: Result<(), Status>, id: &str| {
                    answer.map_err(|status| status.message().replace(id, "ID"))
                };
                let about_none = call(&mut admin, name, &token, &none).await;
                assert_eq!(said(answer.clone(), &id), said(about_none, &none), "{name}");
            }
            check(&format!("{who:?} {place:?}"), answer, expected);
        }
    }
    assert!(wrong.is_empty(), "{}:\n  {}", wrong.len(), wrong.join("\n  "));
}

pub(super) async fn call(
    admin: &mut AdminServiceClient<Channel>,
    name: &str,
    token: &str,
    conversation: &str,
) -> Result<(), Status> {
    let id = || conversation.to_owned();
    match name.strip_prefix("AdminService/").unwrap_or(name) {
        "ListAgents" => drop(admin.list_agents(with(token, ListAgentsRequest {})).await?),
        "ListQueues" => drop(admin.list_queues(with(token, ListQueuesRequest {})).await?),
        "ListConversations" => {
            let ask = AdminListConversationsRequest::default();
            drop(admin.list_conversations(with(token, ask)).await?);
        }
        "GetConversation" => {
            let ask = GetConversationRequest { conversation_id: id() };
            drop(admin.get_conversation(with(token, ask)).await?);
        }
        "FollowConversation" => {
            let cursor = Some(Cursor { conversation_id: id(), seq: 0 });
            let ask = FollowConversationRequest { cursor };
            drop(admin.follow_conversation(with(token, ask)).await?);
        }
        "ApplyConfiguration" => {
            let ask = ApplyConfigurationRequest { document: String::new(), dry_run: true };
            drop(admin.apply_configuration(with(token, ask)).await?);
        }
        "ExplainConversation" => {
            let ask = ExplainConversationRequest { conversation_id: id() };
            drop(admin.explain_conversation(with(token, ask)).await?);
        }
        "ExplainRoute" => {
            drop(admin.explain_route(with(token, ExplainRouteRequest::default())).await?);
        }
        "GetFigures" => drop(admin.get_figures(with(token, GetFiguresRequest::default())).await?),
        "ListAudit" => drop(admin.list_audit(with(token, ListAuditRequest::default())).await?),
        "EndSessions" => {
            let ask = EndSessionsRequest { account: fresh_id() };
            drop(admin.end_sessions(with(token, ask)).await?);
        }
        "UnbindAccount" => {
            let ask = UnbindAccountRequest { account: fresh_id() };
            drop(admin.unbind_account(with(token, ask)).await?);
        }
        "ExportVisitor" => {
            let ask = ExportVisitorRequest { visitor: fresh_id() };
            drop(admin.export_visitor(with(token, ask)).await?.into_inner().message().await?);
        }
        "EraseVisitor" => {
            let ask = EraseVisitorRequest { visitor: fresh_id(), dry_run: false };
            drop(admin.erase_visitor(with(token, ask)).await?);
        }
        "RecordedArrivals" => {
            let ask = RecordedArrivalsRequest::default();
            drop(admin.recorded_arrivals(with(token, ask)).await?);
        }
        other => panic!("nobody knows how to call {other}"),
    }
    Ok(())
}

pub(super) fn with<T>(token: &str, ask: T) -> Request<T> {
    let mut call = Request::new(ask);
    if !token.is_empty() {
        let bearer = format!("Bearer {token}").parse().expect("a header");
        call.metadata_mut().insert("authorization", bearer);
    }
    call
}
