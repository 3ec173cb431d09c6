//! Between what is stored and what the other roles see.

use frontdesk_core::party::Role;
use frontdesk_core::presence::AgentProfile;
use frontdesk_proto::api::{AgentAccount, AttachmentRecord, QueueConfig, SiteConfig};
use frontdesk_store::desk::{
    AccountKind, StoredAccount, StoredAttachment, StoredQueue, StoredSite,
};

pub(crate) fn site_config(site: StoredSite) -> SiteConfig {
    SiteConfig {
        id: site.id,
        title: site.title,
        key: site.key,
        allowed_origins: site.allowed_origins,
        default_queue: site.default_queue,
        queues: site.queues.into_iter().map(queue_config).collect(),
        routes: site.routes,
        calendars: site.calendars.into_iter().map(|(name, h)| (name, h.into())).collect(),
        away_after_missed: site.away_after_missed,
        bots: site.bots,
        privacy: site.privacy,
    }
}

fn queue_config(queue: StoredQueue) -> QueueConfig {
    QueueConfig {
        id: queue.id,
        priority_minutes: queue.priority_minutes,
        weight: queue.weight,
        offer_timeout: queue.offer_timeout,
        wrap_up: queue.wrap_up,
        rules: queue.rules.into(),
        hours: queue.hours,
        limits: queue.limits,
        answer_within: queue.answer_within,
        alarms: queue.alarms,
        transfer_return: queue.transfer_return,
    }
}

/// Without the password.
pub(crate) fn agent_account(account: StoredAccount) -> AgentAccount {
    let supervisor = account.kind == AccountKind::Supervisor;
    AgentAccount {
        id: account.id,
        site: account.site,
        email: account.email,
        role: if supervisor { Role::Supervisor } else { Role::Agent },
        profile: AgentProfile {
            name: account.name.into(),
            capacity: account.capacity,
            queues: account.queues,
            supervisor,
            skills: account.skills,
            languages: account.details.languages,
            caps: account.details.caps,
        },
        disabled: account.disabled,
        generation: account.generation,
    }
}

pub(crate) fn attachment_record(stored: StoredAttachment) -> AttachmentRecord {
    AttachmentRecord {
        id: stored.id,
        site: stored.site,
        conversation: stored.conversation,
        name: stored.name,
        media_type: stored.media_type,
        size: stored.size,
        created_at: stored.created_at,
    }
}

pub(crate) fn stored_attachment(record: AttachmentRecord) -> StoredAttachment {
    StoredAttachment {
        id: record.id,
        site: record.site,
        conversation: record.conversation,
        name: record.name,
        media_type: record.media_type,
        size: record.size,
        created_at: record.created_at,
    }
}
