#include "convergence.h"

#include <algorithm>

#include "json/print.h"

namespace tabmesh::sim {

namespace {

std::string HexOf(const InstanceId& id) {
  Buffer hex;
  PrintHex(id.view().substr(0, 4), &hex);
  return std::string(hex.view()) + "…";
}

}  // namespace

std::string Convergence::Called(const Tab& tab, bool changed, bool local) {
  if (!local && !changed) return {};
  const bool look = local ? ++local_calls_ % kLookEveryLocal == 0 : ++calls_ % kLookEvery == 0;
  return look ? CheckMirror(tab) : std::string();
}

std::string Convergence::CheckMirror(const Tab& tab) {
  if (!tab.replica()->ready()) return {};
  Buffer state;
  tab.replica()->PrintState(&state);
  CallArena arena;
  JsonValue* value = nullptr;
  if (parser_.ParseObject(state.view(), &arena, &value) != Status::kOk) {
    return "unreadable state: " + std::string(state.view());
  }
  if (Same(tab.mirror().root(), *value)) return {};
  return "what readers of " + tab.Name() + " see is not the core's state: " + std::string(state.view());
}

std::string Convergence::Diverged(const Tab& tab) const {
  if (excused_) return {};
  return tab.Name() + " has the same writes as another tab, but another digest";
}

std::string Convergence::CheckEqual(const std::vector<const Tab*>& tabs) {
  const Tab& first = *tabs.front();
  for (const Tab* tab : tabs) {
    if (!tab->ready()) return tab->Name() + " never became ready";
    if (std::string wrong = CheckMirror(*tab); !wrong.empty()) return wrong;
    // Of one name they take each other's frames for their own, until one of them writes.
    if (tab != &first && tab->id() == first.id()) continue;
    const std::string both = first.Name() + " and " + tab->Name();
    if (tab->replica()->digest() != first.replica()->digest()) return "digests of " + both + " differ";
    if (!(tab->mirror().root() == first.mirror().root())) return "states of " + both + " differ";
    const VersionVector& vector = tab->replica()->vector();
    for (uint32_t i = 0; i < vector.size(); ++i) {
      const VersionVector& other = first.replica()->vector();
      const InstanceId& id = vector.Id(i);
      if (vector.Seq(i) != other.SeqOf(id) || vector.Whole(i) != other.WholeOf(id)) {
        return "vectors of " + both + " differ: of " + HexOf(id) + " the one has " +
               std::to_string(other.SeqOf(id)) + ", whole up to " + std::to_string(other.WholeOf(id)) +
               ", the other " + std::to_string(vector.Seq(i)) + ", whole up to " +
               std::to_string(vector.Whole(i));
      }
    }
  }
  return {};
}

std::string Convergence::CheckGossip(const Tab& tab, uint64_t now_ms) const {
  const uint64_t last_ms = std::max(tab.told_vector_at_ms(), tab.loaded_at_ms());
  if (now_ms - last_ms <= 2 * kGossipEveryMs) return {};
  return tab.Name() + " has not told others what it has for " + std::to_string((now_ms - last_ms) / 1000) +
         " s";
}

}  // namespace tabmesh::sim
