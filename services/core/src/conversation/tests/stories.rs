//! Whatever anyone may send, in whatever order.

use super::*;
use crate::ids::Seq;
use proptest::prelude::*;

pub(super) const STRANGER: u128 = 99;

fn origins() -> impl Strategy<Value = Origin> {
    prop_oneof![
        6 => Just(visitor()),
        5 => Just(agent(ANN)),
        3 => Just(agent(BOB)),
        2 => Just(supervisor()),
        9 => Just(Origin::System),
        1 => Just(agent(STRANGER)),
        2 => (200..250u128).prop_map(agent),
        1 => Just(Origin::Client(principal(SITE, Role::Visitor, STRANGER))),
        1 => Just(Origin::Client(principal("other", Role::Visitor, VISITOR))),
        1 => Just(Origin::Client(principal("other", Role::Supervisor, SUE))),
    ]
}

fn targets() -> impl Strategy<Value = TransferTarget> {
    prop_oneof![
        Just(TransferTarget::Queue(queue("sales"))),
        Just(TransferTarget::Queue(queue("support"))),
        Just(TransferTarget::Agent(named(ANN))),
        Just(TransferTarget::Agent(named(BOB))),
        Just(TransferTarget::Skill(skills(&[("tax", 3)]))),
    ]
}

fn outcomes() -> impl Strategy<Value = OfferOutcome> {
    use OfferOutcome::{Declined, Expired, Withdrawn};
    prop_oneof![Just(Declined), Just(Expired), Just(Withdrawn)]
}

fn commands() -> impl Strategy<Value = Command> {
    let staff = || prop_oneof![3 => Just(ANN), 2 => Just(BOB), 1 => Just(STRANGER)];
    prop_oneof![
        1 => Just(start()),
        8 => (0..60u8, "[a-z]{0,4}").prop_map(|(id, text)| send(&format!("m{id}"), &text)),
        2 => (0..60u8).prop_map(|id| note(&format!("m{id}"))),
        2 => (0..40u32).prop_map(|seq| Command::MarkRead { seq: Seq::new(seq) }),
        1 => any::<bool>().prop_map(|typing| Command::Typing { typing }),
        2 => Just(Command::Close),
        2 => Just(Command::Reopen),
        1 => (0..7u8, "[a-z]{0,2}")
            .prop_map(|(score, c)| Command::Rate { score, comment: Arc::from(c) }),
        4 => (targets(), any::<bool>()).prop_map(|(to, warm)| if warm { warmly(to) } else { transfer(to) }),
        1 => prop::collection::vec("[a-c]{0,1}", 0..4)
            .prop_map(|tags| Command::SetTags { tags: tags.into_iter().map(Arc::from).collect() }),
        8 => (1..5u128, staff(), 0..60u64)
            .prop_map(|(id, to, until)| offer(id, to, at(1_000 + until))),
        8 => (1..5u128, staff()).prop_map(|(id, by)| accept(id, by)),
        2 => (1..5u128, outcomes()).prop_map(|(id, how)| end_offer(id, how)),
        2 => colleagues().prop_map(|id| Command::AgentLost { agent: agent_id(id) }),
        3 => unserved(),
        8 => of_company(),
        6 => of_supervisors(),
        4 => alarms::any(),
        2 => "[a-z]{0,1}@?[a-z]{0,1}".prop_map(|email| contact(&email)),
    ]
}

/// Agents enough to fill every list.
fn colleagues() -> impl Strategy<Value = u128> {
    prop_oneof![2 => Just(ANN), 2 => Just(BOB), 1 => Just(STRANGER), 4 => 200..250u128]
}

fn of_company() -> impl Strategy<Value = Command> {
    prop_oneof![
        3 => colleagues().prop_map(invite),
        3 => Just(Command::Join),
        2 => prop::option::of(colleagues()).prop_map(leave),
        2 => (0..60u8, prop::collection::vec(colleagues(), 0..4))
            .prop_map(|(id, whom)| mentioning(&format!("m{id}"), &whom)),
    ]
}

fn of_supervisors() -> impl Strategy<Value = Command> {
    prop_oneof![
        (0..60u8).prop_map(|id| whisper(&format!("m{id}"))),
        Just(take_over()),
        prop::option::of(colleagues())
            .prop_map(|from| Command::ForceRelease { agent: from.map(agent_id) }),
        (-1_500..1_500i32).prop_map(|minutes| Command::SetPriority { minutes }),
    ]
}

fn unserved() -> impl Strategy<Value = Command> {
    use Unserved::{OutOfHours, QueueFull, WaitedTooLong};
    let queues = || prop_oneof![Just(queue("sales")), Just(queue("support"))];
    let why = prop_oneof![Just(OutOfHours), Just(QueueFull), Just(WaitedTooLong)];
    let instead = prop_oneof![
        queues().prop_map(Instead::Queue),
        Just(Instead::Form),
        Just(Instead::Callback)
    ];
    (queues(), why, instead).prop_map(|(queue, why, instead)| Command::Unserved {
        queue,
        why,
        instead,
        opens_at: None,
    })
}

pub(super) type Told = (Origin, Command, u64);

/// Commands with times that jump back and forth over a minute.
pub(super) fn stories() -> impl Strategy<Value = Vec<Told>> {
    prop::collection::vec((origins(), commands(), 0..60u64), 0..120)
}
