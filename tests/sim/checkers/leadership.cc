#include "leadership.h"

#include <algorithm>

namespace tabmesh::sim {

std::string Leadership::TermStored(uint64_t term) {
  if (term <= newest_) {
    return "term " + std::to_string(term) + " was stored after term " + std::to_string(newest_);
  }
  newest_ = term;
  return {};
}

std::string Leadership::Called(const Tab& tab) {
  const Election& election = tab.replica()->election();
  uint64_t& seen = terms_seen_[tab.number()];
  if (election.term() < seen) {
    return tab.Name() + " knew term " + std::to_string(seen) + " and now only " +
           std::to_string(election.term());
  }
  seen = election.term();
  if (!election.leads() || tab.number() <= old_tabs_) return {};
  const auto [entry, first] = leaders_.emplace(election.term(), tab.number());
  if (first || entry->second == tab.number()) return {};
  return "term " + std::to_string(election.term()) + " is led by tab " + std::to_string(entry->second) +
         " and by tab " + std::to_string(tab.number());
}

void Leadership::Evicted(uint32_t tabs_so_far) {
  newest_ = 0;
  old_tabs_ = tabs_so_far;
  leaders_.clear();
}

std::string Leadership::CheckOne(const std::vector<const Tab*>& tabs) const {
  const Tab* leader = nullptr;
  for (const Tab* tab : tabs) {
    if (!tab->replica()->election().leads()) continue;
    if (leader != nullptr) return leader->Name() + " and " + tab->Name() + " lead after the quiet time";
    leader = tab;
  }
  if (leader == nullptr) return "nobody leads after the quiet time";
  // What the twin of a leader says of itself, others take for the leader's words, and it the leader's for its
  // own.
  const auto is_it = [leader](const Tab* tab) { return tab->id() == leader->id(); };
  if (std::count_if(tabs.begin(), tabs.end(), is_it) > 1) return {};
  for (const Tab* tab : tabs) {
    if (tab->replica()->election().leader() == leader->id()) continue;
    return tab->Name() + " does not know that " + leader->Name() + " leads";
  }
  return {};
}

}  // namespace tabmesh::sim
