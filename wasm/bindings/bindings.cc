// The boundary to JavaScript: numbers cross it; bytes wait for the other side in the module's memory.
#include <emscripten/bind.h>

#include <cstddef>
#include <cstdlib>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "lz/lz_string.h"
#include "lz/pieces.h"
#include "replica/replica.h"

namespace {

// ---- in: one buffer that JavaScript fills before a call ----------------------------------------------

// What nearly every call fits into; js-glue/memory.ts knows the size.
constexpr size_t kInputKept = 64 << 10;
alignas(8) char kept_input[kInputKept];
char* large_input = nullptr;

// Where to put the bytes of the next call; 0 when there is no memory for them.
uintptr_t Input(size_t size) {
  std::free(large_input);
  large_input = size > kInputKept ? static_cast<char*>(std::malloc(size)) : nullptr;
  return reinterpret_cast<uintptr_t>(size > kInputKept ? large_input : kept_input);
}

std::string_view Given(size_t from, size_t size) {
  return {(large_input != nullptr ? large_input : kept_input) + from, size};
}

void EndInput() {
  std::free(large_input);
  large_input = nullptr;
}

// ---- out: what JavaScript reads after a call, at an address that stays -------------------------------

struct Span {
  const char* start = nullptr;
  uint32_t size = 0;
};

// js-glue/core.ts reads these by their places, and sets a size, a count or `lock` to 0 to say that it has
// taken what was there.
struct Report {
  double wake_at_ms = 0;
  double claim_term = 0;
  double clock_ms = 0;  // of the newest write seen
  uint32_t seq = 0;     // of the newest own write
  uint32_t lock = 0;
  Span changes;
  Span events;
  Span output;  // of the calls that print: valid until the next call
  const Span* frames = nullptr;
  uint32_t frame_count = 0;
  const Span* records = nullptr;
  uint32_t record_count = 0;
};
static_assert(offsetof(Report, seq) == 24 && offsetof(Report, changes) == 32 &&
              offsetof(Report, frames) == 56 && sizeof(Report) == 72);

// Beside the lock's actions: Actions::incomplete.
constexpr uint32_t kIncomplete = 5;

Span SpanOf(const tabmesh::Buffer& buffer) {
  return {buffer.view().data(), static_cast<uint32_t>(buffer.size())};
}

void Collect(const std::vector<tabmesh::Buffer>& buffers, std::vector<Span>* spans) {
  spans->clear();
  for (const tabmesh::Buffer& buffer : buffers) spans->push_back(SpanOf(buffer));
}

class ReplicaHandle {
 public:
  ReplicaHandle(std::string_view name, std::string_view label, std::string_view instance,
                double connected_at_ms, bool visible, bool may_lead, int default_strategy) {
    options_.name = name;
    options_.instance = tabmesh::InstanceId::From(instance);
    options_.label = label;
    options_.connected_at_ms = Ms(connected_at_ms);
    options_.visible = visible;
    options_.may_lead = may_lead;
    options_.default_strategy = static_cast<tabmesh::Strategy>(default_strategy);
  }

  const Report* report() const { return &report_; }

  // Before a call: forgets what has been taken.
  void Begin() {
    output_.Clear();
    if (!replica_) return;
    tabmesh::Actions* actions = replica_->actions();
    if (report_.changes.size == 0) actions->changes.Clear();
    if (report_.events.size == 0) actions->events.Clear();
    if (report_.frame_count == 0) actions->frames.clear();
    if (report_.record_count == 0) actions->records.clear();
    if (report_.lock == 0) actions->lock = tabmesh::LockAction::kNone;
  }

