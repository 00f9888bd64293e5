#include "app/offset_spec.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/text.h"

namespace adbrook::app {
namespace {

std::optional<std::int64_t> whole_number(std::string_view text) {
  std::int64_t number = 0;
  const auto [at, ec] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (ec != std::errc{} || at != text.data() + text.size() || text.empty()) return std::nullopt;
  return number;
}

Result<Timestamp> parse_moment(std::string_view text, Timestamp now) {
  if (!text.starts_with('-')) return parse_time(text);
  const auto ago = parse_duration(text.substr(1));
  if (!ago) return pass(ago.error());
  return now - *ago;
}

}  // namespace

Result<OffsetSpec> parse_offset_spec(std::string_view text, Timestamp now, std::string_view flag) {
  using Kind = OffsetSpec::Kind;
  if (text == "beginning" || text == "earliest") return OffsetSpec{Kind::beginning, 0, {}};
  if (text == "end" || text == "latest") return OffsetSpec{Kind::end, 0, {}};
  if (text.starts_with('@')) {
    const auto time = parse_moment(text.substr(1), now);
    if (!time) return pass(time.error(), std::string(flag) + " '" + printable(text) + "'");
    return OffsetSpec{Kind::time, 0, *time};
  }
  // "-0" is the end, as "-5" is five before it.
  if (const auto number = whole_number(text); number && text.starts_with('-'))
    return OffsetSpec{Kind::before_end, -*number, {}};
  else if (number)
    return OffsetSpec{Kind::offset, *number, {}};
  constexpr std::array<std::string_view, 4> kWords = {"beginning", "earliest", "end", "latest"};
  return fail(ErrorKind::invalid, std::string(flag) + " '" + printable(text) +
                                      "': it must be beginning, end, an offset, -N or @TIME" +
                                      did_you_mean(text, kWords));
}

Offset resolve(const OffsetSpec& spec, const bus::Ends& ends, std::optional<Offset> at_time) {
  Offset wanted = ends.start;
  switch (spec.kind) {
    case OffsetSpec::Kind::beginning: break;
    case OffsetSpec::Kind::end: wanted = ends.end; break;
    case OffsetSpec::Kind::offset: wanted = Offset{spec.count}; break;
    case OffsetSpec::Kind::before_end:
      // Compared before it is subtracted: the count may be any number.
      wanted = spec.count > ends.end - ends.start ? ends.start : ends.end + -spec.count;
      break;
    case OffsetSpec::Kind::time: wanted = at_time.value_or(ends.end); break;
  }
  return std::clamp(wanted, ends.start, std::max(ends.start, ends.end));
}

}  // namespace adbrook::app
