//! `frontdesk ctl`: looks into a running system through the admin service of a
//! gateway, and moves its parts by way of the voters.

mod accounts;
mod audit;
mod backup;
mod cluster;
mod configure;
mod debug;
mod explain;
mod figures;
mod newcomers;
mod operate;
mod replay;
mod staff;
pub(crate) mod table;
mod visitor;

pub(crate) use cluster::{Link, now};

use crate::chat::screen;
use crate::cli::{AgentsArgs, CtlArgs, CtlCommand, Output};
use crate::link::{self, LinkError};
use crate::settings::SettingsError;
use crate::signin::{self, SignInError, with_deadline};
use frontdesk_cluster::tls::TlsError;
use frontdesk_core::ids::InvalidId;
use frontdesk_proto::api::ApiError;
use frontdesk_proto::v1::admin_service_client::AdminServiceClient;
use frontdesk_proto::v1::{
    AdminListConversationsRequest, Cursor, FollowConversationRequest, GetConversationRequest,
    ListAgentsRequest, ListQueuesRequest, Phase,
};
use frontdesk_store::sqlite::backup::BackupError;
use serde::Serialize;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;
use tonic::{Request, Status};

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CtlError {
    #[error(transparent)]
    SignIn(#[from] SignInError),
    #[error(transparent)]
    Link(#[from] LinkError),
    #[error("{}", .0.message())]
    Refused(#[from] Status),
    #[error("the token cannot be sent")]
    Token,
    #[error("cannot print as JSON: {0}")]
    Json(#[from] serde_json::Error),
    #[error(transparent)]
    Settings(#[from] SettingsError),
    #[error("cluster.tls: {0}")]
    Tls(#[from] TlsError),
    #[error(transparent)]
    Api(#[from] ApiError),
    #[error(transparent)]
    Id(#[from] InvalidId),
    #[error(transparent)]
    Backup(#[from] BackupError),
    #[error("{0}")]
    Usage(String),
    /// There is no data folder to do it with.
    #[error("{0}")]
    Cluster(String),
    #[error("{at}: {source}")]
    Unreachable { at: String, source: std::io::Error },
    #[error("{at} says {said}")]
    Denied { at: String, said: String },
    #[error("{file}: {source}")]
    File { file: String, source: std::io::Error },
    /// The places have been printed.
    #[error("{file} was refused ({problems} problems); nothing was changed")]
    Document { file: String, problems: usize },
}

impl CtlError {
    /// Whether it was asked for in a way that cannot work.
    pub(crate) fn is_usage(&self) -> bool {
        match self {
            Self::Backup(error) => error.is_usage(),
            Self::Cluster(_) => true,
            _ => false,
        }
    }
}

type Admin = AdminServiceClient<InterceptedService<Channel, Bearer>>;

/// Adds the token to every call.
#[derive(Clone)]
struct Bearer(MetadataValue<Ascii>);

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        request.metadata_mut().insert("authorization", self.0.clone());
        Ok(request)
    }
}

/// Runs one command.
pub(crate) async fn run(args: CtlArgs) -> Result<(), CtlError> {
    let command = match args.command {
        CtlCommand::Cluster(command) => {
            return cluster::run(command, args.config, args.output, args.unrecorded).await;
        }
        CtlCommand::Backup(wanted) => {
            return backup::back_up(wanted, args.config, args.output).await;
        }
        CtlCommand::Restore(wanted) => {
            return backup::restore(wanted, args.config, args.output).await;
        }
        CtlCommand::Log(wanted) => return operate::log(wanted, args.output).await,
        CtlCommand::Debug(wanted) => return debug::run(wanted, args.config, args.output).await,
        command => command,
    };
    if let CtlCommand::Staff(wanted) = &command
        && staff::given(wanted, args.output)?.is_some()
    {
        return Ok(());
    }
    let token = signin::staff(&args.target).await?;
    let bearer = format!("Bearer {}", token.token).parse().map_err(|_| CtlError::Token)?;
    let channel = link::endpoint(&args.target)?.connect().await.map_err(LinkError::from)?;
    let admin = AdminServiceClient::with_interceptor(channel, Bearer(bearer));
    let (output, site) = (args.output, args.target.site);
    match command {
        CtlCommand::Cluster(_)
        | CtlCommand::Log(_)
        | CtlCommand::Debug(_)
        | CtlCommand::Backup(_)
        | CtlCommand::Restore(_) => Ok(()),
        CtlCommand::Visitor(command) => visitor::run(admin, output, command).await,
        CtlCommand::Agents(AgentsArgs { command: None }) => agents(admin, output).await,
        CtlCommand::Agents(AgentsArgs { command: Some(command) }) => {
            accounts::run(admin, output, command).await
        }
        CtlCommand::Queues => queues(admin, output).await,
        CtlCommand::Conversations { limit, open } => {
            conversations(admin, output, limit, open).await
        }
        CtlCommand::Show { conversation } => show(admin, output, conversation).await,
        CtlCommand::Follow { conversation, after } => {
            follow(admin, output, conversation, after).await
        }
        CtlCommand::Apply { file, dry_run } => {
            configure::apply(admin, output, &file, dry_run).await
        }
        CtlCommand::Audit(args) => audit::audit(admin, output, args).await,
        CtlCommand::Figures(args) => figures::figures(admin, output, args).await,
        CtlCommand::Staff(args) => staff::measured(admin, output, args).await,
        CtlCommand::Replay(wanted) => replay::replay(admin, output, &site, wanted).await,
        CtlCommand::Route(args) => explain::route(admin, output, args).await,
        CtlCommand::Explain { conversation } => explain::explain(admin, output, conversation).await,
    }
}

pub(crate) fn print_json(value: &impl Serialize) -> Result<(), serde_json::Error> {
    println!("{}", serde_json::to_string_pretty(value)?);
    Ok(())
}

async fn agents(mut admin: Admin, output: Output) -> Result<(), CtlError> {
    let answer = admin.list_agents(with_deadline(ListAgentsRequest {})).await?.into_inner();
    match output {
        Output::Json => print_json(&answer)?,
        Output::Table => table::agents(&answer.agents),
    }
    Ok(())
}

async fn queues(mut admin: Admin, output: Output) -> Result<(), CtlError> {
    let answer = admin.list_queues(with_deadline(ListQueuesRequest {})).await?.into_inner();
    match output {
        Output::Json => print_json(&answer)?,
        Output::Table => table::queues(&answer.queues),
    }
    Ok(())
}

async fn conversations(
    mut admin: Admin,
    output: Output,
    limit: u32,
    open: bool,
) -> Result<(), CtlError> {
    let phases =
        if open { [Phase::Waiting, Phase::Offered, Phase::Assigned].as_slice() } else { &[] };
    let phases = phases.iter().map(|p| i32::from(*p)).collect();
    let ask = AdminListConversationsRequest { limit, phases };
    let answer = admin.list_conversations(with_deadline(ask)).await?.into_inner();
    match output {
        Output::Json => print_json(&answer)?,
        Output::Table => table::conversations(&answer.conversations),
    }
    Ok(())
}

async fn show(mut admin: Admin, output: Output, id: String) -> Result<(), CtlError> {
    let ask = GetConversationRequest { conversation_id: id };
    let answer = admin.get_conversation(with_deadline(ask)).await?.into_inner();
    match output {
        Output::Json => print_json(&answer)?,
        Output::Table => {
            table::conversations(answer.conversation.as_slice());
            for event in answer.events.iter().filter_map(|p| p.event.as_ref()) {
                println!("{}", screen::line(event, ""));
            }
        }
    }
    Ok(())
}

async fn follow(mut admin: Admin, output: Output, id: String, after: u32) -> Result<(), CtlError> {
    let cursor = Cursor { conversation_id: id, seq: after };
    // No deadline: it runs until it is interrupted; keep-alive finds a dead peer.
    let ask = FollowConversationRequest { cursor: Some(cursor) };
    let mut events = admin.follow_conversation(ask).await?.into_inner();
    while let Some(push) = events.message().await? {
        match (output, &push.event) {
            (Output::Json, _) => println!("{}", serde_json::to_string(&push)?),
            (Output::Table, Some(event)) => println!("{}", screen::line(event, "")),
            (Output::Table, None) => {}
        }
    }
    Ok(())
}