  // After it: reports what is there.
  void End() {
    EndInput();
    report_.output = SpanOf(output_);
    if (!replica_) return;
    const tabmesh::Actions& actions = *replica_->actions();
    report_.wake_at_ms = static_cast<double>(actions.wake_at_ms);
    report_.claim_term = static_cast<double>(actions.claim_term);
    report_.clock_ms = static_cast<double>(tabmesh::HlcMs(replica_->clock().last()));
    report_.seq = replica_->seq();
    report_.lock = actions.incomplete ? kIncomplete : static_cast<uint32_t>(actions.lock);
    const bool tells = actions.changes.size() > 2 && !actions.incomplete;  // more than "[]"
    report_.changes = tells ? SpanOf(actions.changes) : Span{};
    report_.events = actions.incomplete ? Span{} : SpanOf(actions.events);
    Collect(actions.frames, &frames_);
    report_.frames = frames_.data();
    report_.frame_count = static_cast<uint32_t>(frames_.size());
    Collect(actions.records, &records_);
    report_.records = records_.data();
    report_.record_count = static_cast<uint32_t>(records_.size());
  }

  // Input: the key.
  void SetStrategy(size_t key, int strategy) {
    options_.strategies[std::string(Given(0, key))] = static_cast<tabmesh::Strategy>(strategy);
  }
  // Input: the key, then the field that names an item.
  void SetList(size_t key, size_t id_field) {
    options_.lists[std::string(Given(0, key))] = Given(key, id_field);
  }

  // The calls of replica.h; `size` bytes of input are the text, record, frame or ids. Numbers returned are
  // statuses.
  int Open(size_t size, double now) {
    replica_ = std::make_unique<tabmesh::Replica>(options_);
    return Code(replica_->Open(Given(0, size), Ms(now)));
  }
  // What the last era still wants done must have been taken.
  int EnterEra(size_t size, uint32_t era, double now) {
    replica_ = std::make_unique<tabmesh::Replica>(*replica_, era);
    return Code(replica_->Open(Given(0, size), Ms(now)));
  }
  int Restore(size_t size, double now) { return Code(replica_->Restore(Given(0, size), Ms(now))); }
  void Restored(bool alone, double now) { replica_->Restored(alone, Ms(now)); }
  int LocalSet(size_t size, double now) {
    uint32_t seq = 0;
    return Code(replica_->LocalSet(Given(0, size), Ms(now), &seq));
  }
  // Output: the record to store; empty when nothing has to change.
  int Propose(size_t size, double now) { return Code(replica_->Propose(Given(0, size), Ms(now), &output_)); }
  void Accept(double now) { replica_->Accept(Ms(now)); }
  // Output: an empty write of the number that was passed over, or nothing.
  void Withdraw(double now) { replica_->Withdraw(Ms(now), &output_); }
  void PassOver() { replica_->PassOver(); }
  bool HasOwn(uint32_t seq) { return replica_->HasOwn(seq); }
  void Receive(size_t size, double now) { replica_->Receive(Given(0, size), Ms(now)); }
  // Input: the receiver's instance, or nothing for all; then JSON.
  int SendNote(size_t to, size_t size, double now) {
    const tabmesh::InstanceId id = to == 0 ? tabmesh::InstanceId() : tabmesh::InstanceId::From(Given(0, to));
    return Code(replica_->SendNote(id, Given(to, size), Ms(now)));
  }
  // Output: a greeting.
  void Greeting() { output_ = replica_->EncodeGreeting(); }
  // Input: another's greeting. Output: what it lacks.
  int Answer(size_t size) { return Code(replica_->EncodeAnswer(Given(0, size), &output_)); }
  // Input: an instance. Up to where all of its writes are here.
  uint32_t WholeOf(size_t size) {
    return replica_->vector().WholeOf(tabmesh::InstanceId::From(Given(0, size)));
  }
  void AskShared(double now) { replica_->AskShared(Ms(now)); }
  void Tick(double now) { replica_->Tick(Ms(now)); }
  void SetStores(bool stores, double now) { replica_->SetStores(stores, Ms(now)); }
  void SetVisible(bool visible, double now) { replica_->SetVisible(visible, Ms(now)); }
  void Suspend(double now) { replica_->Suspend(Ms(now)); }
  void Resume(double now) { replica_->Resume(Ms(now)); }
  void Destroy(double now) { replica_->Destroy(Ms(now)); }
  void RetainPeers(size_t size, double now) { replica_->RetainPeers(Given(0, size), Ms(now)); }
  void LockHeldBy(size_t size, double now) { replica_->LockHeldBy(Given(0, size), Ms(now)); }
  void Announce(double now) { replica_->Announce(Ms(now)); }
  void TakeLead(double now) { replica_->TakeLead(Ms(now)); }
  void LockGranted(double now) { replica_->LockGranted(Ms(now)); }
  void LockLost(double now) { replica_->LockLost(Ms(now)); }
  void TermClaimed(double term, double now) { replica_->TermClaimed(static_cast<uint64_t>(term), Ms(now)); }
  void ClaimFailed(double now) { replica_->ClaimFailed(Ms(now)); }

