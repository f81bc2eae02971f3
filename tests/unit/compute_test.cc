#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

#include "base/hash.h"
#include "compute/block_pool.h"
#include "compute/particles.h"
#include "compute/statistics.h"
#include "tests/sim/memory.h"

namespace tabmesh::compute {
namespace {

TEST(BlockPool, ClassesHoldWhatIsAskedForAndAtMostAQuarterMore) {
  size_t last = 0;
  for (size_t bytes = 0; bytes <= BlockPool::kBytesMax;
       bytes = bytes < 5000 ? bytes + 1 : bytes + bytes / 97) {
    const uint32_t size_class = BlockPool::ClassOf(bytes);
    const size_t capacity = BlockPool::CapacityOf(size_class);
    ASSERT_GE(capacity, bytes);
    ASSERT_EQ(capacity % BlockPool::kAlignment, 0u) << bytes;
    if (bytes > 64) ASSERT_LE(capacity, bytes + bytes / 4) << bytes;
    if (size_class > 0) ASSERT_LT(BlockPool::CapacityOf(size_class - 1), bytes) << bytes;
    ASSERT_GE(capacity, last);
    last = capacity;
  }
  EXPECT_EQ(BlockPool::CapacityOf(BlockPool::ClassOf(BlockPool::kBytesMax)), BlockPool::kBytesMax);
}

TEST(BlockPool, BlocksAreAlignedAndLieBesideEachOther) {
  struct Held {
    char* data;
    size_t size;
    char mark;
  };
  BlockPool pool;
  std::mt19937 random(3);
  std::vector<Held> held;
  for (int round = 0; round < 30000; ++round) {
    if (!held.empty() && random() % 2 == 0) {
      std::swap(held[random() % held.size()], held.back());
      const Held& given = held.back();
      for (size_t i = 0; i < given.size; ++i) ASSERT_EQ(given.data[i], given.mark);
      ASSERT_TRUE(pool.Give(given.data));
      ASSERT_FALSE(pool.Give(given.data));
      held.pop_back();
      continue;
    }
    const size_t size = random() % 50 == 0 ? random() % 300000 : random() % 3000;
    auto* data = static_cast<char*>(pool.Take(size));
    ASSERT_EQ(reinterpret_cast<uintptr_t>(data) % BlockPool::kAlignment, 0u);
    held.push_back({data, size, static_cast<char>(random())});
    std::memset(data, held.back().mark, size);
  }
  EXPECT_EQ(pool.taken(), held.size());
  for (const Held& given : held) ASSERT_TRUE(pool.Give(given.data));
  EXPECT_EQ(pool.taken(), 0u);
  EXPECT_EQ(pool.taken_bytes(), 0u);
}

TEST(BlockPool, ServesTheSameAgainFromWhatItHas) {
  BlockPool pool;
  size_t held = 0;
  for (int round = 0; round < 4; ++round) {
    std::mt19937 random(9);
    std::vector<void*> taken;
    for (int i = 0; i < 2000; ++i) taken.push_back(pool.Take(random() % 20000));
    std::shuffle(taken.begin(), taken.end(), random);
    for (void* block : taken) pool.Give(block);
    if (round == 0) held = pool.held_bytes();
    EXPECT_EQ(pool.held_bytes(), held);
  }
}

TEST(BlockPool, RefusesWhatItCannotHave) {
  BlockPool pool;
  EXPECT_EQ(pool.Take(BlockPool::kBytesMax + 1), nullptr);
  EXPECT_EQ(pool.Take(std::numeric_limits<size_t>::max()), nullptr);
  EXPECT_EQ(pool.taken(), 0u);
  sim::Scarcity scarcity(1);
  void* block = pool.Take(1000);
  ASSERT_NE(block, nullptr);
  EXPECT_EQ(pool.Take(500'000), nullptr);
  EXPECT_NE(pool.Take(1000), nullptr);  // there is some left
  EXPECT_TRUE(pool.Give(block));
  EXPECT_EQ(pool.taken(), 1u);
}

ParticleForces Forces() {
  ParticleForces forces{};
  forces.dt = 1.0F / 60;
  forces.drag = 0.2F;
  forces.bounce = 0.9F;
  forces.softening = 0.1F;
  forces.gravity[1] = -9.81F;
  forces.half[0] = forces.half[1] = forces.half[2] = 2;
  forces.attractors = 1;
  forces.attractor[0] = {{1, 0.5F, 0}, 2};
  return forces;
}

// The same bits from native code, from vector instructions and without them.
TEST(Particles, MoveTheSameOnEveryMachine) {
  const ParticleForces forces = Forces();
  std::vector<float> block(6 * 1000);
  ScatterParticles(block.data(), 1000, forces, 1, 5);
  for (int step = 0; step < 600; ++step) StepParticles(block.data(), 1000, forces);
  const std::string_view bytes(reinterpret_cast<const char*>(block.data()), block.size() * sizeof(float));
  EXPECT_EQ(HashBytes(bytes, 0), 17388702657491905852u);
}

TEST(Particles, FallFasterAndFasterUntilTheyBounce) {
  ParticleForces forces{};
  forces.dt = 0.1F;
  forces.bounce = 0.5F;
  forces.gravity[2] = -1;
  forces.half[0] = forces.half[1] = forces.half[2] = 1;
  std::vector<float> block(6 * 4);
  float velocity = 0;
  for (int step = 1; step <= 13; ++step) {
    StepParticles(block.data(), 4, forces);
    velocity -= 0.1F;
    EXPECT_FLOAT_EQ(block[5 * 4], velocity);
  }
  EXPECT_FLOAT_EQ(block[2 * 4], -0.91F);
  StepParticles(block.data(), 4, forces);  // to -1.05: mirrored at -1, and half as fast
  EXPECT_FLOAT_EQ(block[2 * 4], -0.95F);
  EXPECT_FLOAT_EQ(block[5 * 4], 0.7F);
}

TEST(Statistics, LeaveOutWhatIsNoNumber) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (size_t size = 0; size < 40; ++size) {
    for (size_t hole = 0; hole <= size; ++hole) {
      std::vector<float> numbers(size);
      double sum = 0;
      for (size_t i = 0; i < size; ++i) {
        numbers[i] = i == hole ? nan : static_cast<float>(i);
        if (i != hole) sum += static_cast<double>(i);
      }
      const Statistics statistics = StatisticsOf(numbers.data(), size);
      const size_t count = size - (hole < size ? 1 : 0);
      EXPECT_EQ(statistics.not_numbers, static_cast<double>(size - count));
      EXPECT_EQ(statistics.mean, count == 0 ? 0 : sum / static_cast<double>(count));
      EXPECT_EQ(statistics.min, count == 0 || hole != 0 ? 0 : 1);
    }
  }
}

}  // namespace
}  // namespace tabmesh::compute
