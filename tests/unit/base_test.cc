#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/crc32c.h"
#include "base/hash.h"
#include "base/pool.h"
#include "base/status.h"

namespace tabmesh {
namespace {

TEST(Varint, RoundTripsAroundEachLengthBoundary) {
  for (int bits = 0; bits <= 63; bits += 7) {
    const uint64_t boundary = uint64_t{1} << bits;
    for (const uint64_t value : {boundary - 1, boundary, boundary + 1, UINT64_MAX}) {
      Buffer buffer;
      buffer.AppendVarint(value);
      Reader reader(buffer.view());
      EXPECT_EQ(reader.Varint(), value);
      EXPECT_TRUE(reader.AtEnd());
    }
  }
}

TEST(Varint, RefusesMoreThanSixtyFourBits) {
  Reader too_long(std::string_view("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 10));
  too_long.Varint();
  EXPECT_FALSE(too_long.ok());
  Reader cut(std::string_view("\xff", 1));
  cut.Varint();
  EXPECT_FALSE(cut.ok());
}

TEST(Reader, ReturnsNothingAfterTheFirstFailure) {
  Reader reader("abc");
  EXPECT_EQ(reader.Take(4), "");
  EXPECT_FALSE(reader.ok());
  EXPECT_EQ(reader.Take(1), "");
  EXPECT_EQ(reader.Byte(), 0);
  EXPECT_EQ(reader.Fixed64(), 0u);
}

TEST(Reader, SizedRefusesMoreThanTheLimit) {
  Buffer buffer;
  buffer.AppendSized("hello");
  Reader within(buffer.view());
  EXPECT_EQ(within.Sized(5), "hello");
  Reader beyond(buffer.view());
  beyond.Sized(4);
  EXPECT_FALSE(beyond.ok());
}

TEST(Buffer, KeepsFixedWidthNumbersLittleEndian) {
  Buffer buffer;
  buffer.AppendFixed32(0x01020304);
  EXPECT_EQ(buffer.view(), std::string_view("\x04\x03\x02\x01", 4));
  buffer.AppendFixed64(0x0102030405060708);
  Reader reader(buffer.view());
  EXPECT_EQ(reader.Fixed32(), 0x01020304u);
  EXPECT_EQ(reader.Fixed64(), 0x0102030405060708u);
}

TEST(Crc32c, MatchesTheVectorsOfRfc3720) {
  EXPECT_EQ(Crc32c("123456789"), 0xe3069283u);
  EXPECT_EQ(Crc32c(std::string(32, '\0')), 0x8a9136aau);
  EXPECT_EQ(Crc32c(std::string(32, '\xff')), 0x62a8ab43u);
  EXPECT_EQ(Crc32c(""), 0u);
}

TEST(Hash, DependsOnEveryByteAndOnTheSeed) {
  const std::string text = "the quick brown fox";
  for (size_t i = 0; i < text.size(); ++i) {
    std::string other = text;
    other[i] ^= 1;
    EXPECT_NE(HashBytes(text, 0), HashBytes(other, 0)) << i;
  }
  EXPECT_NE(HashBytes(text, 0), HashBytes(text, 1));
  EXPECT_NE(HashBytes(std::string(7, '\0'), 0), HashBytes(std::string(8, '\0'), 0));
}

TEST(Pool, ReusesGivenSlotsBeforeGrowing) {
  Pool<int, 4> pool;
  std::vector<int*> taken;
  for (int i = 0; i < 9; ++i) taken.push_back(pool.Take());
  const size_t bytes = pool.bytes();
  for (int round = 0; round < 100; ++round) {
    for (int* slot : taken) pool.Give(slot);
    taken.clear();
    for (int i = 0; i < 9; ++i) taken.push_back(pool.Take());
  }
  EXPECT_EQ(pool.bytes(), bytes);
  EXPECT_EQ(pool.used(), 9u);
}

TEST(TextArena, KeepsTextsOfEverySizeClassApart) {
  TextArena arena;
  std::vector<std::string> wanted;
  std::vector<std::string_view> stored;
  for (const size_t size : {1u, 15u, 16u, 17u, 32u, 33u, 2047u, 2048u, 2049u, 70000u}) {
    wanted.push_back(std::string(size, static_cast<char>('a' + wanted.size())));
    ASSERT_TRUE(arena.Store(wanted.back(), &stored.emplace_back()));
  }
  for (size_t i = 0; i < wanted.size(); ++i) EXPECT_EQ(stored[i], wanted[i]);
  for (const std::string_view text : stored) arena.Free(text);
  EXPECT_EQ(arena.used_bytes(), 0u);
}

TEST(TextArena, ReusesFreedTextOfTheSameClass) {
  TextArena arena;
  std::string_view first, second;
  ASSERT_TRUE(arena.Store(std::string(20, 'x'), &first));
  const char* place = first.data();
  arena.Free(first);
  ASSERT_TRUE(arena.Store(std::string(30, 'y'), &second));
  EXPECT_EQ(second.data(), place);
}

TEST(CallArena, KeepsEverythingUntilReset) {
  CallArena arena;
  std::vector<std::string_view> copies(2000);
  for (size_t i = 0; i < copies.size(); ++i) ASSERT_TRUE(arena.Copy(std::to_string(i), &copies[i]));
  ASSERT_NE(arena.Allocate(300000), nullptr);
  for (size_t i = 0; i < copies.size(); ++i) EXPECT_EQ(copies[i], std::to_string(i));
  arena.Reset();
  ASSERT_NE(arena.Allocate(8), nullptr);
}

TEST(Status, EveryNameIsItsOwn) {
  std::set<std::string_view> names;
  for (int code = 0; code <= static_cast<int>(Status::kIdentityConflict); ++code) {
    const std::string_view name = StatusName(static_cast<Status>(code));
    EXPECT_NE(name, "unknown") << code;
    EXPECT_TRUE(names.insert(name).second) << name;
  }
  EXPECT_EQ(std::string_view(StatusName(static_cast<Status>(200))), "unknown");
}

}  // namespace
}  // namespace tabmesh
