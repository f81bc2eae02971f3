// One bit of what is stored is another. Every 61st bit; all of them with TABMESH_EVERY_BIT=1.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "lz/pieces.h"
#include "tests/unit/replicas.h"

namespace tabmesh {
namespace {

constexpr size_t kStateBytes = 64 << 10;

size_t Stride() { return std::getenv("TABMESH_EVERY_BIT") != nullptr ? 1 : 61; }

std::string Flipped(std::string_view bytes, size_t bit) {
  std::string flipped(bytes);
  flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << bit % 8));
  return flipped;
}

std::string Checkpoint(const Replica& replica) {
  Buffer out;
  EXPECT_EQ(replica.EncodeCheckpoint(&out), Status::kOk);
  return std::string(out.view());
}

// A journal of 64 KiB of state: two checkpoints, and the records after the older one.
struct Journal {
  std::string older;
  std::string newer;
  std::vector<std::string> records;  // the first half of them is in the newer checkpoint, too
};

Journal MakeJournal() {
  Journal journal;
  const auto writer = MakeReady(OptionsOf(1));
  size_t n = 0;
  const auto write = [&] {
    const std::string key = "k" + std::to_string(n % 700);
    const std::string text(n % 90, static_cast<char>('a' + n % 26));
    ++n;
    return Set(writer.get(),
               "[[[\"map\",\"" + key + "\"],\"" + text + "\"],[[\"n\"]," + std::to_string(n) + "]]",
               kNow + n);
  };
  while (State(*writer).size() < kStateBytes / 2) write();
  journal.older = Checkpoint(*writer);
  for (int i = 0; i < 20; ++i) journal.records.push_back(write());
  journal.newer = Checkpoint(*writer);
  for (int i = 0; i < 20; ++i) journal.records.push_back(write());
  return journal;
}

// As the glue reads it: the newest checkpoint that is whole, then all records.
std::unique_ptr<Replica> Read(const Journal& journal) {
  auto replica = std::make_unique<Replica>(OptionsOf(2));
  EXPECT_EQ(replica->Open("{}", kNow), Status::kOk);
  for (const std::string* checkpoint : {&journal.newer, &journal.older}) {
    if (replica->Restore(*checkpoint, kNow) == Status::kOk) break;
  }
  for (const std::string& record : journal.records) (void)replica->Restore(record, kNow);
  replica->Restored(/*alone=*/true, kNow);
  return replica;
}

bool Told(const Replica& replica) { return replica.counters().dropped > 0; }

TEST(Flips, EveryBitOfACheckpointOf64KiBIsNoticed) {
  const auto writer = MakeReady(OptionsOf(1));
  for (size_t n = 0; Checkpoint(*writer).size() < kStateBytes; ++n) {
    for (int i = 0; i < 50; ++i, ++n) {
      Set(writer.get(), "[[[\"map\",\"" + std::to_string(n) + "\"],\"" + std::string(n % 90, 'x') + "\"]]",
          kNow + n);
    }
  }
  const std::string stored = Checkpoint(*writer);
  auto reader = std::make_unique<Replica>(OptionsOf(2));
  ASSERT_EQ(reader->Open("{}", kNow), Status::kOk);
  const uint64_t untouched = reader->digest();
  size_t flips = 0;
  for (size_t bit = 0; bit < stored.size() * 8; bit += Stride(), ++flips) {
    ASSERT_NE(reader->Restore(Flipped(stored, bit), kNow), Status::kOk) << "bit " << bit;
    ASSERT_EQ(reader->digest(), untouched) << "bit " << bit;
    ASSERT_EQ(reader->counters().dropped, flips + 1) << "bit " << bit << " is not told";
    reader->actions()->Clear();
  }
  EXPECT_EQ(reader->Restore(stored, kNow), Status::kOk);
  EXPECT_EQ(reader->digest(), writer->digest());
  std::printf("%zu bits of %zu bytes, each noticed\n", flips, stored.size());
}

TEST(Flips, AJournalIsReadAsItWasOrToldToBeDamaged) {
  const Journal whole = MakeJournal();
  const auto exact = Read(whole);
  EXPECT_FALSE(Told(*exact));
  // A damaged checkpoint costs nothing: the other one and the records have it all.
  for (std::string Journal::*checkpoint : {&Journal::newer, &Journal::older}) {
    for (size_t bit = 0; bit < (whole.*checkpoint).size() * 8; bit += 997 * Stride()) {
      Journal damaged = whole;
      damaged.*checkpoint = Flipped(whole.*checkpoint, bit);
      const auto found = Read(damaged);
      ASSERT_EQ(found->digest(), exact->digest()) << "bit " << bit;
      ASSERT_EQ(Told(*found), checkpoint == &Journal::newer) << "bit " << bit;
    }
  }
  // A damaged record that no checkpoint has costs its write, which is told.
  for (size_t at = 0; at < whole.records.size(); ++at) {
    const bool covered = at < whole.records.size() / 2;
    Journal without = whole;
    without.records.erase(without.records.begin() + static_cast<std::ptrdiff_t>(at));
    const auto expected = Read(without);
    for (size_t bit = 0; bit < whole.records[at].size() * 8; bit += 7 * Stride()) {
      Journal damaged = whole;
      damaged.records[at] = Flipped(whole.records[at], bit);
      const auto found = Read(damaged);
      ASSERT_EQ(found->digest(), (covered ? exact : expected)->digest()) << "record " << at << " bit " << bit;
      ASSERT_TRUE(Told(*found)) << "record " << at << " bit " << bit;
    }
  }
}

// A bit that fills up the last character of a piece means nothing.
TEST(Flips, NoBitOfAPackedCheckpointChangesTheState) {
  const auto writer = MakeReady(OptionsOf(1));
  for (int n = 0; n < 900; ++n) {
    Set(writer.get(), "[[[\"map\",\"" + std::to_string(n) + "\"],\"" + std::string(n % 30, 'x') + "\"]]",
        kNow + 1);
  }
  const std::string whole = Checkpoint(*writer);
  Buffer packed;
  for (size_t from = 0; from < whole.size(); from += 10'000) {
    ASSERT_EQ(lz::AppendPiece(std::string_view(whole).substr(from, 10'000), &packed), Status::kOk);
  }
  EXPECT_LT(packed.size(), whole.size());
  size_t harmless = 0;
  for (size_t bit = 0; bit < packed.size() * 8; bit += Stride()) {
    Replica reader(OptionsOf(2));
    ASSERT_EQ(reader.Open("{}", kNow), Status::kOk);
    if (reader.Restore(Flipped(packed.view(), bit), kNow) == Status::kOk) {
      ++harmless;
      ASSERT_EQ(reader.digest(), writer->digest()) << "bit " << bit;
    } else {
      ASSERT_TRUE(Told(reader)) << "bit " << bit;
    }
  }
  EXPECT_LT(harmless, 10u);
}

}  // namespace
}  // namespace tabmesh
