#include "broker/topic_pattern.h"

#include <re2/re2.h>

namespace adbrook::broker {
namespace {

// Of one compiled pattern; a pattern that needs more is refused.
constexpr std::int64_t kMemoryMax = 1 << 20;

}  // namespace

TopicPattern::TopicPattern(std::unique_ptr<re2::RE2> pattern) : pattern_(std::move(pattern)) {}
TopicPattern::TopicPattern(TopicPattern&&) noexcept = default;
TopicPattern::~TopicPattern() = default;

Result<TopicPattern> TopicPattern::compile(std::string_view text) {
  if (text.size() > kSizeMax)
    return fail(ErrorKind::invalid, "the pattern has " + std::to_string(text.size()) +
                                        " bytes, more than " + std::to_string(kSizeMax) +
                                        "; use a shorter one");
  re2::RE2::Options options(re2::RE2::Quiet);
  options.set_max_mem(kMemoryMax);
  auto pattern = std::make_unique<re2::RE2>(re2::StringPiece(text.data(), text.size()), options);
  if (!pattern->ok())
    return fail(ErrorKind::invalid, "the pattern is not one of RE2: " + pattern->error());
  return TopicPattern(std::move(pattern));
}

bool TopicPattern::matches(std::string_view topic) const {
  return re2::RE2::FullMatch(re2::StringPiece(topic.data(), topic.size()), *pattern_);
}

}  // namespace adbrook::broker
