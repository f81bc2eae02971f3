// A few tabs, what is on its way between them, and an account of it that a stranger can read.
#ifndef TABMESH_TESTS_TRANSCRIPTS_STORY_H_
#define TABMESH_TESTS_TRANSCRIPTS_STORY_H_

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "replica/replica.h"

namespace tabmesh::transcripts {

/// Tabs are called by one letter, which is also their instance. Keys: "seat" is first-write-wins, "title"
/// prompt, "whole" last-write-wins, "list" a keyed list; all others merge.
class Story {
 public:
  explicit Story(std::string_view title);

  void Say(std::string_view remark);
  /// A page is loaded; it is alone, or asks those who are there. `stored`: what its journal has.
  void Open(char tab, const std::vector<std::string>& stored = {});
  /// Milliseconds by which its clock is wrong.
  void SetClock(char tab, int64_t off_ms);
  /// Edits as JsonParser::ParseEdits takes them; returns the record.
  std::string Write(char tab, std::string_view edits);
  /// Everything arrives, and whatever is answered, until all are silent.
  void Deliver();
  /// Whatever is on its way to this tab does not arrive.
  void Lose(char tab);
  /// Time passes; timers run.
  void Wait(uint64_t ms);
  void Suspend(char tab);
  void Resume(char tab);
  /// It reads these records, or a checkpoint.
  void Read(char tab, const std::vector<std::string>& stored);
  std::string Checkpoint(char tab);
  /// The tab ends the era; returns what the next one begins with, and the list of what it has.
  std::pair<std::string, std::string> EndEra(char tab);
  /// The tab goes on in the era that begins so.
  void EnterEra(char tab, const std::pair<std::string, std::string>& beginning);
  void ShowConflicts(char tab);
  /// All tabs show the same, and know the same.
  void ShowAgreement();

  Replica* replica(char tab) { return tabs_.at(tab).replica.get(); }
  /// For calls of the replica that the story has no word for.
  void Perform(char tab);
  uint64_t NowOf(char tab) const { return now_ms_ + static_cast<uint64_t>(tabs_.at(tab).off_ms); }

  /// The account so far against tests/golden/transcripts/NAME.txt; TABMESH_REWRITE_GOLDEN=1 writes it there
  /// instead.
  void Check(const std::string& name) const;

 private:
  struct Tab {
    std::unique_ptr<Replica> replica;
    int64_t off_ms = 0;
    bool away = false;
  };

  void Line(char tab, std::string_view what);
  std::string Told(std::string_view edits) const;
  std::string Named(std::string text) const;
  std::string KindOf(std::string_view frame, char from) const;

  std::map<char, Tab> tabs_;
  std::map<std::pair<char, char>, std::deque<std::string>> on_their_way_;  // by sender and receiver
  uint64_t now_ms_;
  std::string account_;
};

}  // namespace tabmesh::transcripts

#endif  // TABMESH_TESTS_TRANSCRIPTS_STORY_H_
