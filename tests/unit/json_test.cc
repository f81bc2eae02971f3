#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/limits.h"
#include "json/parse.h"
#include "json/print.h"
#include "json/wtf8.h"

namespace tabmesh {
namespace {

struct Parsed {
  Status status;
  std::string text;
};

Parsed ParsePrint(std::string_view json) {
  JsonParser parser;
  CallArena arena;
  JsonValue* value = nullptr;
  const Status status = parser.ParseObject(json, &arena, &value);
  Buffer out;
  if (status == Status::kOk) PrintValue(*value, &out);
  return {status, std::string(out.view())};
}

TEST(Json, PrintsWhatJsonStringifyPrints) {
  for (const std::string_view json : {
           R"({})",
           R"({"a":1,"b":[1,2.5,-3e-7,1e+21],"c":{"d":null,"e":true,"f":false}})",
           R"({"text":"quote \" backslash \\ controls \b\f\n\r\t\u0000\u001f"})",
           R"({"lone \ud800 surrogate":"\udfff and \ud83d"})",
           "{\"é\":\"日本語 😀 \x7f\"}",
           R"({"list":[{"id":"x","n":{"deep":[[],{}]}}],"":""})",
       }) {
    const Parsed parsed = ParsePrint(json);
    EXPECT_EQ(parsed.status, Status::kOk) << json;
    EXPECT_EQ(parsed.text, json);
  }
}

TEST(Json, CanonicalisesSpaceEscapesAndNegativeZero) {
  EXPECT_EQ(ParsePrint(" { \"a\" : [ 1 , -0 , -0.0 ] , \"\\u0062\" : \"\\u0041\\/\" } ").text,
            R"({"a":[1,0,0],"b":"A/"})");
}

TEST(Json, RefusesWhatIsNotJson) {
  for (const std::string_view json : {"",
                                      "{",
                                      "{\"a\"}",
                                      "{\"a\":}",
                                      "{\"a\":1,}",
                                      "{\"a\":01}",
                                      "{\"a\":1e999}",
                                      "{\"a\":nul}",
                                      "{\"a\":truee}",
                                      "{\"a\":\"\\x\"}",
                                      "{\"a\":\"\n\"}",
                                      "{a:1}",
                                      "{\"a\":1} {}",
                                      "{\"a\":1}]",
                                      "{\"a\":NaN}",
                                      "{\"a\":'b'}",
                                      "{\"a\":\"\\ud8\"}",
                                      "{\"a\":[1 2]}",
                                      "{\"a\":\"unclosed}",
                                      "{\"a\":-}",
                                      "{\"a\":[\"\\u12\"]}"}) {
    EXPECT_EQ(ParsePrint(json).status, Status::kMalformedJson) << json;
  }
  EXPECT_EQ(ParsePrint("[]").status, Status::kNotAnObject);
  EXPECT_EQ(ParsePrint("1").status, Status::kNotAnObject);
}

TEST(Json, RefusesInvalidUtf8) {
  EXPECT_EQ(ParsePrint("{\"a\":\"\xff\"}").status, Status::kMalformedJson);
  EXPECT_EQ(ParsePrint("{\"a\":\"\xc0\x80\"}").status, Status::kMalformedJson);
  EXPECT_EQ(ParsePrint("{\"\xed\xa0\x80\":1}").status, Status::kMalformedJson);
}

TEST(Json, RefusesTheProtoKeyEverywhere) {
  EXPECT_EQ(ParsePrint(R"({"__proto__":1})").status, Status::kForbiddenKey);
  EXPECT_EQ(ParsePrint(R"({"a":[{"\u005f_proto__":1}]})").status, Status::kForbiddenKey);
  EXPECT_EQ(ParsePrint(R"({"constructor":1,"prototype":2})").status, Status::kOk);
}

std::string Nested(size_t depth) {
  return "{\"a\":" + std::string(depth, '[') + std::string(depth, ']') + "}";
}

