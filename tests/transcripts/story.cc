#include "story.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "json/parse.h"
#include "json/print.h"
#include "wire/messages.h"

namespace tabmesh::transcripts {

namespace {

constexpr uint64_t kStartMs = 1'700'000'000'000;
// What the glue acts on, and a reader of the story need not know.
constexpr std::string_view kUntold[] = {R"("type":"remote")", R"("type":"tabs")", R"("type":"ready")",
                                        R"("type":"catch-up")", R"("type":"leader")"};

InstanceId IdOf(char tab) {
  InstanceId id;
  id.bytes[0] = static_cast<uint8_t>(tab);
  return id;
}

std::string HexOf(char tab) {
  Buffer hex;
  PrintHex(IdOf(tab).view(), &hex);
  return std::string(hex.view());
}

ReplicaOptions OptionsOf(char tab) {
  ReplicaOptions options;
  options.name = "story";
  options.instance = IdOf(tab);
  options.may_lead = false;
  options.strategies = {
      {"seat", Strategy::kFirstWriteWins}, {"title", Strategy::kPrompt}, {"whole", Strategy::kLastWriteWins}};
  options.lists = {{"list", "id"}};
  return options;
}

}  // namespace

Story::Story(std::string_view title) : now_ms_(kStartMs) {
  account_ = std::string(title) + '\n' + std::string(title.size(), '=') + '\n';
}

void Story::Say(std::string_view remark) { account_ += "\n" + std::string(remark) + "\n"; }

void Story::Line(char tab, std::string_view what) {
  char time[16];
  std::snprintf(time, sizeof(time), "%6.3f", static_cast<double>(now_ms_ - kStartMs) / 1000);
  account_ += std::string(time) + "  " + tab + "  " + Named(std::string(what)) + '\n';
}

// `a.b = 1, without c, n + 2`
std::string Story::Told(std::string_view edits) const {
  JsonParser parser;
  CallArena arena;
  Edit* edit = nullptr;
  EXPECT_EQ(parser.ParseEdits(edits, &arena, &edit), Status::kOk) << edits;
  std::string text;
  for (; edit != nullptr; edit = edit->next) {
    if (!text.empty()) text += ", ";
    std::string path;
    for (size_t i = 0; i < edit->path.size; ++i) path += (i > 0 ? "." : "") + std::string(edit->path.keys[i]);
    Buffer value;
    if (edit->value != nullptr) PrintValue(*edit->value, &value);
    const std::string shown(value.view());
    if (edit->value == nullptr) {
      text += "without " + path;
    } else if (edit->mode == Edit::Mode::kIncrement) {
      text += path + " + " + shown;
    } else {
      text += path + (edit->mode == Edit::Mode::kReplace ? " := " : " = ") + shown;
    }
  }
  return text;
}

std::string Story::Named(std::string text) const {
  for (const auto& [name, tab] : tabs_) {
    const std::string hex = HexOf(name);
    for (size_t at = text.find(hex); at != std::string::npos; at = text.find(hex, at)) {
      text.replace(at, hex.size(), 1, name);
    }
  }
  return text;
}

std::string Story::KindOf(std::string_view bytes, char from) const {
  Frame frame;
  const uint32_t era = tabs_.at(from).replica->options().era;
  EXPECT_EQ(OpenFrame(bytes, NamespaceOf("story", era), &frame), Status::kOk);
  Reader reader(frame.body);
  CallArena arena;
  switch (frame.kind) {
    case FrameKind::kOps: {
      Batch batch;
      EXPECT_EQ(DecodeBatch(&reader, &arena, &batch), Status::kOk);
      return "write " + std::to_string(batch.seq);
    }
    case FrameKind::kHello: {
      Hello hello;
      EXPECT_EQ(DecodeHello(frame, &hello), Status::kOk);
      return hello.asks ? "what do I lack?" : "this is what I have";
    }
    case FrameKind::kDelta: {
      DeltaHead head;
      OpSet set;
      EXPECT_EQ(DecodeDeltaHead(&reader, &head), Status::kOk);
      EXPECT_EQ(DecodeOpSet(&reader, &arena, &set), Status::kOk);
      return "what you lack: " + std::to_string(set.ops.size()) + " places";
    }
    case FrameKind::kPosition: {
      Position position;
      EXPECT_EQ(DecodePosition(frame, &position), Status::kOk);
      return "my newest write is " + std::to_string(position.seq);
    }
    case FrameKind::kAck: {
      Ack ack;
      EXPECT_EQ(DecodeAck(frame, &ack), Status::kOk);
      return "I have yours up to " + std::to_string(ack.seq);
    }
    default:
      return {};  // presence
  }
}

// What a call of its replica wants done.
void Story::Perform(char tab) {
  Actions* actions = tabs_.at(tab).replica->actions();
  if (actions->changes.size() > 2) Line(tab, "shows " + Told(actions->changes.view()));
  std::string events(actions->events.view());
  for (size_t at = 0; at < events.size();) {
    const size_t end = events.find("},", at) == std::string::npos ? events.size() : events.find("},", at) + 1;
    const std::string event = events.substr(at, end - at);
    bool told = true;
    for (const std::string_view kind : kUntold) told &= event.find(kind) == std::string::npos;
    if (told) Line(tab, "is told " + event);
    at = end + 1;
  }
  for (const Buffer& frame : actions->frames) {
    for (const auto& [name, other] : tabs_) {
      if (name != tab) on_their_way_[{tab, name}].emplace_back(frame.view());
    }
  }
  actions->Clear();
}

void Story::Open(char tab, const std::vector<std::string>& stored) {
  Line(tab, stored.empty() ? "is opened" : "is opened, with " + std::to_string(stored.size()) + " stored");
  Tab& opened = tabs_[tab];
  opened.replica = std::make_unique<Replica>(OptionsOf(tab));
  EXPECT_EQ(opened.replica->Open("{}", now_ms_), Status::kOk);
  Perform(tab);
  for (const std::string& record : stored) EXPECT_EQ(opened.replica->Restore(record, now_ms_), Status::kOk);
  opened.replica->Restored(/*alone=*/tabs_.size() == 1, now_ms_);
  Perform(tab);
  Deliver();
}

void Story::SetClock(char tab, int64_t off_ms) {
  tabs_.at(tab).off_ms = off_ms;
  Line(tab, "has its clock " + std::to_string(off_ms < 0 ? -off_ms : off_ms) + " ms " +
                (off_ms < 0 ? "behind" : "ahead"));
}

std::string Story::Write(char tab, std::string_view edits) {
  Replica* replica = tabs_.at(tab).replica.get();
  uint32_t seq = 0;
  EXPECT_EQ(replica->LocalSet(edits, NowOf(tab), &seq), Status::kOk) << edits;
  Line(tab, "writes " + Told(edits) + "  [" + std::to_string(seq) + ']');
  const auto& records = replica->actions()->records;
  const std::string record(records.empty() ? std::string_view() : records[0].view());
  Perform(tab);
  return record;
}

void Story::Deliver() {
  for (bool any = true; any;) {
    any = false;
    for (auto& [way, frames] : on_their_way_) {
      if (frames.empty()) continue;
      any = true;
      const std::string frame = frames.front();
      frames.pop_front();
      const std::string kind = KindOf(frame, way.first);
      if (!kind.empty() && !tabs_.at(way.second).away)
        Line(way.second, std::string("hears from ") + way.first + ": " + kind);
      tabs_.at(way.second).replica->Receive(frame, NowOf(way.second));
      Perform(way.second);
      break;
    }
  }
}

void Story::Lose(char tab) {
  for (auto& [way, frames] : on_their_way_) {
    if (way.second != tab || frames.empty()) continue;
    Line(tab, "misses " + std::to_string(frames.size()) + " from " + way.first);
    frames.clear();
  }
}

void Story::Wait(uint64_t ms) {
  const uint64_t until = now_ms_ + ms;
  while (now_ms_ < until) {
    now_ms_ = std::min(until, now_ms_ + 100);
    for (const auto& [name, tab] : tabs_) {
      tab.replica->Tick(NowOf(name));
      Perform(name);
    }
    Deliver();
  }
}

void Story::Suspend(char tab) {
  Line(tab, "is frozen");
  tabs_.at(tab).away = true;
  tabs_.at(tab).replica->Suspend(NowOf(tab));
  Perform(tab);
}

void Story::Resume(char tab) {
  Line(tab, "goes on");
  tabs_.at(tab).away = false;
  tabs_.at(tab).replica->Resume(NowOf(tab));
  Perform(tab);
  Deliver();
}

void Story::Read(char tab, const std::vector<std::string>& stored) {
  Line(tab, "reads " + std::to_string(stored.size()) + " stored");
  Replica* replica = tabs_.at(tab).replica.get();
  for (const std::string& record : stored) EXPECT_EQ(replica->Restore(record, NowOf(tab)), Status::kOk);
  replica->Restored(/*alone=*/false, NowOf(tab));
  Perform(tab);
}

std::string Story::Checkpoint(char tab) {
  Buffer bytes;
  EXPECT_EQ(tabs_.at(tab).replica->EncodeCheckpoint(&bytes), Status::kOk);
  Line(tab, "sums up what it has in a checkpoint");
  return std::string(bytes.view());
}

std::pair<std::string, std::string> Story::EndEra(char tab) {
  Buffer state, end;
  EXPECT_EQ(tabs_.at(tab).replica->EncodeNextEra(&state, &end), Status::kOk);
  Line(tab, "ends the era");
  return {std::string(state.view()), std::string(end.view())};
}

void Story::EnterEra(char tab, const std::pair<std::string, std::string>& beginning) {
  Tab& entering = tabs_.at(tab);
  std::vector<uint32_t> kept;
  EXPECT_EQ(entering.replica->KeptAtEnd(beginning.second, &kept), Status::kOk);
  const uint32_t era = entering.replica->options().era + 1;
  Line(tab,
       "goes on in era " + std::to_string(era) + ", which has its writes up to " + std::to_string(kept[0]));
  entering.replica = std::make_unique<Replica>(*entering.replica, era);
  EXPECT_EQ(entering.replica->Open("{}", NowOf(tab)), Status::kOk);
  EXPECT_EQ(entering.replica->Restore(beginning.first, NowOf(tab)), Status::kOk);
  entering.replica->Restored(/*alone=*/true, NowOf(tab));
  Perform(tab);
}

void Story::ShowConflicts(char tab) {
  Buffer conflicts;
  tabs_.at(tab).replica->PrintConflicts(&conflicts);
  Line(tab, "has to choose: " + std::string(conflicts.view()));
}

void Story::ShowAgreement() {
  const Replica& first = *tabs_.begin()->second.replica;
  Buffer state;
  first.PrintState(&state);
  for (const auto& [name, tab] : tabs_) {
    Buffer other;
    tab.replica->PrintState(&other);
    EXPECT_EQ(tab.replica->digest(), first.digest()) << name;
    EXPECT_EQ(other.size(), state.size()) << name << ": " << other.view();
  }
  account_ += "\nAll agree: " + std::string(state.view()) + "\n";
}

void Story::Check(const std::string& name) const {
  const std::string path = std::string(TABMESH_GOLDEN) + "/transcripts/" + name + ".txt";
  if (std::getenv("TABMESH_REWRITE_GOLDEN") != nullptr) {
    std::ofstream(path) << account_;
    return;
  }
  std::stringstream golden;
  golden << std::ifstream(path).rdbuf();
  EXPECT_EQ(account_, golden.str())
      << "If that is meant: TABMESH_REWRITE_GOLDEN=1 core_tests --gtest_filter=Transcripts.*";
}

}  // namespace tabmesh::transcripts
