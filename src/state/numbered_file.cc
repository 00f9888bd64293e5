#include "state/numbered_file.h"

#include <charconv>

namespace adbrook::state {
namespace {

constexpr std::size_t kDigits = 20;

}  // namespace

std::optional<std::uint64_t> number_in(std::string_view name, std::string_view kind) {
  if (!name.starts_with(kind) || name.size() != kind.size() + kDigits) return std::nullopt;
  std::uint64_t number = 0;
  const char* first = name.data() + kind.size();
  const auto [end, error] = std::from_chars(first, first + kDigits, number);
  if (error != std::errc() || end != first + kDigits) return std::nullopt;
  return number;
}

std::string numbered_path(const std::string& directory, std::string_view kind,
                          std::uint64_t number) {
  std::string digits = std::to_string(number);
  digits.insert(0, kDigits - digits.size(), '0');
  return directory + "/" + std::string(kind) + digits;
}

}  // namespace adbrook::state