  // Readers: what they print is the output.
  void Peers() { replica_->PrintPeers(&output_); }
  // Output: 16 digits, hexadecimal; the same where the same is merged.
  void Digest() {
    for (int shift = 60; shift >= 0; shift -= 4) {
      output_.AppendByte(static_cast<uint8_t>("0123456789abcdef"[replica_->digest() >> shift & 15]));
    }
  }
  void Conflicts() { replica_->PrintConflicts(&output_); }
  // Input: a path. Output: of Replica::PrintLastWrite.
  int LastWrite(size_t size) { return Code(replica_->PrintLastWrite(Given(0, size), &output_)); }
  // Empty when it cannot be made now.
  void Checkpoint() {
    if (replica_->EncodeCheckpoint(&output_) != tabmesh::Status::kOk) output_.Clear();
  }
  // Input: a piece of a checkpoint. Output: the same, packed; empty when memory is out.
  void Pack(size_t size) {
    if (tabmesh::lz::AppendPiece(Given(0, size), &output_) != tabmesh::Status::kOk) output_.Clear();
  }
  bool CompactionDue() { return replica_->CompactionDue(); }
  // Output: what the next era begins with, then the end of this one; returns the size of the first. Empty
  // when it cannot be made now.
  size_t NextEra() {
    tabmesh::Buffer end;
    if (replica_->EncodeNextEra(&output_, &end) != tabmesh::Status::kOk) output_.Clear();
    const size_t size = output_.size();
    if (size > 0) output_.Append(end.view());
    if (output_.failed()) output_.Clear();
    return output_.size() > 0 ? size : 0;
  }
  // Input: the end of this era. Output: a list of numbers (Replica::KeptAtEnd), empty where it is that of
  // another.
  void KeptAtEnd(size_t size) {
    std::vector<uint32_t> kept;
    (void)replica_->KeptAtEnd(Given(0, size), &kept);
    PrintNumbers(kept);
  }
  // writes, framesIn, bytesIn, framesOut, bytesOut, dropped, gaps, divergences, nodes, text bytes, pool bytes
  void Counters() {
    const tabmesh::ReplicaCounters& counters = replica_->counters();
    const tabmesh::NodeTree& tree = replica_->document().tree();
    PrintNumbers(std::initializer_list<uint64_t>{
        counters.writes, counters.frames_in, counters.bytes_in, counters.frames_out, counters.bytes_out,
        counters.dropped, counters.gaps, counters.divergences, static_cast<uint64_t>(tree.node_count()),
        static_cast<uint64_t>(tree.text_bytes()), static_cast<uint64_t>(tree.pool_bytes())});
  }
  void StatusName(int code) { output_.Append(tabmesh::StatusName(static_cast<tabmesh::Status>(code))); }

