#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/limits.h"
#include "wire/fragment.h"
#include "wire/frame.h"
#include "wire/messages.h"
#include "wire/ops_codec.h"

namespace tabmesh {
namespace {

const uint32_t kNamespace = NamespaceOf("example");

InstanceId Instance(uint8_t first) {
  InstanceId id;
  id.bytes[0] = first;
  return id;
}

std::string Hex(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) {
    static constexpr char kDigits[] = "0123456789abcdef";
    text += kDigits[static_cast<uint8_t>(c) >> 4];
    text += kDigits[static_cast<uint8_t>(c) & 15];
  }
  return text;
}

OpList TwoOps(std::vector<std::vector<std::string_view>>* paths) {
  *paths = {{"a", "b"}, {"a", "c"}};
  OpList ops(2);
  ops[0].path = {(*paths)[0].data(), 2};
  ops[0].kind = OpKind::kLeaf;
  ops[0].value = "true";
  ops[1].path = {(*paths)[1].data(), 2};
  ops[1].kind = OpKind::kTombstone;
  return ops;
}

// A vector of one instance, which is number 0.
VersionVector Only(const InstanceId& id) {
  VersionVector vector;
  uint32_t index = 0;
  EXPECT_EQ(vector.Intern(id, &index), Status::kOk);
  return vector;
}

Buffer Sealed(FrameKind kind, std::string_view body) {
  Buffer frame;
  FrameWriter(kNamespace).Begin(kind, &frame);
  frame.Append(body);
  FrameWriter::End(0, &frame);
  return frame;
}

TEST(Wire, FrameIsTheOneWorkedOutInTheDocumentation) {
  std::vector<std::vector<std::string_view>> paths;
  const OpList ops = TwoOps(&paths);
  Buffer body;
  EncodeBatch(Only(Instance(7)), {HlcFromMs(1000) + 2, 0, 3}, ops, &body);
  EXPECT_EQ(Hex(body.view()),
            "07000000000000000000000000000000"  // instance
            "0200e80300000000"                  // hlc: 1000 ms, counter 2
            "03"                                // seq
            "02"                                // two ops
            "00"
            "02"
            "0161"
            "0162"
            "00"
            "0474727565"  // nothing shared, a, b, leaf, "true"
            "01"
            "01"
            "0163"
            "01");  // one key shared, c, tombstone
  const Buffer frame = Sealed(FrameKind::kOps, body.view());
  EXPECT_EQ(Hex(frame.view().substr(0, 4)), "544d1001");
  EXPECT_EQ(frame.size(), body.size() + kFrameHeadBytes + kFrameCheckBytes);
}

TEST(Wire, BatchesRoundTrip) {
  std::vector<std::vector<std::string_view>> paths;
  const OpList ops = TwoOps(&paths);
  Buffer body;
  EncodeBatch(Only(Instance(7)), {HlcFromMs(1000), 0, 3}, ops, &body);
  Reader reader(body.view());
  CallArena arena;
  Batch batch;
  ASSERT_EQ(DecodeBatch(&reader, &arena, &batch), Status::kOk);
  EXPECT_TRUE(reader.AtEnd());
  EXPECT_EQ(batch.instance(), Instance(7));
  EXPECT_EQ(batch.seq, 3u);
  ASSERT_EQ(batch.ops.size(), 2u);
  EXPECT_EQ(batch.ops[1].path.keys[0], "a");
  EXPECT_EQ(batch.ops[1].path.keys[1], "c");
  EXPECT_EQ(batch.ops[0].value, "true");
}

TEST(Wire, WhatANewerVersionAddsToAnOpComesThroughByteForByte) {
  std::vector<std::vector<std::string_view>> paths;
  OpList ops = TwoOps(&paths);
  const std::string added("\0\xff\x80", 3);
  ops[1].unknown_fields = added;
  Buffer body;
  EncodeBatch(Only(Instance(7)), {HlcFromMs(1000), 0, 3}, ops, &body);
  EXPECT_EQ(Hex(body.view().substr(body.size() - 9)),
            "010101638103"
            "00ff80");
  for (size_t size = 0; size <= body.size(); ++size) {
    Reader reader(body.view().substr(0, size));
    CallArena arena;
    Batch batch;
    const bool whole = size == body.size();
    ASSERT_EQ(DecodeBatch(&reader, &arena, &batch) == Status::kOk, whole) << size;
    if (!whole) continue;
    EXPECT_EQ(batch.ops[0].unknown_fields, "");
    EXPECT_EQ(batch.ops[1].unknown_fields, added);
    EXPECT_EQ(batch.ops[1].kind, OpKind::kTombstone);
  }
}

TEST(Wire, RefusesAddedBytesThatAreNoneOrTooMany) {
  for (const size_t size : {size_t{1}, kUnknownFieldsBytesMax, kUnknownFieldsBytesMax + 1}) {
    std::vector<std::vector<std::string_view>> paths;
    OpList ops = TwoOps(&paths);
    const std::string added(size, 'x');
    ops[0].unknown_fields = added;
    Buffer body;
    EncodeBatch(Only(Instance(7)), {HlcFromMs(1000), 0, 3}, ops, &body);
    Reader reader(body.view());
    CallArena arena;
    Batch batch;
    EXPECT_EQ(DecodeBatch(&reader, &arena, &batch) == Status::kOk, size <= kUnknownFieldsBytesMax) << size;
  }
  Buffer none;
  none.Append(std::string_view("\7\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16));
  none.AppendFixed64(HlcFromMs(1));
  none.Append(std::string_view("\1\1\0\1\1a\x81\0", 8));
  Reader reader(none.view());
  CallArena arena;
  Batch batch;
  EXPECT_EQ(DecodeBatch(&reader, &arena, &batch), Status::kMalformedFrame);
}

TEST(Wire, EveryPrefixOfABatchIsRefused) {
  std::vector<std::vector<std::string_view>> paths;
  const OpList ops = TwoOps(&paths);
  Buffer body;
  EncodeBatch(Only(Instance(7)), {HlcFromMs(1000), 0, 3}, ops, &body);
  for (size_t size = 0; size < body.size(); ++size) {
    Reader reader(body.view().substr(0, size));
    CallArena arena;
    Batch batch;
    EXPECT_NE(DecodeBatch(&reader, &arena, &batch), Status::kOk) << size;
  }
}

TEST(Wire, RefusesStampsBeyondTheConstantAndForbiddenKeys) {
  const std::string_view key[] = {"__proto__"};
  for (const auto& [hlc, path_key, wanted] :
       {std::tuple{HlcFromMs(kHlcMsMax), std::string_view("a"), Status::kStampOutOfRange},
        std::tuple{HlcFromMs(kHlcMsMax - 1), std::string_view("a"), Status::kOk},
        std::tuple{HlcTime{0}, std::string_view("a"), Status::kStampOutOfRange},
        std::tuple{HlcFromMs(1), key[0], Status::kForbiddenKey},
        std::tuple{HlcFromMs(1), std::string_view("\xed\xa0\x80\xed\xb0\x80"), Status::kMalformedFrame}}) {
    OpList ops(1);
    ops[0].path = {&path_key, 1};
    ops[0].value = "1";
    Buffer body;
    EncodeBatch(Only(Instance(1)), {hlc, 0, 1}, ops, &body);
    Reader reader(body.view());
    CallArena arena;
    Batch batch;
    EXPECT_EQ(DecodeBatch(&reader, &arena, &batch), wanted);
  }
}

TEST(Wire, OpenTellsForeignChangedAndNewerFramesApart) {
  Frame frame;
  const Buffer good = Sealed(FrameKind::kAck, "body");
  EXPECT_EQ(OpenFrame(good.view(), kNamespace, &frame), Status::kOk);
  EXPECT_EQ(frame.body, "body");
  EXPECT_EQ(OpenFrame(good.view(), NamespaceOf("other"), &frame), Status::kForeignFrame);
  EXPECT_EQ(OpenFrame("", kNamespace, &frame), Status::kForeignFrame);
  EXPECT_EQ(OpenFrame("TM", kNamespace, &frame), Status::kMalformedFrame);
  for (size_t i = 2; i < good.size(); ++i) {
    std::string changed(good.view());
    changed[i] ^= 1;
    EXPECT_EQ(OpenFrame(changed, kNamespace, &frame), Status::kChecksumMismatch) << i;
  }
  Buffer newer;
  newer.Append("TM");
  newer.AppendByte((kWireMajor + 1) << 4);
  newer.AppendByte(1);
  newer.AppendFixed32(kNamespace);
  FrameWriter::End(0, &newer);
  EXPECT_EQ(OpenFrame(newer.view(), kNamespace, &frame), Status::kUnsupportedVersion);
}

TEST(Wire, NumbersOfWritesHave32Bits) {
  for (const uint64_t seq : {uint64_t{UINT32_MAX}, uint64_t{UINT32_MAX} + 1, UINT64_MAX}) {
    Buffer body;
    body.Append(std::string(2 * InstanceId::kBytes, '\1'));
    body.AppendVarint(seq);
    const Buffer bytes = Sealed(FrameKind::kAck, body.view());
    Frame frame;
    ASSERT_EQ(OpenFrame(bytes.view(), kNamespace, &frame), Status::kOk);
    Ack ack;
    EXPECT_EQ(DecodeAck(frame, &ack), seq <= UINT32_MAX ? Status::kOk : Status::kMalformedFrame) << seq;
  }
}

TEST(Fragment, PutsMessagesOfManySizesTogether) {
  FrameWriter writer(kNamespace);
  for (const size_t size :
       {size_t{1}, kFragmentBytesMax - 1, kFragmentBytesMax, kFragmentBytesMax + 1, 5 * kFragmentBytesMax}) {
    std::string message(size, 'm');
    message.back() = 'z';
    std::vector<Buffer> frames;
    Fragment(writer, Instance(1), 1, message, &frames);
    FragmentAssembler assembler;
    std::string_view whole;
    for (const Buffer& bytes : frames) {
      EXPECT_EQ(whole, "");
      Frame frame;
      ASSERT_EQ(OpenFrame(bytes.view(), kNamespace, &frame), Status::kOk);
      ASSERT_EQ(assembler.Add(frame, &whole), Status::kOk);
    }
    EXPECT_EQ(whole, message);
  }
}

TEST(Fragment, GivesUpAMessageWithAHoleAndTakesTheNext) {
  FrameWriter writer(kNamespace);
  const std::string message(3 * kFragmentBytesMax, 'm');
  std::vector<Buffer> frames;
  Fragment(writer, Instance(1), 1, message, &frames);
  Fragment(writer, Instance(1), 2, message, &frames);
  FragmentAssembler assembler;
  size_t finished = 0;
  for (size_t i = 0; i < frames.size(); ++i) {
    if (i == 1) continue;
    Frame frame;
    ASSERT_EQ(OpenFrame(frames[i].view(), kNamespace, &frame), Status::kOk);
    std::string_view whole;
    ASSERT_EQ(assembler.Add(frame, &whole), Status::kOk);
    if (!whole.empty()) ++finished;
  }
  EXPECT_EQ(finished, 1u);
}

// A second way brings the same pieces later, and not all of them.
TEST(Fragment, PassesOverCopiesOfPieces) {
  FrameWriter writer(kNamespace);
  const std::string message(4 * kFragmentBytesMax, 'm');
  std::vector<Buffer> frames;
  Fragment(writer, Instance(1), 1, message, &frames);
  Fragment(writer, Instance(1), 2, message, &frames);
  FragmentAssembler assembler;
  std::vector<size_t> finished;
  for (const size_t i : {0, 1, 0, 2, 1, 3, 0, 1, 2, 3, 4, 5, 4, 6, 7, 5, 7}) {
    Frame frame;
    ASSERT_EQ(OpenFrame(frames[i].view(), kNamespace, &frame), Status::kOk);
    std::string_view whole;
    ASSERT_EQ(assembler.Add(frame, &whole), Status::kOk);
    if (whole == message) finished.push_back(i);
  }
  EXPECT_EQ(finished, (std::vector<size_t>{3, 7}));
}

}  // namespace
}  // namespace tabmesh
