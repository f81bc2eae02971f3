// Records of two tabs, read whole, in another order, with some missing and some changed: the same records
// give the same state, and no reading stops a replica from working.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/fuzz/replicas.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace tabmesh;
  Reader input(std::string_view(reinterpret_cast<const char*>(data), size));
  auto a = fuzz::Open(1);
  auto b = fuzz::Open(2);
  a->Restored(/*alone=*/true, fuzz::kNow);
  b->Restored(/*alone=*/true, fuzz::kNow);
  std::vector<std::string> records;
  for (size_t writes = input.Byte() % 24; writes > 0; --writes) {
    const uint8_t choice = input.Byte();
    Replica* writer = choice % 2 == 0 ? a.get() : b.get();
    std::string record = fuzz::Write(writer, static_cast<uint8_t>(choice / 4));
    if (record.empty()) continue;
    if (choice % 4 < 2) (writer == a.get() ? b : a)->Receive(record, fuzz::kNow);
    records.push_back(std::move(record));
  }
  auto in_order = fuzz::Open(3);
  for (const std::string& record : records) {
    if (in_order->Restore(record, fuzz::kNow) != Status::kOk) std::abort();
  }
  in_order->Restored(/*alone=*/true, fuzz::kNow);
  for (size_t i = 0; i + 1 < records.size(); ++i) {
    std::swap(records[i], records[i + input.Byte() % (records.size() - i)]);
  }
  auto shuffled = fuzz::Open(4);
  for (const std::string& record : records) {
    if (shuffled->Restore(record, fuzz::kNow) != Status::kOk) std::abort();
    if (input.Byte() % 4 == 0) (void)shuffled->Restore(record, fuzz::kNow);
  }
  shuffled->Restored(/*alone=*/true, fuzz::kNow);
  if (shuffled->digest() != in_order->digest()) std::abort();
  auto damaged = fuzz::Open(5);
  for (std::string record : records) {
    const uint8_t fate = input.Byte();
    if (fate % 3 == 0) continue;
    if (fate % 3 == 1) record[input.Byte() % record.size()] ^= static_cast<char>(fate | 1);
    (void)damaged->Restore(record, fuzz::kNow);
  }
  fuzz::CheckWorks(damaged.get());
  return 0;
}
