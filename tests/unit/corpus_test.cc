// The inputs that fuzzing has found worth keeping, and those that once found a fault, through every target
// again.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

// Each target is one function of one name: they get names of their own here.
#define LLVMFuzzerTestOneInput FuzzReplica
#include "tests/fuzz/replica_fuzz.cc"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput FuzzFrame
#include "tests/fuzz/frame_fuzz.cc"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput FuzzJournal
#include "tests/fuzz/journal_fuzz.cc"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput FuzzCheckpoint
#include "tests/fuzz/checkpoint_fuzz.cc"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput FuzzJson
#include "tests/fuzz/json_fuzz.cc"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput FuzzLz
#include "tests/fuzz/lz_fuzz.cc"
#undef LLVMFuzzerTestOneInput

namespace {

using Target = int (*)(const uint8_t*, size_t);

TEST(Corpus, EveryKeptInputPassesItsTarget) {
  const std::pair<const char*, Target> targets[] = {{"replica", FuzzReplica}, {"frame", FuzzFrame},
                                                    {"journal", FuzzJournal}, {"checkpoint", FuzzCheckpoint},
                                                    {"json", FuzzJson},       {"lz", FuzzLz}};
  for (const auto& [name, target] : targets) {
    size_t inputs = 0;
    for (const auto& entry :
         std::filesystem::directory_iterator(std::string(TABMESH_FUZZ_CORPUS) + "/" + name)) {
      std::ifstream file(entry.path(), std::ios::binary);
      const std::string bytes{std::istreambuf_iterator<char>(file), {}};
      EXPECT_EQ(target(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()), 0) << entry.path();
      ++inputs;
    }
    EXPECT_GT(inputs, 0u) << "no corpus for " << name;
  }
}

}  // namespace
