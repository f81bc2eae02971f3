#include "crdt/version_vector.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>
#include <utility>

#include "base/limits.h"
#include "replica/anti_entropy.h"
#include "wire/ops_codec.h"

namespace tabmesh {
namespace {

constexpr uint32_t kInstances = 3;
constexpr uint32_t kWrites = 9;

using Writes = std::set<std::pair<uint32_t, uint32_t>>;  // instance, seq

InstanceId Id(uint32_t number) {
  InstanceId id;
  id.bytes[0] = static_cast<uint8_t>(number + 1);
  return id;
}

// Numbers its instances in an order of its own.
VersionVector VectorOf(const Writes& writes, std::mt19937_64* random) {
  std::vector<uint32_t> order = {0, 1, 2};
  std::shuffle(order.begin(), order.end(), *random);
  VersionVector vector;
  uint32_t index = 0;
  for (const uint32_t instance : order) EXPECT_EQ(vector.Intern(Id(instance), &index), Status::kOk);
  std::vector<std::pair<uint32_t, uint32_t>> shuffled(writes.begin(), writes.end());
  std::shuffle(shuffled.begin(), shuffled.end(), *random);
  for (const auto& [instance, seq] : shuffled) EXPECT_TRUE(vector.Add(vector.Find(Id(instance)), seq));
  return vector;
}

Writes WritesOf(const VersionVector& vector) {
  Writes writes;
  for (uint32_t i = 0; i < kInstances; ++i) {
    for (uint32_t seq = 1; seq <= kWrites + 1; ++seq) {
      if (vector.Has(Id(i), seq)) writes.emplace(i, seq);
    }
  }
  return writes;
}

SentVector Sent(const VersionVector& vector) {
  Buffer bytes;
  EncodeVector(vector, &bytes);
  Reader reader(bytes.view());
  SentVector sent;
  EXPECT_EQ(DecodeVector(&reader, &sent), Status::kOk);
  EXPECT_EQ(reader.left(), 0u);
  return sent;
}

Writes RandomWrites(std::mt19937_64* random) {
  Writes writes;
  const uint64_t chance = (*random)() % 11;
  for (uint32_t i = 0; i < kInstances; ++i) {
    for (uint32_t seq = 1; seq <= kWrites; ++seq) {
      if ((*random)() % 10 < chance) writes.emplace(i, seq);
    }
  }
  return writes;
}

TEST(VersionVector, IsASetOfWritesInWhateverOrderTheyArrive) {
  std::mt19937_64 random(1);
  for (int round = 0; round < 3000; ++round) {
    const Writes writes = RandomWrites(&random);
    const VersionVector vector = VectorOf(writes, &random);
    ASSERT_EQ(WritesOf(vector), writes);
    for (uint32_t i = 0; i < kInstances; ++i) {
      uint32_t whole = 0;
      while (writes.count({i, whole + 1}) > 0) ++whole;
      ASSERT_EQ(vector.WholeOf(Id(i)), whole);
    }
  }
}

TEST(VersionVector, JoinsAndComparesAsSetsDo) {
  std::mt19937_64 random(2);
  for (int round = 0; round < 3000; ++round) {
    const Writes ours = RandomWrites(&random);
    const Writes theirs = random() % 4 == 0 ? ours : RandomWrites(&random);
    VersionVector vector = VectorOf(ours, &random);
    const SentVector sent = Sent(VectorOf(theirs, &random));

    const Standing standing = Compare(sent, vector);
    ASSERT_EQ(standing.we_lack, !std::includes(ours.begin(), ours.end(), theirs.begin(), theirs.end()));
    ASSERT_EQ(standing.they_lack, !std::includes(theirs.begin(), theirs.end(), ours.begin(), ours.end()));

    std::vector<uint32_t> seqs(kInstances);
    for (const SentVector::Entry& entry : sent.entries) seqs[vector.Find(entry.instance)] = entry.seq;
    std::vector<Hole> holes = sent.holes;
    for (Hole& hole : holes) hole.instance = vector.Find(sent.entries[hole.instance].instance);
    vector.SetHoles(vector.HolesWith(seqs, holes));
    for (uint32_t i = 0; i < kInstances; ++i) vector.Advance(i, seqs[i]);
    Writes both = ours;
    both.insert(theirs.begin(), theirs.end());
    ASSERT_EQ(WritesOf(vector), both);
    (void)Sent(vector);  // in the order that readers demand
  }
}

TEST(VersionVector, ComparesWithInstancesThatItHasNeverMet) {
  VersionVector ours, theirs;
  uint32_t index = 0;
  ASSERT_EQ(theirs.Intern(Id(0), &index), Status::kOk);
  EXPECT_TRUE(Compare(Sent(theirs), ours).equal()) << "it has written nothing";
  ASSERT_TRUE(theirs.Add(index, 3));
  EXPECT_TRUE(Compare(Sent(theirs), ours).we_lack);
  EXPECT_FALSE(Compare(Sent(theirs), ours).they_lack);
  EXPECT_TRUE(Compare(Sent(ours), theirs).they_lack);
  EXPECT_FALSE(Compare(Sent(ours), theirs).we_lack);
}

TEST(VersionVector, RefusesMoreHolesThanItMayHave) {
  VersionVector vector;
  uint32_t index = 0;
  ASSERT_EQ(vector.Intern(Id(0), &index), Status::kOk);
  for (uint32_t i = 1; i <= kHolesMax; ++i) ASSERT_TRUE(vector.Add(index, 4 * i));
  EXPECT_FALSE(vector.Add(index, 4 * kHolesMax + 2));
  EXPECT_EQ(vector.Seq(index), 4 * kHolesMax);
  EXPECT_FALSE(vector.Add(index, 2)) << "would split one";
  EXPECT_FALSE(vector.Has(Id(0), 2));
  EXPECT_TRUE(vector.Add(index, 1));
  EXPECT_TRUE(vector.Add(index, 4 * kHolesMax + 1));
  EXPECT_EQ(Sent(vector).holes.size(), kHolesMax);
}

TEST(VersionVector, RefusesToNameSomebodyTwice) {
  Buffer bytes;
  bytes.AppendVarint(2);
  for (int i = 0; i < 2; ++i) {
    bytes.Append(Id(0).view());
    bytes.AppendVarint(1);
  }
  bytes.AppendVarint(0);
  Reader reader(bytes.view());
  SentVector sent;
  EXPECT_EQ(DecodeVector(&reader, &sent), Status::kMalformedFrame);
}

TEST(VersionVector, RefusesHolesThatCannotBe) {
  const auto decode = [](std::initializer_list<std::initializer_list<uint64_t>> holes) {
    Buffer bytes;
    bytes.AppendVarint(2);
    for (uint32_t i = 0; i < 2; ++i) {
      bytes.Append(Id(i).view());
      bytes.AppendVarint(10);
    }
    bytes.AppendVarint(holes.size());
    for (const auto& hole : holes) {
      for (const uint64_t number : hole) bytes.AppendVarint(number);
    }
    Reader reader(bytes.view());
    SentVector sent;
    return DecodeVector(&reader, &sent);
  };
  EXPECT_EQ(decode({}), Status::kOk);
  EXPECT_EQ(decode({{0, 1, 2}, {0, 5, 0}, {1, 1, 8}}), Status::kOk);
  EXPECT_EQ(decode({{2, 1, 0}}), Status::kMalformedFrame) << "of nobody";
  EXPECT_EQ(decode({{0, 0, 1}}), Status::kMalformedFrame) << "numbers begin with 1";
  EXPECT_EQ(decode({{0, 9, 1}}), Status::kMalformedFrame) << "10 has arrived";
  EXPECT_EQ(decode({{0, 5, 0}, {0, 1, 0}}), Status::kMalformedFrame);
  EXPECT_EQ(decode({{0, 1, 2}, {0, 4, 0}}), Status::kMalformedFrame) << "is one hole";
  EXPECT_EQ(decode({{1, 1, 0}, {0, 1, 0}}), Status::kMalformedFrame);
  EXPECT_EQ(decode({{0, 1, uint64_t{1} << 32}}), Status::kMalformedFrame);
  EXPECT_EQ(decode({{0, 1}}), Status::kMalformedFrame) << "cut off";
}

}  // namespace
}  // namespace tabmesh