 private:
  template <typename Numbers>
  void PrintNumbers(const Numbers& numbers) {
    output_.AppendByte('[');
    for (const auto number : numbers) {
      if (output_.size() > 1) output_.AppendByte(',');
      tabmesh::PrintNumber(number, &output_);
    }
    output_.AppendByte(']');
  }

  static uint64_t Ms(double now) { return now > 0 ? static_cast<uint64_t>(now) : 0; }
  static int Code(tabmesh::Status status) { return static_cast<int>(status); }

  tabmesh::ReplicaOptions options_;
  std::unique_ptr<tabmesh::Replica> replica_;
  tabmesh::Buffer output_;
  std::vector<Span> frames_;
  std::vector<Span> records_;
  Report report_;
};

// A replica is a number to JavaScript: embind's classes would cost every call a conversion and every
// page a kilobyte. core.ts makes one once and frees it once.
using Handle = uintptr_t;

// Input: the name, the label, and the 16 bytes of the instance.
Handle Create(size_t name, size_t label, double connected_at_ms, bool visible, bool may_lead,
              int default_strategy) {
  const Handle handle = reinterpret_cast<Handle>(
      new ReplicaHandle(Given(0, name), Given(name, label), Given(name + label, tabmesh::InstanceId::kBytes),
                        connected_at_ms, visible, may_lead, default_strategy));
  EndInput();
  return handle;
}

void Free(Handle handle) { delete reinterpret_cast<ReplicaHandle*>(handle); }

// Where the Report of a replica lies.
uintptr_t ReportOf(Handle handle) {
  return reinterpret_cast<uintptr_t>(reinterpret_cast<ReplicaHandle*>(handle)->report());
}

// A method as a function whose first argument is the handle.
template <auto kMethod>
struct Bound;
template <typename Result, typename... Args, Result (ReplicaHandle::*kMethod)(Args...)>
struct Bound<kMethod> {
  static Result Call(Handle handle, Args... args) {
    auto* replica = reinterpret_cast<ReplicaHandle*>(handle);
    replica->Begin();
    if constexpr (std::is_void_v<Result>) {
      (replica->*kMethod)(args...);
      replica->End();
    } else {
      const Result result = (replica->*kMethod)(args...);
      replica->End();
      return result;
    }
  }
};

// ---- lz-string: code units in, code units out ---------------------------------------------------------

// The result of the last call, kept until the next.
std::u16string packed_or_text;
struct {
  const char16_t* start;
  uint32_t units;
} lz_output;

uintptr_t LzOutput() {
  lz_output = {packed_or_text.data(), static_cast<uint32_t>(packed_or_text.size())};
  return reinterpret_cast<uintptr_t>(&lz_output);
}

std::u16string_view GivenUnits(size_t units) {
  return {reinterpret_cast<const char16_t*>(Given(0, units * 2).data()), units};
}

// The address of where the result lies and of its length in code units.
uintptr_t LzCompress(size_t units, int form) {
  packed_or_text = tabmesh::lz::Compress(GivenUnits(units), static_cast<tabmesh::lz::Form>(form));
  EndInput();
  return LzOutput();
}

// 0 for input that is empty or broken.
uintptr_t LzDecompress(size_t units, int form) {
  auto text = tabmesh::lz::Decompress(GivenUnits(units), static_cast<tabmesh::lz::Form>(form));
  EndInput();
  if (!text) return 0;
  packed_or_text = std::move(*text);
  return LzOutput();
}

}  // namespace

