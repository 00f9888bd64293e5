// CreatePartitions: gives topics more partitions, up to a count that includes those there are.
#pragma once

#include "protocol/field.h"

namespace adbrook::protocol {

inline constexpr Api kCreatePartitions{
    .key = 37, .name = "CreatePartitions", .first = 0, .last = 3, .flexible = 2};

struct CreatePartitionsRequest {
  static constexpr const Api& kApi = kCreatePartitions;

  struct Assignment {
    std::vector<std::int32_t> broker_ids;

    static constexpr auto fields() { return std::array{field<&Assignment::broker_ids>()}; }
  };

  struct Topic {
    std::string_view name;
    std::int32_t count = 0;
    std::optional<std::vector<Assignment>> assignments{std::in_place};

    static constexpr auto fields() {
      return std::array{field<&Topic::name>(), field<&Topic::count>(),
                        field<&Topic::assignments>()};
    }
  };

  std::vector<Topic> topics;
  std::int32_t timeout_ms = 0;
  bool validate_only = false;

  static constexpr auto fields() {
    using M = CreatePartitionsRequest;
    return std::array{field<&M::topics>(), field<&M::timeout_ms>(), field<&M::validate_only>()};
  }
};

struct CreatePartitionsResponse {
  static constexpr const Api& kApi = kCreatePartitions;

  struct Topic {
    std::string_view name;
    ErrorCode error_code = ErrorCode::none;
    std::optional<std::string_view> error_message;

    static constexpr auto fields() {
      return std::array{field<&Topic::name>(), field<&Topic::error_code>(),
                        field<&Topic::error_message>()};
    }
  };

  std::int32_t throttle_time_ms = 0;
  std::vector<Topic> results;

  static constexpr auto fields() {
    using M = CreatePartitionsResponse;
    return std::array{field<&M::throttle_time_ms>(), field<&M::results>()};
  }
};

}  // namespace adbrook::protocol
