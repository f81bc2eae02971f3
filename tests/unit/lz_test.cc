#include <gtest/gtest.h>

#include <random>
#include <string>

#include "lz/lz_string.h"

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

}  // namespace
}  // namespace tabmesh::lz
