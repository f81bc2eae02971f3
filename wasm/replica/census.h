// Who else is here.
#ifndef TABMESH_REPLICA_CENSUS_H_
#define TABMESH_REPLICA_CENSUS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "crdt/stamp.h"
#include "wire/messages.h"

namespace tabmesh {

struct Peer {
  InstanceId id;
  std::string label;
  bool visible = false;
  bool stores_nothing = false;
  uint64_t connected_at_ms = 0;  // the peer's clock
  uint64_t last_seen_ms = 0;     // this replica's clock
};

/// The other replicas known to live. At most kPeersMax; the longest unseen gives way.
class Census {
 public:
  /// Takes in a presence that does not leave; true when the census looks different now.
  bool Update(const Presence& presence, uint64_t now_ms);
  /// Any frame is a sign of life.
  void Seen(const InstanceId& id, uint64_t now_ms);
  bool Remove(const InstanceId& id);
  Peer* Find(const InstanceId& id);
  /// Whether any of them has shown a sign of life since then.
  bool HeardSince(uint64_t then_ms) const;
  const std::vector<Peer>& peers() const { return peers_; }

 private:
  std::vector<Peer> peers_;
};

}  // namespace tabmesh

#endif  // TABMESH_REPLICA_CENSUS_H_
