// Replica: who is here, who leads, and the page's life.
#include <utility>

#include "base/limits.h"
#include "replica/replica.h"

namespace tabmesh {

Status Replica::ReceivePresence(const Frame& frame, uint64_t now_ms) {
  Presence presence;
  if (const Status status = DecodePresence(frame, &presence); status != Status::kOk) return status;
  election_.Observe(presence.term, presence.leads && !presence.leaves, presence.from, &actions_);
  const bool changed = presence.leaves ? census_.Remove(presence.from) : census_.Update(presence, now_ms);
  if (changed) Actions::Event(&actions_, "tabs");
  if (presence.leaves) {
    if (changed) Actions::Event(&actions_, "catch-up");
    return Status::kOk;
  }
  if (presence.asks) SendPresence(/*leaves=*/false, /*asks=*/false);
  if (anti_entropy_.joining() && !anti_entropy_.asking()) Pull(Respondent(), now_ms);
  return Status::kOk;
}

void Replica::SetVisible(bool visible, uint64_t now_ms) {
  Begin(now_ms);
  if (visible == visible_) return;
  visible_ = visible;
  if (!suspended_) {
    SendPresence(/*leaves=*/false, /*asks=*/false);
    if (visible && !census_.peers().empty()) Pull(Respondent(), now_ms);
  }
  EndCall(/*local=*/false);
}

void Replica::SetStores(bool stores, uint64_t now_ms) {
  Begin(now_ms);
  if (stores == options_.stores) return;
  options_.stores = stores;
  if (!suspended_) SendPresence(/*leaves=*/false, /*asks=*/false);
  EndCall(/*local=*/false);
}

void Replica::Suspend(uint64_t now_ms) {
  Begin(now_ms);
  if (!suspended_) {
    election_.Stop(&actions_);
    SendPresence(/*leaves=*/true, /*asks=*/false);
    suspended_ = true;
  }
  EndCall(/*local=*/false);
}

void Replica::Resume(uint64_t now_ms) {
  Begin(now_ms);
  if (suspended_) {
    suspended_ = false;
    anti_entropy_.Answered();  // whatever was asked before, the answer is lost
    SendPresence(/*leaves=*/false, /*asks=*/true);
    if (options_.may_lead) election_.Start(&actions_);
  }
  if (!census_.peers().empty()) Pull(Respondent(), now_ms);
  EndCall(/*local=*/false);
}

void Replica::Destroy(uint64_t now_ms) {
  Begin(now_ms);
  Buffer frame;
  writer_.Begin(FrameKind::kDestroy, &frame);
  frame.Append(options_.instance.view());
  FrameWriter::End(0, &frame);
  Send(std::move(frame));
  EndCall(/*local=*/false);
}

void Replica::RetainPeers(std::string_view alive_ids, uint64_t now_ms) {
  Begin(now_ms);
  std::vector<InstanceId> gone;
  for (const Peer& peer : census_.peers()) {
    bool alive = false;
    for (size_t at = 0; at + InstanceId::kBytes <= alive_ids.size(); at += InstanceId::kBytes) {
      alive |= alive_ids.substr(at, InstanceId::kBytes) == peer.id.view();
    }
    if (!alive) gone.push_back(peer.id);
  }
  for (const InstanceId& id : gone) {
    census_.Remove(id);
    election_.Gone(id);
  }
  if (!gone.empty()) {
    Actions::Event(&actions_, "tabs");
    // What the dead wrote last may have reached the journal and nobody else.
    Actions::Event(&actions_, "catch-up");
  }
  EndCall(/*local=*/false);
}

void Replica::LockHeldBy(std::string_view holder, uint64_t now_ms) {
  Begin(now_ms);
  const bool waits = !suspended_ && election_.role() == Election::Role::kFollower;
  if (waits && suspicion_.HeldBy(holder, now_ms)) election_.Rob(&actions_);
  EndCall(/*local=*/false);
}

void Replica::CheckHolder(uint64_t now_ms) {
  switch (suspicion_.Check(now_ms)) {
    case Suspicion::Step::kAsk:
      SendHello(suspicion_.holder(), /*asks=*/true);
      break;
    case Suspicion::Step::kKnock:
      Actions::Event(&actions_, "knock").Id("id", suspicion_.holder().view());
      break;
    case Suspicion::Step::kNone:
      break;
  }
}

void Replica::Announce(uint64_t now_ms) {
  Begin(now_ms);
  if (!suspended_) SendPresence(/*leaves=*/false, /*asks=*/false);
  EndCall(/*local=*/false);
}

void Replica::TakeLead(uint64_t now_ms) {
  Begin(now_ms);
  election_.Rob(&actions_);
  EndCall(/*local=*/false);
}

void Replica::LockGranted(uint64_t now_ms) {
  Begin(now_ms);
  election_.LockGranted(&actions_);
  EndCall(/*local=*/false);
}

void Replica::LockLost(uint64_t now_ms) {
  Begin(now_ms);
  election_.LockLost(&actions_);
  if (!suspended_) SendPresence(/*leaves=*/false, /*asks=*/false);
  EndCall(/*local=*/false);
}

void Replica::TermClaimed(uint64_t term, uint64_t now_ms) {
  Begin(now_ms);
  election_.TermClaimed(term, options_.instance, &actions_);
  if (!suspended_) SendPresence(/*leaves=*/false, /*asks=*/false);
  EndCall(/*local=*/false);
}

void Replica::ClaimFailed(uint64_t now_ms) {
  Begin(now_ms);
  election_.ClaimFailed(&actions_);
  EndCall(/*local=*/false);
}

void Replica::SendPresence(bool leaves, bool asks) {
  Presence presence;
  presence.from = options_.instance;
  presence.visible = visible_;
  presence.leads = election_.leads();
  presence.leaves = leaves;
  presence.asks = asks;
  presence.stores_nothing = !options_.stores;
  presence.term = election_.term();
  presence.connected_at_ms = options_.connected_at_ms;
  presence.label = std::string_view(options_.label).substr(0, kLabelBytesMax);
  Buffer frame;
  writer_.Begin(FrameKind::kPresence, &frame);
  EncodePresence(presence, &frame);
  FrameWriter::End(0, &frame);
  Send(std::move(frame));
}

void Replica::ReportLeader() {
  if (election_.leader() == reported_leader_ && election_.term() == reported_term_) return;
  reported_leader_ = election_.leader();
  reported_term_ = election_.term();
  Actions::Event event(&actions_, "leader");
  event.Number("term", reported_term_).Number("self", election_.leads() ? 1 : 0);
  if (!reported_leader_.IsZero()) event.Id("id", reported_leader_.view());
}

void Replica::PrintPeers(Buffer* out) const {
  out->AppendByte('[');
  for (const Peer& peer : census_.peers()) {
    if (&peer != &census_.peers().front()) out->AppendByte(',');
    out->Append("{\"id\":\"");
    PrintHex(peer.id.view(), out);
    out->Append("\",\"label\":");
    PrintString(peer.label, out);
    out->Append(peer.visible ? ",\"visible\":true" : ",\"visible\":false");
    out->Append(",\"connectedAt\":");
    PrintNumber(peer.connected_at_ms, out);
    out->Append(",\"lastSeen\":");
    PrintNumber(peer.last_seen_ms, out);
    out->AppendByte('}');
  }
  out->AppendByte(']');
}

}  // namespace tabmesh
