// Replica: asking others for what is missing, and answering them.
#include <utility>

#include "base/limits.h"
#include "base/plant.h"
#include "replica/replica.h"
#include "wire/delta.h"

namespace tabmesh {

namespace {
// Tabs that open while this one reads its storage.
constexpr size_t kUnansweredMax = 64;
}  // namespace

Status Replica::ReceiveHello(const Frame& frame, uint64_t now_ms) {
  Hello hello;
  if (const Status status = DecodeHello(frame, &hello); status != Status::kOk) return status;
  if (!hello.to.IsZero() && hello.to != options_.instance) return Status::kOk;
  census_.Seen(hello.from, now_ms);
  const Standing standing = Compare(hello.vector, vector_);
  if (hello.asks && anti_entropy_.hydrating()) {
    if (unanswered_.size() < kUnansweredMax) unanswered_.push_back(hello);
  } else if (hello.asks) {
    if (standing.they_lack) anti_entropy_.Suspect(now_ms);
    SendDelta(hello.from, hello.vector);
  }
  if (standing.we_lack) Pull(hello.from, now_ms);
  const bool diverged = standing.equal() && hello.digest != document_.digest() && ready();
  if (diverged) Heal(hello.from, now_ms);
  return Status::kOk;
}

Status Replica::ReceiveDelta(const Frame& frame, uint64_t now_ms) {
  Reader reader(frame.body);
  DeltaHead head;
  if (const Status status = DecodeDeltaHead(&reader, &head); status != Status::kOk) return status;
  if (head.to != options_.instance && !Planted("delta-for-others-taken")) return Status::kOk;
  OpSet set;
  if (const Status status = DecodeOpSet(&reader, &arena_, &set); status != Status::kOk) return status;
  if (const Status status = EndOfBody(frame, reader); status != Status::kOk) return status;
  if (const Status status = MergeOpSet(&set, kHolesToldMax); status != Status::kOk) return status;
  census_.Seen(head.from, now_ms);
  anti_entropy_.Answered();
  const bool has_remote = !set.ops.empty();
  if (anti_entropy_.joining()) BecomeReady();
  if (has_remote) Actions::Event(&actions_, "remote").Id("from", head.from.view());
  const bool diverged = Compare(set.vector, vector_).equal() && head.digest != document_.digest();
  if (diverged) Heal(head.from, now_ms);
  return Status::kOk;
}

// Equal vectors with unequal digests: each tells the other everything.
void Replica::Heal(const InstanceId& other, uint64_t now_ms) {
  if (!anti_entropy_.HealDue(now_ms) || Planted("divergence-not-healed")) return;
  ++counters_.divergences;
  Actions::Event(&actions_, "divergence").Id("from", other.view());
  SendFullQuestion(other);
  SendDelta(other, {});
}

Status Replica::ReceivePosition(const Frame& frame, uint64_t now_ms) {
  Position position;
  if (const Status status = DecodePosition(frame, &position); status != Status::kOk) return status;
  census_.Seen(position.from, now_ms);
  const uint32_t have = vector_.WholeOf(position.from);
  if (have < position.seq) Pull(position.from, now_ms);
  if (position.asks && have > 0) SendAck(position.from, Planted("ack-without-having") ? position.seq : have);
  return Status::kOk;
}

Status Replica::ReceiveAck(const Frame& frame) {
  Ack ack;
  if (const Status status = DecodeAck(frame, &ack); status != Status::kOk) return status;
  if (ack.to != options_.instance || ack.seq > seq()) return Status::kOk;
  Actions::Event(&actions_, "shared").Number("seq", ack.seq);
  return Status::kOk;
}

Status Replica::ReceiveNote(const Frame& frame) {
  Note note;
  if (const Status status = DecodeNote(frame, &note); status != Status::kOk) return status;
  if (!note.to.IsZero() && note.to != options_.instance) return Status::kOk;
  if (const Status status = parser_.Validate(&note.value, 1); status != Status::kOk) {
    return status == Status::kOutOfMemory ? status : Status::kMalformedFrame;
  }
  Actions::Event(&actions_, "note").Id("from", note.from.view()).Json("value", note.value);
  return Status::kOk;
}

Status Replica::SendNote(const InstanceId& to, std::string_view value, uint64_t now_ms) {
  Begin(now_ms);
  if (value.size() > kNoteBytesMax) return Status::kValueTooLarge;
  if (const Status status = parser_.Validate(&value, 1); status != Status::kOk) return status;
  Note note;
  note.from = options_.instance;
  note.to = to;
  note.value = value;
  Buffer frame;
  writer_.Begin(FrameKind::kNote, &frame);
  EncodeNote(note, &frame);
  FrameWriter::End(0, &frame);
  if (!suspended_) Send(std::move(frame));
  EndCall(/*local=*/false);
  return Status::kOk;
}

Status Replica::ReceiveFragment(const Frame& frame, uint64_t now_ms) {
  std::string_view message;
  if (const Status status = assembler_.Add(frame, &message); status != Status::kOk) return status;
  if (message.empty()) return Status::kOk;
  Frame inner;
  if (const Status status = OpenFrame(message, namespace_, &inner); status != Status::kOk) {
    return status;
  }
  if (inner.kind == FrameKind::kFragment) return Status::kMalformedFrame;
  return ReceiveFrame(message, now_ms);
}

void Replica::Pull(const InstanceId& from, uint64_t now_ms) {
  if (anti_entropy_.Ask(now_ms)) SendHello(from, /*asks=*/true);
}

// Whom a joiner asks: the leader, else whoever was met first; everybody when nobody is known.
InstanceId Replica::Respondent() const {
  if (!election_.leader().IsZero() && election_.leader() != options_.instance) return election_.leader();
  return census_.peers().empty() ? InstanceId{} : census_.peers().front().id;
}

void Replica::AskShared(uint64_t now_ms) {
  Begin(now_ms);
  SendPosition(/*asks=*/true);
  EndCall(/*local=*/false);
}

void Replica::Send(Buffer frame) {
  if (frame.failed()) return Dropped(Status::kOutOfMemory);
  const size_t first = actions_.frames.size();
  if (frame.size() <= kFragmentBytesMax) {
    actions_.frames.push_back(std::move(frame));
  } else {
    Fragment(writer_, options_.instance, ++message_number_, frame.view(), &actions_.frames);
  }
  for (size_t i = first; i < actions_.frames.size(); ++i) {
    if (!actions_.frames[i].failed()) continue;
    actions_.frames.resize(first);  // without one piece the others are for nobody
    return Dropped(Status::kOutOfMemory);
  }
  for (size_t i = first; i < actions_.frames.size(); ++i) {
    ++counters_.frames_out;
    counters_.bytes_out += actions_.frames[i].size();
  }
}

void Replica::SendHello(const InstanceId& to, bool asks) {
  Buffer frame;
  writer_.Begin(FrameKind::kHello, &frame);
  EncodeHello(options_.instance, to, asks, document_.digest(), vector_, &frame);
  FrameWriter::End(0, &frame);
  Send(std::move(frame));
}

// Asks for everything, as one who has nothing.
void Replica::SendFullQuestion(const InstanceId& to) {
  Buffer frame;
  writer_.Begin(FrameKind::kHello, &frame);
  EncodeHello(options_.instance, to, /*asks=*/true, 0, VersionVector(), &frame);
  FrameWriter::End(0, &frame);
  Send(std::move(frame));
}

void Replica::SendDelta(const InstanceId& to, const SentVector& theirs) {
  Buffer frame;
  const Status status = EncodeDelta(writer_, {options_.instance, to, document_.digest()}, document_, vector_,
                                    CoveredBy(theirs, vector_), &frame);
  if (status != Status::kOk) return Dropped(status);
  Send(std::move(frame));
}

Buffer Replica::EncodeGreeting() const {
  Buffer frame;
  writer_.Begin(FrameKind::kHello, &frame);
  EncodeHello(options_.instance, {}, /*asks=*/false, document_.digest(), vector_, &frame);
  FrameWriter::End(0, &frame);
  return frame;
}

Status Replica::EncodeAnswer(std::string_view greeting, Buffer* out) const {
  Frame frame;
  if (const Status status = OpenFrame(greeting, namespace_, &frame); status != Status::kOk) return status;
  if (frame.kind != FrameKind::kHello) return Status::kMalformedFrame;
  Hello hello;
  if (const Status status = DecodeHello(frame, &hello); status != Status::kOk) return status;
  const Standing standing = Compare(hello.vector, vector_);
  const bool diverged = standing.equal() && hello.digest != document_.digest();
  if (!standing.they_lack && !diverged) return Status::kOk;
  return EncodeDelta(writer_, {options_.instance, {}, document_.digest()}, document_, vector_,
                     diverged ? std::vector<uint32_t>(vector_.size()) : CoveredBy(hello.vector, vector_),
                     out);
}

void Replica::SendPosition(bool asks) {
  Buffer frame;
  writer_.Begin(FrameKind::kPosition, &frame);
  EncodePosition({options_.instance, seq(), asks}, &frame);
  FrameWriter::End(0, &frame);
  Send(std::move(frame));
}

void Replica::SendAck(const InstanceId& to, uint32_t seq) {
  Buffer frame;
  writer_.Begin(FrameKind::kAck, &frame);
  EncodeAck({options_.instance, to, seq}, &frame);
  FrameWriter::End(0, &frame);
  Send(std::move(frame));
}

}  // namespace tabmesh
