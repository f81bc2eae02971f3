// sim --seeds N [--seed S] [--ticks T] [--threads N] [--tabs N] [--faults a,b,…] [--verbose] [--shrink]
// [--canary] Runs seeds S, S+1, … and prints what was violated, what went wrong how often, and one closing
// line; exit 1 on a violation.
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "base/hash.h"
#include "base/plant.h"
#include "shrinker.h"
#include "simulation.h"

#ifndef __EMSCRIPTEN__
#include <thread>
#endif

namespace tabmesh::sim {
namespace {

using Count = unsigned long long;
constexpr size_t kTailLines = 60;
constexpr size_t kAllLines = 1000000;
constexpr size_t kTranscriptsMax = 5;

struct Arguments {
  uint64_t seeds = 200;
  uint64_t first = 1;
  uint64_t threads = 0;
  bool verbose = false;
  bool shrink = false;
  Settings settings;
};

bool Parse(int argc, char** argv, Arguments* arguments) {
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i];
    const char* value = i + 1 < argc ? argv[i + 1] : "";
    const auto number = [&](uint64_t* to) {
      *to = std::strtoull(value, nullptr, 10);
      ++i;
    };
    if (name == "--seeds") {
      number(&arguments->seeds);
    } else if (name == "--seed") {
      number(&arguments->first);
    } else if (name == "--ticks") {
      number(&arguments->settings.ticks);
    } else if (name == "--threads") {
      number(&arguments->threads);
    } else if (name == "--tabs") {
      number(&arguments->settings.tabs);
    } else if (name == "--faults" && ParseFaults(value, &arguments->settings.faults)) {
      ++i;
    } else if (name == "--verbose") {
      arguments->verbose = true;
    } else if (name == "--shrink") {
      arguments->shrink = true;
#ifdef TABMESH_PLANTS
    } else if (name == "--plant") {
      g_plant = value;
      ++i;
#endif
    } else if (name == "--canary") {
      arguments->settings.canary = true;
    } else {
      std::fprintf(stderr, "sim: what is %s %s?\n", name.c_str(), value);
      return false;
    }
  }
  return true;
}

std::string ReplayCommand(uint64_t seed, const Settings& settings) {
  const Settings usual;
  std::string command = "npm run sim -- --seeds 1 --seed " + std::to_string(seed);
  if (settings.ticks != usual.ticks) command += " --ticks " + std::to_string(settings.ticks);
  if (settings.tabs != usual.tabs) command += " --tabs " + std::to_string(settings.tabs);
  if (settings.faults != usual.faults) command += " --faults " + PrintFaults(settings.faults);
  return settings.canary ? command + " --canary" : command;
}

void Report(uint64_t seed, const Outcome& outcome, const Arguments& arguments, bool at_length) {
  std::printf("seed %llu: %s\n  replay: %s\n", static_cast<Count>(seed), outcome.violation.c_str(),
              ReplayCommand(seed, arguments.settings).c_str());
  if (!at_length) return;
  Settings settings = arguments.settings;
  if (arguments.shrink) {
    settings = Shrink(seed, settings);
    std::printf("  smaller: %s\n", ReplayCommand(seed, settings).c_str());
  }
  settings.transcript_lines = arguments.verbose ? kAllLines : kTailLines;
  const Outcome again = Simulate(seed, settings);
  if (arguments.shrink) std::printf("  there: %s\n", again.violation.c_str());
  std::printf("%s", again.transcript.c_str());
}

std::vector<Outcome> RunAll(const Arguments& arguments) {
  std::vector<Outcome> outcomes(arguments.seeds);
  std::atomic<uint64_t> next{0};
  std::atomic<uint64_t> done{0};
  const uint64_t told_every = arguments.seeds >= 1000 ? arguments.seeds / 20 : UINT64_MAX;
  const auto work = [&] {
    for (uint64_t i = next++; i < arguments.seeds; i = next++) {
      outcomes[i] = Simulate(arguments.first + i, arguments.settings);
      const uint64_t now_done = ++done;
      if (now_done % told_every == 0) {
        std::fprintf(stderr, "… %llu of %llu seeds\n", static_cast<Count>(now_done),
                     static_cast<Count>(arguments.seeds));
      }
    }
  };
#ifdef __EMSCRIPTEN__
  work();
#else
  const uint64_t threads = arguments.threads > 0 ? arguments.threads : std::thread::hardware_concurrency();
  std::vector<std::thread> others;
  for (uint64_t i = 1; i < threads && i < arguments.seeds; ++i) others.emplace_back(work);
  work();
  for (std::thread& other : others) other.join();
#endif
  return outcomes;
}

int Main(int argc, char** argv) {
  Arguments arguments;
  if (!Parse(argc, argv, &arguments)) return 2;
  if (arguments.verbose && arguments.seeds == 1) arguments.settings.transcript_lines = kAllLines;
  const std::vector<Outcome> outcomes = RunAll(arguments);

  Outcome sum;
  uint64_t violations = 0;
  uint64_t faults = 0;
  for (uint64_t i = 0; i < arguments.seeds; ++i) {
    const Outcome& outcome = outcomes[i];
    const uint64_t seed = arguments.first + i;
    if (!outcome.violation.empty()) {
      Report(seed, outcome, arguments, ++violations <= kTranscriptsMax);
    } else {
      std::printf("%s", outcome.transcript.c_str());
    }
    sum.digest = Mix(sum.digest ^ outcome.digest ^ seed);
    sum.tab_ms += outcome.tab_ms;
    sum.writes += outcome.writes;
    sum.durable_writes += outcome.durable_writes;
    sum.page_loads += outcome.page_loads;
    sum.eras += outcome.eras;
    sum.transactions += outcome.transactions;
    sum.events += outcome.events;
    for (size_t kind = 0; kind < kFaultKinds; ++kind) sum.faults[kind] += outcome.faults[kind];
  }
  for (size_t kind = 0; kind < kFaultKinds; ++kind) {
    faults += sum.faults[kind];
    std::printf("%-20s %10llu%s", FaultName(static_cast<Fault>(kind)), static_cast<Count>(sum.faults[kind]),
                kind % 3 == 2 || kind + 1 == kFaultKinds ? "\n" : "   ");
  }
  std::printf("page_loads=%llu eras=%llu transactions=%llu writes=%llu durable=%llu events=%llu\n",
              static_cast<Count>(sum.page_loads), static_cast<Count>(sum.eras),
              static_cast<Count>(sum.transactions), static_cast<Count>(sum.writes),
              static_cast<Count>(sum.durable_writes), static_cast<Count>(sum.events));
  const uint64_t tenths = sum.tab_ms / 360000;
  std::printf("seeds=%llu tab_hours=%llu.%llu faults=%llu violations=%llu digest=%016llx\n",
              static_cast<Count>(arguments.seeds), static_cast<Count>(tenths / 10),
              static_cast<Count>(tenths % 10), static_cast<Count>(faults), static_cast<Count>(violations),
              static_cast<Count>(sum.digest));
  return violations == 0 ? 0 : 1;
}

}  // namespace
}  // namespace tabmesh::sim

int main(int argc, char** argv) { return tabmesh::sim::Main(argc, argv); }
