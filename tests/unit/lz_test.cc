#include <gtest/gtest.h>

#include <random>
#include <string>

#include "lz/lz_string.h"
#include "lz/pieces.h"

namespace tabmesh::lz {
namespace {

constexpr Form kForms[] = {Form::kRaw, Form::kUtf16, Form::kBase64, Form::kEncodedUriComponent};

TEST(LzString, MatchesKnownOutputOfNpm) {
  EXPECT_EQ(Compress(u"", Form::kBase64), u"Q===");
  EXPECT_EQ(Compress(u"hello", Form::kBase64), u"BYUwNmD2Q===");
  EXPECT_EQ(Compress(u"hello", Form::kEncodedUriComponent), u"BYUwNmD2Q");
}

TEST(LzString, RoundTripsRandomTextInEveryForm) {
  std::mt19937 random(7);
  for (int round = 0; round < 400; ++round) {
    std::u16string text(random() % 300, u' ');
    const unsigned alphabet = round % 3 == 0 ? 4 : round % 3 == 1 ? 256 : 65536;
    for (char16_t& unit : text) unit = static_cast<char16_t>(random() % alphabet);
    for (const Form form : kForms) {
      const auto back = Decompress(Compress(text, form), form);
      ASSERT_TRUE(back.has_value()) << "round " << round;
      ASSERT_EQ(*back, text) << "round " << round;
    }
  }
}

TEST(LzString, SurvivesBrokenInput) {
  std::mt19937 random(11);
  for (int round = 0; round < 20000; ++round) {
    std::u16string packed(random() % 40, u' ');
    for (char16_t& unit : packed) unit = static_cast<char16_t>(random());
    for (const Form form : kForms) (void)Decompress(packed, form);
  }
}

TEST(LzString, EmptyInputDecompressesToNothing) {
  for (const Form form : kForms) EXPECT_FALSE(Decompress(u"", form).has_value());
}

TEST(LzString, KeepsNpmsQuirkOfProtoPhrases) {
  const std::u16string text = u"__proto____proto____proto____proto____proto____proto____proto____proto__";
  for (const Form form : kForms) EXPECT_EQ(Decompress(Compress(text, form), form), text);
}

TEST(Lz, LongTextsOfManyPhrasesComeBack) {
  std::u16string text;
  uint32_t state = 1;
  for (int i = 0; i < 60000; ++i) {
    state = state * 1664525 + 1013904223;
    text.push_back(static_cast<char16_t>('a' + (state >> 24) % 40));
  }
  for (const Form form : {Form::kRaw, Form::kUtf16}) {
    const auto back = Decompress(Compress(text, form), form);
    ASSERT_TRUE(back.has_value());
    EXPECT_EQ(*back, text);
  }
}

TEST(Pieces, HoldWhatNpmMakesOfEach) {
  Buffer packed;
  ASSERT_EQ(AppendPiece("hello", &packed), Status::kOk);
  // compressToUint8Array('hello') of npm lz-string 1.5.0
  EXPECT_EQ(packed.view(), std::string_view("TP\x05\x08\x05\x85\x30\x36\x60\xf6\x40\x00", 12));
}

TEST(Pieces, BytesComeBackOneAfterAnother) {
  std::mt19937 random(5);
  std::string bytes;
  Buffer packed;
  for (int piece = 0; piece < 5; ++piece) {
    std::string part(piece == 3 ? kPieceBytesMax : 1 + random() % 5000, '\0');
    const unsigned alphabet = piece % 2 == 0 ? 256 : 7;
    for (char& byte : part) byte = static_cast<char>(random() % alphabet);
    ASSERT_EQ(AppendPiece(part, &packed), Status::kOk);
    bytes += part;
  }
  EXPECT_TRUE(IsPacked(packed.view()));
  Buffer back;
  ASSERT_EQ(Unpack(packed.view(), &back), Status::kOk);
  EXPECT_EQ(back.view(), bytes);
}

TEST(Pieces, RefusesWhatIsNone) {
  Buffer packed, out;
  ASSERT_EQ(AppendPiece(std::string(300, 'a'), &packed), Status::kOk);
  const std::string whole(packed.view());
  for (size_t size = 1; size < whole.size(); ++size) {
    out.Clear();
    EXPECT_EQ(Unpack(std::string_view(whole).substr(0, size), &out), Status::kMalformedFrame) << size;
  }
  out.Clear();
  EXPECT_EQ(Unpack(whole + "more", &out), Status::kMalformedFrame);
  std::string wide = whole;
  wide[2] = '\x07';  // another size
  out.Clear();
  EXPECT_EQ(Unpack(wide, &out), Status::kMalformedFrame);
}

TEST(Pieces, AFewBytesCannotStandForAGreatMany) {
  const std::u16string packed = Compress(std::u16string(1 << 20, u'a'), Form::kRaw);
  Buffer bomb, out;
  bomb.Append("TP");
  bomb.AppendVarint(kPieceBytesMax);
  bomb.AppendVarint(packed.size() * 2);
  for (const char16_t unit : packed) {
    bomb.AppendByte(static_cast<uint8_t>(unit >> 8));
    bomb.AppendByte(static_cast<uint8_t>(unit & 0xff));
  }
  EXPECT_EQ(Unpack(bomb.view(), &out), Status::kMalformedFrame);
  EXPECT_EQ(out.size(), 0u);
  EXPECT_FALSE(Decompress(packed, Form::kRaw, (1 << 20) - 1).has_value());
  EXPECT_TRUE(Decompress(packed, Form::kRaw, 1 << 20).has_value());
}

}  // namespace
}  // namespace tabmesh::lz
