// The simulated browser keeps its own promises.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/crc32c.h"
#include "tests/sim/channel.h"
#include "tests/sim/core_events.h"
#include "tests/sim/database.h"
#include "tests/sim/locks.h"
#include "tests/sim/shrinker.h"
#include "tests/sim/simulation.h"
#include "tests/sim/transcript.h"
#include "wire/frame.h"

namespace tabmesh::sim {
namespace {

FaultSet Only(std::string_view names) {
  FaultSet set;
  EXPECT_TRUE(ParseFaults(names, &set)) << names;
  return set;
}

void RunAll(EventQueue* events) {
  while (events->RunNext(events->now_ms() + 100000)) {
  }
}

class SimBrowser : public testing::Test {
 protected:
  EventQueue events_;
  Faults faults_{1, Only("none")};
  Page first_{&events_, 1};
  Page second_{&events_, 2};
};

TEST(SimEvents, RunInTheOrderOfTheirTimesThenOfTheirMaking) {
  EventQueue events;
  std::string order;
  events.At(5, [&] { order += 'c'; });
  events.At(2, [&] { order += 'a'; });
  events.At(2, [&] { order += 'b'; });
  EXPECT_FALSE(events.RunNext(1));
  EXPECT_EQ(events.now_ms(), 1u);
  RunAll(&events);
  EXPECT_EQ(order, "abc");
}

TEST_F(SimBrowser, FrozenPageRunsWhatHasWaitedWhenItThawsAndAGoneOneNever) {
  std::string order;
  first_.Hold(Life::kFrozen);
  first_.Enter([&] { order += 'b'; });
  second_.Enter([&] { order += '-'; });
  second_.Go();
  second_.Enter([&] { order += 'x'; });
  first_.Thaw([&] { order += 'a'; });
  EXPECT_EQ(order, "-ab");
}

TEST_F(SimBrowser, HiddenPageRunsItsTimersLate) {
  first_.timer_quantum_ms = 1000;
  uint64_t ran_at_ms = 0;
  first_.After(5, [&] { ran_at_ms = events_.now_ms(); });
  RunAll(&events_);
  EXPECT_EQ(ran_at_ms, 1000u);
}

TEST(SimClock, KeepsItsTimeWhenItsRateChanges) {
  PageClock clock;
  clock.Drift(-500, 1000);
  EXPECT_EQ(clock.Now(1000), static_cast<uint64_t>(PageClock::kEpochMs) + 1000);
  EXPECT_EQ(clock.Now(3000), static_cast<uint64_t>(PageClock::kEpochMs) + 2000);
  clock.Jump(-PageClock::kEpochMs - 5000);
  EXPECT_EQ(clock.Now(3000), 0u);
}

TEST_F(SimBrowser, ChannelKeepsTheOrderOfASender) {
  Channel channel(&events_, &faults_, 1);
  std::string heard;
  const uint64_t from = channel.Open(&first_, [](std::string_view, Wear) {});
  channel.Open(&second_, [&](std::string_view bytes, Wear) { heard += bytes; });
  for (const char* word : {"a", "b", "c", "d", "e", "f", "g"}) channel.Post(from, word);
  RunAll(&events_);
  EXPECT_EQ(heard, "abcdefg");
}

TEST_F(SimBrowser, ChannelThatWasClosedWhileItsPageWasFrozenHearsNothing) {
  Channel channel(&events_, &faults_, 1);
  std::string heard;
  const uint64_t from = channel.Open(&first_, [](std::string_view, Wear) {});
  const uint64_t to = channel.Open(&second_, [&](std::string_view bytes, Wear) { heard += bytes; });
  second_.Hold(Life::kCached);
  channel.Post(from, "lost");
  RunAll(&events_);
  second_.Thaw([&] { channel.Close(to); });
  EXPECT_EQ(heard, "");
}

TEST(SimChannel, FrameOfAnotherVersionHasAValidChecksum) {
  Buffer frame;
  FrameWriter(NamespaceOf("sim")).Begin(FrameKind::kAck, &frame);
  FrameWriter::End(0, &frame);
  Frame opened;
  const std::string newer = Reversion(frame.view(), kWireMajor << 4 | 15, "more");
  ASSERT_EQ(OpenFrame(newer, NamespaceOf("sim"), &opened), Status::kOk);
  EXPECT_TRUE(opened.newer_minor);
  EXPECT_EQ(opened.body, "more");
  const std::string other = Reversion(frame.view(), (kWireMajor + 1) << 4, "");
  EXPECT_EQ(OpenFrame(other, NamespaceOf("sim"), &opened), Status::kUnsupportedVersion);
}

TEST_F(SimBrowser, LockGoesToTheNextWhoAsked) {
  Locks locks(&events_, &faults_, 1);
  std::string order;
  locks.Request(
      &first_, [&] { order += '1'; }, [&] { order += "lost"; });
  locks.Request(
      &second_, [&] { order += '2'; }, [] {});
  RunAll(&events_);
  EXPECT_EQ(order, "1");
  first_.Go();
  locks.PageGone(&first_);
  RunAll(&events_);
  EXPECT_EQ(order, "12");
}

TEST_F(SimBrowser, FrozenHolderHearsOfATheftWhenItThaws) {
  Locks locks(&events_, &faults_, 1);
  std::string order;
  locks.Request(
      &first_, [&] { order += '1'; }, [&] { order += "lost"; });
  locks.Request(
      &second_, [&] { order += '2'; }, [] {});
  RunAll(&events_);
  first_.Hold(Life::kFrozen);
  EXPECT_TRUE(locks.StealFor(10));
  RunAll(&events_);
  EXPECT_EQ(order, "12");
  first_.Thaw([] {});
  EXPECT_EQ(order, "12lost");
}

TEST(SimCoreEvents, ReadsMembers) {
  const std::vector<CoreEvent> events =
      ReadEvents(R"({"type":"leader","term":12,"self":1,"id":"0f"},{"type":"ready"})");
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events[0].Number("term"), 12u);
  EXPECT_EQ(events[0].Member("id"), "0f");
  EXPECT_EQ(events[1].Member("type"), "ready");
  EXPECT_EQ(events[1].Member("id"), "");
}

TEST(SimTranscript, KeepsTheLastLines) {
  Transcript transcript(2);
  for (const uint64_t at_ms : {1, 2, 3723004}) transcript.Say(at_ms, "tab 3 (leader, term 5)", "crashes");
  EXPECT_EQ(transcript.Text(),
            "    … 1 earlier lines: --verbose shows all\n"
            "    00:00:00.002 tab 3 (leader, term 5) crashes\n"
            "    01:02:03.004 tab 3 (leader, term 5) crashes\n");
}

TEST(SimFaults, NamesAreReadAsTheyArePrinted) {
  EXPECT_EQ(Only(PrintFaults(DefaultFaults())), DefaultFaults());
  EXPECT_EQ(PrintFaults(Only("none")), "none");
  FaultSet set;
  EXPECT_FALSE(ParseFaults("frame-lost,weather", &set));
}

TEST(Simulation, SameSeedGivesTheSameRunAndAnotherSeedAnotherOne) {
  Settings settings;
  settings.ticks = 300;
  const Outcome once = Simulate(7, settings);
  EXPECT_EQ(once.violation, "");
  EXPECT_EQ(once.digest, Simulate(7, settings).digest);
  EXPECT_NE(once.digest, Simulate(8, settings).digest);
  settings.transcript_lines = 10;
  EXPECT_EQ(once.digest, Simulate(7, settings).digest) << "looking changes nothing";
}

TEST(Simulation, FindsAWriteThatWasNeverStored) {
  Settings settings;
  settings.ticks = 300;
  settings.canary = true;
  EXPECT_NE(Simulate(1, settings).violation.find("durable write"), std::string::npos);
}

TEST(Shrinker, LeavesOutEverythingThatAFailureDoesNotNeed) {
  Settings settings;
  settings.ticks = 300;
  settings.canary = true;
  const Settings shrunk = Shrink(1, settings);
  EXPECT_TRUE(shrunk.faults.none()) << PrintFaults(shrunk.faults);
  EXPECT_EQ(shrunk.tabs, 1u);
  EXPECT_EQ(shrunk.ticks, 1u);
}

}  // namespace
}  // namespace tabmesh::sim
