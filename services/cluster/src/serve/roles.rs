//! Questions to the roles of this process, one answer each.

use super::{Offer, follow};
use crate::fabric::{
    Call, ClusterQuestion, DeskQuestion, FollowQuestion, PresenceQuestion, Question,
    QueueingQuestion, RoutingQuestion, SessionsQuestion, answer, decode, encode, what_is_asked,
};
use crate::{ClusterView, GroupError, PresenceGroup};
use frontdesk_core::presence::{AgentKey, AgentView};
use frontdesk_proto::api::{ApiError, Desk, PasswordAttempt, Queueing, Routing, Sessions};
use frontdesk_proto::convert::error_to_status;
use frontdesk_proto::internal::Document;
use frontdesk_proto::internal::role_service_server::RoleService;
use std::sync::Arc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

pub(super) struct Roles {
    offer: Offer,
}

impl Roles {
    pub(super) fn new(offer: Offer) -> Self {
        Self { offer }
    }

    async fn answer(&self, question: Question) -> Result<Document, ApiError> {
        match question {
            Question::Presence(question) => presence(here(&self.offer.presence)?, question).await,
            Question::Cluster(ClusterQuestion::Founding) if self.offer.presence.is_none() => {
                encode(&*here(&self.offer.founding)?.borrow())
            }
            Question::Cluster(question) => cluster(here(&self.offer.presence)?, question).await,
            Question::Sessions(question) => {
                sessions(&**here(&self.offer.sessions)?, question).await
            }
            Question::Queueing(question) => {
                queueing(&**here(&self.offer.queueing)?, question).await
            }
            Question::Routing(question) => routing(&**here(&self.offer.routing)?, question).await,
            Question::Desk(question) => desk(&**here(&self.offer.desk)?, question).await,
            Question::About => encode(&here(&self.offer.about)?()),
            Question::FeedDirectly { gateway } => {
                encode(&here(&self.offer.feed_directly)?(gateway))
            }
        }
    }
}

fn here<T>(role: &Option<T>) -> Result<&T, ApiError> {
    role.as_ref().ok_or_else(|| ApiError::Unimplemented("this process has no such role".into()))
}

#[tonic::async_trait]
impl RoleService for Roles {
    type FollowStream = ReceiverStream<Result<Document, Status>>;

    async fn ask(&self, request: Request<Document>) -> Result<Response<Document>, Status> {
        let document = request.get_ref();
        let (role, question) = what_is_asked(&document.json);
        let answered = async {
            let answered = match decode(document) {
                Ok(question) => self.answer(question).await,
                Err(error) => Err(error),
            };
            answered.map_err(|e| error_to_status(&e))
        };
        answer(request.metadata(), Call { name: "role.ask", role, question }, answered).await
    }

    async fn follow(
        &self,
        request: Request<Document>,
    ) -> Result<Response<Self::FollowStream>, Status> {
        let question = decode(request.get_ref()).map_err(|e| error_to_status(&e))?;
        let stream = match question {
            FollowQuestion::Cluster => here(&self.offer.presence).cloned().map(follow::cluster),
            FollowQuestion::Queues => here(&self.offer.queueing).cloned().map(follow::queues),
        };
        let stream = stream.map_err(|e| error_to_status(&e))?;
        Ok(Response::new(ReceiverStream::new(stream)))
    }
}

async fn presence(group: &PresenceGroup, question: PresenceQuestion) -> Result<Document, ApiError> {
    match question {
        PresenceQuestion::Propose { request, action } => {
            encode(&group.propose(request, action).await.map_err(failed)?)
        }
        PresenceQuestion::Agent { site, agent } => {
            let key = AgentKey { site, agent };
            encode(&group.read(|state| state.agent(&key).cloned()).await.map_err(failed)?)
        }
        PresenceQuestion::Agents { site } => {
            let all = group.read(|state| {
                let wanted = |a: &&Arc<AgentView>| site.as_ref().is_none_or(|site| a.site == *site);
                state.agents().filter(wanted).cloned().collect::<Vec<_>>()
            });
            encode(&all.await.map_err(failed)?)
        }
    }
}

async fn cluster(group: &PresenceGroup, question: ClusterQuestion) -> Result<Document, ApiError> {
    match question {
        ClusterQuestion::Heartbeat { node } => {
            encode(&group.heartbeat(&node).await.map_err(failed)?)
        }
        ClusterQuestion::View => {
            let view = group.read(|state| {
                let mut view = ClusterView::default();
                let placement = state.placement().map(|(place, p)| (place, p.clone()));
                view.learn(Some(state.members().cloned().collect()), placement.collect());
                view
            });
            encode(&view.await.map_err(failed)?)
        }
        ClusterQuestion::Status => encode(&group.status()),
        ClusterQuestion::Founding => encode(&group.founding()),
        ClusterQuestion::ChangeVoters(change) => {
            encode(&group.change_voters(change).await.map_err(failed)?)
        }
        ClusterQuestion::VoterAt { address } => {
            let voters = group.status().voters;
            encode(&voters.into_iter().find(|v| v.address == address).map(|v| v.id))
        }
    }
}

