#include "lz/lz_string.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/hash.h"

namespace tabmesh::lz {

namespace {

constexpr char kBase64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=";
constexpr char kUriSafe[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+-$";

// Codes of the stream that are not dictionary entries.
constexpr uint32_t kNewByte = 0;  // an 8-bit character follows
constexpr uint32_t kNewWord = 1;  // a 16-bit character follows
constexpr uint32_t kEnd = 2;
constexpr uint32_t kFirstEntry = 3;

int BitsPerCharacter(Form form) {
  switch (form) {
    case Form::kRaw:
      return 16;
    case Form::kUtf16:
      return 15;
    default:
      return 6;
  }
}

// Packs bits, most significant first, into characters of the form.
class BitWriter {
 public:
  explicit BitWriter(Form form) : form_(form), bits_per_character_(BitsPerCharacter(form)) {}

  // `count` bits of `value`, least significant first.
  void Write(uint32_t value, int count) {
    for (; count > 0; --count, value >>= 1) WriteBit(value & 1);
  }

  // Fills up the last character with zeros; one is begun even when none is pending.
  std::u16string Finish() {
    do WriteBit(0);
    while (filled_ != 0);
    return std::move(text_);
  }

 private:
  void WriteBit(uint32_t bit) {
    pending_ = pending_ << 1 | bit;
    if (++filled_ < bits_per_character_) return;
    text_.push_back(Character(pending_));
    pending_ = 0;
    filled_ = 0;
  }

  char16_t Character(uint32_t bits) const {
    switch (form_) {
      case Form::kRaw:
        return static_cast<char16_t>(bits);
      case Form::kUtf16:
        return static_cast<char16_t>(bits + 32);
      case Form::kBase64:
        return static_cast<char16_t>(kBase64[bits]);
      case Form::kEncodedUriComponent:
        return static_cast<char16_t>(kUriSafe[bits]);
    }
    return 0;
  }

  Form form_;
  int bits_per_character_;
  uint32_t pending_ = 0;
  int filled_ = 0;
  std::u16string text_;
};

// Codes of phrases by (code of the phrase without its last character, last character).
class PhraseTable {
 public:
  PhraseTable() : slots_(1024) {}

  // The phrase's code, or 0.
  uint32_t Find(uint32_t prefix, char16_t last) const { return slots_[Place(Key(prefix, last))].code; }

  void Insert(uint32_t prefix, char16_t last, uint32_t code) {
    if (++used_ * 2 > slots_.size()) Grow();
    const uint64_t key = Key(prefix, last);
    slots_[Place(key)] = {key, code};
  }

 private:
  struct Slot {
    uint64_t key = 0;
    uint32_t code = 0;
  };
  static uint64_t Key(uint32_t prefix, char16_t last) { return uint64_t{prefix} << 16 | last; }

  size_t Place(uint64_t key) const {
    size_t place = Mix(key) & (slots_.size() - 1);
    while (slots_[place].code != 0 && slots_[place].key != key) place = (place + 1) & (slots_.size() - 1);
    return place;
  }

  void Grow() {
    std::vector<Slot> old(slots_.size() * 2);
    old.swap(slots_);
    for (const Slot& slot : old) {
      if (slot.code != 0) slots_[Place(slot.key)] = slot;
    }
  }

  std::vector<Slot> slots_;
  size_t used_ = 0;
};

class Compressor {
 public:
  explicit Compressor(Form form) : bits_(form), codes_(65536), announced_(65536) {}

  std::u16string Run(std::u16string_view text) {
    size_t phrase_start = 0;
    for (size_t i = 0; i < text.size(); ++i) {
      const char16_t unit = text[i];
      if (codes_[unit] == 0) codes_[unit] = dictionary_size_++;
      if (i == phrase_start) {
        phrase_code_ = codes_[unit];
        continue;
      }
      if (const uint32_t code = phrases_.Find(phrase_code_, unit); code != 0) {
        phrase_code_ = code;
        continue;
      }
      EmitPhrase(text[phrase_start]);
      // npm keeps phrases as properties of an object, where "__proto__" is not kept but counted.
      if (text.substr(phrase_start, i + 1 - phrase_start) != u"__proto__") {
        phrases_.Insert(phrase_code_, unit, dictionary_size_);
      }
      ++dictionary_size_;
      phrase_start = i;
      phrase_code_ = codes_[unit];
    }
    if (!text.empty()) EmitPhrase(text[phrase_start]);
    bits_.Write(kEnd, width_);
    return bits_.Finish();
  }

 private:
  // Writes the current phrase: a single character that was never written is announced in full.
  void EmitPhrase(char16_t first) {
    if (phrase_code_ == codes_[first] && !announced_[first]) {
      announced_[first] = true;
      bits_.Write(first < 256 ? kNewByte : kNewWord, width_);
      bits_.Write(first, first < 256 ? 8 : 16);
      CountDown();
    } else {
      bits_.Write(phrase_code_, width_);
    }
    CountDown();
  }

  void CountDown() {
    if (--until_wider_ == 0) until_wider_ = uint32_t{1} << width_++;
  }

  BitWriter bits_;
  PhraseTable phrases_;
  std::vector<uint32_t> codes_;  // of single characters
  std::vector<bool> announced_;
  uint32_t phrase_code_ = 0;
  uint32_t dictionary_size_ = kFirstEntry;
  uint32_t until_wider_ = 2;
  int width_ = 2;
};

class BitReader {
 public:
  BitReader(std::u16string_view packed, Form form)
      : packed_(packed), form_(form), top_(int32_t{1} << (BitsPerCharacter(form) - 1)) {
    mask_ = top_;
    value_ = Value(0);
  }

  uint32_t Read(int count) {
    uint32_t bits = 0;
    for (int i = 0; i < count; ++i) {
      if ((value_ & mask_) != 0) bits |= uint32_t{1} << i;
      mask_ >>= 1;
      if (mask_ == 0) {
        mask_ = top_;
        value_ = Value(index_++);
      }
    }
    return bits;
  }

  // npm's own test for having run past the end.
  bool Exhausted() const { return index_ > packed_.size(); }

 private:
  int32_t Value(size_t index) const {
    if (index >= packed_.size()) return 0;
    const char16_t unit = packed_[index];
    if (form_ == Form::kRaw) return unit;
    if (form_ == Form::kUtf16) return static_cast<int32_t>(unit) - 32;
    return Digit(form_ == Form::kEncodedUriComponent && unit == u' ' ? u'+' : unit);
  }

  int32_t Digit(char16_t unit) const {
    const std::string_view alphabet = form_ == Form::kBase64 ? kBase64 : kUriSafe;
    const size_t at = unit < 128 ? alphabet.find(static_cast<char>(unit)) : std::string_view::npos;
    return at == std::string_view::npos ? 0 : static_cast<int32_t>(at);
  }

  std::u16string_view packed_;
  Form form_;
  int32_t top_;
  int32_t mask_;
  int32_t value_;
  size_t index_ = 1;
};

// A phrase of the dictionary is a stretch of what has been written already.
struct Phrase {
  size_t start;
  size_t size;
};

}  // namespace

std::u16string Compress(std::u16string_view text, Form form) {
  std::u16string packed = Compressor(form).Run(text);
  if (form == Form::kUtf16) packed.push_back(u' ');
  if (form == Form::kBase64) packed.append((4 - packed.size() % 4) % 4, u'=');
  return packed;
}

std::optional<std::u16string> Decompress(std::u16string_view packed, Form form, size_t units_max) {
  if (packed.empty()) return std::nullopt;
  BitReader bits(packed, form);
  std::u16string text;
  const uint32_t first = bits.Read(2);
  if (first == kEnd) return text;
  if (first > kEnd) return std::nullopt;
  text.push_back(static_cast<char16_t>(bits.Read(first == kNewByte ? 8 : 16)));

  std::vector<Phrase> phrases(kFirstEntry, Phrase{0, 0});
  phrases.push_back({0, 1});
  Phrase previous{0, 1};
  int width = 3;
  uint32_t until_wider = 4;
  const auto count_down = [&] {
    if (--until_wider == 0) until_wider = uint32_t{1} << width++;
  };
  while (!bits.Exhausted()) {
    if (width > 31) return std::nullopt;
    uint32_t code = bits.Read(width);
    if (code == kEnd) return text;
    const size_t start = text.size();
    if (code < kEnd) {
      text.push_back(static_cast<char16_t>(bits.Read(code == kNewByte ? 8 : 16)));
      phrases.push_back({start, 1});
      count_down();
    } else if (code < phrases.size()) {
      const Phrase known = phrases[code];
      for (size_t i = 0; i < known.size; ++i) text.push_back(text[known.start + i]);
    } else if (code == phrases.size()) {
      for (size_t i = 0; i < previous.size; ++i) text.push_back(text[previous.start + i]);
      text.push_back(text[start]);
    } else {
      return std::nullopt;
    }
    // The previous phrase and this one's first character stand side by side in the text.
    phrases.push_back({previous.start, previous.size + 1});
    count_down();
    previous = {start, text.size() - start};
    if (text.size() > units_max) return std::nullopt;
  }
  return std::u16string();
}

}  // namespace tabmesh::lz
