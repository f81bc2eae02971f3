#include "transcript.h"

#include <cstdio>
#include <utility>

namespace tabmesh::sim {

std::string PrintTime(uint64_t at_ms) {
  char text[32];
  const uint64_t s = at_ms / 1000;
  std::snprintf(text, sizeof text, "%02u:%02u:%02u.%03u", static_cast<unsigned>(s / 3600),
                static_cast<unsigned>(s / 60 % 60), static_cast<unsigned>(s % 60),
                static_cast<unsigned>(at_ms % 1000));
  return text;
}

void Transcript::Say(uint64_t at_ms, std::string_view who, std::string_view what) {
  if (!on()) return;
  if (lines_.size() == lines_max_) {
    lines_.pop_front();
    ++forgotten_;
  }
  std::string line = PrintTime(at_ms);
  line += ' ';
  line += who;
  if (!who.empty()) line += ' ';
  line += what;
  lines_.push_back(std::move(line));
}

std::string Transcript::Text() const {
  std::string text;
  if (forgotten_ > 0) text = "    … " + std::to_string(forgotten_) + " earlier lines: --verbose shows all\n";
  for (const std::string& line : lines_) text += "    " + line + '\n';
  return text;
}

}  // namespace tabmesh::sim
