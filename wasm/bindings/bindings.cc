// The boundary to JavaScript: copies bytes and numbers in and out, nothing else.
#include <emscripten/bind.h>
#include <emscripten/em_js.h>
#include <emscripten/val.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "lz/lz_string.h"
#include "replica/replica.h"

namespace {

using emscripten::val;

EMSCRIPTEN_DECLARE_VAL_TYPE(BytesList);
EMSCRIPTEN_DECLARE_VAL_TYPE(Bytes);
EMSCRIPTEN_DECLARE_VAL_TYPE(UnitText);
EMSCRIPTEN_DECLARE_VAL_TYPE(MaybeText);

// A fresh copy: a view into module memory never leaves, growth would empty it. One crossing instead of
// the five that embind's own way takes.
EM_JS_DEPS(copy_out, "$Emval");
EM_JS(emscripten::EM_VAL, CopyOfBytes, (const char* start, size_t size),
      { return Emval.toHandle(HEAPU8.slice(start, start + size)); });
EM_JS(void, PushBytes, (emscripten::EM_VAL list, const char* start, size_t size),
      { Emval.toValue(list).push(HEAPU8.slice(start, start + size)); });

val CopyOut(std::string_view bytes) { return val::take_ownership(CopyOfBytes(bytes.data(), bytes.size())); }

// A JS string of exactly these code units: embind's own conversion decodes, and lone surrogates are lost.
EM_JS(emscripten::EM_VAL, StringOfUnits, (const char16_t* start, size_t size), {
  const first = start / 2;
  let text = "";
  for (let at = 0; at < size; at += 8192) {
    text += String.fromCharCode.apply(null, HEAPU16.subarray(first + at, first + Math.min(size, at + 8192)));
  }
  return Emval.toHandle(text);
});

val StringOf(std::u16string_view units) {
  return val::take_ownership(StringOfUnits(units.data(), units.size()));
}

std::string Text(const tabmesh::Buffer& buffer) { return std::string(buffer.view()); }

BytesList List(std::vector<tabmesh::Buffer>* buffers) {
  val list = val::array();
  for (const tabmesh::Buffer& buffer : *buffers)
    PushBytes(list.as_handle(), buffer.view().data(), buffer.size());
  buffers->clear();
  return BytesList(list);
}

// Which of the lists of the last call are worth fetching: bits of `pending`.
enum Pending : int { kChanges = 1, kRecords = 2, kFrames = 4, kLock = 8, kEvents = 16 };

class ReplicaHandle {
 public:
  ReplicaHandle(const std::string& name, const std::string& instance, const std::string& label,
                double connected_at_ms, bool visible, bool may_lead, int default_strategy)
      : options_{name,
                 tabmesh::InstanceId::From(instance),
                 label,
                 static_cast<uint64_t>(connected_at_ms),
                 visible,
                 may_lead,
                 static_cast<tabmesh::Strategy>(default_strategy),
                 {},
                 {}} {}

  void SetStrategy(const std::string& key, int strategy) {
    options_.strategies[key] = static_cast<tabmesh::Strategy>(strategy);
  }

  void SetList(const std::string& key, const std::string& id_field) { options_.lists[key] = id_field; }

  int Open(const std::string& state, double now) {
    replica_.emplace(options_);
    return Code(replica_->Open(state, Ms(now)));
  }
  int Restore(const std::string& record, double now) { return Code(replica_->Restore(record, Ms(now))); }
  void Restored(bool alone, double now) { replica_->Restored(alone, Ms(now)); }
  // The two calls that others wait for save a crossing: what is pending, or minus the status.
  int LocalSet(const std::string& edits, double now) {
    uint32_t seq = 0;
    const int code = Code(replica_->LocalSet(edits, Ms(now), &seq));
    return code == 0 ? PendingActions() : -code;
  }
  int Propose(const std::string& edits, double now) {
    proposal_.Clear();
    return Code(replica_->Propose(edits, Ms(now), &proposal_));
  }
  // The record to store; empty when nothing has to change.
  Bytes TakeProposal() { return Bytes(CopyOut(proposal_.view())); }
  void Accept(double now) { replica_->Accept(Ms(now)); }
  void Withdraw() { replica_->Withdraw(); }
  int Receive(const std::string& frame, double now) {
    replica_->Receive(frame, Ms(now));
    return PendingActions();
  }
  void AskShared(double now) { replica_->AskShared(Ms(now)); }
  void Tick(double now) { replica_->Tick(Ms(now)); }
  void SetVisible(bool visible, double now) { replica_->SetVisible(visible, Ms(now)); }
  void Suspend(double now) { replica_->Suspend(Ms(now)); }
  void Resume(double now) { replica_->Resume(Ms(now)); }
  void Destroy(double now) { replica_->Destroy(Ms(now)); }
  void RetainPeers(const std::string& ids, double now) { replica_->RetainPeers(ids, Ms(now)); }
  void LockGranted(double now) { replica_->LockGranted(Ms(now)); }
  void LockLost(double now) { replica_->LockLost(Ms(now)); }
  void TermClaimed(double term, double now) { replica_->TermClaimed(static_cast<uint64_t>(term), Ms(now)); }
  void ClaimFailed(double now) { replica_->ClaimFailed(Ms(now)); }

