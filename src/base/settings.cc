#include "base/settings.h"

#include <array>
#include <cmath>

namespace adbrook::setting_text {
namespace {

struct SizeUnit {
  std::string_view name;
  std::int64_t factor;
};
constexpr std::array<SizeUnit, 4> kSizeUnits = {
    {{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"", 1}}};

std::unexpected<Error> unreadable(std::string_view text, std::string_view wanted) {
  return fail(ErrorKind::invalid, "'" + std::string(text.substr(0, 64)) +
                                      "' cannot be read: it must be " + std::string(wanted));
}

}  // namespace

std::string show(bool value) { return value ? "true" : "false"; }
std::string show(std::int64_t value) { return std::to_string(value); }
std::string show(double value) {
  std::array<char, 32> out;
  const auto end = std::to_chars(out.data(), out.data() + out.size(), value).ptr;
  return {out.data(), end};
}
std::string show(Bytes value) {
  for (const SizeUnit& unit : kSizeUnits)
    if (value.count != 0 && value.count % unit.factor == 0)
      return std::to_string(value.count / unit.factor) + std::string(unit.name);
  return std::to_string(value.count);
}
std::string show(Millis value) { return format_duration(value); }
std::string show(const std::string& value) { return value; }
std::string show(const std::vector<std::string>& value) {
  std::string out;
  for (const auto& item : value) out += (out.empty() ? "" : ",") + item;
  return out;
}

Result<void> parse(std::string_view text, bool& value) {
  if (text != "true" && text != "false") return unreadable(text, "true or false");
  value = text == "true";
  return {};
}
Result<void> parse(std::string_view text, std::int64_t& value) {
  const auto* end = text.data() + text.size();
  const auto [at, ec] = std::from_chars(text.data(), end, value);
  if (ec != std::errc{} || at != end) return unreadable(text, "a whole number");
  return {};
}
Result<void> parse(std::string_view text, double& value) {
  const auto* end = text.data() + text.size();
  const auto [at, ec] = std::from_chars(text.data(), end, value);
  if (ec != std::errc{} || at != end || !std::isfinite(value)) return unreadable(text, "a number");
  return {};
}
Result<void> parse(std::string_view text, Bytes& value) {
  std::int64_t count = 0;
  const auto* end = text.data() + text.size();
  const auto [at, ec] = std::from_chars(text.data(), end, count);
  const std::string_view name(at, static_cast<std::size_t>(end - at));
  if (ec == std::errc{})
    for (const SizeUnit& unit : kSizeUnits)
      if (name == unit.name && !__builtin_mul_overflow(count, unit.factor, &value.count)) return {};
  return unreadable(text, "a number of bytes, like 4096, 64KiB, 1MiB or 2GiB");
}
Result<void> parse(std::string_view text, Millis& value) {
  const auto read = parse_duration(text);
  if (!read) return std::unexpected(read.error());
  value = *read;
  return {};
}
Result<void> parse(std::string_view text, std::string& value) {
  value = text;
  return {};
}
Result<void> parse(std::string_view text, std::vector<std::string>& value) {
  value.clear();
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    if (comma != 0) value.emplace_back(text.substr(0, comma));
    text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
  }
  return {};
}

}  // namespace adbrook::setting_text
