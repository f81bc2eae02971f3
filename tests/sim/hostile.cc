#include "hostile.h"

#include <algorithm>
#include <string_view>

#include "base/limits.h"
#include "wire/messages.h"
#include "wire/ops_codec.h"

namespace tabmesh::sim {

namespace {

constexpr std::string_view kKeys[] = {"a", "x", "", "forged", "constructor", "\xed\xa0\x80", "whole"};
constexpr std::string_view kValues[] = {"1",   "\"forged\"", "[[],{}]", "null", "-0.5e-7",
                                        "{\"", "[1,",        "",        "nul",  "1 2"};
constexpr size_t kPathSizeMax = 3;
// All paths there are: keys[i] to keys[i + n] for every n, so that views stay valid.
constexpr size_t kKeyCount = sizeof kKeys / sizeof *kKeys;

const InstanceId& Any(Random* random, const std::vector<InstanceId>& ids) {
  return ids[random->Below(ids.size())];
}

// Some kinds belong to paths of one key or two, as the real codec sees to.
OpKind AnyKind(Random* random, size_t path_size, bool clears) {
  static constexpr OpKind kAnywhere[] = {OpKind::kLeaf,    OpKind::kTombstone, OpKind::kObject,
                                         OpKind::kReplace, OpKind::kCount,     OpKind::kClear};
  if (path_size == 1 && random->Chance(200)) return random->Chance(500) ? OpKind::kValue : OpKind::kList;
  if (path_size == 2 && random->Chance(200)) return random->Chance(500) ? OpKind::kItem : OpKind::kItemGone;
  return kAnywhere[random->Below(clears ? 6 : 5)];
}

}  // namespace

Hostile::Hostile(uint64_t seed) : writer_(NamespaceOf("sim")) {
  Random random(seed, static_cast<uint64_t>('h'));
  for (int i = 0; i < 5; ++i) {
    for (uint8_t& byte : made_up_.emplace_back().bytes) byte = static_cast<uint8_t>(random.Next());
  }
}

std::string Hostile::Seal(FrameKind kind, std::string_view body) const {
  Buffer frame;
  writer_.Begin(kind, &frame);
  frame.Append(body);
  FrameWriter::End(0, &frame);
  return std::string(frame.view());
}

OpList Hostile::Ops(Random* random, const WriteId& id, bool clears) {
  OpList ops(1 + random->Below(3));
  for (Op& op : ops) {
    const uint64_t size = 1 + random->Below(kPathSizeMax);
    op.path = {kKeys + random->Below(kKeyCount - size + 1), static_cast<size_t>(size)};
    op.kind = AnyKind(random, op.path.size, clears);
    if (op.kind == OpKind::kValue || op.kind == OpKind::kCount) {
      op.detail = &details_[static_cast<size_t>(&op - ops.data())];
      *op.detail = {};
      op.detail->strategy = random->Chance(500) ? Strategy::kPrompt : Strategy::kFirstWriteWins;
      op.detail->total = static_cast<int64_t>(random->Below(20)) - 10;
    }
    // Half of the values are JSON.
    op.value = kValues[random->Below(random->Chance(900) ? 5 : 10)];
    op.id = id;
  }
  largest_ = std::max(largest_, id.hlc);
  return ops;
}

std::string Hostile::Write(Random* random, const InstanceId& to, HlcTime time, bool clears) {
  const uint64_t early = random->Below(HlcFromMs(10000));
  const HlcTime stamp = time > early ? time - early : 1;
  return Stamped(random, to, stamp, clears);
}

std::string Hostile::Stamped(Random* random, const InstanceId& to, HlcTime stamp, bool clears) {
  const WriteId id{stamp, 0, static_cast<uint32_t>(1 + random->Below(4))};
  const InstanceId& from = Any(random, made_up_);
  const OpList ops = Ops(random, id, clears);
  Buffer body;
  if (random->Chance(700)) {
    VersionVector writer;
    uint32_t index = 0;
    (void)writer.Intern(from, &index);
    EncodeBatch(writer, id, ops, &body);
    return Seal(FrameKind::kOps, body.view());
  }
  VersionVector vector;
  uint32_t index = 0;
  (void)vector.Intern(from, &index);
  vector.Advance(index, id.seq + static_cast<uint32_t>(random->Below(3)));
  EncodeDeltaHead({from, to, random->Next()}, &body);
  EncodeOpSet(vector, ops, &body);
  return Seal(FrameKind::kDelta, body.view());
}

std::string Hostile::Stamp(Random* random, const InstanceId& to, bool last) {
  const HlcTime end = HlcFromMs(kHlcMsMax);
  if (last) return Stamped(random, to, end - 1, /*clears=*/false);
  if (random->Chance(500)) return Write(random, to, HlcFromMs(kClockMsMax), /*clears=*/false);
  return Write(random, to, end - HlcFromMs(uint64_t{1} << (20 + random->Below(27))), /*clears=*/false);
}

std::string Hostile::Claim(const InstanceId& to, const InstanceId& of) {
  VersionVector vector;
  uint32_t index = 0;
  (void)vector.Intern(of, &index);
  vector.Advance(index, 1000000);
  Buffer body;
  EncodeDeltaHead({made_up_.front(), to, 0}, &body);
  EncodeOpSet(vector, {}, &body);
  return Seal(FrameKind::kDelta, body.view());
}

std::string Hostile::Vector(Random* random, const std::vector<InstanceId>& alive) {
  VersionVector vector;
  const uint64_t strangers = random->Chance(900) ? random->Below(4) : random->Below(2000);
  for (uint64_t i = 0; i < strangers; ++i) {
    InstanceId id;
    for (uint8_t& byte : id.bytes) byte = static_cast<uint8_t>(random->Next());
    uint32_t index = 0;
    (void)vector.Intern(id, &index);
    vector.Advance(index, static_cast<uint32_t>(random->Next()));
  }
  uint32_t index = 0;
  (void)vector.Intern(Any(random, alive), &index);
  vector.Advance(index, 1000000);
  const InstanceId& from = Any(random, made_up_);
  const InstanceId to = random->Chance(500) ? InstanceId{} : Any(random, alive);
  const bool asks = random->Chance(500);
  Buffer body;
  EncodeHello(from, to, asks, random->Next(), vector, &body);
  return Seal(FrameKind::kHello, body.view());
}

std::string Hostile::Presence(Random* random, const std::vector<InstanceId>& alive, uint64_t term) {
  tabmesh::Presence presence;
  presence.from = Any(random, random->Chance(700) ? made_up_ : alive);
  presence.visible = random->Chance(500);
  presence.leads = random->Chance(500);
  presence.leaves = random->Chance(300);
  presence.asks = random->Chance(300);
  presence.term = term + random->Below(20);
  presence.connected_at_ms = random->Next();
  presence.label = "\xff not a label";
  Buffer body;
  EncodePresence(presence, &body);
  return Seal(FrameKind::kPresence, body.view());
}

std::string Hostile::Message(Random* random, const std::vector<InstanceId>& alive) {
  Buffer body;
  switch (random->Below(4)) {
    case 0: {
      const InstanceId& from = Any(random, random->Chance(500) ? alive : made_up_);
      const auto seq = static_cast<uint32_t>(random->Next());
      EncodePosition({from, seq, random->Chance(500)}, &body);
      return Seal(FrameKind::kPosition, body.view());
    }
    case 1: {
      const InstanceId& from = Any(random, made_up_);
      EncodeAck({from, Any(random, alive), static_cast<uint32_t>(random->Below(100))}, &body);
      return Seal(FrameKind::kAck, body.view());
    }
    case 2: {
      body.Append(Any(random, random->Chance(500) ? alive : made_up_).view());
      body.AppendVarint(random->Below(3));
      body.AppendVarint(random->Below(3));
      body.AppendVarint(random->Chance(900) ? 1 + random->Below(3) : random->Next());
      body.Append("a piece of something");
      return Seal(FrameKind::kFragment, body.view());
    }
    default:
      body.Append(Any(random, made_up_).view());
      return Seal(static_cast<FrameKind>(9 + random->Below(200)), body.view());
  }
}

}  // namespace tabmesh::sim