  int PendingActions() {
    tabmesh::Actions* actions = replica_->actions();
    return (actions->changes.size() > 2 ? kChanges : 0) | (actions->records.empty() ? 0 : kRecords) |
           (actions->frames.empty() ? 0 : kFrames) |
           (actions->lock == tabmesh::LockAction::kNone ? 0 : kLock) |
           (actions->events.size() == 0 ? 0 : kEvents);
  }
  std::string TakeChanges() { return Take(&replica_->actions()->changes); }
  BytesList TakeRecords() { return List(&replica_->actions()->records); }
  BytesList TakeFrames() { return List(&replica_->actions()->frames); }
  int TakeLock() {
    return static_cast<int>(std::exchange(replica_->actions()->lock, tabmesh::LockAction::kNone));
  }
  double ClaimTerm() { return static_cast<double>(replica_->actions()->claim_term); }
  std::string TakeEvents() { return "[" + Take(&replica_->actions()->events) + "]"; }
  double WakeAt() { return static_cast<double>(replica_->actions()->wake_at_ms); }

  double Seq() const { return replica_->seq(); }
  std::string Peers() const {
    tabmesh::Buffer out;
    replica_->PrintPeers(&out);
    return Text(out);
  }
  std::string Conflicts() const {
    tabmesh::Buffer out;
    replica_->PrintConflicts(&out);
    return Text(out);
  }
  Bytes Checkpoint() const {
    tabmesh::Buffer out;
    if (replica_->EncodeCheckpoint(&out) != tabmesh::Status::kOk) out.Clear();
    return Bytes(CopyOut(out.view()));
  }
  /// writes, framesIn, bytesIn, framesOut, bytesOut, dropped, gaps, divergences, nodes, text bytes, pool
  /// bytes.
  std::string Counters() const {
    const tabmesh::ReplicaCounters& counters = replica_->counters();
    const tabmesh::NodeTree& tree = replica_->document().tree();
    tabmesh::Buffer out;
    out.AppendByte('[');
    for (const uint64_t number :
         {counters.writes, counters.frames_in, counters.bytes_in, counters.frames_out, counters.bytes_out,
          counters.dropped, counters.gaps, counters.divergences, static_cast<uint64_t>(tree.node_count()),
          static_cast<uint64_t>(tree.text_bytes()), static_cast<uint64_t>(tree.pool_bytes())}) {
      if (out.size() > 1) out.AppendByte(',');
      tabmesh::PrintNumber(number, &out);
    }
    out.AppendByte(']');
    return Text(out);
  }

 private:
  static uint64_t Ms(double now) { return now > 0 ? static_cast<uint64_t>(now) : 0; }
  static int Code(tabmesh::Status status) { return static_cast<int>(status); }
  static std::string Take(tabmesh::Buffer* buffer) {
    std::string text(buffer->view());
    buffer->Clear();
    return text;
  }

  tabmesh::ReplicaOptions options_;
  std::optional<tabmesh::Replica> replica_;
  tabmesh::Buffer proposal_;
};

// A replica is a number to JavaScript: embind's classes would cost every call a conversion and every
// page a kilobyte. core.ts makes one once and frees it once.
using Handle = uintptr_t;

Handle Create(const std::string& name, const std::string& instance, const std::string& label,
              double connected_at_ms, bool visible, bool may_lead, int default_strategy) {
  return reinterpret_cast<Handle>(
      new ReplicaHandle(name, instance, label, connected_at_ms, visible, may_lead, default_strategy));
}

void Free(Handle handle) { delete reinterpret_cast<ReplicaHandle*>(handle); }

// A method as a function whose first argument is the handle.
template <auto kMethod>
struct Bound;
template <typename Result, typename... Args, Result (ReplicaHandle::*kMethod)(Args...)>
struct Bound<kMethod> {
  static Result Call(Handle handle, Args... args) {
    return (reinterpret_cast<ReplicaHandle*>(handle)->*kMethod)(args...);
  }
};
template <typename Result, typename... Args, Result (ReplicaHandle::*kMethod)(Args...) const>
struct Bound<kMethod> {
  static Result Call(Handle handle, Args... args) {
    return (reinterpret_cast<const ReplicaHandle*>(handle)->*kMethod)(args...);
  }
};

std::string StatusNameOf(int code) { return tabmesh::StatusName(static_cast<tabmesh::Status>(code)); }

UnitText LzCompress(const std::u16string& text, int form) {
  return UnitText(StringOf(tabmesh::lz::Compress(text, static_cast<tabmesh::lz::Form>(form))));
}

MaybeText LzDecompress(const std::u16string& packed, int form) {
  const auto text = tabmesh::lz::Decompress(packed, static_cast<tabmesh::lz::Form>(form));
  return MaybeText(text ? StringOf(*text) : val::null());
}

}  // namespace

