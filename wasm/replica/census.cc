#include "replica/census.h"

#include <algorithm>
#include <cstddef>

namespace tabmesh {

namespace {
// More tabs of one app than anybody opens; a hostile page must not fill memory with made-up ones.
constexpr size_t kPeersMax = 1024;
}  // namespace

Peer* Census::Find(const InstanceId& id) {
  for (Peer& peer : peers_) {
    if (peer.id == id) return &peer;
  }
  return nullptr;
}

bool Census::Update(const Presence& presence, uint64_t now_ms) {
  Peer* peer = Find(presence.from);
  const bool is_new = peer == nullptr;
  if (is_new) {
    if (peers_.size() == kPeersMax) {
      peers_.erase(std::min_element(peers_.begin(), peers_.end(), [](const Peer& a, const Peer& b) {
        return a.last_seen_ms < b.last_seen_ms;
      }));
    }
    peer = &peers_.emplace_back();
    peer->id = presence.from;
  }
  const bool changed = is_new || peer->visible != presence.visible || peer->label != presence.label;
  peer->visible = presence.visible;
  peer->stores_nothing = presence.stores_nothing;
  peer->label = presence.label;
  peer->connected_at_ms = presence.connected_at_ms;
  peer->last_seen_ms = now_ms;
  return changed;
}

void Census::Seen(const InstanceId& id, uint64_t now_ms) {
  if (Peer* peer = Find(id)) peer->last_seen_ms = now_ms;
}

bool Census::Remove(const InstanceId& id) {
  const auto old_size = peers_.size();
  peers_.erase(std::remove_if(peers_.begin(), peers_.end(), [&](const Peer& peer) { return peer.id == id; }),
               peers_.end());
  return peers_.size() != old_size;
}

bool Census::HeardSince(uint64_t then_ms) const {
  return std::any_of(peers_.begin(), peers_.end(),
                     [then_ms](const Peer& peer) { return peer.last_seen_ms >= then_ms; });
}

}  // namespace tabmesh
