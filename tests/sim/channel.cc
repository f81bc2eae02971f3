#include "channel.h"

#include <algorithm>

#include "lz/lz_string.h"
#include "wire/frame.h"

namespace tabmesh::sim {

namespace {
constexpr uint64_t kLatencyMsMax = 4;
constexpr uint64_t kByStorageEvents = 250;  // of 1,000 runs
constexpr uint64_t kCodedEvery = 8;
constexpr uint64_t kReorderMsMax = 300;
constexpr uint64_t kRegistrationMsMax = 60;
constexpr size_t kVersionAt = 2;
}  // namespace

std::string Reversion(std::string_view frame, uint8_t version, std::string_view trailing) {
  Buffer out;
  out.Append(frame.substr(0, kVersionAt));
  out.AppendByte(version);
  out.Append(frame.substr(kVersionAt + 1, frame.size() - kVersionAt - 1 - kFrameCheckBytes));
  out.Append(trailing);
  FrameWriter::End(0, &out);
  return std::string(out.view());
}

Channel::Channel(EventQueue* events, Faults* faults, uint64_t seed)
    : events_(events), faults_(faults), random_(seed, kStreamChannel) {
  by_storage_events_ = random_.Chance(kByStorageEvents);
}

uint64_t Channel::Open(Page* page, Receive receive) {
  const bool late = faults_->Strikes(Fault::kLateRegistration);
  const uint64_t wait_ms =
      late ? 1 + faults_->random(Fault::kLateRegistration)->Below(kRegistrationMsMax) : 0;
  ends_.push_back({next_end_, page, std::move(receive), events_->now_ms() + wait_ms});
  return next_end_++;
}

void Channel::Close(uint64_t end) {
  ends_.erase(std::remove_if(ends_.begin(), ends_.end(), [end](const End& e) { return e.number == end; }),
              ends_.end());
}

Channel::End* Channel::Find(uint64_t number) {
  for (End& end : ends_) {
    if (end.number == number) return &end;
  }
  return nullptr;
}

bool Channel::Deaf(const Page* page) const {
  const auto found = deaf_until_ms_.find(page);
  return found != deaf_until_ms_.end() && events_->now_ms() < found->second;
}

void Channel::Deafen(const Page* page, uint64_t until_ms) { deaf_until_ms_[page] = until_ms; }

void Channel::Post(uint64_t end, std::string_view bytes) {
  const End* from = Find(end);
  if (from == nullptr || Deaf(from->page)) return;
  const Bytes shared =
      by_storage_events_ ? ThroughStorage(end, bytes) : std::make_shared<const std::string>(bytes);
  for (const End& to : ends_) {
    const bool own = to.page == from->page;
    if (own && !(by_storage_events_ && faults_->Strikes(Fault::kStorageEventOwn))) continue;
    if (!to.page->gone()) Carry(end, to, shared);
  }
}

// Storage holds text: what is written there is what the codec makes of the bytes, and what is read is what it
// makes of the text again. That takes more time than all else a message meets here, and the codec has tests
// of its own: of every few messages one goes the whole way.
Channel::Bytes Channel::ThroughStorage(uint64_t from, std::string_view bytes) {
  if (++stored_count_ % kCodedEvery != 0) {
    return stored_[from] = std::make_shared<const std::string>(bytes);
  }
  std::u16string units;
  for (const char byte : bytes) units += static_cast<unsigned char>(byte);
  const auto read = lz::Decompress(lz::Compress(units, lz::Form::kUtf16), lz::Form::kUtf16);
  std::string back;
  for (const char16_t unit : read.value_or(u"")) back += static_cast<char>(unit);
  return stored_[from] = std::make_shared<const std::string>(std::move(back));
}

void Channel::Inject(const Page* only, std::string_view bytes) {
  const auto shared = std::make_shared<const std::string>(bytes);
  for (const End& to : ends_) {
    if (to.page->gone() || (only != nullptr && to.page != only)) continue;
    Arrive(events_->now_ms() + 1, to.number, shared, Wear::kForged);
  }
}

void Channel::Carry(uint64_t from, const End& to, const Bytes& bytes) {
  uint64_t at_ms = events_->now_ms() + random_.Below(kLatencyMsMax);
  // A message to an end that is not registered yet is nobody's.
  if (at_ms < to.registered_ms || Deaf(to.page) || faults_->Strikes(Fault::kFrameLost)) return;
  if (faults_->Strikes(Fault::kFrameReordered)) {
    at_ms += faults_->random(Fault::kFrameReordered)->Below(kReorderMsMax);
  } else {
    uint64_t& last_ms = last_arrival_ms_[{from, to.number}];
    at_ms = last_ms = std::max(last_ms, at_ms);
  }
  if (by_storage_events_ && faults_->Strikes(Fault::kStorageEventLate))
    return ArriveLate(at_ms, from, to.number);
  if (faults_->Strikes(Fault::kFrameDuplicated)) {
    const uint64_t later_ms = faults_->random(Fault::kFrameDuplicated)->Below(kReorderMsMax);
    Arrive(at_ms + later_ms, to.number, bytes, Wear::kNone);
  }
  for (const Fault fault : {Fault::kFrameMutated, Fault::kFrameTruncated}) {
    if (!faults_->Strikes(fault)) continue;
    return Arrive(at_ms, to.number, std::make_shared<const std::string>(Damage(*bytes, fault)),
                  Wear::kDamaged);
  }
  if (faults_->Strikes(Fault::kFrameOtherMajor)) {
    const auto other =
        std::make_shared<const std::string>(Reversion(*bytes, (kWireMajor + 1) << 4, "whatever"));
    return Arrive(at_ms, to.number, other, Wear::kOtherMajor);
  }
  // A piece of a longer message is all body: what would trail it is part of it.
  if (static_cast<FrameKind>((*bytes)[3]) != FrameKind::kFragment &&
      faults_->Strikes(Fault::kFrameNewerMinor)) {
    const auto newer = std::make_shared<const std::string>(
        Reversion(*bytes, kWireMajor << 4 | (kWireMinor + 1), "from the future"));
    return Arrive(at_ms, to.number, newer, Wear::kNewerMinor);
  }
  Arrive(at_ms, to.number, bytes, Wear::kNone);
}

void Channel::Arrive(uint64_t at_ms, uint64_t end, Bytes bytes, Wear wear) {
  events_->At(at_ms, [this, end, bytes = std::move(bytes), wear] {
    End* open = Find(end);
    if (open == nullptr || Deaf(open->page)) return;
    open->page->Enter([this, end, bytes, wear] {
      // Closed while the page was frozen: what has waited is dropped.
      if (const End* still = Find(end); still != nullptr) Receive(still->receive)(*bytes, wear);
    });
  });
}

void Channel::ArriveLate(uint64_t at_ms, uint64_t from, uint64_t end) {
  events_->At(at_ms, [this, from, end] { Arrive(events_->now_ms(), end, stored_[from], Wear::kNone); });
}

std::string Channel::Damage(std::string_view bytes, Fault fault) {
  Random* random = faults_->random(fault);
  std::string changed(bytes);
  if (fault == Fault::kFrameTruncated) {
    changed.resize(random->Below(changed.size()));
    return changed;
  }
  for (uint64_t n = 1 + random->Below(3); n > 0; --n) {
    const uint64_t at = random->Below(changed.size());
    changed[at] = static_cast<char>(changed[at] ^ (1 << random->Below(8)));
  }
  // Two flips of one bit are none.
  if (changed == bytes) changed[0] = static_cast<char>(changed[0] ^ 1);
  return changed;
}

}  // namespace tabmesh::sim