TEST(Json, AcceptsTheDeepestAndRefusesOneMore) {
  EXPECT_EQ(ParsePrint(Nested(kDepthMax - 1)).status, Status::kOk);
  EXPECT_EQ(ParsePrint(Nested(kDepthMax)).status, Status::kDepthExceeded);
  EXPECT_EQ(ParsePrint(Nested(100000)).status, Status::kDepthExceeded);
}

TEST(Json, LimitsKeysAndValues) {
  const auto with_key = [](size_t size) { return "{\"" + std::string(size, 'k') + "\":1}"; };
  EXPECT_EQ(ParsePrint(with_key(kKeyBytesMax)).status, Status::kOk);
  EXPECT_EQ(ParsePrint(with_key(kKeyBytesMax + 1)).status, Status::kKeyTooLong);
  const auto with_value = [](size_t size) { return "{\"a\":\"" + std::string(size - 2, 'v') + "\"}"; };
  EXPECT_EQ(ParsePrint(with_value(kValueBytesMax)).status, Status::kOk);
  EXPECT_EQ(ParsePrint(with_value(kValueBytesMax + 1)).status, Status::kValueTooLarge);
}

TEST(Json, ReadsEditsSetRemoveAndReplace) {
  JsonParser parser;
  CallArena arena;
  Edit* edit = nullptr;
  ASSERT_EQ(parser.ParseEdits(R"([[["a","\ud800"],{"b":[1]}],[["c"]],[["d"],{},1]])", &arena, &edit),
            Status::kOk);
  EXPECT_EQ(edit->path.keys[1], "\xed\xa0\x80");
  EXPECT_EQ(edit->value->first_member->text, "[1]");
  EXPECT_EQ(edit->next->value, nullptr);
  EXPECT_EQ(edit->next->next->mode, Edit::Mode::kReplace);
  EXPECT_EQ(edit->next->next->next, nullptr);
}

TEST(Json, RefusesMalformedEdits) {
  JsonParser parser;
  for (const std::string_view json : {"{}", "[[]]", "[[[]]]", "[[[1],2]]", "[[\"a\",2]]", "[[[\"a\"],1,2,3]]",
                                      "[1]", "[[[\"__proto__\"],1]]"}) {
    CallArena arena;
    Edit* edit = nullptr;
    EXPECT_NE(parser.ParseEdits(json, &arena, &edit), Status::kOk) << json;
  }
}

TEST(Json, ValidatesEachTextByItself) {
  JsonParser parser;
  const auto valid = [&](std::vector<std::string_view> texts) {
    return parser.Validate(texts.data(), texts.size()) == Status::kOk;
  };
  EXPECT_TRUE(valid({"1", "\"a,b\"", "[1,2]", "{\"a\":{}}", "null"}));
  EXPECT_TRUE(valid({}));
  EXPECT_FALSE(valid({"1,2"}));
  EXPECT_FALSE(valid({"1],[2"}));
  EXPECT_FALSE(valid({"[1", "2]"}));
  EXPECT_FALSE(valid({"", "1"}));
  EXPECT_FALSE(valid({"\"a", "b\""}));
  EXPECT_FALSE(valid({"1", ""}));
}

TEST(Wtf8, AcceptsLoneSurrogatesButOneFormOnly) {
  EXPECT_TRUE(IsWtf8("plain é 日 😀"));
  EXPECT_TRUE(IsWtf8("\xed\xa0\x80"));
  EXPECT_TRUE(IsWtf8("\xed\xb0\x80\xed\xa0\x80"));
  EXPECT_FALSE(IsWtf8("\xed\xa0\x80\xed\xb0\x80"));
  for (const std::string_view bad : {"\x80", "\xc0\x80", "\xc1\xbf", "\xe0\x80\x80", "\xf0\x80\x80\x80",
                                     "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xe2\x82", "\xff"}) {
    EXPECT_FALSE(IsWtf8(bad));
  }
}

}  // namespace
}  // namespace tabmesh
