// Writes of every sort, made by replicas that know some of each other's.
#ifndef TABMESH_TESTS_PROPERTY_RANDOM_WRITES_H_
#define TABMESH_TESTS_PROPERTY_RANDOM_WRITES_H_

#include <cstdint>
#include <cstdlib>
#include <iterator>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "tests/property/writer.h"

namespace tabmesh {

inline uint64_t FromEnvironment(const char* name, uint64_t otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr ? otherwise : std::strtoull(value, nullptr, 10);
}

// One round where a seed is given.
inline uint64_t Rounds(uint64_t otherwise) {
  return std::getenv("TABMESH_SEED") != nullptr ? 1 : FromEnvironment("TABMESH_ROUNDS", otherwise);
}

inline std::string RandomEdits(std::mt19937_64* random) {
  static constexpr const char* kEdits[] = {
      R"([[["tree","a"],1]])",
      R"([[["tree","a"],{"b":[2]}]])",
      R"([[["tree","a","b"],3]])",
      R"([[["tree"],{"c":4}]])",
      R"([[["tree"],{"c":{}},1]])",
      R"([[["tree"]]])",
      R"([[["tree","n"],2,2]])",
      R"([[["tree","n"],7]])",
      R"([[["n"],1,2]])",
      R"([[["n"],-3,2]])",
      R"([[["n"],10]])",
      R"([[["n"]]])",
      R"([[["whole"],{"x":1}]])",
      R"([[["whole"],5]])",
      R"([[["first"],"a"]])",
      R"([[["first"],"b"]])",
      R"([[["first"]]])",
      R"([[["asked"],"c"]])",
      R"([[["asked"],{"d":1}]])",
      R"([[["asked"]]])",
      R"([[["list"],[{"id":1,"x":1},{"id":2}]]])",
      R"([[["list"],[{"id":2},{"id":1,"x":2}]]])",
      R"([[["list"],[{"id":"three"},{"id":2,"y":{}}]]])",
      R"([[["list"],[{"id":1}]]])",
      R"([[["list"],[]]])",
      R"([[["list"],"none"]])",
      R"([[["list"]]])",
      R"([[["list"],[{"id":2}],1]])",
      R"([[["whole","y"],2]])",
      R"([[["asked","d"],{"e":3}]])",
      R"([[["first","f"]]])",
      R"([[["asked"],{}]])",
  };
  return kEdits[(*random)() % std::size(kEdits)];
}

// Of every second seed some writers are of another version of the app.
inline std::vector<Write> RandomWrites(uint64_t seed, const VersionVector* vector, CallArena* arena,
                                       std::string_view initial_state = "{}") {
  std::mt19937_64 random(seed);
  std::vector<std::unique_ptr<Writer>> writers;
  for (uint32_t i = 0; i < kReplicas; ++i) {
    writers.push_back(std::make_unique<Writer>(vector, i, seed % 2 == 0 && random() % 3 == 0));
    writers.back()->Begin(initial_state, arena);
  }
  // What each has learnt of each: always a beginning of the other's writes, as the version vector sees to.
  size_t known[kReplicas][kReplicas] = {};
  std::vector<std::vector<Write>> made(kReplicas);
  std::vector<Write> all;
  for (size_t count = 1 + random() % 8; count > 0; --count) {
    const size_t who = random() % kReplicas;
    for (size_t other = 0; other < kReplicas; ++other) {
      while (other != who && known[who][other] < made[other].size() && random() % 2 == 0) {
        writers[who]->Learn(made[other][known[who][other]++]);
      }
    }
    Write write;
    static constexpr std::string_view kAdded[] = {"", "", "x", "more"};
    const std::string edits = RandomEdits(&random);
    const uint64_t ms = 1 + random() % 6;
    if (!writers[who]->Make(edits, ms, arena, &write, kAdded[random() % 4])) continue;
    made[who].push_back(write);
    all.push_back(write);
  }
  return all;
}

}  // namespace tabmesh

#endif  // TABMESH_TESTS_PROPERTY_RANDOM_WRITES_H_
