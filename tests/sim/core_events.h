// Reads the events of a replica's actions: JSON objects of plain members, comma-separated.
#ifndef TABMESH_TESTS_SIM_CORE_EVENTS_H_
#define TABMESH_TESTS_SIM_CORE_EVENTS_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tabmesh::sim {

struct CoreEvent {
  std::string text;

  /// The member's value without quotes; empty where there is none.
  std::string_view Member(std::string_view name) const {
    const std::string start = '"' + std::string(name) + "\":";
    const size_t at = text.find(start);
    if (at == std::string::npos) return {};
    std::string_view value = std::string_view(text).substr(at + start.size());
    if (value.front() == '"') {
      value.remove_prefix(1);
      return value.substr(0, value.find('"'));
    }
    return value.substr(0, value.find_first_of(",}"));
  }
  uint64_t Number(std::string_view name) const {
    uint64_t number = 0;
    for (const char c : Member(name)) number = number * 10 + static_cast<uint64_t>(c - '0');
    return number;
  }
};

inline std::vector<CoreEvent> ReadEvents(std::string_view events) {
  std::vector<CoreEvent> list;
  size_t start = 0;
  int depth = 0;
  for (size_t at = 0; at < events.size(); ++at) {
    if (events[at] == '{' && depth++ == 0) start = at;
    if (events[at] == '}' && --depth == 0)
      list.push_back({std::string(events.substr(start, at + 1 - start))});
  }
  return list;
}

}  // namespace tabmesh::sim

#endif  // TABMESH_TESTS_SIM_CORE_EVENTS_H_