EMSCRIPTEN_BINDINGS(tabmesh) {
  emscripten::function("input", &Input);
  emscripten::function("create", &Create);
  emscripten::function("free", &Free);
  emscripten::function("report", &ReportOf);
  emscripten::function("setStrategy", &Bound<&ReplicaHandle::SetStrategy>::Call);
  emscripten::function("setList", &Bound<&ReplicaHandle::SetList>::Call);
  emscripten::function("open", &Bound<&ReplicaHandle::Open>::Call);
  emscripten::function("enterEra", &Bound<&ReplicaHandle::EnterEra>::Call);
  emscripten::function("restore", &Bound<&ReplicaHandle::Restore>::Call);
  emscripten::function("restored", &Bound<&ReplicaHandle::Restored>::Call);
  emscripten::function("localSet", &Bound<&ReplicaHandle::LocalSet>::Call);
  emscripten::function("propose", &Bound<&ReplicaHandle::Propose>::Call);
  emscripten::function("accept", &Bound<&ReplicaHandle::Accept>::Call);
  emscripten::function("withdraw", &Bound<&ReplicaHandle::Withdraw>::Call);
  emscripten::function("passOver", &Bound<&ReplicaHandle::PassOver>::Call);
  emscripten::function("hasOwn", &Bound<&ReplicaHandle::HasOwn>::Call);
  emscripten::function("receive", &Bound<&ReplicaHandle::Receive>::Call);
  emscripten::function("sendNote", &Bound<&ReplicaHandle::SendNote>::Call);
  emscripten::function("greeting", &Bound<&ReplicaHandle::Greeting>::Call);
  emscripten::function("answer", &Bound<&ReplicaHandle::Answer>::Call);
  emscripten::function("wholeOf", &Bound<&ReplicaHandle::WholeOf>::Call);
  emscripten::function("askShared", &Bound<&ReplicaHandle::AskShared>::Call);
  emscripten::function("tick", &Bound<&ReplicaHandle::Tick>::Call);
  emscripten::function("setStores", &Bound<&ReplicaHandle::SetStores>::Call);
  emscripten::function("setVisible", &Bound<&ReplicaHandle::SetVisible>::Call);
  emscripten::function("suspend", &Bound<&ReplicaHandle::Suspend>::Call);
  emscripten::function("resume", &Bound<&ReplicaHandle::Resume>::Call);
  emscripten::function("destroy", &Bound<&ReplicaHandle::Destroy>::Call);
  emscripten::function("retainPeers", &Bound<&ReplicaHandle::RetainPeers>::Call);
  emscripten::function("lockHeldBy", &Bound<&ReplicaHandle::LockHeldBy>::Call);
  emscripten::function("announce", &Bound<&ReplicaHandle::Announce>::Call);
  emscripten::function("takeLead", &Bound<&ReplicaHandle::TakeLead>::Call);
  emscripten::function("lockGranted", &Bound<&ReplicaHandle::LockGranted>::Call);
  emscripten::function("lockLost", &Bound<&ReplicaHandle::LockLost>::Call);
  emscripten::function("termClaimed", &Bound<&ReplicaHandle::TermClaimed>::Call);
  emscripten::function("claimFailed", &Bound<&ReplicaHandle::ClaimFailed>::Call);
  emscripten::function("peers", &Bound<&ReplicaHandle::Peers>::Call);
  emscripten::function("digest", &Bound<&ReplicaHandle::Digest>::Call);
  emscripten::function("conflicts", &Bound<&ReplicaHandle::Conflicts>::Call);
  emscripten::function("lastWrite", &Bound<&ReplicaHandle::LastWrite>::Call);
  emscripten::function("checkpoint", &Bound<&ReplicaHandle::Checkpoint>::Call);
  emscripten::function("pack", &Bound<&ReplicaHandle::Pack>::Call);
  emscripten::function("compactionDue", &Bound<&ReplicaHandle::CompactionDue>::Call);
  emscripten::function("nextEra", &Bound<&ReplicaHandle::NextEra>::Call);
  emscripten::function("keptAtEnd", &Bound<&ReplicaHandle::KeptAtEnd>::Call);
  emscripten::function("counters", &Bound<&ReplicaHandle::Counters>::Call);
  emscripten::function("statusName", &Bound<&ReplicaHandle::StatusName>::Call);
  emscripten::function("lzCompress", &LzCompress);
  emscripten::function("lzDecompress", &LzDecompress);
}
