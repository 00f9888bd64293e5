// Tells whether a text is an IP address, without resolving or keeping anything.
#pragma once

#include <string_view>

namespace adbrook::ads {

// IPv4 as four decimal numbers without leading zeros, or IPv6 as in RFC 4291 section 2.2 (with one
// "::" at most, an IPv4 tail allowed, no zone and no brackets).
bool is_ip_address(std::string_view text);

}  // namespace adbrook::ads
