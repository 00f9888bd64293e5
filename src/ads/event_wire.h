// Reads the fields of an event's Avro value and checks each by the rules of event_fields.h. Inline:
// these calls are on the path of every event.
#pragma once

#include <cstring>
#include <optional>
#include <string_view>

#include "ads/event_extra.h"
#include "ads/event_fields.h"
#include "ads/event_refusal.h"
#include "ads/event_text.h"
#include "base/text.h"
#include "serde/avro_wire.h"

namespace adbrook::ads::wire {

template <class Word>
Word load(const char* from) {
  Word word;
  std::memcpy(&word, from, sizeof word);
  return word;
}

// Most texts are ASCII, which a few overlapping words prove.
inline bool is_utf8(std::string_view text) {
  const char* const first = text.data();
  const std::size_t size = text.size();
  std::uint64_t bits = 0;
  if (size >= 8) {
    for (std::size_t i = 0; i + 8 < size; i += 8) bits |= load<std::uint64_t>(first + i);
    bits |= load<std::uint64_t>(first + size - 8);
  } else if (size >= 4) {
    bits = load<std::uint32_t>(first) | load<std::uint32_t>(first + size - 4);
  } else if (size > 0) {
    bits = static_cast<std::uint8_t>(first[0] | first[size / 2] | first[size - 1]);
  }
  return (bits & 0x8080808080808080u) == 0 || is_valid_utf8(text);
}

// Reads one value, field after field. Every function returns the reason of a failure or nothing;
// the caller stops at the first one. An absent field leaves what it was given as it was.
class ValueReader {
 public:
  ValueReader(ByteView bytes, EventText& text) : bytes_(bytes), in_(bytes), text_(&text) {}

  using Failure = std::optional<Reason>;

  Failure uuid(Uuid& id) {
    const ByteView read = in_.read_fixed(16);
    if (read.empty()) return Reason::unreadable;
    id.high = load_be<std::uint64_t>(read.data());
    id.low = load_be<std::uint64_t>(read.data() + 8);
    return {};
  }
  Failure uuid(std::optional<Uuid>& id) {
    if (!in_.read_present()) return so_far();
    return uuid(id.emplace());
  }

  Failure time(Timestamp& time) {
    time.ms = in_.read_long();
    return so_far();
  }

  Failure whole(std::int64_t& value) {
    value = in_.read_long();
    if (static_cast<std::uint64_t>(value) >= static_cast<std::uint64_t>(kWholeEnd))
      return Reason::out_of_range;
    return so_far();
  }
  Failure whole(std::optional<std::int64_t>& value) {
    if (!in_.read_present()) return so_far();
    return whole(value.emplace());
  }

  Failure real(std::optional<double>& value, double first, double last) {
    if (!in_.read_present()) return so_far();
    const double read = in_.read_double();
    if (!in_.ok()) return Reason::unreadable;
    if (!(read >= first && read <= last)) return Reason::out_of_range;  // NaN fails too
    value = read;
    return {};
  }

  Failure text(std::string_view& text, std::size_t size_max) {
    if (!in_.read_present()) return so_far();
    text = in_.read_string_view();
    if (text.size() > size_max) return Reason::too_long;
    if (!is_utf8(text)) return Reason::bad_utf8;
    return so_far();
  }

  // `count` ASCII letters, given in upper case.
  Failure letters(std::string_view& value, std::size_t count, Reason reason) {
    if (const auto failed = text(value, kFixedTextSizeMax)) return failed;
    if (value.empty()) return {};
    if (value.size() != count) return reason;
    bool lower = false;
    for (const char c : value) {
      const char folded = static_cast<char>(c & ~0x20);
      if (folded < 'A' || folded > 'Z') return reason;
      lower = lower || c != folded;
    }
    if (lower) value = in_upper_case(value);
    return {};
  }

  Failure extra(ByteView& encoded) {
    if (!in_.read_present()) return so_far();
    ExtraReader reader(bytes_.subspan(in_.position()));
    while (const auto field = reader.next())
      if (!is_utf8(field->name) || !is_utf8(field->value)) return Reason::bad_utf8;
    if (!reader.ok()) return Reason::unreadable;
    encoded = in_.read_fixed(reader.position());
    return so_far();
  }

  // Nothing may follow the value.
  Failure end() const { return in_.done() ? Failure{} : Reason::unreadable; }

 private:
  Failure so_far() const { return in_.ok() ? Failure{} : Reason::unreadable; }

  std::string_view in_upper_case(std::string_view value) {
    char* to = text_->room(value.size());
    for (std::size_t i = 0; i < value.size(); ++i) to[i] = static_cast<char>(value[i] & ~0x20);
    return {to, value.size()};
  }

  ByteView bytes_;
  serde::AvroReader in_;
  EventText* text_;
};

}  // namespace adbrook::ads::wire
