#include "replica/replica.h"

#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "base/limits.h"
#include "lz/pieces.h"
#include "tests/unit/replicas.h"
#include "wire/fragment.h"
#include "wire/frame.h"
#include "wire/ops_codec.h"

namespace tabmesh {
namespace {

// Writes; what there is to do stays to be done.
void Write(Replica* replica, std::string_view edits, uint64_t now = kNow) {
  uint32_t seq = 0;
  ASSERT_EQ(replica->LocalSet(edits, now, &seq), Status::kOk) << edits;
}

TEST(Replica, WriteInOneIsSeenInTheOther) {
  auto a = MakeReady(1);
  auto b = MakeReady(2);
  Write(a.get(), R"([[["x"],{"y":1}]])");
  ASSERT_EQ(a->actions()->frames.size(), 1u);
  b->Receive(a->actions()->frames[0].view(), kNow);
  EXPECT_EQ(State(*b), R"({"x":{"y":1}})");
  EXPECT_EQ(b->actions()->changes.view(), R"([[["x"],{"y":1}]])");
  EXPECT_EQ(a->digest(), b->digest());
}

TEST(Replica, TellsWhoWroteLastAndWhen) {
  const auto a = MakeReady(1);
  const auto b = MakeReady(2);
  b->Receive(Set(a.get(), R"([[["x"],{"y":1}]])", kNow + 5), kNow + 9);
  EXPECT_NE(Events(b.get()).find(
                R"({"type":"remote","from":"01000000000000000000000000000000","at":1700000000005})"),
            std::string::npos)
      << Events(b.get());
  const auto last = [&](std::string_view path) {
    Buffer out;
    EXPECT_EQ(b->PrintLastWrite(path, &out), Status::kOk);
    return std::string(out.view());
  };
  EXPECT_EQ(last(R"(["x","y"])"), R"(["01000000000000000000000000000000",1700000000005])");
  EXPECT_EQ(last(R"(["z"])"), "");
  Set(b.get(), R"([[["x","y"],4,2]])", kNow + 20);
  EXPECT_EQ(last(R"(["x"])"), R"(["02000000000000000000000000000000",1700000000020])");
  Buffer none;
  EXPECT_EQ(last("[]"), last(R"(["x"])"));
  EXPECT_EQ(b->PrintLastWrite("{", &none), Status::kMalformedJson);
  EXPECT_EQ(none.size(), 0u);
}

TEST(Replica, RecordIsTheFrame) {
  auto a = MakeReady(1);
  Write(a.get(), R"([[["x"],1]])");
  ASSERT_EQ(a->actions()->records.size(), 1u);
  EXPECT_EQ(a->actions()->records[0].view(), a->actions()->frames[0].view());
}

TEST(Replica, NothingIsSentWhenNothingDiffers) {
  auto a = MakeReady(1, R"({"x":1})");
  Write(a.get(), R"([[["x"],1]])");
  EXPECT_TRUE(a->actions()->frames.empty());
  EXPECT_EQ(a->seq(), 0u);
}

TEST(Replica, InitialStateNeverBeatsAWrittenValueAndIsNeverSent) {
  auto a = MakeReady(1, R"({"x":"initial of a"})");
  auto b = MakeReady(2, R"({"x":"initial of b","other":1})");
  Write(b.get(), R"([[["x"],"written"]])", 5);  // long ago by a's clock
  Exchange({a.get(), b.get()});
  EXPECT_EQ(State(*a), R"({"x":"written"})");
  EXPECT_EQ(State(*b), R"({"x":"written","other":1})");
  EXPECT_EQ(a->digest(), b->digest());
}

TEST(Replica, RefusesToStampBeforeItHasRead) {
  auto a = Make(1);
  uint32_t seq = 0;
  EXPECT_EQ(a->LocalSet(R"([[["x"],1]])", kNow, &seq), Status::kNotReady);
}

TEST(Replica, WriteAfterReadingBeatsWhatIsStoredThoughTheClockWasSetBack) {
  auto old = MakeReady(1);
  Write(old.get(), R"([[["x"],"old"]])", kNow);
  auto fresh = Make(2);
  EXPECT_EQ(fresh->Restore(old->actions()->records[0].view(), 1000), Status::kOk);
  fresh->Restored(/*alone=*/true, 1000);
  Write(fresh.get(), R"([[["x"],"new"]])", 1000);
  old->Receive(fresh->actions()->frames.back().view(), kNow);
  EXPECT_EQ(State(*old), R"({"x":"new"})");
}

TEST(Replica, JoinerAsksAndIsTold) {
  auto a = MakeReady(1);
  Write(a.get(), R"([[["x"],1],[["y"],2]])");
  a->actions()->Clear();
  auto b = Make(2);
  b->Restored(/*alone=*/false, kNow);
  EXPECT_FALSE(b->ready());
  Exchange({a.get(), b.get()});
  EXPECT_TRUE(b->ready());
  EXPECT_EQ(State(*b), R"({"x":1,"y":2})");
}

TEST(Replica, ReadersOfAJoinerAreToldOnceAndWhole) {
  auto a = MakeReady(1);
  for (int i = 0; i < 5; ++i) Write(a.get(), "[[[\"k" + std::to_string(i) + "\"],1]]");
  auto b = Make(2);
  for (const Buffer& record : a->actions()->records) {
    EXPECT_EQ(b->Restore(record.view(), kNow), Status::kOk);
    EXPECT_EQ(b->actions()->changes.size(), 0u);
  }
  b->Restored(/*alone=*/true, kNow);
  EXPECT_EQ(b->actions()->changes.view(), R"([[["k0"],1],[["k1"],1],[["k2"],1],[["k3"],1],[["k4"],1]])");
}

TEST(Replica, TwoJoinersAnswerEachOther) {
  auto a = Make(1);
  auto b = Make(2);
  Exchange({a.get(), b.get()});
  a->Restored(/*alone=*/false, kNow);
  Exchange({a.get(), b.get()});
  b->Restored(/*alone=*/false, kNow);
  Exchange({a.get(), b.get()});
  EXPECT_TRUE(a->ready());
  EXPECT_TRUE(b->ready());
}

TEST(Replica, JoinerWithoutCompanyGoesOnAlone) {
  auto a = Make(1);
  a->Restored(/*alone=*/false, kNow);
  EXPECT_EQ(a->actions()->wake_at_ms, kNow + kJoinWaitMs);
  a->Tick(kNow + kJoinWaitMs);
  EXPECT_TRUE(a->ready());
}

TEST(Replica, LostFrameIsAskedForWhenTheNextOneComes) {
  auto a = MakeReady(1);
  auto b = MakeReady(2);
  Write(a.get(), R"([[["x"],1]])");
  a->actions()->Clear();  // lost
  Write(a.get(), R"([[["y"],2]])");
  Exchange({a.get(), b.get()});
  EXPECT_EQ(State(*b), R"({"x":1,"y":2})");
  EXPECT_EQ(b->counters().gaps, 1u);
}

TEST(Replica, LostLastFrameIsNoticedAfterASecondOfQuiet) {
  auto a = MakeReady(1);
  auto b = MakeReady(2);
  Write(a.get(), R"([[["x"],1]])");
  a->actions()->Clear();  // lost
  a->Tick(kNow + kPositionAfterMs);
  Exchange({a.get(), b.get()});
  EXPECT_EQ(State(*b), R"({"x":1})");
}

TEST(Replica, EqualVectorsWithUnequalDigestsAreHealedAndReported) {
  auto a = MakeReady(1);
  auto b = MakeReady(2);
  // Two different writes under one identity and number: what must never happen.
  auto twin = MakeReady(9);
  auto other_twin = MakeReady(9);
  Write(twin.get(), R"([[["x"],1]])");
  Write(other_twin.get(), R"([[["x"],2]])");
  a->Receive(twin->actions()->frames[0].view(), kNow);
  b->Receive(other_twin->actions()->frames[0].view(), kNow);
  ASSERT_NE(a->digest(), b->digest());
  a->actions()->Clear();
  b->actions()->Clear();
  a->Tick(kNow + kGossipEveryMs);
  a->Receive("", kNow);
  Exchange({a.get(), b.get()});
  EXPECT_EQ(a->digest(), b->digest());
  EXPECT_EQ(State(*a), State(*b));
  EXPECT_GE(a->counters().divergences + b->counters().divergences, 1u);
}

TEST(Replica, OwnIdentityFromOutsideIsReportedAndNotTaken) {
  auto a = MakeReady(1);
  auto twin = MakeReady(1);
  Write(twin.get(), R"([[["x"],1]])");
  a->Receive(twin->actions()->frames[0].view(), kNow);
  EXPECT_NE(Events(a.get()).find("identity-conflict"), std::string::npos);
  EXPECT_EQ(State(*a), "{}");
}

TEST(Replica, CheckpointRestoresEverything) {
  auto a = MakeReady(1, R"({"initial":true})");
  Write(a.get(), R"([[["x"],{"y":{"z":[1,2]}}],[["gone"],1]])");
  Write(a.get(), R"([[["gone"]],[["x","y"],{"only":1},1]])");
  Buffer checkpoint;
  ASSERT_EQ(a->EncodeCheckpoint(&checkpoint), Status::kOk);
  auto b = Make(2, R"({"initial":true})");
  EXPECT_EQ(b->Restore(checkpoint.view(), kNow), Status::kOk);
  b->Restored(/*alone=*/true, kNow);
  EXPECT_EQ(State(*b), State(*a));
  EXPECT_EQ(b->digest(), a->digest());
}

TEST(Replica, APackedCheckpointRestoresTheSame) {
  auto a = MakeReady(1);
  Write(a.get(), R"([[["x"],{"y":"a long text, a long text, a long text, a long text"}]])");
  Buffer checkpoint, packed, twice;
  ASSERT_EQ(a->EncodeCheckpoint(&checkpoint), Status::kOk);
  ASSERT_EQ(lz::AppendPiece(checkpoint.view().substr(0, 20), &packed), Status::kOk);
  ASSERT_EQ(lz::AppendPiece(checkpoint.view().substr(20), &packed), Status::kOk);
  auto b = Make(2);
  EXPECT_EQ(b->Restore(packed.view(), kNow), Status::kOk);
  b->Restored(/*alone=*/true, kNow);
  EXPECT_EQ(State(*b), State(*a));
  EXPECT_EQ(b->digest(), a->digest());
  // Packed in packed is nothing that anybody makes.
  ASSERT_EQ(lz::AppendPiece(packed.view(), &twice), Status::kOk);
  auto c = Make(3);
  EXPECT_EQ(c->Restore(twice.view(), kNow), Status::kMalformedFrame);
  EXPECT_EQ(c->counters().dropped, 1u);
}

TEST(Replica, DamagedRecordsAreDroppedAndCounted) {
  auto a = MakeReady(1);
  Write(a.get(), R"([[["x"],1]])");
  std::string record(a->actions()->records[0].view());
  record[20] ^= 1;
  auto b = Make(2);
  EXPECT_EQ(b->Restore(record, kNow), Status::kChecksumMismatch);
  EXPECT_EQ(b->counters().dropped, 1u);
}

TEST(Replica, RecordsAfterAHoleInTheJournalAreKept) {
  auto a = MakeReady(1);
  Write(a.get(), R"([[["x"],1]])");
  Write(a.get(), R"([[["y"],2]])");
  auto b = Make(2);
  EXPECT_EQ(b->Restore(a->actions()->records[1].view(), kNow), Status::kOk);
  b->Restored(/*alone=*/true, kNow);
  EXPECT_EQ(State(*b), R"({"y":2})");
}

TEST(Replica, SharedIsToldOnceAnotherHasTheWrite) {
  auto a = MakeReady(1);
  auto b = MakeReady(2);
  Write(a.get(), R"([[["x"],1]])");
  a->AskShared(kNow);
  std::vector<Buffer> frames;
  frames.swap(a->actions()->frames);
  for (const Buffer& frame : frames) b->Receive(frame.view(), kNow);
  for (const Buffer& frame : b->actions()->frames) a->Receive(frame.view(), kNow);
  EXPECT_NE(Events(a.get()).find(R"({"type":"shared","seq":1})"), std::string::npos);
}

TEST(Replica, FramesLongerThanAFragmentArriveWhole) {
  auto a = MakeReady(1);
  auto b = MakeReady(2);
  const std::string text(3 * kFragmentBytesMax, 't');
  Write(a.get(), "[[[\"x\"],\"" + text + "\"]]");
  EXPECT_GT(a->actions()->frames.size(), 2u);
  for (const Buffer& frame : a->actions()->frames) EXPECT_LT(frame.size(), kFragmentBytesMax + 64);
  Exchange({a.get(), b.get()});
  EXPECT_EQ(a->digest(), b->digest());
}

// Whoever can post to the channel can put anything together.
TEST(Replica, PiecesOfWhatIsNoFrameChangeNothing) {
  auto a = MakeReady(1, R"({"x":1})");
  auto b = MakeReady(2);
  Write(b.get(), R"([[["x"],2]])");
  const std::string good(b->actions()->frames[0].view());
  const FrameWriter writer(NamespaceOf("test"));
  const InstanceId from = OptionsOf(3).instance;
  uint64_t number = 0;
  const auto receive = [&](std::string_view message) {
    std::vector<Buffer> pieces;
    Fragment(writer, from, ++number, message, &pieces);
    const uint64_t dropped = a->counters().dropped;
    for (const Buffer& piece : pieces) a->Receive(piece.view(), kNow);
    return a->counters().dropped - dropped;
  };
  std::string changed = good;
  changed.back() ^= 1;
  EXPECT_EQ(receive(changed), 1u);
  std::vector<Buffer> within;
  Fragment(writer, from, 100, good, &within);
  EXPECT_EQ(receive(within[0].view()), 1u) << "a piece of a piece";
  receive("nothing of ours");
  EXPECT_EQ(State(*a), R"({"x":1})");
  EXPECT_EQ(receive(good), 0u);
  EXPECT_EQ(State(*a), R"({"x":2})");
}

TEST(Replica, GoodbyeTakesATabOutOfTheCensus) {
  auto a = MakeReady(1);
  auto b = Make(2);
  Exchange({a.get(), b.get()});
  Buffer peers;
  a->PrintPeers(&peers);
  EXPECT_NE(peers.view().find("\"id\":\"02"), std::string_view::npos);
  b->Suspend(kNow);
  Exchange({a.get(), b.get()});
  peers.Clear();
  a->PrintPeers(&peers);
  EXPECT_EQ(peers.view(), "[]");
}

TEST(Replica, HundredThousandMutatedFramesChangeNothing) {
  auto source = MakeReady(1);
  std::vector<std::string> frames;
  const auto collect = [&] {
    for (const Buffer& frame : source->actions()->frames) frames.emplace_back(frame.view());
    source->actions()->Clear();
  };
  Write(source.get(), R"([[["x"],{"y":{"z":[1,"two",null]}}]])");
  collect();
  Write(source.get(), R"([[["x","y"],{"replaced":true},1],[["gone"],1]])");
  source->AskShared(kNow);
  source->Tick(kNow + kGossipEveryMs);
  source->SetVisible(false, kNow);
  collect();
  auto asker = Make(3);
  asker->Restored(false, kNow);
  for (const Buffer& frame : asker->actions()->frames) source->Receive(frame.view(), kNow);
  for (const Buffer& frame : source->actions()->frames) asker->Receive(frame.view(), kNow);
  for (const Buffer& frame : asker->actions()->frames) source->Receive(frame.view(), kNow);
  collect();
  ASSERT_GE(frames.size(), 6u);

  auto target = MakeReady(2);
  Write(target.get(), R"([[["mine"],{"kept":1}]])");
  const uint64_t digest = target->digest();
  const std::string state = State(*target);
  std::mt19937_64 random(42);
  for (int i = 0; i < 100000; ++i) {
    std::string frame = frames[random() % frames.size()];
    const std::string original = frame;
    switch (random() % 4) {
      case 0:
        frame.resize(random() % frame.size());
        break;
      case 1:
        frame.insert(random() % frame.size(), 1 + random() % 8, static_cast<char>(random()));
        break;
      default:
        for (uint64_t n = 1 + random() % 4; n > 0; --n)
          frame[random() % frame.size()] ^= static_cast<char>(1 + random() % 255);
    }
    if (frame == original) continue;
    target->Receive(frame, kNow);
    target->actions()->Clear();
  }
  EXPECT_EQ(target->digest(), digest);
  EXPECT_EQ(State(*target), state);
  EXPECT_GT(target->counters().dropped, 90000u);
}

// With a right checksum the grammar alone must hold: nothing may crash, nothing may stop the replica.
TEST(Replica, MutatedBodiesWithRightChecksumsAreSurvived) {
  auto source = MakeReady(1);
  Write(source.get(), R"([[["x"],{"y":{"z":[1,"two",null]}}],[["s"],"text"]])");
  std::vector<std::string> frames;
  for (const Buffer& frame : source->actions()->frames) frames.emplace_back(frame.view());
  Buffer checkpoint;
  ASSERT_EQ(source->EncodeCheckpoint(&checkpoint), Status::kOk);
  frames.emplace_back(checkpoint.view());
  auto target = MakeReady(2);
  // As if the checkpoint had been asked for: addressed to the target.
  frames[1][kFrameHeadBytes + InstanceId::kBytes] = 2;
  std::mt19937_64 random(43);
  for (int i = 0; i < 50000; ++i) {
    std::string body = frames[random() % frames.size()];
    body.resize(body.size() - kFrameCheckBytes);
    for (uint64_t n = 1 + random() % 3; n > 0; --n) {
      body[kFrameHeadBytes + random() % (body.size() - kFrameHeadBytes)] = static_cast<char>(random());
    }
    Buffer frame;
    frame.Append(body);
    FrameWriter::End(0, &frame);
    target->Receive(frame.view(), kNow);
    target->actions()->Clear();
  }
  Write(target.get(), R"([[["still"],"works"]])");
  EXPECT_NE(State(*target).find("\"still\":\"works\""), std::string::npos);
  JsonParser parser;
  CallArena arena;
  JsonValue* value = nullptr;
  EXPECT_EQ(parser.ParseObject(State(*target), &arena, &value), Status::kOk) << State(*target);
}

TEST(Replica, ValuesThatAreNotJsonAreDropped) {
  auto target = MakeReady(2);
  const std::string_view path[] = {"x"};
  for (const std::string_view value : {"", "nul", "1,2", "{\"a\":1", "\"\\x\"", "{\"__proto__\":1}"}) {
    OpList ops(1);
    ops[0].path = {path, 1};
    ops[0].value = value;
    Buffer frame;
    FrameWriter(NamespaceOf("test")).Begin(FrameKind::kOps, &frame);
    VersionVector writer;
    uint32_t index = 0;
    ASSERT_EQ(writer.Intern(InstanceId{{9}}, &index), Status::kOk);
    EncodeBatch(writer, {HlcFromMs(1), 0, 1}, ops, &frame);
    FrameWriter::End(0, &frame);
    target->Receive(frame.view(), kNow);
    EXPECT_EQ(State(*target), "{}") << value;
    EXPECT_EQ(target->Restore(frame.view(), kNow), Status::kMalformedFrame) << value;
    EXPECT_EQ(State(*target), "{}") << value;
  }
  EXPECT_EQ(target->counters().dropped, 12u);
}

// Somebody has forged the last stamp: what would be stamped after it nobody could read.
TEST(Replica, WritesNothingThatOthersWouldRefuse) {
  auto a = MakeReady(1);
  VersionVector vector;
  uint32_t index = 0;
  InstanceId id;
  id.bytes[0] = 9;
  ASSERT_EQ(vector.Intern(id, &index), Status::kOk);
  std::string_view key = "x";
  OpList ops(1);
  ops[0].path = {&key, 1};
  ops[0].kind = OpKind::kTombstone;
  Buffer frame;
  FrameWriter(NamespaceOf("test", 0)).Begin(FrameKind::kOps, &frame);
  EncodeBatch(vector, {HlcFromMs(kHlcMsMax) - 1, index, 1}, ops, &frame);
  FrameWriter::End(0, &frame);
  a->Receive(frame.view(), kNow);
  ASSERT_EQ(a->counters().dropped, 0u);
  uint32_t seq = 0;
  EXPECT_EQ(a->LocalSet(R"([[["y"],1]])", kNow, &seq), Status::kStampOutOfRange);
  Buffer record, checkpoint;
  EXPECT_EQ(a->Propose(R"([[["y"],1]])", kNow, &record), Status::kStampOutOfRange);
  EXPECT_EQ(State(*a), "{}");
  ASSERT_EQ(a->EncodeCheckpoint(&checkpoint), Status::kOk);
  EXPECT_EQ(Make(2)->Restore(checkpoint.view(), kNow), Status::kOk) << "the state can still be read";
}

// What a tab has stored just before it died, nobody may have heard of.
TEST(Replica, ALeaderLooksIntoTheJournalNowAndThen) {
  auto leader = MakeReady(1);
  auto other = MakeReady(2);
  leader->LockGranted(kNow);
  leader->TermClaimed(1, kNow);
  Exchange({leader.get(), other.get()});
  leader->Tick(kNow + kGossipEveryMs - 1);
  EXPECT_EQ(Events(leader.get()).find("catch-up"), std::string::npos);
  leader->Tick(kNow + kGossipEveryMs);
  EXPECT_NE(Events(leader.get()).find(R"({"type":"catch-up"})"), std::string::npos);
  Exchange({leader.get(), other.get()});
  other->Tick(kNow + kGossipEveryMs);
  EXPECT_EQ(Events(other.get()).find("catch-up"), std::string::npos) << "one of them is enough";
}

// Storage events may come back to the window that wrote.
TEST(Replica, AnswersNoneOfItsOwnMessages) {
  auto a = MakeReady(1);
  Write(a.get(), R"([[["x"],1]])");
  a->AskShared(kNow);
  a->SetVisible(false, kNow);
  a->Tick(kNow + kGossipEveryMs);
  std::vector<Buffer> frames;
  frames.swap(a->actions()->frames);
  ASSERT_GE(frames.size(), 4u) << "a write, a position, a presence and a hello";
  a->actions()->Clear();
  for (const Buffer& frame : frames) a->Receive(frame.view(), kNow + kGossipEveryMs);
  EXPECT_TRUE(a->actions()->frames.empty());
  EXPECT_EQ(Events(a.get()), "");
  EXPECT_EQ(a->counters().dropped, 0u);
}

TEST(Replica, AQuestionIsRepeatedAFewTimesAndThenGivenUp) {
  auto joiner = Make(1);
  auto other = MakeReady(2);
  for (const Buffer& frame : joiner->actions()->frames) other->Receive(frame.view(), kNow);
  joiner->actions()->Clear();
  joiner->Restored(/*alone=*/false, kNow);
  for (const Buffer& frame : other->actions()->frames)
    joiner->Receive(frame.view(), kNow);  // and then silence
  size_t questions = joiner->actions()->frames.size();
  EXPECT_EQ(questions, 1u);
  uint64_t now = kNow;
  for (int i = 0; i < 20 && !joiner->ready(); ++i) {
    now = joiner->actions()->wake_at_ms;
    joiner->actions()->Clear();
    joiner->Tick(now);
    questions += joiner->actions()->frames.size();
  }
  EXPECT_TRUE(joiner->ready());
  EXPECT_EQ(questions, kAskAttemptsMax);
}

TEST(Replica, ADeltaWithItsOwnNumbersIsAnIdentityConflict) {
  auto twin = MakeReady(1);
  auto original = MakeReady(1);
  Write(twin.get(), R"([[["x"],1]])");
  Buffer checkpoint;
  ASSERT_EQ(twin->EncodeCheckpoint(&checkpoint), Status::kOk);
  EXPECT_EQ(original->Restore(checkpoint.view(), kNow), Status::kIdentityConflict);
  EXPECT_EQ(State(*original), "{}");
}

TEST(Replica, AnErasedStoreIsToldToOthers) {
  auto a = MakeReady(1);
  auto b = MakeReady(2);
  a->Destroy(kNow);
  ASSERT_EQ(a->actions()->frames.size(), 1u);
  b->Receive(a->actions()->frames[0].view(), kNow);
  EXPECT_NE(Events(b.get()).find("destroyed"), std::string::npos);
}

TEST(Replica, MadeUpPeersDoNotFillMemory) {
  auto target = MakeReady(1);
  for (uint32_t i = 0; i < 3000; ++i) {
    Presence presence;
    for (size_t byte = 0; byte < 4; ++byte) presence.from.bytes[byte] = static_cast<uint8_t>(i >> (8 * byte));
    presence.from.bytes[8] = 1;
    Buffer frame;
    FrameWriter(NamespaceOf("test")).Begin(FrameKind::kPresence, &frame);
    EncodePresence(presence, &frame);
    FrameWriter::End(0, &frame);
    target->Receive(frame.view(), kNow + i);
    target->actions()->Clear();
  }
  Buffer peers;
  target->PrintPeers(&peers);
  EXPECT_LT(peers.size(), size_t{300'000});
}

TEST(Replica, DeathOrGoodbyeOfAPeerAsksForTheJournal) {
  auto a = MakeReady(1);
  auto b = Make(2);
  auto c = Make(3);
  Exchange({a.get(), b.get(), c.get()});
  a->RetainPeers(c->options().instance.view(), kNow);
  EXPECT_NE(Events(a.get()).find("catch-up"), std::string::npos);
  a->actions()->Clear();
  c->Suspend(kNow);
  for (const Buffer& frame : c->actions()->frames) a->Receive(frame.view(), kNow);
  EXPECT_NE(Events(a.get()).find("catch-up"), std::string::npos);
}

TEST(Replica, GossipTellsWhoIsHere) {
  auto a = MakeReady(1);
  auto b = MakeReady(2);
  a->Tick(kNow + kGossipEveryMs);
  for (const Buffer& frame : a->actions()->frames) b->Receive(frame.view(), kNow);
  Buffer peers;
  b->PrintPeers(&peers);
  EXPECT_NE(peers.view(), "[]");
}

TEST(Replica, LastWordsOfAnotherEraArePassedOverAndDamageIsTold) {
  auto writer = MakeReady(1);
  Write(writer.get(), R"([[["a"],1]])");
  const std::string record(writer->actions()->records[0].view());
  auto later = std::make_unique<Replica>(*MakeReady(2), /*era=*/1);
  ASSERT_EQ(later->Open("{}", kNow), Status::kOk);
  EXPECT_EQ(later->Restore(record, kNow), Status::kForeignFrame);
  EXPECT_EQ(later->counters().dropped, 0u);
  for (const size_t at : {size_t{0}, size_t{1}, record.size() - 1}) {
    std::string damaged = record;
    damaged[at] ^= 1;
    EXPECT_NE(later->Restore(damaged, kNow), Status::kOk);
  }
  EXPECT_NE(later->Restore("", kNow), Status::kOk);
  EXPECT_EQ(later->counters().dropped, 4u);
}

// ---- notes ----

TEST(Note, ReachesWhomItIsForOrAll) {
  auto a = MakeReady(1);
  auto b = MakeReady(2);
  auto c = MakeReady(3);
  const auto deliver = [&] {
    for (const Buffer& frame : a->actions()->frames) {
      for (Replica* replica : {b.get(), c.get()}) replica->Receive(frame.view(), kNow);
    }
    a->actions()->Clear();
  };
  ASSERT_EQ(a->SendNote(b->options().instance, R"({"x":[1,"\u0041"]})", kNow), Status::kOk);
  deliver();
  const std::string told = R"("value":{"x":[1,"\u0041"]})";
  EXPECT_NE(Events(b.get()).find(told), std::string::npos);
  EXPECT_NE(Events(b.get()).find(R"("from":"01000000)"), std::string::npos);
  EXPECT_EQ(Events(c.get()).find("note"), std::string::npos);
  ASSERT_EQ(a->SendNote(InstanceId{}, "7", kNow), Status::kOk);
  deliver();
  for (Replica* replica : {b.get(), c.get()}) {
    EXPECT_NE(Events(replica).find("\"value\":7"), std::string::npos);
  }
}

TEST(Note, WhatIsNotJsonIsNeitherSentNorTold) {
  auto a = MakeReady(1);
  const std::string large(kNoteBytesMax + 1, ' ');
  EXPECT_EQ(a->SendNote(InstanceId{}, large, kNow), Status::kValueTooLarge);
  for (const std::string_view bad : {"", "{", "1 2", "\xff", R"({"a":1}})"}) {
    EXPECT_EQ(a->SendNote(InstanceId{}, bad, kNow), Status::kMalformedJson) << bad;
    Note note;
    note.from.bytes[0] = 2;
    note.value = bad;
    Buffer frame;
    FrameWriter(NamespaceOf("test")).Begin(FrameKind::kNote, &frame);
    EncodeNote(note, &frame);
    FrameWriter::End(0, &frame);
    const uint64_t dropped = a->counters().dropped;
    a->Receive(frame.view(), kNow);
    EXPECT_EQ(a->counters().dropped, dropped + 1) << bad;
    EXPECT_EQ(Events(a.get()).find("\"note\""), std::string::npos);
  }
  EXPECT_TRUE(a->actions()->frames.empty());
}

// ---- greetings ----

// What is lacking goes over as a record, and says so; then nothing does.
void Greet(Replica* from, Replica* to, bool lacking) {
  Buffer answer;
  ASSERT_EQ(from->EncodeAnswer(to->EncodeGreeting().view(), &answer), Status::kOk);
  EXPECT_EQ(answer.size() > 0, lacking);
  if (lacking) {
    EXPECT_EQ(to->Restore(answer.view(), kNow), Status::kOk);
    to->Restored(/*alone=*/false, kNow);
  }
}

TEST(Greeting, IsAnsweredByWhatIsLacking) {
  auto a = MakeReady(1);
  auto b = MakeReady(2, R"({"other":true})");
  Write(a.get(), R"([[["x"],{"y":1}]])");
  Write(b.get(), R"([[["z"],2]])");
  Greet(a.get(), b.get(), true);
  Greet(b.get(), a.get(), true);
  EXPECT_EQ(a->digest(), b->digest());
  EXPECT_EQ(State(*b), R"({"other":true,"z":2,"x":{"y":1}})");
  Greet(a.get(), b.get(), false);
  Greet(b.get(), a.get(), false);
  Write(a.get(), R"([[["x","y"],3]])");
  Buffer answer;
  ASSERT_EQ(a->EncodeAnswer(b->EncodeGreeting().view(), &answer), Status::kOk);
  EXPECT_LT(answer.size(), 200u);
  Greet(a.get(), b.get(), true);
  EXPECT_EQ(a->digest(), b->digest());
}

TEST(Greeting, AHoleIsFilled) {
  auto a = MakeReady(1);
  auto b = MakeReady(2);
  std::vector<std::string> records;
  for (int i = 0; i < 3; ++i) {
    Write(a.get(), R"([[["k)" + std::to_string(i) + R"("],1]])");
    records.emplace_back(a->actions()->records.back().view());
  }
  EXPECT_EQ(b->Restore(records[2], kNow), Status::kOk);
  EXPECT_EQ(b->vector().WholeOf(a->options().instance), 0u);
  Greet(a.get(), b.get(), true);
  EXPECT_EQ(b->vector().WholeOf(a->options().instance), 3u);
  EXPECT_EQ(a->digest(), b->digest());
}

TEST(Greeting, OfNoneIsRefused) {
  auto a = MakeReady(1);
  Write(a.get(), R"([[["x"],1]])");
  ReplicaOptions options = OptionsOf(5);
  options.name = "other";
  const auto other = MakeReady(options);
  Buffer answer;
  EXPECT_EQ(a->EncodeAnswer(other->EncodeGreeting().view(), &answer), Status::kForeignFrame);
  EXPECT_EQ(a->EncodeAnswer(a->actions()->records[0].view(), &answer), Status::kMalformedFrame);
  std::string damaged(a->EncodeGreeting().view());
  damaged.back() ^= 1;
  EXPECT_NE(a->EncodeAnswer(damaged, &answer), Status::kOk);
  EXPECT_EQ(answer.size(), 0u);
}

}  // namespace
}  // namespace tabmesh
