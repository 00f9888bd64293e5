// DeleteTopics: by name until 5, by name or id from 6 on.
#pragma once

#include "protocol/field.h"

namespace adbrook::protocol {

inline constexpr Api kDeleteTopics{
    .key = 20, .name = "DeleteTopics", .first = 1, .last = 6, .flexible = 4};

struct DeleteTopicsRequest {
  static constexpr const Api& kApi = kDeleteTopics;

  struct Topic {
    std::optional<std::string_view> name;
    Uuid topic_id;

    static constexpr auto fields() {
      return std::array{field<&Topic::name>(), field<&Topic::topic_id>()};
    }
  };

  std::vector<Topic> topics;
  std::vector<std::string_view> topic_names;
  std::int32_t timeout_ms = 0;

  static constexpr auto fields() {
    using M = DeleteTopicsRequest;
    return std::array{field<&M::topics>({.since = 6}), field<&M::topic_names>({.until = 5}),
                      field<&M::timeout_ms>()};
  }
};

struct DeleteTopicsResponse {
  static constexpr const Api& kApi = kDeleteTopics;

  struct Topic {
    std::optional<std::string_view> name;
    Uuid topic_id;
    ErrorCode error_code = ErrorCode::none;
    std::optional<std::string_view> error_message;

    static constexpr auto fields() {
      return std::array{field<&Topic::name>({.nullable = 6}), field<&Topic::topic_id>({.since = 6}),
                        field<&Topic::error_code>(), field<&Topic::error_message>({.since = 5})};
    }
  };

  std::int32_t throttle_time_ms = 0;
  std::vector<Topic> responses;

  static constexpr auto fields() {
    using M = DeleteTopicsResponse;
    return std::array{field<&M::throttle_time_ms>(), field<&M::responses>()};
  }
};

}  // namespace adbrook::protocol
