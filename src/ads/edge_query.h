// Events from URL query strings (the pixel and the click link), and the signature that makes a
// click link ours: HMAC-SHA256 over the canonical query, so that a redirect leads only where we
// signed.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ads/edge_field.h"
#include "base/bytes.h"

namespace adbrook::ads {

inline constexpr std::size_t kQuerySizeMax = 8 << 10;
inline constexpr std::size_t kQueryParameterCountMax = 64;
inline constexpr std::size_t kTargetSizeMax = 2048;

struct QueryParameter {
  std::string_view name;
  std::string_view value;
};

// The decoded parameters of a query string, in their order. Views into the source and the
// EventText.
class Query {
 public:
  // Reads "a=1&b=%20" (without the '?'). '+' is a space, as browsers send it. A name twice, a
  // broken percent escape or a limit exceeded refuses the whole.
  static Checked<Query> parse(std::string_view source, EventText& text);

  std::optional<std::string_view> find(std::string_view name) const;
  std::span<const QueryParameter> parameters() const { return parameters_; }

 private:
  std::vector<QueryParameter> parameters_;
};

// What the collector fills in where the link does not say it.
struct QueryDefaults {
  Uuid id;
  Timestamp timestamp;
};

// The event of a query; `to` and `sig` are the link's own and no fields.
template <class Event>
Checked<Event> event_from_query(const Query& query, const QueryDefaults& defaults,
                                EventBuilder<Event>& builder, EventText& text);

// All parameters but `sig`, sorted by name, percent-encoded (all but RFC 3986's unreserved).
std::string canonical_query(const Query& query);

// base64url without padding of HMAC-SHA256(key, canonical query): 43 characters.
std::string sign_query(const Query& query, ByteView key);

// Whether `sig` is there and right. Takes the same time whichever character is wrong.
bool is_signed(const Query& query, ByteView key);

// A redirect's target: an absolute http or https address with a host, no user name, no control or
// non-ASCII characters, no space, no backslash.
Checked<void> check_target(std::string_view url);

}  // namespace adbrook::ads
