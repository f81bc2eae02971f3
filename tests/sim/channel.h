// BroadcastChannel, or storage events in its place: a sender's order is kept, nothing else is promised.
// HAZARDS H12, H3, H19.
#ifndef TABMESH_TESTS_SIM_CHANNEL_H_
#define TABMESH_TESTS_SIM_CHANNEL_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "events.h"
#include "faults.h"
#include "page.h"
#include "random.h"

namespace tabmesh::sim {

/// What happened to a frame on its way, so that a receiver can be held to the right answer.
enum class Wear : uint8_t { kNone, kDamaged, kNewerMinor, kOtherMajor, kForged };

class Channel {
 public:
  using Receive = std::function<void(std::string_view bytes, Wear wear)>;

  Channel(EventQueue* events, Faults* faults, uint64_t seed);

  /// Returns the number of the new end, for Close and Post.
  uint64_t Open(Page* page, Receive receive);
  void Close(uint64_t end);
  /// To every other end that is open when it arrives; a frozen page gets it when it thaws.
  void Post(uint64_t end, std::string_view bytes);
  /// From a script that is no tab: to one page, or to all where it is null.
  void Inject(const Page* only, std::string_view bytes);
  /// Nothing comes in or goes out at this page until then.
  void Deafen(const Page* page, uint64_t until_ms);
  /// The quiet time begins: whoever is deaf hears again.
  void Heal() { deaf_until_ms_.clear(); }

 private:
  struct End {
    uint64_t number;
    Page* page;
    Receive receive;
    uint64_t registered_ms;
  };
  using Bytes = std::shared_ptr<const std::string>;
  End* Find(uint64_t number);
  bool Deaf(const Page* page) const;
  Bytes ThroughStorage(uint64_t from, std::string_view bytes);
  void Carry(uint64_t from, const End& to, const Bytes& bytes);
  void Arrive(uint64_t at_ms, uint64_t end, Bytes bytes, Wear wear);
  void ArriveLate(uint64_t at_ms, uint64_t from, uint64_t end);
  std::string Damage(std::string_view bytes, Fault fault);

  EventQueue* events_;
  Faults* faults_;
  Random random_;
  bool by_storage_events_;
  std::map<uint64_t, Bytes> stored_;  // by sender: what its key in localStorage holds
  uint64_t stored_count_ = 0;
  std::vector<End> ends_;
  uint64_t next_end_ = 1;
  std::map<std::pair<uint64_t, uint64_t>, uint64_t> last_arrival_ms_;  // by sender and receiver
  std::map<const Page*, uint64_t> deaf_until_ms_;                      // never iterated
};

/// The frame as another version would write it: `major` and `minor` of its head, and `trailing` bytes of body
/// more.
std::string Reversion(std::string_view frame, uint8_t version, std::string_view trailing);

}  // namespace tabmesh::sim

#endif  // TABMESH_TESTS_SIM_CHANNEL_H_
