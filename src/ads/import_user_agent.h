// Browser family and operating system family of a User-Agent header, by a small table of our own.
#pragma once

#include <string_view>

namespace adbrook::ads {

struct UserAgent {
  std::string_view browser;   // empty when the table knows none
  std::string_view platform;  // likewise
};

// Never says "bot": what is a robot is for the filter rules to say.
UserAgent read_user_agent(std::string_view header);

}  // namespace adbrook::ads
