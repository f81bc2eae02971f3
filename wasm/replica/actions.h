// What a replica wants done after a call: the only way anything leaves the core.
#ifndef TABMESH_REPLICA_ACTIONS_H_
#define TABMESH_REPLICA_ACTIONS_H_

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "json/print.h"

namespace tabmesh {

enum class LockAction : uint8_t {
  kNone = 0,
  kRequest = 1,  // queue for the leader lock; answer with LockGranted
  kRelease = 2,  // give it back, or leave the queue
  kClaim = 3,    // store a term of at least `claim_term`, larger than the stored one; answer with
                 // TermClaimed or ClaimFailed
  kSteal = 4,    // take it from its holder; answer with LockGranted
};

/// Performed by the caller in the order of the fields, then cleared.
struct Actions {
  Buffer changes;  // what readers see differently: JSON as ChangeLog::Print writes it; may be empty
  std::vector<Buffer> frames;   // to send, in order
  std::vector<Buffer> records;  // to append to the journal, in order
  LockAction lock = LockAction::kNone;
  uint64_t claim_term = 0;
  Buffer events;  // JSON objects, comma-separated: {"type": …}
  /// Memory has run out: what is here, or what was merged, is not all of it, and this replica must not go on.
  /// What was stored, others and the next page have.
  bool incomplete = false;
  /// When to call Tick, if nothing else happens before; 0: never.
  uint64_t wake_at_ms = 0;

  void Clear() {
    changes.Clear();
    records.clear();
    frames.clear();
    lock = LockAction::kNone;
    claim_term = 0;
    events.Clear();
  }

  /// Appends an event; the caller writes further members itself.
  class Event {
   public:
    Event(Actions* actions, std::string_view type) : out_(&actions->events) {
      if (out_->size() > 0) out_->AppendByte(',');
      out_->Append("{\"type\":");
      PrintString(type, out_);
    }
    ~Event() { out_->AppendByte('}'); }
    Event(const Event&) = delete;
    Event& operator=(const Event&) = delete;
    Event& Text(std::string_view name, std::string_view value);
    Event& Number(std::string_view name, uint64_t value);
    /// Prints an instance id as 32 hexadecimal digits.
    Event& Id(std::string_view name, std::string_view id_bytes);
    /// A value that is JSON already.
    Event& Json(std::string_view name, std::string_view value);

   private:
    void Name(std::string_view name);
    Buffer* out_;
  };
};

}  // namespace tabmesh

#endif  // TABMESH_REPLICA_ACTIONS_H_
