#include "protocol/error_code.h"

#include <algorithm>
#include <array>
#include <utility>

#include "protocol/member_name.h"

namespace adbrook::protocol {
namespace {

constexpr int kFirst = static_cast<int>(ErrorCode::unknown_server_error);
constexpr int kLast = static_cast<int>(ErrorCode::share_session_limit_reached);
constexpr std::size_t kNameSizeMax = 40;

struct Name {
  std::array<char, kNameSizeMax> letters{};
  std::size_t size = 0;
};

// The enumerator's own name in upper case, so that there is no second list to keep equal.
template <ErrorCode Code>
constexpr Name official_name() {
  constexpr std::string_view kLower = constant_name<Code>();
  static_assert(kLower.size() <= kNameSizeMax);
  Name name{.size = kLower.size()};
  std::ranges::transform(kLower, name.letters.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  });
  return name;
}

template <std::size_t... Index>
constexpr auto all_names(std::index_sequence<Index...>) {
  return std::array{official_name<static_cast<ErrorCode>(static_cast<int>(Index) + kFirst)>()...};
}

constexpr auto kNames = all_names(std::make_index_sequence<kLast - kFirst + 1>{});

}  // namespace

std::string_view to_string(ErrorCode code) {
  const int number = static_cast<int>(code);
  if (number < kFirst || number > kLast) return "UNDEFINED_ERROR";
  const Name& name = kNames[static_cast<std::size_t>(number - kFirst)];
  return {name.letters.data(), name.size};
}

}  // namespace adbrook::protocol
