// A regular expression over topic names, as a consumer subscribes by: the syntax of RE2, matched
// against whole names, in time linear in the name.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace re2 {
class RE2;
}

namespace adbrook::broker {

// Immutable.
class TopicPattern {
 public:
  // Longer ones are refused; each costs memory while its member lives.
  static constexpr std::size_t kSizeMax = 4'096;

  // invalid, with what the syntax says.
  static Result<TopicPattern> compile(std::string_view text);

  TopicPattern(TopicPattern&&) noexcept;
  ~TopicPattern();
  bool matches(std::string_view topic) const;

 private:
  explicit TopicPattern(std::unique_ptr<re2::RE2> pattern);
  std::unique_ptr<re2::RE2> pattern_;
};

}  // namespace adbrook::broker
