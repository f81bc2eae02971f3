// Every call of a replica with every one of its allocations failing, from that one on: what could not be done
// has changed nothing, and can be done when there is memory again.
#include "tests/sim/memory.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/limits.h"
#include "lz/pieces.h"
#include "replica/replica.h"
#include "tests/unit/replicas.h"
#include "wire/messages.h"

namespace tabmesh {
namespace {

using sim::Scarcity;

constexpr uint64_t kAllocationsMax = 400;  // more than any call here makes

ReplicaOptions Options(uint8_t id) {
  ReplicaOptions options = OptionsOf(id);
  options.strategies = {{"asked", Strategy::kPrompt}, {"whole", Strategy::kLastWriteWins}};
  options.lists = {{"list", "id"}};
  return options;
}

// Long enough that texts, frames and lists of several sizes are made.
const std::vector<std::string>& Edits() {
  static const std::string text(70'000, 'x');
  static const std::vector<std::string> edits = {
      R"([[["tree","a","b"],[2]],[["tree","c"],")" + text + R"("]])",
      R"([[["n"],5,2],[["deep","n"],-1,2]])",
      R"([[["asked"],"one"],[["whole"],{"k":[1]}]])",
      R"([[["list"],[{"id":1,"t":"one"},{"id":"two","t":{"deep":true}},{"id":3}]]])",
      R"([[["list"],[{"id":3},{"id":1,"t":"uno"}]],[["tree"],{"c":{}},1]])",
      R"([[["asked"]],[["n"],1,2],[["tree"]]])",
  };
  return edits;
}

// A page that has all of the edits.
std::unique_ptr<Replica> Filled(uint8_t id) {
  auto replica = MakeReady(Options(id));
  for (const std::string& edits : Edits()) Set(replica.get(), edits);
  return replica;
}

// Runs `call` on what `make` makes, failing from the k-th allocation on, for every k until none fails.
void ForEveryAllocation(const std::function<std::unique_ptr<Replica>()>& make,
                        const std::function<void(Replica*, Scarcity*)>& call) {
  for (uint64_t succeed = 0; succeed < kAllocationsMax; ++succeed) {
    SCOPED_TRACE("after " + std::to_string(succeed) + " allocations");
    auto replica = make();
    bool struck = false;
    {
      Scarcity scarcity(succeed);
      call(replica.get(), &scarcity);
      struck = scarcity.struck();
    }
    if (testing::Test::HasFailure() || !struck) return;
  }
  FAIL() << "makes more allocations than that";
}

TEST(Memory, AWriteIsMadeWholeOrRefused) {
  for (size_t made = 0; made < Edits().size(); ++made) {
    const auto make = [made] {
      auto replica = MakeReady(Options(1));
      for (size_t i = 0; i < made; ++i) Set(replica.get(), Edits()[i]);
      return replica;
    };
    const std::string expected = [&] {
      auto replica = make();
      Set(replica.get(), Edits()[made]);
      return State(*replica);
    }();
    ForEveryAllocation(make, [&](Replica* replica, Scarcity* scarcity) {
      const uint64_t before = replica->digest();
      uint32_t seq = 0;
      const Status status = replica->LocalSet(Edits()[made], kNow, &seq);
      scarcity->End();
      if (status == Status::kOk) {
        ASSERT_EQ(State(*replica), expected);
        ASSERT_EQ(replica->actions()->records.size(), 1u);
        Replica other(Options(2));
        ASSERT_EQ(other.Open("{}", kNow), Status::kOk);
        ASSERT_EQ(other.Restore(replica->actions()->records[0].view(), kNow), Status::kOk);
        return;
      }
      ASSERT_EQ(status, Status::kOutOfMemory);
      ASSERT_EQ(replica->digest(), before);
      ASSERT_EQ(replica->seq(), made);
      ASSERT_TRUE(replica->actions()->records.empty());
      ASSERT_EQ(replica->LocalSet(Edits()[made], kNow, &seq), Status::kOk);
      ASSERT_EQ(State(*replica), expected);
    });
  }
}

TEST(Memory, AProposalIsMadeWholeOrRefused) {
  ForEveryAllocation([] { return MakeReady(Options(1)); },
                     [](Replica* replica, Scarcity* scarcity) {
                       Buffer record;
                       const Status status = replica->Propose(Edits()[0], kNow, &record);
                       scarcity->End();
                       if (status == Status::kOk) {
                         replica->Accept(kNow);
                         ASSERT_EQ(replica->seq(), 1u);
                         return;
                       }
                       ASSERT_EQ(status, Status::kOutOfMemory);
                       Buffer again;
                       ASSERT_EQ(replica->Propose(Edits()[0], kNow, &again), Status::kOk);
                       ASSERT_GT(again.size(), 0u);
                     });
}

TEST(Memory, WhatIsStoredIsTakenOrTheReplicaIsCalledIncomplete) {
  auto writer = Filled(1);
  Buffer checkpoint;
  ASSERT_EQ(writer->EncodeCheckpoint(&checkpoint), Status::kOk);
  auto another = MakeReady(Options(1));
  Buffer packed;
  for (size_t from = 0; from < checkpoint.size(); from += lz::kPieceBytesMax) {
    ASSERT_EQ(lz::AppendPiece(checkpoint.view().substr(from, lz::kPieceBytesMax), &packed), Status::kOk);
  }
  std::vector<std::string> stored = {std::string(checkpoint.view()), std::string(packed.view())};
  for (const std::string& edits : Edits()) stored.push_back(Set(another.get(), edits));
  for (size_t from : {size_t{0}, size_t{1}, size_t{2}}) {
    const size_t to = from < 2 ? from + 1 : stored.size();
    ForEveryAllocation(
        [] {
          auto replica = std::make_unique<Replica>(Options(2));
          EXPECT_EQ(replica->Open("{}", kNow), Status::kOk);
          return replica;
        },
        [&](Replica* replica, Scarcity* scarcity) {
          bool all = true;
          for (size_t i = from; i < to; ++i) {
            const Status status = replica->Restore(stored[i], kNow);
            ASSERT_TRUE(status == Status::kOk || status == Status::kOutOfMemory) << StatusName(status);
            all &= status == Status::kOk;
          }
          replica->Restored(/*alone=*/true, kNow);
          ASSERT_TRUE(all || replica->actions()->incomplete);
          scarcity->End();
          for (size_t i = from; i < to; ++i) ASSERT_EQ(replica->Restore(stored[i], kNow), Status::kOk);
          ASSERT_EQ(replica->digest(), writer->digest());
        });
  }
}

TEST(Memory, AMessageIsTakenOrDropped) {
  auto writer = Filled(1);
  Replica asks(Options(2));
  ASSERT_EQ(asks.Open("{}", kNow), Status::kOk);
  asks.Restored(/*alone=*/false, kNow);
  writer->SetVisible(false, kNow);
  Deliver(writer.get(), &asks);
  Deliver(&asks, writer.get());
  std::vector<std::string> frames;
  for (const Buffer& frame : writer->actions()->frames) frames.emplace_back(frame.view());
  ASSERT_GE(frames.size(), 2u);
  ForEveryAllocation([] { return MakeReady(Options(2)); },
                     [&](Replica* replica, Scarcity* scarcity) {
                       for (const std::string& frame : frames) replica->Receive(frame, kNow);
                       scarcity->End();
                       if (replica->actions()->incomplete) return;
                       for (const std::string& frame : frames) replica->Receive(frame, kNow);
                       ASSERT_EQ(replica->digest(), writer->digest());
                     });
}

TEST(Memory, WhatIsMadeForOthersIsWholeOrNothing) {
  // More than goes out in one piece.
  const auto make = [] {
    auto replica = Filled(1);
    Set(replica.get(), R"([[["text"],")" + std::string(kFragmentBytesMax, 'x') + R"("]])");
    return replica;
  };
  const uint64_t expected = make()->digest();
  // Of one who has nothing.
  Buffer question;
  FrameWriter(NamespaceOf("test", 0)).Begin(FrameKind::kHello, &question);
  EncodeHello(Options(2).instance, Options(1).instance, /*asks=*/true, 0, VersionVector(), &question);
  FrameWriter::End(0, &question);
  int pieces = 0;
  ForEveryAllocation(make, [&](Replica* replica, Scarcity* scarcity) {
    replica->Tick(kNow + kGossipEveryMs);
    replica->Receive(question.view(), kNow);
    Buffer checkpoint, state, end;
    const Status made = replica->EncodeCheckpoint(&checkpoint);
    const Status ended = replica->EncodeNextEra(&state, &end);
    scarcity->End();
    ASSERT_EQ(replica->digest(), expected);
    for (const Buffer& bytes : replica->actions()->frames) {
      Frame frame;
      ASSERT_EQ(OpenFrame(bytes.view(), NamespaceOf("test", 0), &frame), Status::kOk);
      pieces += frame.kind == FrameKind::kFragment;
    }
    ASSERT_TRUE(made == Status::kOk || made == Status::kOutOfMemory);
    ASSERT_TRUE(ended == Status::kOk || ended == Status::kOutOfMemory);
    auto reader = MakeReady(Options(2));
    if (made == Status::kOk) {
      ASSERT_EQ(reader->Restore(checkpoint.view(), kNow), Status::kOk);
      ASSERT_EQ(reader->digest(), expected);
    }
    std::vector<uint32_t> kept;
    if (ended == Status::kOk) {
      ASSERT_EQ(replica->KeptAtEnd(end.view(), &kept), Status::kOk);
    }
  });
  EXPECT_GT(pieces, 0);
}

TEST(Memory, ANextEraWithValuesThatStandBesideOthersIsWholeOrNothing) {
  const auto make = [] {
    auto replica = MakeReady(Options(1));
    auto other = MakeReady(Options(2));
    Set(replica.get(), R"([[["asked"],"one"]])");
    replica->Receive(Set(other.get(), R"([[["asked"],"two"]])"), kNow);
    return replica;
  };
  ForEveryAllocation(make, [](Replica* replica, Scarcity* scarcity) {
    Buffer state, end;
    const Status status = replica->EncodeNextEra(&state, &end);
    scarcity->End();
    if (!scarcity->struck()) {
      ASSERT_EQ(status, Status::kOk);
      return;
    }
    ASSERT_EQ(status, Status::kOutOfMemory);
    state.Clear();
    end.Clear();
    ASSERT_EQ(replica->EncodeNextEra(&state, &end), Status::kOk);
    Replica next(*replica, 1);
    ASSERT_EQ(next.Open("{}", kNow), Status::kOk);
    ASSERT_EQ(next.Restore(state.view(), kNow), Status::kOk);
    ASSERT_EQ(State(next), State(*replica));
  });
}

TEST(Memory, ANumberIsWithdrawnOrTheReplicaIsCalledIncomplete) {
  const auto make = [] {
    auto replica = MakeReady(Options(1));
    Buffer record;
    EXPECT_EQ(replica->Propose(R"([[["tree","a"],1]])", kNow, &record), Status::kOk);
    replica->PassOver();
    Set(replica.get(), R"([[["tree","b"],2]])");
    return replica;
  };
  ForEveryAllocation(make, [](Replica* replica, Scarcity* scarcity) {
    Buffer record;
    replica->Withdraw(kNow, &record);
    scarcity->End();
    ASSERT_EQ(replica->actions()->incomplete, record.size() == 0);
    ASSERT_EQ(State(*replica), R"({"tree":{"b":2}})");
  });
}

TEST(Memory, ANoteArrivesWholeOrNotAtAll) {
  const std::string value = '"' + std::string(kFragmentBytesMax, 'x') + '"';
  ForEveryAllocation([] { return MakeReady(Options(1)); },
                     [&](Replica* replica, Scarcity* scarcity) {
                       const Status status = replica->SendNote(Options(2).instance, value, kNow);
                       scarcity->End();
                       ASSERT_TRUE(status == Status::kOk || status == Status::kOutOfMemory);
                       auto reader = MakeReady(Options(2));
                       Deliver(replica, reader.get());
                       const std::string events = Events(reader.get());
                       ASSERT_EQ(events.find("note") != std::string::npos,
                                 events.find(value) != std::string::npos);
                       if (!scarcity->struck()) {
                         ASSERT_NE(events.find(value), std::string::npos);
                       }
                     });
}

TEST(Memory, APieceThatHasNoRoomIsAskedForAgain) {
  auto writer = MakeReady(Options(1));
  const std::string text(3 * kFragmentBytesMax, 'x');
  uint32_t seq = 0;
  ASSERT_EQ(writer->LocalSet(R"([[["text"],")" + text + R"("]])", kNow, &seq), Status::kOk);
  std::vector<Buffer> pieces;
  pieces.swap(writer->actions()->frames);
  ASSERT_GE(pieces.size(), 3u);
  writer->actions()->Clear();
  uint64_t now = kNow;
  ForEveryAllocation([] { return MakeReady(Options(2)); },
                     [&](Replica* replica, Scarcity* scarcity) {
                       for (const Buffer& piece : pieces) replica->Receive(piece.view(), kNow);
                       scarcity->End();
                       const bool told = Events(replica).find("out-of-memory") != std::string::npos;
                       ASSERT_TRUE(told || replica->digest() == writer->digest());
                       if (!scarcity->struck()) {
                         ASSERT_EQ(replica->digest(), writer->digest());
                       }
                       for (int turn = 0; turn < 4; ++turn) {
                         now += kGossipEveryMs;
                         writer->Tick(now);
                         Deliver(writer.get(), replica, now);
                         Deliver(replica, writer.get(), now);
                         Deliver(writer.get(), replica, now);
                       }
                       ASSERT_EQ(replica->digest(), writer->digest());
                     });
}

TEST(Memory, OpeningSaysThatItCannot) {
  ForEveryAllocation([] { return std::make_unique<Replica>(Options(1)); },
                     [](Replica* replica, Scarcity*) {
                       const Status status =
                           replica->Open(R"({"tree":{"a":{"b":[1]}},"list":[{"id":1}],"asked":"x"})", kNow);
                       ASSERT_TRUE(status == Status::kOk || status == Status::kOutOfMemory);
                     });
}

}  // namespace
}  // namespace tabmesh
