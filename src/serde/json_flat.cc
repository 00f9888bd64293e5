#include "serde/json_flat.h"

#include <algorithm>
#include <array>
#include <bit>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace adbrook::serde {
namespace {

#ifdef __SSE2__

constexpr std::size_t kBlock = 16;
constexpr std::size_t kBlocks = 64;      // as many as one mask has bits for
constexpr std::size_t kQuotesMax = 128;  // 32 texts under 32 keys

// Where the quotes are, in order, and behind the last one the text's end.
struct Quotes {
  std::array<const char*, kQuotesMax + kBlocks + 1> at;
  const char** end = at.data();

  std::size_t count() const { return static_cast<std::size_t>(end - at.data()); }
  // The quotes of a block as bits; `rare` keeps the bytes that need the full reader.
  static std::uint64_t quotes_in(const char* block, __m128i& rare) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(block));
    // As signed numbers, bytes of multi-byte characters are below the space too.
    rare = _mm_or_si128(rare, _mm_or_si128(_mm_cmplt_epi8(bytes, _mm_set1_epi8(' ')),
                                           _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'))));
    const __m128i quote = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"'));
    return static_cast<unsigned>(_mm_movemask_epi8(quote));
  }
  // False when there are too many, or when a byte is rare.
  bool add(const char* from, std::uint64_t found, __m128i rare) {
    for (; found != 0; found &= found - 1) *end++ = from + std::countr_zero(found);
    return _mm_movemask_epi8(rare) == 0 && end <= at.data() + kQuotesMax;
  }

  // The text has at least one block. Four at a time: how many quotes come is hard to foretell, so
  // that the end of each loop over them costs.
  bool find(std::string_view text) {
    const char* const text_end = text.data() + text.size();
    const char* from = text.data();
    const auto left = [&] { return static_cast<std::size_t>(text_end - from); };
    for (; left() >= kBlocks; from += kBlocks) {
      __m128i rare = _mm_setzero_si128();
      std::uint64_t found = 0;
      for (std::size_t n = 0; n < kBlocks; n += kBlock) found |= quotes_in(from + n, rare) << n;
      if (!add(from, found, rare)) return false;
    }
    __m128i rare = _mm_setzero_si128();
    std::uint64_t found = 0;
    std::size_t seen = 0;
    for (; left() - seen >= kBlock; seen += kBlock) found |= quotes_in(from + seen, rare) << seen;
    // The last bytes are looked at together with some that were seen before.
    if (const std::size_t rest = left() - seen; rest > 0)
      found |= quotes_in(text_end - kBlock, rare) >> (kBlock - rest) << seen;
    if (!add(from, found, rare)) return false;
    *end = text_end;
    return true;
  }
};

bool read_scalar(std::string_view raw, JsonValue& value) {
  value = {JsonKind::number, raw, {}};
  if (is_json_number(raw)) return true;
  value.kind = raw == "null" ? JsonKind::null : JsonKind::boolean;
  return raw == "null" || raw == "true" || raw == "false";
}

// Walks from quote to quote; whatever is not expected ends the short way. The text ends with a }
// outside of texts, or the quotes do not come out even: no loop runs past it.
class FlatWalk {
 public:
  FlatWalk(std::string_view text, const Quotes& quotes)
      : at_(text.data()), last_(text.data() + text.size() - 1), quote_(quotes.at.data()) {}

  bool take(char token) {
    while (*at_ == ' ') ++at_;
    if (*at_ != token) return false;
    ++at_;
    return true;
  }
  bool at_close() {
    while (*at_ == ' ') ++at_;
    return at_ == last_;
  }
  // The text between the next two quotes, the first of which must be here.
  bool read_text(std::string_view& text) {
    while (*at_ == ' ') ++at_;
    if (at_ != quote_[0]) return false;
    text = {at_ + 1, static_cast<std::size_t>(quote_[1] - at_ - 1)};
    at_ = quote_[1] + 1;
    quote_ += 2;
    return true;
  }
  bool read_value(JsonValue& value) {
    while (*at_ == ' ') ++at_;
    if (at_ == quote_[0]) {
      value.kind = JsonKind::string;
      if (!read_text(value.text)) return false;
      value.raw = {value.text.data() - 1, value.text.size() + 2};
      return true;
    }
    const char* const begin = at_;
    while (*at_ != ',' && *at_ != '}' && *at_ != ' ') ++at_;
    return read_scalar({begin, static_cast<std::size_t>(at_ - begin)}, value);
  }

 private:
  const char* at_;
  const char* const last_;
  const char* const* quote_;
};

#endif

}  // namespace

bool JsonKeysSeen::repeats(std::string_view key, std::span<const JsonField> fields) {
  // Keys of one object often begin and end alike, as event_type and event_time do.
  std::uint64_t sample = key.size() << 24;
  if (!key.empty()) {
    const auto byte = [key](std::size_t at) -> std::uint64_t {
      return static_cast<std::uint8_t>(key[at]);
    };
    const std::size_t last_but_one = std::max<std::size_t>(key.size(), 2) - 2;
    sample |= byte(0) | byte(key.size() / 2) << 8 | byte(last_but_one) << 16;
  }
  const std::uint64_t bit = std::uint64_t{1} << (sample * 0xFF51AFD7ED558CCDull >> 58);
  const bool maybe = (bits_ & bit) != 0;
  bits_ |= bit;
  return maybe && std::ranges::any_of(fields, [key](const auto& f) { return f.key == key; });
}

bool is_json_number(std::string_view raw) {
  const char* at = raw.data();
  const char* const end = at + raw.size();
  const auto digits = [&] {
    const char* const from = at;
    while (at != end && is_digit(*at)) ++at;
    return at > from;
  };
  if (at != end && *at == '-') ++at;
  if (at != end && *at == '0') {
    ++at;
  } else if (!digits()) {
    return false;
  }
  if (at != end && *at == '.') {
    ++at;
    if (!digits()) return false;
  }
  if (at != end && (*at == 'e' || *at == 'E')) {
    ++at;
    if (at != end && (*at == '+' || *at == '-')) ++at;
    if (!digits()) return false;
  }
  return at == end;
}

#ifdef __SSE2__

bool read_flat_object(std::string_view text, std::size_t field_count_max,
                      std::vector<JsonField>& fields) {
  fields.clear();
  text = text.substr(0, text.find_last_not_of(kJsonSpaces) + 1);
  text.remove_prefix(std::min(text.find_first_not_of(kJsonSpaces), text.size()));
  Quotes quotes;
  if (text.size() < kBlock || text.back() != '}' || !quotes.find(text)) return false;
  // Each field has two quotes at its key. An odd one would leave the last text open.
  if (quotes.count() % 2 != 0) return false;
  FlatWalk walk(text, quotes);
  JsonKeysSeen keys;
  if (!walk.take('{')) return false;
  do {
    JsonField& field = fields.emplace_back();
    if (!walk.read_text(field.key) || !walk.take(':') || !walk.read_value(field.value))
      return false;
    if (fields.size() > field_count_max) return false;
    if (keys.repeats(field.key, std::span(fields).first(fields.size() - 1))) return false;
  } while (walk.take(','));
  return walk.at_close();
}

#else

bool read_flat_object(std::string_view, std::size_t, std::vector<JsonField>&) { return false; }

#endif

}  // namespace adbrook::serde