async fn sessions(
    sessions: &dyn Sessions,
    question: SessionsQuestion,
) -> Result<Document, ApiError> {
    match question {
        SessionsQuestion::Summary { conversation, who } => {
            encode(&sessions.summary(conversation, who.as_ref()).await?)
        }
        SessionsQuestion::List { site, filter, limit } => {
            encode(&sessions.list(site.as_ref(), filter, limit).await?)
        }
        SessionsQuestion::Records { site, from, limit } => {
            encode(&sessions.records(&site, from, limit).await?)
        }
        SessionsQuestion::Changed { site, from, limit } => {
            encode(&sessions.changed(site.as_ref(), from, limit).await?)
        }
    }
}

async fn queueing(
    queueing: &dyn Queueing,
    question: QueueingQuestion,
) -> Result<Document, ApiError> {
    match question {
        QueueingQuestion::Observe(changed) => encode(&queueing.observe(changed).await?),
        QueueingQuestion::Waiting { queue, limit } => {
            encode(&queueing.waiting(&queue, limit).await?)
        }
        QueueingQuestion::Active => encode(&queueing.active().await?),
        QueueingQuestion::Queues { site } => encode(&queueing.queues(&site).await?),
        QueueingQuestion::Position { site, conversation } => {
            encode(&queueing.position(&site, conversation).await?)
        }
    }
}

async fn routing(routing: &dyn Routing, question: RoutingQuestion) -> Result<Document, ApiError> {
    match question {
        RoutingQuestion::Observe(changed) => encode(&routing.observe(changed).await?),
        RoutingQuestion::Accept { who, conversation, offer } => {
            encode(&routing.accept(&who, conversation, offer).await?)
        }
        RoutingQuestion::Decline { who, conversation, offer, reason } => {
            encode(&routing.decline(&who, conversation, offer, &reason).await?)
        }
        RoutingQuestion::TakeOver { who, conversation } => {
            encode(&routing.take_over(&who, conversation).await?)
        }
        RoutingQuestion::Tell { site, agent, frame } => {
            encode(&routing.tell(&site, agent, frame).await?)
        }
        RoutingQuestion::GuestIn { site, agent } => encode(&routing.guest_in(&site, agent).await?),
        RoutingQuestion::AskedIn { site, agent } => encode(&routing.asked_in(&site, agent).await?),
        RoutingQuestion::Explain { site, conversation } => {
            encode(&routing.explain(&site, conversation).await?)
        }
    }
}

async fn desk(desk: &dyn Desk, question: DeskQuestion) -> Result<Document, ApiError> {
    match question {
        DeskQuestion::SiteByKey { key } => encode(&desk.site_by_key(&key).await?),
        DeskQuestion::Site { site } => encode(&desk.site(&site).await?),
        DeskQuestion::Sites => encode(&desk.sites().await?),
        DeskQuestion::SignIn { site, email, password, from } => {
            let attempt = PasswordAttempt { site, email, password: password.0, from };
            encode(&desk.sign_in(attempt).await?)
        }
        DeskQuestion::SignInVouched(who) => encode(&desk.sign_in_vouched(who).await?),
        DeskQuestion::Apply { dry_run: false, .. } => Err(ApiError::unavailable(
            "the gateway is of an earlier version: it does not say who changes the configuration",
        )),
        DeskQuestion::Apply { site, document, dry_run: true } => {
            encode(&desk.apply(&site, &document, None).await?)
        }
        DeskQuestion::ApplyBy { site, document, by } => {
            encode(&desk.apply(&site, &document, Some(by)).await?)
        }
        DeskQuestion::EndSessions { site, account, by } => {
            encode(&desk.end_sessions(&site, &account, by).await?)
        }
        DeskQuestion::Unbind { site, account, by } => {
            encode(&desk.unbind(&site, &account, by).await?)
        }
        DeskQuestion::Generations { site } => encode(&*desk.generations(&site).await?),
        DeskQuestion::Record(entry) => encode(&desk.record(entry).await?),
        DeskQuestion::Audit(query) => encode(&desk.audit(query).await?),
        DeskQuestion::Agent { site, agent } => encode(&desk.agent(&site, agent).await?),
        DeskQuestion::AddAttachment(record) => encode(&desk.add_attachment(record).await?),
        DeskQuestion::Attachments { site, filter } => {
            encode(&desk.attachments(&site, filter).await?)
        }
        DeskQuestion::RemoveAttachments { site, ids } => {
            encode(&desk.remove_attachments(&site, ids).await?)
        }
        DeskQuestion::Attachment { site, id } => encode(&desk.attachment(&site, id).await?),
    }
}

/// What the group's failures mean to other processes.
fn failed(error: GroupError) -> ApiError {
    match error {
        GroupError::Refused(why) => ApiError::State(why),
        GroupError::Overloaded | GroupError::Deadline(_) | GroupError::Stopped => {
            ApiError::unavailable(format!("presence: {error}"))
        }
        GroupError::Settings(_) | GroupError::Storage(_) | GroupError::Malformed(_) => {
            ApiError::Internal(format!("presence: {error}"))
        }
    }
}
