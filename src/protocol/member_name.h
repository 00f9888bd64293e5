// The name of a member or an enumerator as text, taken from the compiler's own spelling of it.
// So a field list does not say every name twice, and the two cannot drift apart.
#pragma once

#include <string_view>

namespace adbrook::protocol {

// constant_name<&Topic::partitions>() is "partitions", constant_name<ErrorCode::none>() "none".
template <auto Constant>
constexpr std::string_view constant_name() {
  // g++: "... [with auto Constant = &ns::Topic::partitions; ...]"; clang ends it with "]" at once.
  constexpr std::string_view kStart = "Constant = ";
  std::string_view text = __PRETTY_FUNCTION__;
  text.remove_prefix(text.find(kStart) + kStart.size());
  text = text.substr(0, text.find_first_of(";])"));
  return text.substr(text.rfind(':') + 1);
}

}  // namespace adbrook::protocol
