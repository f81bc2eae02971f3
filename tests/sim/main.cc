// sim --seeds N [--seed S] [--ticks T]: runs seeds S, S+1, … and prints one closing line; exit 1 on a
// violation.
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "simulation.h"

namespace {

uint64_t Option(int argc, char** argv, const char* name, uint64_t otherwise) {
  for (int i = 1; i + 1 < argc; ++i) {
    if (std::strcmp(argv[i], name) == 0) return std::strtoull(argv[i + 1], nullptr, 10);
  }
  return otherwise;
}

}  // namespace

int main(int argc, char** argv) {
  using namespace tabmesh;
  const uint64_t seeds = Option(argc, argv, "--seeds", 200);
  const uint64_t first = Option(argc, argv, "--seed", 1);
  const uint64_t ticks = Option(argc, argv, "--ticks", 4000);
  sim::Outcome sum;
  uint64_t digest = 0;
  uint64_t violations = 0;
  uint64_t faults = 0;
  for (uint64_t seed = first; seed < first + seeds; ++seed) {
    const sim::Outcome outcome = sim::Simulate(seed, ticks);
    if (!outcome.violation.empty()) {
      ++violations;
      std::printf("seed %llu: %s\n  replay: npm run sim -- --seeds 1 --seed %llu --ticks %llu\n",
                  static_cast<unsigned long long>(seed), outcome.violation.c_str(),
                  static_cast<unsigned long long>(seed), static_cast<unsigned long long>(ticks));
    }
    digest = Mix(digest ^ outcome.digest ^ seed);
    sum.tab_ms += outcome.tab_ms;
    sum.writes += outcome.writes;
    for (size_t i = 0; i < sim::kFaultKinds; ++i) {
      sum.faults[i] += outcome.faults[i];
      faults += outcome.faults[i];
    }
    if (seeds >= 1000 && seed % 500 == 0) {
      std::fprintf(stderr, "… %llu of %llu seeds\n", static_cast<unsigned long long>(seed - first + 1),
                   static_cast<unsigned long long>(seeds));
    }
  }
  for (size_t i = 0; i < sim::kFaultKinds; ++i) {
    std::printf("%s %llu  ", sim::FaultName(static_cast<sim::Fault>(i)),
                static_cast<unsigned long long>(sum.faults[i]));
  }
  std::printf("writes %llu\n", static_cast<unsigned long long>(sum.writes));
  std::printf("seeds=%llu tab_hours=%.1f faults=%llu violations=%llu digest=%016llx\n",
              static_cast<unsigned long long>(seeds), static_cast<double>(sum.tab_ms) / 3600000.0,
              static_cast<unsigned long long>(faults), static_cast<unsigned long long>(violations),
              static_cast<unsigned long long>(digest));
  return violations == 0 ? 0 : 1;
}
