// The part of a URL behind '?': names and values, percent-decoded, with limits on their number.
// `application/x-www-form-urlencoded` as browsers write it (WHATWG URL): '+' is a space.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace adbrook::http {

inline constexpr std::size_t kQueryParametersMax = 256;

struct QueryParameter {
  std::string name;
  std::string value;
  friend bool operator==(const QueryParameter&, const QueryParameter&) = default;
};

class Query {
 public:
  // invalid: a broken %-escape, broken UTF-8 or a NUL after decoding, too many parameters.
  // An empty name or a name without '=' is kept (with an empty value); empty parts are skipped.
  static Result<Query> parse(std::string_view text);

  const std::vector<QueryParameter>& parameters() const { return parameters_; }
  // The first value; nullptr when the name is absent.
  const std::string* find(std::string_view name) const;
  // As find, or `otherwise`.
  std::string_view value_or(std::string_view name, std::string_view otherwise) const;
  void add(std::string name, std::string value);
  // parse() of it gives the same parameters.
  std::string text() const;

 private:
  std::vector<QueryParameter> parameters_;
};

enum class PlusSign { is_space, is_plus };

// invalid: '%' without two hex digits.
Result<std::string> percent_decode(std::string_view text, PlusSign plus);
// Everything but the unreserved characters of RFC 3986 becomes %XX.
std::string percent_encode(std::string_view text);

}  // namespace adbrook::http