EMSCRIPTEN_BINDINGS(tabmesh) {
  emscripten::register_type<BytesList>("Uint8Array[]");
  emscripten::register_type<Bytes>("Uint8Array");
  emscripten::register_type<UnitText>("string");
  emscripten::register_type<MaybeText>("string | null");
  emscripten::function("create", &Create);
  emscripten::function("free", &Free);
  emscripten::function("setStrategy", &Bound<&ReplicaHandle::SetStrategy>::Call);
  emscripten::function("setList", &Bound<&ReplicaHandle::SetList>::Call);
  emscripten::function("open", &Bound<&ReplicaHandle::Open>::Call);
  emscripten::function("restore", &Bound<&ReplicaHandle::Restore>::Call);
  emscripten::function("restored", &Bound<&ReplicaHandle::Restored>::Call);
  emscripten::function("localSet", &Bound<&ReplicaHandle::LocalSet>::Call);
  emscripten::function("propose", &Bound<&ReplicaHandle::Propose>::Call);
  emscripten::function("takeProposal", &Bound<&ReplicaHandle::TakeProposal>::Call);
  emscripten::function("accept", &Bound<&ReplicaHandle::Accept>::Call);
  emscripten::function("withdraw", &Bound<&ReplicaHandle::Withdraw>::Call);
  emscripten::function("receive", &Bound<&ReplicaHandle::Receive>::Call);
  emscripten::function("askShared", &Bound<&ReplicaHandle::AskShared>::Call);
  emscripten::function("tick", &Bound<&ReplicaHandle::Tick>::Call);
  emscripten::function("setVisible", &Bound<&ReplicaHandle::SetVisible>::Call);
  emscripten::function("suspend", &Bound<&ReplicaHandle::Suspend>::Call);
  emscripten::function("resume", &Bound<&ReplicaHandle::Resume>::Call);
  emscripten::function("destroy", &Bound<&ReplicaHandle::Destroy>::Call);
  emscripten::function("retainPeers", &Bound<&ReplicaHandle::RetainPeers>::Call);
  emscripten::function("lockGranted", &Bound<&ReplicaHandle::LockGranted>::Call);
  emscripten::function("lockLost", &Bound<&ReplicaHandle::LockLost>::Call);
  emscripten::function("termClaimed", &Bound<&ReplicaHandle::TermClaimed>::Call);
  emscripten::function("claimFailed", &Bound<&ReplicaHandle::ClaimFailed>::Call);
  emscripten::function("pendingActions", &Bound<&ReplicaHandle::PendingActions>::Call);
  emscripten::function("takeChanges", &Bound<&ReplicaHandle::TakeChanges>::Call);
  emscripten::function("takeRecords", &Bound<&ReplicaHandle::TakeRecords>::Call);
  emscripten::function("takeFrames", &Bound<&ReplicaHandle::TakeFrames>::Call);
  emscripten::function("takeLock", &Bound<&ReplicaHandle::TakeLock>::Call);
  emscripten::function("claimTerm", &Bound<&ReplicaHandle::ClaimTerm>::Call);
  emscripten::function("takeEvents", &Bound<&ReplicaHandle::TakeEvents>::Call);
  emscripten::function("wakeAt", &Bound<&ReplicaHandle::WakeAt>::Call);
  emscripten::function("seq", &Bound<&ReplicaHandle::Seq>::Call);
  emscripten::function("peers", &Bound<&ReplicaHandle::Peers>::Call);
  emscripten::function("conflicts", &Bound<&ReplicaHandle::Conflicts>::Call);
  emscripten::function("checkpoint", &Bound<&ReplicaHandle::Checkpoint>::Call);
  emscripten::function("counters", &Bound<&ReplicaHandle::Counters>::Call);
  emscripten::function("statusName", &StatusNameOf);
  emscripten::function("lzCompress", &LzCompress);
  emscripten::function("lzDecompress", &LzDecompress);
}
